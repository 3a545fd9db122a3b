"""How far the re-keying of an image set has come, in the journal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, update

from radledger.crypto import envelope
from radledger.imaging.journal import statements
from radledger.imaging.journal import tables as schema
from radledger.imaging.journal.rows import Rows
from radledger.imaging.journal.statements import deletion
from radledger.imaging.journal.tables import SetRow, rekeyed_files, rekeys
from radledger.imaging.journal.tables import files as of_files
from radledger.imaging.journal.tables import sets as of_sets

__all__ = ["RekeyRows", "Rekeying"]


@dataclass(frozen=True, slots=True)
class Rekeying:
    """A re-keying that was begun.

    Attributes
    ----------
    secret
        The new secret, as the journal keeps it.
    manifest_cid
        The new manifest, once it is stored.
    cids
        New ciphertexts by SOP Instance UID, as far as they are stored.
    """

    secret: str
    manifest_cid: str | None
    cids: dict[str, str]


class RekeyRows(Rows):
    """The part of a journal that is about re-keying; see :class:`.Journal`."""

    def begin_rekey(self, row: SetRow) -> Rekeying:
        """A re-keying of a set, found as this home has left it, or begun.

        Objects recorded by another writer than this home are unpinned.
        """
        found = self._found_rekey(row)
        if found is None:
            with self._write(durable=True) as write:
                cids = (rekeyed_files.c.cid, rekeys.c.manifest_cid)
                self._discard(write, row.set_id, cids)
                for table in (rekeyed_files, rekeys):
                    write(deletion(table, row.set_id))
                secret = self._seal_secret(row, envelope.new_secret())
                write(self._new(rekeys), set_id=row.set_id, secret=secret)
                found = Rekeying(secret, None, {})
                self._seal_rekey(write, row, found)
        return found

    def secret_of_rekey(self, row: SetRow, rekeying: Rekeying) -> str:
        """The secret under which a set is re-encrypted."""
        return self.secret_of(replace(row, secret=rekeying.secret))

    def add_rekeyed(self, row: SetRow, rekeying: Rekeying, sop_instance: str, cid: str) -> None:
        """Record an instance's new ciphertext."""
        new = {"set_id": row.set_id, "sop_instance": sop_instance, "cid": cid}
        with self._write() as write:
            write(statements.NOT_REKEYED, set_id=row.set_id, sop_instance=sop_instance)
            write(self._new(rekeyed_files), **new)
            self._seal(write, row.set_id, _of(sop_instance), rekeying.secret, cid)
            write(statements.NAMED, cid=cid)

    def seal_rekey(self, row: SetRow, rekeying: Rekeying, manifest_cid: str) -> Rekeying:
        """Fix the new manifest, in place of an earlier one; on the disk when this returns."""
        sealed = replace(rekeying, manifest_cid=manifest_cid)
        one = update(rekeys).where(rekeys.c.set_id == row.set_id)
        with self._write(durable=True) as write:
            self._discard(write, row.set_id, (rekeys.c.manifest_cid,))
            write(one.values(manifest_cid=manifest_cid))
            self._seal_rekey(write, row, sealed)
            write(statements.NAMED, cid=manifest_cid)
        return sealed

    def finish_rekey(self, row: SetRow, rekeying: Rekeying) -> None:
        """Put the new secret, manifest and ciphertexts in force, and unpin the old ones."""
        new = replace(row, secret=rekeying.secret, manifest_cid=rekeying.manifest_cid)
        one = update(of_sets).where(of_sets.c.set_id == row.set_id)
        instances = self.require_authentic(row)
        with self._write(durable=True) as write:
            self._discard(write, row.set_id, (of_files.c.cid, of_sets.c.manifest_cid))
            write(one.values(secret=new.secret, manifest_cid=new.manifest_cid))
            for statement in statements.rekeyed(row.set_id):
                write(statement)
            write(deletion(schema.seals, row.set_id))
            self._seal_set(write, new, instances)

    # ------------------------------------------------------------------------------- internals

    def _found_rekey(self, row: SetRow) -> Rekeying | None:
        """The re-keying that the home has begun, without what was not written by the home."""
        begun = select(rekeys.c.secret, rekeys.c.manifest_cid)
        for secret, manifest_cid in self._all(begun.where(rekeys.c.set_id == row.set_id)):
            if self._is_sealed(row.set_id, "rekey", row.image_id, secret, manifest_cid):
                files = self._rekeyed(row.set_id)
                cids = {
                    sop_instance: cid
                    for sop_instance, cid in files.items()
                    if self._is_sealed(row.set_id, _of(sop_instance), secret, cid)
                }
                return Rekeying(secret, manifest_cid, cids)
        return None

    def _rekeyed(self, set_id: int) -> dict[str, str]:
        done = select(rekeyed_files.c.sop_instance, rekeyed_files.c.cid)
        return dict(self._all(done.where(rekeyed_files.c.set_id == set_id)))

    def _seal_rekey(self, write: Any, row: SetRow, rekeying: Rekeying) -> None:
        fields = (row.image_id, rekeying.secret, rekeying.manifest_cid)
        self._seal(write, row.set_id, "rekey", *fields)

    def _protect(self, write: Any, *, trusting: bool) -> None:
        super()._protect(write, trusting=trusting)
        for set_id, plain, manifest_cid in self._all(select(rekeys)):
            (row,) = self._sets(statements.SET.where(of_sets.c.set_id == set_id))
            secret = self._seal_secret(row, plain)
            write(update(rekeys).where(rekeys.c.set_id == set_id).values(secret=secret))
            self._seal_rekey(write, row, Rekeying(secret, manifest_cid, {}))
            for sop_instance, cid in self._rekeyed(set_id).items():
                self._seal(write, set_id, _of(sop_instance), secret, cid)


def _of(sop_instance: str) -> str:
    return f"rekeyed {sop_instance}"

"""The custodian's secret store, and how far each addition has come, in SQLite or PostgreSQL.

A file's row is written only once its ciphertext is stored, so a row always means that the
ciphertext exists.  An image set goes through these states:

=============  ===========================================================================
``open``       files are being encrypted and stored
``sealed``     root, image id and manifest are fixed; it may be on its way to the chain
``confirmed``  the chain has it
``erased``     nothing of it is left but its id
=============  ===========================================================================

Salts and secrets are random, and only here: without this database, and the home's key to it
(:mod:`.homekey`), the custodian cannot open, prove or erase what it stored.  Any number of
processes and threads may use it at once; what others than the home wrote, the home tells apart.

An SQLite file is readable by its owner alone, and its deleted rows are overwritten.  What a
PostgreSQL server deletes, no query gives back; its files, its write-ahead log, its replicas and
its backups hold it until they are overwritten or destroyed, which is its administrator's work.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Table, bindparam, delete, exists, or_, select, update

from radledger.crypto import envelope
from radledger.imaging.journal import statements
from radledger.imaging.journal import tables as schema
from radledger.imaging.journal.homekey import HomeKey, seal_secret
from radledger.imaging.journal.identifiers import mixed
from radledger.imaging.journal.rekeying import RekeyRows
from radledger.imaging.journal.rows import context_of, of_purpose
from radledger.imaging.journal.statements import columns_of, deletion, series_of
from radledger.imaging.journal.tables import (
    FileRow,
    IdentifierRow,
    KnownFile,
    Level,
    Purpose,
    SetRow,
    Work,
    groups,
    rekeyed_files,
    storing,
)
from radledger.imaging.journal.tables import files as of_files
from radledger.imaging.journal.tables import sets as of_sets
from radledger.imaging.model import group_digest

__all__ = ["FileRow", "Journal", "KnownFile", "Purpose", "SetRow"]

_PARTS = (of_files, schema.identifiers, schema.seals)  # what there is of a set besides its row


class Journal(RekeyRows):
    """An open journal.

    Parameters
    ----------
    location
        Path of an SQLite database, or URL of a PostgreSQL one (``postgresql://…``), in whose
        schema ``schema=NAME`` it is; made if it does not exist.
    key
        The home's key, which workers do not have; :func:`.custodian_journal` opens both.

    Raises
    ------
    InvalidJournalUrl, JournalUnavailable
        If it cannot be opened; the latter from every method as well.

    Examples
    --------
    >>> import tempfile
    >>> journal = Journal(Path(tempfile.mkdtemp()) / "journal.sqlite3")
    >>> purpose = Purpose("0x" + "11" * 20, "0x" + "22" * 20, "basic")
    >>> visit = journal.group(purpose, "visit", "1.2.3")
    >>> visit == journal.group(purpose, "visit", "1.2.3")
    True
    >>> home = HomeKey.new().public_key
    >>> journal.open_set(purpose, visit, visit, "1.2.3", "1.2.3.4", "CT", home).state
    'open'
    """

    def __init__(self, location: Path | str, key: HomeKey | None = None) -> None:
        super().__init__(location, key)
        self._add_file = self._new(of_files).returning(of_files.c.set_id)

    # ---------------------------------------------------------------------------- additions

    def pseudonym_key(self, purpose: Purpose) -> bytes:
        """The key of a patient's pseudonyms at a custodian, made when first asked for."""
        who = {"custodian": purpose.custodian, "patient": purpose.patient}
        found = self._all(statements.PATIENT, **who)
        if not found:
            new = self.key.encrypt(secrets.token_bytes(32), of_purpose(**who))
            with self._write() as write:
                write(self._new(schema.patients), **who, pseudonym_key=new)
            found = self._all(statements.PATIENT, **who)
        return self.key.decrypt(bytes(found[0][0]), of_purpose(**who))

    def group(self, purpose: Purpose, kind: Literal["visit", "course"], name: str) -> str:
        """Salted digest of a visit or course, the same for the same name of one patient."""
        whose = {"custodian": purpose.custodian, "patient": purpose.patient}
        key = {**whose, "kind": kind, "name": name}
        found = self._all(statements.GROUP, **key)
        if not found:
            salt = secrets.token_bytes(32)
            digest = group_digest(purpose.custodian, salt, name)
            with self._write() as write:
                write(self._new(groups), **key, salt=salt, digest=digest)
            found = self._all(statements.GROUP, **key)
        return str(found[0][0])

    def group_of(self, row: SetRow, kind: Literal["visit", "course"]) -> tuple[str, bytes] | None:
        """Name and salt behind the digest of a set's visit or course."""
        digest = row.visit if kind == "visit" else row.course
        found = self._all(select(groups.c.name, groups.c.salt).where(groups.c.digest == digest))
        return (str(found[0][0]), bytes(found[0][1])) if found else None

    def known(self, purpose: Purpose, source_digest: bytes) -> KnownFile | None:
        """What is known of a file that was stored before for the same purpose."""
        found = self._all(statements.KNOWN, source_digest=source_digest, **columns_of(purpose))
        return KnownFile(*found[0]) if found else None

    def forget(self, known: KnownFile) -> None:
        """Remove a file of an open set whose ciphertext the store has lost."""
        with self._write() as write:
            which = {"set_id": known.set_id, "source_digest": known.source_digest}
            if write(statements.FORGOTTEN, **which).rowcount:
                # A node that had it and comes back has no use for it.
                write(self._new(schema.garbage), cid=known.cid)

    def open_set(
        self,
        purpose: Purpose,
        visit: str,
        course: str,
        study: str,
        series: str,
        modality: str,
        public_key: bytes,
    ) -> SetRow:
        """The set that collects a series' files, with a new secret for the home when it begins.

        An interrupted addition is resumed, whatever its visit and course were.
        """
        key = series_of(purpose, visit, course, study, series)
        while not (found := self._sets(statements.OPEN, **key)):
            with self._write() as write:
                secret = seal_secret(envelope.new_secret(), public_key, context_of(key))
                write(self._new(of_sets), **key, modality=modality, state="open", secret=secret)
        return found[0]

    def instance_of(
        self,
        purpose: Purpose,
        visit: str,
        course: str,
        study: str,
        series: str,
        sop_instance: str,
    ) -> tuple[int, bytes] | None:
        """The set of a series, open or anchored, that has an instance, and its file's digest."""
        key = series_of(purpose, visit, course, study, series)
        found = self._all(statements.INSTANCE, **key, sop_instance=sop_instance)
        return (int(found[0][0]), bytes(found[0][1])) if found else None

    def storing(self, cids: Sequence[str], work: Work) -> None:
        """List contents that the store is about to have; the row that names one takes it off."""
        with self._write() as write:
            write(self._new(storing), [{"cid": cid, "work": work} for cid in cids])

    def abandon(self, work: Work) -> None:
        """Mark as garbage what killed processes stored for some work and no row names.

        The caller holds the lock of that name, and has nothing more to store.
        """
        left = storing.c.work == work
        if self._all(select(storing.c.cid).where(left).limit(1)):
            with self._write() as write:
                for row in write(delete(storing).where(left).returning(storing.c.cid)).all():
                    write(self._new(schema.garbage), cid=row.cid)

    def add_files(
        self, rows: Sequence[FileRow], patient_ids: Sequence[IdentifierRow] = ()
    ) -> list[bool]:
        """Record that files' ciphertexts, which `storing` has listed, are stored.

        With them goes which Patient IDs the sets' studies and series have.

        Returns
        -------
        list of bool
            Whether each was; not if the set has the file or its instance, or was sealed
            meanwhile, nor if the ciphertext was abandoned.
        """
        cids = [row.cid for row in rows]
        with self._write() as write:
            sets = {row.set_id for row in rows}
            states = {each: self._all(statements.STATE, set_id=each) for each in sets}
            listed = {cid for (cid,) in self._all(statements.LISTED, cids=cids)}
            added = [
                states[row.set_id] == [("open",)]
                and row.cid in listed
                and write(self._add_file, columns_of(row)).first() is not None
                for row in rows
            ]
            named = [{"cid": cid} for cid, done in zip(cids, added, strict=True) if done]
            if named:
                write(statements.NAMED, named)
            there = [columns_of(row) for row in patient_ids if states[row.set_id] == [("open",)]]
            if there:
                write(self._new(schema.identifiers), there)
        return added

    def discard_mixed(self, set_ids: Iterable[int]) -> set[int]:
        """Discard open sets, if files of their study or series have different Patient IDs.

        Returns
        -------
        set of int
            Those that were, further ones of the same studies and series among them.
        """
        found = mixed(self._all(statements.IDENTIFIED, set_ids=list(set_ids)))
        if found:
            with self._write() as write:
                for set_id in found:
                    self._discard(write, set_id, (of_files.c.cid,))
                    self._delete(write, set_id)
        return found

    def discard(self, set_id: int) -> None:
        """Remove a set that another program than the home has written, and nothing else.

        Its files' contents stay in the store: another set may have them.
        """
        with self._write() as write:
            self._delete(write, set_id)

    def regroup(self, row: SetRow, visit: str, course: str) -> SetRow:
        """Give an open set the visit and course that its addition states now."""
        one = update(of_sets).where(of_sets.c.set_id == row.set_id, statements.IS_OPEN)
        with self._write() as write:
            write(one.values(visit=visit, course=course))
        return replace(row, visit=visit, course=course)

    # ------------------------------------------------------------------------------ anchoring

    def seal(self, row: SetRow, instances: int) -> None:
        """Fix what will be anchored, and authenticate it; on the disk when this returns.

        Parameters
        ----------
        row
            An open set with image id, root and manifest.
        instances
            How many files these are about.
        """
        new = {name: getattr(row, name) for name in ("image_id", "root", "manifest_cid")}
        one = update(of_sets).where(of_sets.c.set_id == row.set_id, statements.IS_OPEN)
        with self._write(durable=True) as write:
            write(one.values(state="sealed", **new))
            self._seal_set(write, row, instances)
            write(statements.NAMED, cid=row.manifest_cid)

    def reopen(self, set_id: int) -> None:
        """Let files join a sealed set again that the chain does not have."""
        with self._write(durable=True) as write:
            write(self._new(schema.garbage).from_select(["cid"], statements.unpinned(set_id)))
            unsealed = {"state": "open", "image_id": None, "root": None, "manifest_cid": None}
            write(update(of_sets).where(*statements.reopened(set_id)).values(unsealed))
            write(statements.UNSEALED, set_id=set_id, what="set")

    def confirm(self, set_id: int, transaction: str, gas: int) -> None:
        """Record that the chain has a set."""
        with self._write() as write:
            write(
                update(of_sets)
                .where(of_sets.c.set_id == set_id, of_sets.c.state == "sealed")
                .values(state="confirmed", transaction_hash=transaction, gas=gas)
            )

    # -------------------------------------------------------------------------------- reading

    def sets(self, set_ids: Iterable[int]) -> list[SetRow]:
        """Rows of sets, in the order in which the sets began."""
        one = statements.SET.where(*statements.given(of_sets.c.set_id))
        return [row for set_id in sorted(set_ids) for row in self._sets(one, set_id=set_id)]

    def unconfirmed(self, custodian: str) -> list[SetRow]:
        """Sets of a custodian that are sealed and may not be on the chain yet."""
        of_custodian = of_sets.c.custodian == custodian
        sealed = statements.SET.where(of_sets.c.state == "sealed", of_custodian)
        return self._sets(sealed.order_by(of_sets.c.set_id))

    def find(self, image_id: str) -> SetRow | None:
        """The set of an image id."""
        found = self._sets(statements.SET.where(of_sets.c.image_id == image_id))
        return found[0] if found else None

    def files(self, set_id: int) -> list[FileRow]:
        """A set's files, by Instance Number and SOP Instance UID."""
        number, instance = of_files.c.number, of_files.c.sop_instance
        of_set = statements.FILE.where(of_files.c.set_id == set_id)
        rows = self._all(of_set.order_by(number.is_(None), number, instance))
        return [FileRow(*row) for row in rows]

    def kept(self, sop_instance: str) -> set[tuple[str, str]]:
        """Sets on the chain that hold an instance as it was added, and its class in each."""
        found = self._all(statements.KEPT, sop_instance=sop_instance)
        return {(str(image_id), str(sop_class)) for image_id, sop_class in found}

    def holding(self, level: Level, uid: str) -> list[SetRow]:
        """Sets that have something of a study, series or instance, and are not erased."""
        name = {"study": "study", "series": "series", "instance": "sop_instance"}[level]
        return self._sets(statements.HOLDING[level], **{name: uid})

    def confirmed(self, custodian: str, studies: Collection[str] = ()) -> list[tuple[str, str]]:
        """Ids of a custodian's sets on the chain, and whose each is; of some studies, or of all."""
        which = [of_sets.c.custodian == custodian, of_sets.c.state == "confirmed"]
        which += [of_sets.c.study.in_(studies)] if studies else []
        query = select(of_sets.c.image_id, of_sets.c.patient).where(*which)
        return [(row[0], row[1]) for row in self._all(query.order_by(of_sets.c.set_id))]

    def kinds(self, custodian: str) -> list[tuple[str, str]]:
        """Class and transfer syntax of a custodian's instances on the chain, most of them first."""
        return [(kind[0], kind[1]) for kind in self._all(statements.KINDS, custodian=custodian)]

    # -------------------------------------------------------------------------------- erasing

    def erase(self, set_id: int, manifests: Iterable[str] = ()) -> None:
        """Destroy a set's secret and salts, and what only it needed; nothing can bring them back.

        Afterwards its ciphertexts are garbage, and no page of an SQLite file holds what it knew;
        a PostgreSQL server's files may, see above.

        Parameters
        ----------
        set_id
            The set.
        manifests
            CIDs that its manifest may have besides the recorded one.
        """
        (row,) = self.sets([set_id])
        cids = (of_files.c.cid, rekeyed_files.c.cid)
        known = (of_sets.c.manifest_cid, schema.rekeys.c.manifest_cid)
        erased = {"state": "erased", "secret": None, "study": "", "series": "", "modality": ""}

        def of_patient(table: Table) -> list[Any]:
            return [table.c.custodian == row.custodian, table.c.patient == row.patient]

        left = exists().where(*of_patient(of_sets), of_sets.c.state != "erased")
        in_group = or_(groups.c.digest == of_sets.c.visit, groups.c.digest == of_sets.c.course)
        with self._write(durable=True) as write:
            self._discard(write, set_id, (*cids, *known))
            for cid in manifests:
                write(self._new(schema.garbage), cid=cid)
            for table in (*_PARTS, rekeyed_files, schema.rekeys):
                write(deletion(table, set_id))
            write(update(of_sets).where(of_sets.c.set_id == set_id).values(erased))
            its_groups = groups.c.digest.in_((row.visit, row.course))
            write(delete(groups).where(its_groups, ~left.where(in_group)))
            write(delete(schema.patients).where(*of_patient(schema.patients), ~left))
        self.overwrite()

    def overwrite(self) -> None:
        """Let no page of an SQLite file hold what was deleted.

        Raises
        ------
        JournalUnavailable
            If another process reads the journal for as long as this waits for it.
        """
        with self._lock, self._database.errors():
            self._database.forget()

    def garbage(self) -> list[str]:
        """CIDs that are no longer needed."""
        return [str(row[0]) for row in self._all(select(schema.garbage.c.cid))]

    def collected(self, cids: Iterable[str]) -> None:
        """Forget CIDs that the store has unpinned."""
        one = delete(schema.garbage).where(schema.garbage.c.cid == bindparam("given"))
        with self._write() as write:
            for cid in cids:
                write(one, given=cid)

    def _delete(self, write: Any, set_id: int) -> None:
        for table in (*_PARTS, of_sets):
            write(deletion(table, set_id))

"""The custodian's secret store, and how far each addition has come, in SQLite or PostgreSQL.

A file's row is written once its ciphertext is stored, so whatever was killed, a row means that
the ciphertext is there.  An image set goes through these states:

=============  ===========================================================================
``open``       files are being encrypted and stored
``sealed``     root, image id and manifest are fixed; it may be on its way to the chain
``confirmed``  the chain has it
``erased``     nothing of it is left but its id
=============  ===========================================================================

Salts and secrets are random, and only here: without this database the custodian cannot open,
prove or erase what it stored.  Any number of processes and threads may use it at once.

An SQLite file is readable by its owner alone, and its deleted rows are overwritten.  What a
PostgreSQL server deletes, no query gives back; its files, its write-ahead log, its replicas and
its backups hold it until they are overwritten or destroyed, which is its administrator's work.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Table, bindparam, delete, exists, insert, or_, select, update

from radledger.crypto import envelope
from radledger.imaging import schema, statements
from radledger.imaging.database import open_database
from radledger.imaging.errors import HomeBusy
from radledger.imaging.identifiers import mixed
from radledger.imaging.model import group_digest
from radledger.imaging.schema import (
    FileRow,
    IdentifierRow,
    KnownFile,
    Purpose,
    SetRow,
    Work,
    groups,
    rekeyed_files,
    storing,
)
from radledger.imaging.schema import files as of_files
from radledger.imaging.schema import sets as of_sets
from radledger.imaging.statements import columns_of, deletion, series_of

__all__ = ["FileRow", "Journal", "KnownFile", "Purpose", "SetRow"]


class Journal:
    """An open journal.

    Parameters
    ----------
    location
        Path of an SQLite database, or URL of a PostgreSQL one (``postgresql://…``), in whose
        schema ``schema=NAME`` it is; made if it does not exist.

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
    >>> journal.open_set(purpose, visit, visit, "1.2.3", "1.2.3.4", "CT").state
    'open'
    """

    def __init__(self, location: Path | str) -> None:
        self.location = location
        self._lock = threading.RLock()
        self._database = open_database(location)
        self._inserts: dict[Table, Any] = {}
        self._add_file = self._new(of_files).returning(of_files.c.set_id)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def claimed(self, work: str) -> Iterator[None]:
        """Let nobody else do some work on the same journal meanwhile.

        Raises
        ------
        HomeBusy
            If somebody does.
        """
        with self._database.claimed(work) as alone:
            if not alone:
                raise HomeBusy(
                    f"another process is {work} images on this journal; wait until it is done"
                )
            yield

    # ---------------------------------------------------------------------------- additions

    def pseudonym_key(self, purpose: Purpose) -> bytes:
        """The key of a patient's pseudonyms at a custodian, made when first asked for."""
        who = {"custodian": purpose.custodian, "patient": purpose.patient}
        found = self._all(statements.PATIENT, **who)
        if not found:
            with self._write() as write:
                write(self._new(schema.patients), **who, pseudonym_key=secrets.token_bytes(32))
            found = self._all(statements.PATIENT, **who)
        return bytes(found[0][0])

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
        """Take out a file of an open set whose ciphertext the store has lost."""
        with self._write() as write:
            which = {"set_id": known.set_id, "source_digest": known.source_digest}
            if write(statements.FORGOTTEN, **which).rowcount:
                # A node that had it and comes back has no use for it.
                write(self._new(schema.garbage), cid=known.cid)

    def open_set(
        self, purpose: Purpose, visit: str, course: str, study: str, series: str, modality: str
    ) -> SetRow:
        """The set that collects a series' files, with a new secret when it begins.

        What an interrupted addition began is gone on with, whatever its visit and course were.
        """
        key = series_of(purpose, visit, course, study, series)
        while not (found := self._sets(statements.OPEN, **key)):
            with self._write() as write:
                new = {"modality": modality, "state": "open", "secret": envelope.new_secret()}
                write(self._new(of_sets), **key, **new)
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
        """Make garbage of what killed processes have stored for some work, and nothing names.

        Whoever calls this has the lock of that name, and nothing more to store.
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

    def discard_mixed(self, set_ids: Iterable[int]) -> None:
        """Discard open sets, if files of their study or series have different Patient IDs."""
        found = mixed(self._all(statements.IDENTIFIED, set_ids=list(set_ids)))
        if found:
            with self._write() as write:
                for set_id in found:
                    self._give_up(write, set_id, (of_files.c.cid,))
                    for table in (of_files, schema.identifiers, of_sets):
                        write(deletion(table, set_id))

    def regroup(self, set_id: int, visit: str, course: str) -> SetRow:
        """Give an open set the visit and course that its addition states now."""
        one = update(of_sets).where(of_sets.c.set_id == set_id, statements.IS_OPEN)
        with self._write() as write:
            write(one.values(visit=visit, course=course))
        return self.sets([set_id])[0]

    # ------------------------------------------------------------------------------ anchoring

    def seal(self, set_id: int, image_id: str, root: str, manifest_cid: str) -> None:
        """Fix what will be anchored; on the disk when this returns."""
        with self._write(durable=True) as write:
            write(
                update(of_sets)
                .where(of_sets.c.set_id == set_id, statements.IS_OPEN)
                .values(state="sealed", image_id=image_id, root=root, manifest_cid=manifest_cid)
            )
            write(statements.NAMED, cid=manifest_cid)

    def reopen(self, set_id: int) -> None:
        """Let files join a sealed set again that the chain does not have."""
        with self._write(durable=True) as write:
            manifest = select(of_sets.c.manifest_cid).where(*statements.reopened(set_id))
            write(self._new(schema.garbage).from_select(["cid"], manifest))
            unsealed = {"state": "open", "image_id": None, "root": None, "manifest_cid": None}
            write(update(of_sets).where(*statements.reopened(set_id)).values(unsealed))

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

    # -------------------------------------------------------------------------------- re-keying

    def begin_rekey(self, set_id: int) -> tuple[str, str | None, dict[str, str]]:
        """New secret, stored manifest and new CIDs by instance of a re-keying, begun or found."""
        table, new = schema.rekeys, rekeyed_files
        with self._write(durable=True) as write:
            write(self._new(table), set_id=set_id, secret=envelope.new_secret())
        begun = select(table.c.secret, table.c.manifest_cid).where(table.c.set_id == set_id)
        secret, manifest_cid = self._all(begun)[0]
        done = select(new.c.sop_instance, new.c.cid).where(new.c.set_id == set_id)
        return secret, manifest_cid, dict(self._all(done))

    def add_rekeyed(self, set_id: int, sop_instance: str, cid: str) -> None:
        """Record an instance's new ciphertext."""
        with self._write() as write:
            write(insert(rekeyed_files), set_id=set_id, sop_instance=sop_instance, cid=cid)
            write(statements.NAMED, cid=cid)

    def seal_rekey(self, set_id: int, manifest_cid: str) -> None:
        """Fix the new manifest; on the disk when this returns."""
        table = schema.rekeys
        with self._write(durable=True) as write:
            write(update(table).where(table.c.set_id == set_id).values(manifest_cid=manifest_cid))
            write(statements.NAMED, cid=manifest_cid)

    def finish_rekey(self, set_id: int) -> None:
        """Let the new secret, manifest and ciphertexts count, and give the old ones up."""
        with self._write(durable=True) as write:
            self._give_up(write, set_id, (of_files.c.cid, of_sets.c.manifest_cid))
            for statement in statements.rekeyed(set_id):
                write(statement)

    # -------------------------------------------------------------------------------- erasing

    def erase(self, set_id: int) -> None:
        """Destroy a set's secret and salts, and what only it needed; nothing can bring them back.

        Afterwards its ciphertexts are garbage, and no page of an SQLite file holds what it knew;
        a PostgreSQL server's files may, see above.
        """
        (row,) = self.sets([set_id])
        cids = (of_files.c.cid, rekeyed_files.c.cid)
        manifests = (of_sets.c.manifest_cid, schema.rekeys.c.manifest_cid)
        gone = {"state": "erased", "secret": None, "study": "", "series": "", "modality": ""}

        def of_patient(table: Table) -> list[Any]:
            return [table.c.custodian == row.custodian, table.c.patient == row.patient]

        left = exists().where(*of_patient(of_sets), of_sets.c.state != "erased")
        in_group = or_(groups.c.digest == of_sets.c.visit, groups.c.digest == of_sets.c.course)
        with self._write(durable=True) as write:
            self._give_up(write, set_id, (*cids, *manifests))
            for table in (of_files, schema.identifiers, rekeyed_files, schema.rekeys):
                write(deletion(table, set_id))
            write(update(of_sets).where(of_sets.c.set_id == set_id).values(gone))
            its_groups = groups.c.digest.in_((row.visit, row.course))
            write(delete(groups).where(its_groups, ~left.where(in_group)))
            write(delete(schema.patients).where(*of_patient(schema.patients), ~left))
        with self._lock, self._database.errors():
            self._database.forget()

    def garbage(self) -> list[str]:
        """CIDs that nothing needs any more."""
        return [str(row[0]) for row in self._all(select(schema.garbage.c.cid))]

    def collected(self, cids: Iterable[str]) -> None:
        """Forget CIDs that the store has given up."""
        one = delete(schema.garbage).where(schema.garbage.c.cid == bindparam("given"))
        with self._write() as write:
            for cid in cids:
                write(one, given=cid)

    # ------------------------------------------------------------------------------- internals

    def _sets(self, query: Any, **values: Any) -> list[SetRow]:
        return [SetRow(*row) for row in self._all(query, **values)]

    def _all(self, query: Any, **values: Any) -> list[Any]:
        # One connection runs one statement at a time.
        with self._lock, self._database.errors():
            return [tuple(row) for row in self._database.connection.execute(query, values)]

    def _new(self, table: Table) -> Any:
        if table not in self._inserts:
            self._inserts[table] = self._database.insert_new(table)
        return self._inserts[table]

    def _give_up(self, write: Any, set_id: int, columns: Iterable[Any]) -> None:
        """Let the CIDs in some columns of a set's rows be garbage."""
        for column in columns:
            rows = select(column).where(column.table.c.set_id == set_id, column.is_not(None))
            write(self._new(schema.garbage).from_select(["cid"], rows))

    @contextmanager
    def _write(self, *, durable: bool = False) -> Iterator[Any]:
        """One transaction; `durable` ones, and with them all before, survive a power failure."""
        with self._lock, self._database.transaction(durable=durable):
            yield lambda statement, rows=None, **values: self._database.connection.execute(
                statement, values if rows is None else rows
            )

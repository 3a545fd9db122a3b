"""The custodian's secret store, and how far each addition has come: an SQLite database.

A file's row is written once its ciphertext is stored, so whatever was killed, a row means that
the ciphertext is there.  An image set goes through these states:

=============  ===========================================================================
``open``       files are being encrypted and stored
``sealed``     root, image id and manifest are fixed; it may be on its way to the chain
``confirmed``  the chain has it
``erased``     nothing of it is left but its id
=============  ===========================================================================

Salts and secrets are random, and only here: without this database the custodian cannot open,
prove or erase what it stored.  The file is readable by its owner alone; deleted rows are
overwritten.  Any number of processes and threads may use it at once.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, Literal

from radledger.crypto import envelope
from radledger.imaging.schema import SCHEMA, FileRow, Purpose, SetRow

__all__ = ["FileRow", "Journal", "Purpose", "SetRow"]

_SET_COLUMNS = ", ".join(f"sets.{field.name}" for field in fields(SetRow))
_FILE_COLUMNS = ", ".join(field.name for field in fields(FileRow))


class Journal:
    """An open journal.

    Parameters
    ----------
    path
        The database; made if it does not exist.

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

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        # SQLite gives its other files the permissions of the first.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._database = sqlite3.connect(
            path, timeout=60, isolation_level=None, check_same_thread=False
        )
        self._database.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;"
        )
        self._sync("NORMAL")
        if not self._all("SELECT 1 FROM sqlite_schema WHERE name = 'garbage'"):
            self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # ---------------------------------------------------------------------------- additions

    def pseudonym_key(self, purpose: Purpose) -> bytes:
        """The key of a patient's pseudonyms at a custodian, made when first asked for."""
        who = (purpose.custodian, purpose.patient)
        query = "SELECT pseudonym_key FROM patients WHERE (custodian, patient) = (?, ?)"
        found = self._all(query, *who)
        if not found:
            new = secrets.token_bytes(32)
            with self._write() as write:
                write("INSERT OR IGNORE INTO patients VALUES (?, ?, ?)", *who, new)
            found = self._all(query, *who)
        return bytes(found[0][0])

    def group(self, purpose: Purpose, kind: Literal["visit", "course"], name: str) -> str:
        """Salted digest of a visit or course, the same for the same name of one patient."""
        key = (purpose.custodian, purpose.patient, kind, name)
        query = "SELECT digest FROM groups WHERE (custodian, patient, kind, name) = (?, ?, ?, ?)"
        found = self._all(query, *key)
        if found:
            return str(found[0][0])
        salt = secrets.token_bytes(32)
        digest = "0x" + hashlib.sha256(salt + name.encode()).hexdigest()
        with self._write() as write:
            write("INSERT OR IGNORE INTO groups VALUES (?, ?, ?, ?, ?, ?)", *key, salt, digest)
        return str(self._all(query, *key)[0][0])

    def group_of(self, row: SetRow, kind: Literal["visit", "course"]) -> tuple[str, bytes] | None:
        """Name and salt behind the digest of a set's visit or course."""
        digest = row.visit if kind == "visit" else row.course
        found = self._all("SELECT name, salt FROM groups WHERE digest = ?", digest)
        return (str(found[0][0]), bytes(found[0][1])) if found else None

    def known(self, purpose: Purpose, source_digest: bytes) -> int | None:
        """The set in which a file was stored before for the same purpose."""
        found = self._all(
            "SELECT set_id FROM files JOIN sets USING (set_id) WHERE source_digest = ? "
            "AND (custodian, patient, profile, parent) = (?, ?, ?, ?)",
            source_digest,
            *astuple(purpose),
        )
        return int(found[0][0]) if found else None

    def open_set(
        self, purpose: Purpose, visit: str, course: str, study: str, series: str, modality: str
    ) -> SetRow:
        """The set that collects a series' files, with a new secret when it begins."""
        key = (*astuple(purpose), visit, course, study, series)
        condition = (
            "WHERE (custodian, patient, profile, parent, visit, course, study, series) "
            "= (?, ?, ?, ?, ?, ?, ?, ?) AND state = 'open'"
        )
        found = self._sets(condition, *key)
        if not found:
            with self._write() as write:
                write(
                    "INSERT OR IGNORE INTO sets (custodian, patient, profile, parent, visit, "
                    "course, study, series, modality, state, secret) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)",
                    *(*key, modality, envelope.new_secret()),
                )
            found = self._sets(condition, *key)
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
        found = self._all(
            "SELECT set_id, source_digest FROM files JOIN sets USING (set_id) "
            "WHERE (custodian, patient, profile, parent, visit, course, study, series) "
            "= (?, ?, ?, ?, ?, ?, ?, ?) AND sop_instance = ?",
            *astuple(purpose),
            *(visit, course, study, series, sop_instance),
        )
        return (int(found[0][0]), bytes(found[0][1])) if found else None

    def add_file(self, row: FileRow) -> None:
        """Record that a file's ciphertext is stored.

        Raises
        ------
        sqlite3.IntegrityError
            If the set has the file, its instance, or was sealed meanwhile.
        """
        marks = ", ".join("?" * len(fields(FileRow)))
        with self._write() as write:
            state = self._all("SELECT state FROM sets WHERE set_id = ?", row.set_id)
            if state != [("open",)]:
                raise sqlite3.IntegrityError("the set is not open")
            write(f"INSERT INTO files ({_FILE_COLUMNS}) VALUES ({marks})", *astuple(row))  # noqa: S608

    # ------------------------------------------------------------------------------ anchoring

    def seal(self, set_id: int, image_id: str, root: str, manifest_cid: str) -> None:
        """Fix what will be anchored; on the disk when this returns."""
        with self._write(durable=True) as write:
            write(
                "UPDATE sets SET state = 'sealed', image_id = ?, root = ?, manifest_cid = ? "
                "WHERE set_id = ? AND state = 'open'",
                *(image_id, root, manifest_cid, set_id),
            )

    def confirm(self, set_id: int, transaction: str, gas: int) -> None:
        """Record that the chain has a set."""
        with self._write() as write:
            write(
                "UPDATE sets SET state = 'confirmed', transaction_hash = ?, gas = ? "
                "WHERE set_id = ? AND state = 'sealed'",
                *(transaction, gas, set_id),
            )

    # -------------------------------------------------------------------------------- reading

    def sets(self, set_ids: Iterable[int]) -> list[SetRow]:
        """Rows of sets, in the order in which the sets began."""
        return [row for set_id in sorted(set_ids) for row in self._sets("WHERE set_id = ?", set_id)]

    def unconfirmed(self, custodian: str) -> list[SetRow]:
        """Sets of a custodian that are sealed and may not be on the chain yet."""
        return self._sets("WHERE state = 'sealed' AND custodian = ? ORDER BY set_id", custodian)

    def find(self, image_id: str) -> SetRow | None:
        """The set of an image id."""
        found = self._sets("WHERE image_id = ?", image_id)
        return found[0] if found else None

    def files(self, set_id: int) -> list[FileRow]:
        """A set's files, by Instance Number and SOP Instance UID."""
        rows = self._all(
            f"SELECT {_FILE_COLUMNS} FROM files WHERE set_id = ? "  # noqa: S608
            "ORDER BY number IS NULL, number, sop_instance",
            set_id,
        )
        return [FileRow(*row) for row in rows]

    # -------------------------------------------------------------------------------- re-keying

    def begin_rekey(self, set_id: int) -> tuple[str, str | None, dict[str, str]]:
        """New secret, stored manifest and new CIDs by instance of a re-keying, begun or found."""
        with self._write(durable=True) as write:
            write("INSERT OR IGNORE INTO rekeys VALUES (?, ?, NULL)", set_id, envelope.new_secret())
        query = "SELECT secret, manifest_cid FROM rekeys WHERE set_id = ?"
        secret, manifest_cid = self._all(query, set_id)[0]
        query = "SELECT sop_instance, cid FROM rekeyed_files WHERE set_id = ?"
        return secret, manifest_cid, dict(self._all(query, set_id))

    def add_rekeyed(self, set_id: int, sop_instance: str, cid: str) -> None:
        """Record an instance's new ciphertext."""
        with self._write() as write:
            write("INSERT INTO rekeyed_files VALUES (?, ?, ?)", set_id, sop_instance, cid)

    def seal_rekey(self, set_id: int, manifest_cid: str) -> None:
        """Fix the new manifest; on the disk when this returns."""
        with self._write(durable=True) as write:
            write("UPDATE rekeys SET manifest_cid = ? WHERE set_id = ?", manifest_cid, set_id)

    def finish_rekey(self, set_id: int) -> None:
        """Let the new secret, manifest and ciphertexts count, and give the old ones up."""
        with self._write(durable=True) as write:
            write("INSERT OR IGNORE INTO garbage SELECT cid FROM files WHERE set_id = ?", set_id)
            write(
                "INSERT OR IGNORE INTO garbage SELECT manifest_cid FROM sets WHERE set_id = ?",
                set_id,
            )
            write(
                "UPDATE sets SET (secret, manifest_cid) = (SELECT secret, manifest_cid "
                "FROM rekeys WHERE rekeys.set_id = sets.set_id) WHERE set_id = ?",
                set_id,
            )
            write(
                "UPDATE files SET cid = (SELECT cid FROM rekeyed_files AS new WHERE "
                "(new.set_id, new.sop_instance) = (files.set_id, files.sop_instance)) "
                "WHERE set_id = ?",
                set_id,
            )
            for table in ("rekeyed_files", "rekeys"):
                write(f"DELETE FROM {table} WHERE set_id = ?", set_id)  # noqa: S608

    # -------------------------------------------------------------------------------- erasing

    def erase(self, set_id: int) -> None:
        """Destroy a set's secret and salts, and what only it needed; nothing can bring them back.

        Afterwards its ciphertexts are garbage, and no page of the database holds what it knew.
        """
        with self._write(durable=True) as write:
            for table in ("files", "rekeyed_files"):
                write(
                    f"INSERT OR IGNORE INTO garbage SELECT cid FROM {table} "  # noqa: S608
                    "WHERE set_id = ?",
                    set_id,
                )
            for table in ("sets", "rekeys"):
                write(
                    f"INSERT OR IGNORE INTO garbage SELECT manifest_cid FROM {table} "  # noqa: S608
                    "WHERE set_id = ? AND manifest_cid IS NOT NULL",
                    set_id,
                )
            for table in ("files", "rekeyed_files", "rekeys"):
                write(f"DELETE FROM {table} WHERE set_id = ?", set_id)  # noqa: S608
            write(
                "UPDATE sets SET state = 'erased', secret = NULL, study = '', series = '', "
                "modality = '' WHERE set_id = ?",
                set_id,
            )
            write(
                "DELETE FROM groups WHERE EXISTS (SELECT 1 FROM sets WHERE set_id = ? "
                "AND digest IN (visit, course)) AND NOT EXISTS (SELECT 1 FROM sets WHERE "
                "state <> 'erased' AND digest IN (visit, course))",
                set_id,
            )
            write(
                "DELETE FROM patients WHERE (custodian, patient) IN (SELECT custodian, patient "
                "FROM sets WHERE set_id = ?) AND NOT EXISTS (SELECT 1 FROM sets WHERE "
                "state <> 'erased' AND (sets.custodian, sets.patient) "
                "= (patients.custodian, patients.patient))",
                set_id,
            )
        # the write-ahead log still holds the old pages
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def garbage(self) -> list[str]:
        """CIDs that nothing needs any more."""
        return [str(row[0]) for row in self._all("SELECT cid FROM garbage")]

    def collected(self, cids: Iterable[str]) -> None:
        """Forget CIDs that the store has given up."""
        with self._write() as write:
            for cid in cids:
                write("DELETE FROM garbage WHERE cid = ?", cid)

    # ------------------------------------------------------------------------------- internals

    def _sets(self, condition: str, *values: Any) -> list[SetRow]:
        rows = self._all(f"SELECT {_SET_COLUMNS} FROM sets {condition}", *values)  # noqa: S608
        return [SetRow(*row) for row in rows]

    def _all(self, query: str, *values: Any) -> list[Any]:
        # A read under way would hold a thread's write to the state that it has begun with.
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def _sync(self, level: str) -> None:
        self._database.execute(f"PRAGMA synchronous = {level}")

    @contextmanager
    def _write(self, *, durable: bool = False) -> Iterator[Any]:
        """One transaction; `durable` ones, and with them all before, survive a power failure."""
        with self._lock:
            self._sync("FULL" if durable else "NORMAL")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield lambda statement, *values: self._database.execute(statement, values)
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

"""An open journal: its database, and rows that its home can tell from those of others."""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select, update

from radledger.imaging.errors import HomeBusy, JournalAltered, JournalKeyMissing
from radledger.imaging.journal import statements
from radledger.imaging.journal import tables as schema
from radledger.imaging.journal.database import open_database
from radledger.imaging.journal.homekey import HomeKey, seal_secret
from radledger.imaging.journal.statements import columns_of
from radledger.imaging.journal.tables import SetRow, seals
from radledger.imaging.journal.tables import files as of_files
from radledger.imaging.journal.tables import sets as of_sets

__all__ = ["Rows", "context_of", "of_purpose"]


class Rows:
    """What all parts of a journal build on; see :class:`.Journal`."""

    def __init__(self, location: Path | str, key: HomeKey | None = None) -> None:
        self.location = location
        self._home_key = key
        self._lock = threading.RLock()
        self._database = open_database(location)
        self._inserts: dict[Table, Any] = {}

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def claimed(self, work: str) -> Iterator[None]:
        """Let no other process do some work on the same journal meanwhile.

        Raises
        ------
        HomeBusy
            If another process does.
        """
        with self._database.claimed(work) as alone:
            if not alone:
                raise HomeBusy(
                    f"another process is {work} images on this journal; wait until it is done"
                )
            yield

    # ------------------------------------------------------------------------- the home's key

    @property
    def key(self) -> HomeKey:
        """The home's key, which the journal of a worker does not have."""
        if self._home_key is None:
            raise AssertionError("a worker does not do what needs the home's key")
        return self._home_key

    def secret_of(self, row: SetRow) -> str:
        """The secret of an image set that is not erased.

        Raises
        ------
        JournalAltered
            If it was replaced.
        """
        return self.key.secret(row.secret or "", context_of(columns_of(row)))

    def authentic(self, row: SetRow) -> bool:
        """Whether the home wrote what was sealed of a set, and nothing of it changed since."""
        return self._is_sealed(row.set_id, "set", *_sealed(row, self._instances(row)))

    def require_authentic(self, row: SetRow) -> int:
        """How many files a set has that is as the home sealed it.

        Raises
        ------
        JournalAltered
            If it is not.
        """
        instances = self._instances(row)
        if not self._is_sealed(row.set_id, "set", *_sealed(row, instances)):
            raise JournalAltered(
                f"what the journal says of image set {row.image_id} was not written by this home, "
                "or was changed since; nothing of it is signed or released: restore the journal "
                "from a backup, or add the files again",
                image=row.image_id,
            )
        return instances

    def authenticate(self, row: SetRow) -> None:
        """State that what was sealed of a set is right; the caller has checked it."""
        with self._write() as write:
            self._seal_set(write, row, self._instances(row))

    def adopt(self, *, trusting: bool) -> None:
        """Bind the journal to the home's key, once.

        Parameters
        ----------
        trusting
            Take a journal of an earlier release for authentic, except for sets that may not be
            on the chain yet, and encrypt what is secret in it.

        Raises
        ------
        JournalKeyMissing
            If it is bound to another key, or has image sets and is not to be trusted.
        """
        public_key = self.key.public_key
        if not (bound := self._all(statements.BOUND)):
            with self._write(durable=True) as write:
                write(self._new(schema.bindings), what="home", public_key=public_key)
                bound = self._all(statements.BOUND)
                if bound == [(public_key,)]:
                    self._protect(write, trusting=trusting)
        if bound != [(public_key,)]:
            raise _missing("it belongs to the key of another home")

    def _protect(self, write: Any, *, trusting: bool) -> None:
        """Encrypt and authenticate what an earlier release has written."""
        rows = self._sets(statements.SET.where(of_sets.c.secret.is_not(None)))
        if rows and not trusting:
            raise _missing("it has image sets that this home did not add")
        for row in rows:
            kept = self._seal_secret(row, row.secret or "")
            protected = replace(row, secret=kept)
            write(update(of_sets).where(of_sets.c.set_id == row.set_id).values(secret=kept))
            if row.state == "confirmed":
                self._seal_set(write, protected, self._instances(row))
        patients = schema.patients
        for custodian, patient, key in self._all(select(patients)):
            whose = (patients.c.custodian == custodian, patients.c.patient == patient)
            kept_key = self.key.encrypt(bytes(key), of_purpose(custodian, patient))
            write(update(patients).where(*whose).values(pseudonym_key=kept_key))

    def _seal_secret(self, row: SetRow, secret: str) -> str:
        return seal_secret(secret, self.key.public_key, context_of(columns_of(row)))

    def _seal_set(self, write: Any, row: SetRow, instances: int) -> None:
        self._seal(write, row.set_id, "set", *_sealed(row, instances))

    def _is_sealed(self, set_id: int, what: str, *fields: str | int | None) -> bool:
        found = self._all(statements.SEAL, set_id=set_id, what=what)
        code = self.key.mac(what, *fields)
        return bool(found) and hmac.compare_digest(bytes(found[0][0]), code)

    def _seal(self, write: Any, set_id: int, what: str, *fields: str | int | None) -> None:
        write(statements.UNSEALED, set_id=set_id, what=what)
        write(self._new(seals), set_id=set_id, what=what, code=self.key.mac(what, *fields))

    # -------------------------------------------------------------------------------- reading

    def _instances(self, row: SetRow) -> int:
        count = select(func.count()).select_from(of_files).where(of_files.c.set_id == row.set_id)
        return int(self._all(count)[0][0])

    def _sets(self, query: Any, **values: Any) -> list[SetRow]:
        return [SetRow(*row) for row in self._all(query, **values)]

    def _all(self, query: Any, **values: Any) -> list[Any]:
        # One connection runs one statement at a time.
        with self._lock, self._database.errors():
            return [tuple(row) for row in self._database.connection.execute(query, values)]

    # -------------------------------------------------------------------------------- writing

    def _new(self, table: Table) -> Any:
        if table not in self._inserts:
            self._inserts[table] = self._database.insert_new(table)
        return self._inserts[table]

    def _discard(self, write: Any, set_id: int, columns: Iterable[Any]) -> None:
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


def context_of(columns: Mapping[str, Any]) -> bytes:
    """Whose secret one is, of a set's columns those that stay the same while it lives."""
    names = ("custodian", "patient", "profile", "parent", "study", "series")
    return json.dumps([columns[name] for name in names]).encode("ascii")


def _sealed(row: SetRow, instances: int) -> tuple[str | int | None, ...]:
    """All that is anchored of a set, and the secret that opens it."""
    values = columns_of(row)
    for name in ("set_id", "state", "transaction_hash", "gas"):
        del values[name]
    return (*values.values(), instances)


def of_purpose(custodian: str, patient: str) -> bytes:
    """Whose key of pseudonyms one is."""
    return f"{custodian} {patient}".encode("ascii")


def _missing(reason: str) -> JournalKeyMissing:
    return JournalKeyMissing(
        f"this home has not the key of the journal: {reason}; copy journal.key, or "
        "journal-postgresql.key, from the home that made the journal, or from a backup of it",
        reason=reason,
    )

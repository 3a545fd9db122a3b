"""Consents as they were recorded, each version; what the chain says of them is not kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radledger.databases import SqliteDatabase
from radledger.fhir.statements import Statement, from_json, to_json

__all__ = ["Record", "Records"]

_SCHEMA = (
    """
CREATE TABLE consents (
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    subject TEXT NOT NULL,
    signer TEXT NOT NULL,
    recorder TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,
    statement TEXT NOT NULL,
    resource TEXT NOT NULL,
    PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX consents_by_subject ON consents (subject, recorded_at);
""",
)
_COLUMNS = (
    "id, version, subject, signer, recorder, recorded_at, seen, withdrawn, statement, resource"
)


@dataclass(frozen=True, slots=True)
class Record:
    """A version of a Consent.

    Attributes
    ----------
    id, version
        Which.
    subject, signer
        Whose, and who is to sign it.
    recorder
        The account that recorded this version.
    recorded_at
        When (Unix time).
    seen
        When what stood on the chain by then was signed (Unix time): what is signed later may be
        what this version says.
    withdrawn
        Whether it is to be taken back.
    statement
        What it says.
    resource
        Its elements, but for id, meta and status.
    """

    id: str
    version: int
    subject: str
    signer: str
    recorder: str
    recorded_at: int
    seen: int
    withdrawn: bool
    statement: Statement
    resource: dict[str, Any]


class Records:
    """The Consents of one registry.

    Parameters
    ----------
    path
        The database; made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._database = SqliteDatabase(path, _SCHEMA)
        self._database.open()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def add(self, record: Record) -> bool:
        """Keep a version; false if there is one of that number, which stays."""
        values = (
            *(record.id, record.version, record.subject, record.signer, record.recorder),
            *(record.recorded_at, record.seen, int(record.withdrawn)),
            *(to_json(record.statement), json.dumps(record.resource)),
        )
        marks = ", ".join("?" * len(values))
        with self._database.writing() as write:
            added = write(f"INSERT OR IGNORE INTO consents VALUES ({marks})", *values)  # noqa: S608
            return bool(added.rowcount)

    def find(self, id_: str, version: int | None = None) -> Record | None:
        """A version of a Consent; by default the latest."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM consents WHERE id = ? AND version = coalesce(?, version) "  # noqa: S608
            "ORDER BY version DESC LIMIT 1",
            *(id_, version),
        )
        return _record(rows[0]) if rows else None

    def of(self, subject: str) -> list[Record]:
        """The latest version of each Consent of a subject, in the order of their recording."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM consents AS one WHERE subject = ? AND version = "  # noqa: S608
            "(SELECT max(version) FROM consents WHERE id = one.id) ORDER BY recorded_at, id",
            subject,
        )
        return [_record(row) for row in rows]


def _record(row: tuple[Any, ...]) -> Record:
    *known, withdrawn, statement, resource = row
    id_, version, subject, signer, recorder, recorded_at, seen = known
    people = (subject, signer, recorder)
    return Record(
        *(id_, version, *people, recorded_at, seen),
        withdrawn=bool(withdrawn),
        statement=from_json(statement),
        resource=json.loads(resource),
    )

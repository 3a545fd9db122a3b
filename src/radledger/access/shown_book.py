"""What custodians showed this home before, which is evidence if they no longer show it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from radledger.access.shown import ShownReceipt
from radledger.databases import SqliteDatabase

__all__ = ["ShownBook"]

_SCHEMA = (
    """
CREATE TABLE shown (
    custodian TEXT NOT NULL,
    digest BLOB NOT NULL,
    patient TEXT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (custodian, digest)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER shown_delete BEFORE DELETE ON shown
BEGIN SELECT RAISE(ABORT, 'what was shown is kept'); END;
""",
)


class ShownBook:
    """The receipts that custodians showed, in an SQLite database of its owner alone.

    Parameters
    ----------
    path
        The database, made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def known(self, custodian: str, patient: str) -> dict[bytes, ShownReceipt]:
        """What a custodian showed of a patient's image sets until now, by digest."""
        with self._opened() as database:
            rows = database.rows(
                "SELECT digest, entry FROM shown WHERE custodian = ? AND patient = ?",
                *(custodian, patient),
            )
        return {digest: ShownReceipt.from_json(json.loads(entry)) for digest, entry in rows}

    def keep(
        self,
        custodian: str,
        patient: str,
        known: dict[bytes, ShownReceipt],
        shown: Iterable[ShownReceipt],
    ) -> None:
        """Add what is shown now; a proof that is no longer shown is kept."""
        new = []
        for each in shown:
            digest = each.signed.receipt.digest
            before = known.get(digest)
            if before is not None:
                each = replace(
                    each,
                    proof=each.proof or before.proof,
                    log_proof=each.log_proof or before.log_proof,
                )
            if each != before:
                new.append((custodian, digest, patient, json.dumps(each.to_json())))
        with self._opened() as database, database.writing() as write:
            for row in new:
                write(
                    "INSERT INTO shown VALUES (?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET entry = excluded.entry",
                    *row,
                )

    def _opened(self) -> closing[SqliteDatabase]:
        return closing(SqliteDatabase(self._path, _SCHEMA))

"""The receipts that a key service keeps. Receipts are added, and never changed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from radledger.access.errors import ReceiptReplayed
from radledger.access.receipts import SignedReceipt
from radledger.databases import SqliteDatabase

__all__ = ["ReceiptBook", "Release"]

_SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS releases (
    number INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    image_id TEXT NOT NULL,
    manifest TEXT NOT NULL,
    released_at INTEGER NOT NULL,
    receipt TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS releases_of_image ON releases (image_id, manifest);
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON releases
BEGIN SELECT RAISE(ABORT, 'a receipt is kept as it is'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON releases
BEGIN SELECT RAISE(ABORT, 'a receipt is kept'); END;
""",
)


@dataclass(frozen=True, slots=True)
class Release:
    """A release: its receipt, the manifest whose secret was released, and when (Unix time)."""

    signed: SignedReceipt
    manifest: str
    released_at: int


class ReceiptBook:
    """A book of receipts in an SQLite database that its owner alone can read.

    Any number of processes may use it at once.  Once :meth:`keep` returns, the receipt is on disk.

    Parameters
    ----------
    path
        The database, created if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as database:
            database.open()

    def require_new(self, signed: SignedReceipt) -> None:
        """Refuse a receipt that the book already has.

        Raises
        ------
        ReceiptReplayed
            With the time at which it was answered.
        """
        query = "SELECT released_at FROM releases WHERE digest = ?"
        with self._opened() as database:
            found = database.rows(query, signed.receipt.digest)
        if found:
            raise _replayed(signed, released_at=found[0][0])

    def keep(self, release: Release) -> None:
        """Add a release.

        Raises
        ------
        ReceiptReplayed
            If the book already has its receipt.
        """
        receipt = release.signed.receipt
        # With the signer, by whom receipts can then be looked for.
        kept = release.signed.to_json() | {"signer": release.signed.signer}
        row = (
            receipt.digest,
            receipt.image_id,
            release.manifest,
            release.released_at,
            json.dumps(kept, sort_keys=True),
        )
        try:
            with self._opened() as database, database.writing() as write:
                write(
                    "INSERT INTO releases (digest, image_id, manifest, released_at, receipt) "
                    "VALUES (?, ?, ?, ?, ?)",
                    *row,
                )
        except sqlite3.IntegrityError:
            raise _replayed(release.signed, released_at=release.released_at) from None

    def releases(self, image_id: str | None = None) -> tuple[Release, ...]:
        """The releases of one image set or of all, oldest first."""
        with self._opened() as database:
            rows = database.rows(
                "SELECT receipt, manifest, released_at FROM releases "
                "WHERE image_id = ? OR ? IS NULL ORDER BY number",
                *(image_id, image_id),
            )
        return tuple(map(_release, rows))

    def holders(self, image_id: str, manifest: str) -> tuple[Release, ...]:
        """The last release of a manifest's secret to each reader and owner of the reader's key."""
        with self._opened() as database:
            rows = database.rows(
                "SELECT receipt, manifest, released_at, max(number) FROM releases "
                "WHERE image_id = ? AND manifest = ? GROUP BY json_extract(receipt, '$.reader'), "
                # A book of an earlier release does not name the signers.
                "coalesce(json_extract(receipt, '$.signer'), number) ORDER BY number",
                *(image_id, manifest),
            )
        return tuple(_release(row[:3]) for row in rows)

    def _opened(self) -> closing[SqliteDatabase]:
        # Opened for each use: between uses the file is whole by itself, with no log beside it.
        return closing(SqliteDatabase(self._path, _SCHEMA))


def _release(row: tuple[str, str, int]) -> Release:
    receipt, manifest, released_at = row
    fields = json.loads(receipt)
    fields.pop("signer", None)
    return Release(SignedReceipt.from_json(fields), manifest, released_at)


def _replayed(signed: SignedReceipt, released_at: int) -> ReceiptReplayed:
    return ReceiptReplayed(
        "this receipt was answered before; sign a new one for each reading",
        reader=signed.receipt.reader,
        image=signed.receipt.image_id,
        released_at=released_at,
    )

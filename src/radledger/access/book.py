"""The receipts that a home keeps: those it released for, and those acknowledged to it.

Receipts are added, and never changed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.access.acknowledgements import Acknowledgement
from radledger.access.days import DAY, to_number
from radledger.access.errors import ReceiptReplayed, UnknownReceipt
from radledger.access.ids import parse_digest
from radledger.access.receipts import SignedReceipt
from radledger.databases import SqliteDatabase

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = ["Acknowledged", "ReceiptBook", "Release"]

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
    """
CREATE INDEX releases_by_time ON releases (released_at);
CREATE TABLE acknowledgements (
    number INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    institution TEXT NOT NULL,
    day TEXT NOT NULL,
    signature TEXT NOT NULL,
    receipt TEXT NOT NULL
) STRICT;
CREATE TRIGGER acknowledgement_update BEFORE UPDATE ON acknowledgements
BEGIN SELECT RAISE(ABORT, 'an acknowledgement is kept as it is'); END;
CREATE TRIGGER acknowledgement_delete BEFORE DELETE ON acknowledgements
BEGIN SELECT RAISE(ABORT, 'an acknowledgement is kept'); END;
""",
)


@dataclass(frozen=True, slots=True)
class Release:
    """What was released, for which receipt.

    Attributes
    ----------
    signed
        The receipt.
    manifest
        Of what the secret opens; `radledger.imaging.model.NONE` if the images were shown and no
        secret was given.
    released_at
        Unix time.
    signer
        The account that signed; default: the one whose key did, which a contract does not have.
    """

    signed: SignedReceipt
    manifest: str
    released_at: int
    signer: str | None = None

    def __post_init__(self) -> None:
        if self.signer is None:
            object.__setattr__(self, "signer", self.signed.signer)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A receipt of a reader here, and its acknowledgement by the institution that released."""

    signed: SignedReceipt
    acknowledgement: Acknowledgement


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

    def keep(self, *releases: Release) -> None:
        """Add releases, all or none.

        Raises
        ------
        ReceiptReplayed
            If a receipt is here already, or twice among them.
        """
        try:
            with self._opened() as database, database.writing() as write:
                for release in releases:
                    write(
                        "INSERT INTO releases (digest, image_id, manifest, released_at, receipt) "
                        "VALUES (?, ?, ?, ?, ?)",
                        *_row(release),
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

    def release(self, digest: bytes) -> Release | None:
        """What was released for the receipt of this digest; none if nothing was."""
        with self._opened() as database:
            rows = database.rows(
                "SELECT receipt, manifest, released_at FROM releases WHERE digest = ?", digest
            )
        return _release(rows[0]) if rows else None

    def released(self, ledger: Ledger, receipt: str) -> Release:
        """What was released for a receipt of a chain, by the receipt's digest as text.

        Raises
        ------
        InvalidReceiptId
            If it is not a digest.
        UnknownReceipt
            If this home did not release for it.
        """
        found = self.release(parse_digest(receipt))
        if found is None or not found.signed.receipt.is_for(ledger):
            raise UnknownReceipt(
                f"this home did not release for a receipt {receipt}; list those that it has with "
                "`radledger receipt list`",
                receipt=receipt,
            )
        return found

    def on_day(self, day: date, chain_id: int, contract: str) -> list[bytes]:
        """Digests of the receipts for a chain and contract that were released for on a day (UTC).

        They are read as they are kept: to compute them again, a day of 20,000 would take seconds.
        """
        start = to_number(day) * DAY
        with self._opened() as database:
            rows = database.rows(
                "SELECT digest, receipt FROM releases "
                "WHERE released_at >= ? AND released_at < ? ORDER BY number",
                *(start, start + DAY),
            )
        return [digest for digest, receipt in rows if _is_for(receipt, chain_id, contract)]

    def of_images(
        self, image_ids: Sequence[str], after: int, most: int
    ) -> list[tuple[int, Release]]:
        """What was released of image sets after a number of the book, with its own; in order."""
        with self._opened() as database:
            rows = database.rows(
                "SELECT number, receipt, manifest, released_at FROM releases "
                "WHERE image_id IN (SELECT value FROM json_each(?)) AND number > ? "
                "ORDER BY number LIMIT ?",
                *(json.dumps(image_ids), after, most),
            )
        return [(row[0], _release(row[1:])) for row in rows]

    def since(self, number: int, most: int) -> list[tuple[int, bytes, SignedReceipt]]:
        """What was released after a number of the book: number, digest and receipt, in order."""
        with self._opened() as database:
            rows = database.rows(
                "SELECT number, digest, receipt, manifest, released_at FROM releases "
                "WHERE number > ? ORDER BY number LIMIT ?",
                *(number, most),
            )
        return [(row[0], row[1], _release(row[2:]).signed) for row in rows]

    def last(self) -> int:
        """The number of the last release; 0 if there is none."""
        with self._opened() as database:
            rows = database.rows("SELECT coalesce(max(number), 0) FROM releases")
        return int(rows[0][0])

    def keep_acknowledged(self, acknowledged: Acknowledged) -> None:
        """Add what a key service acknowledged; once is enough."""
        acknowledgement = acknowledged.acknowledgement
        row = (
            acknowledged.signed.receipt.digest,
            acknowledgement.institution,
            acknowledgement.day.isoformat(),
            acknowledgement.signature,
            json.dumps(acknowledged.signed.to_json(), sort_keys=True),
        )
        with self._opened() as database, database.writing() as write:
            write(
                "INSERT INTO acknowledgements (digest, institution, day, signature, receipt) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                *row,
            )

    def acknowledged(self, digest: bytes | None = None) -> tuple[Acknowledged, ...]:
        """What key services acknowledged, of one receipt or of all, oldest first."""
        with self._opened() as database:
            rows = database.rows(
                "SELECT digest, institution, day, signature, receipt FROM acknowledgements "
                "WHERE digest = ? OR ? IS NULL ORDER BY number",
                *(digest, digest),
            )
        return tuple(map(_acknowledged, rows))

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


def _row(release: Release) -> tuple[Any, ...]:
    receipt = release.signed.receipt
    # With the signer, by whom receipts can then be looked for.
    kept = json.dumps(release.signed.to_json() | {"signer": release.signer}, sort_keys=True)
    return receipt.digest, receipt.image_id, release.manifest, release.released_at, kept


def _release(row: tuple[str, str, int]) -> Release:
    receipt, manifest, released_at = row
    fields = json.loads(receipt)
    signer = fields.pop("signer", None)
    return Release(SignedReceipt.from_json(fields), manifest, released_at, signer)


def _is_for(receipt: str, chain_id: int, contract: str) -> bool:
    fields = json.loads(receipt)
    return (fields["chain_id"], fields["contract"]) == (chain_id, contract)


def _acknowledged(row: tuple[bytes, str, str, str, str]) -> Acknowledged:
    digest, institution, day, signature, receipt = row
    acknowledgement = Acknowledgement(
        "0x" + digest.hex(), institution, date.fromisoformat(day), signature
    )
    return Acknowledged(SignedReceipt.from_json(json.loads(receipt)), acknowledgement)


def _replayed(signed: SignedReceipt, released_at: int) -> ReceiptReplayed:
    return ReceiptReplayed(
        "this receipt was answered before; sign a new one for each reading",
        reader=signed.receipt.reader,
        image=signed.receipt.image_id,
        released_at=released_at,
    )

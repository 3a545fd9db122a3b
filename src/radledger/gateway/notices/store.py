"""Where patients want notices, and the notices that wait to be sent; in SQLite."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.databases import SqliteDatabase

if TYPE_CHECKING:
    from radledger.databases.sqlite import Write

__all__ = ["Channel", "Destination", "Kind", "Notice", "NoticeStore", "Settings"]

_SCHEMA = (
    """
CREATE TABLE settings (
    patient TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    secret TEXT NOT NULL,
    failed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    patient TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    secret TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notices_by_time ON notices (next_at);
CREATE TABLE counts (
    patient TEXT NOT NULL,
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (patient, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE position (number INTEGER NOT NULL) STRICT;
""",
)
_DAY = 24 * 3600
_MOST_A_DAY = 100
_CHANGE = 10
"""As how many notices a change of destination counts: who gets one may not have asked for it."""
_COLUMNS = "id, patient, kind, at, channel, target, secret, attempts"


class Channel(StrEnum):
    """How a notice is sent."""

    WEBHOOK = "webhook"
    MAIL = "mail"


class Kind(StrEnum):
    """What a notice says."""

    READING = "reading"
    BEGUN = "begun"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Destination:
    """A webhook's URL or a mail address; a webhook's secret, with which its requests are signed."""

    channel: Channel
    target: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: its id, whose image sets it is about, what it says, since when, and where to."""

    notice_id: str
    patient: str
    kind: Kind
    at: int
    destination: Destination
    attempts: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a patient wants notices, how many wait to be sent, and how many were not delivered."""

    destination: Destination
    waiting: int
    failed: int


class NoticeStore:
    """The settings and notices of one gateway.

    Parameters
    ----------
    path
        The database, made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._database = SqliteDatabase(path, _SCHEMA)
        self._database.open()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # --- settings -------------------------------------------------------------------------------

    def settings(self, patient: str) -> Settings | None:
        """What a patient has set; none without notices."""
        rows = self._database.rows(
            "SELECT channel, target, secret, failed FROM settings WHERE patient = ?", patient
        )
        if not rows:
            return None
        channel, target, secret, failed = rows[0]
        waiting = self._database.rows("SELECT count(*) FROM notices WHERE patient = ?", patient)
        return Settings(Destination(Channel(channel), target, secret), waiting[0][0], failed)

    def patients(self) -> frozenset[str]:
        """Who wants notices."""
        return frozenset(row[0] for row in self._database.rows("SELECT patient FROM settings"))

    def set(self, patient: str, destination: Destination, now: int) -> bool:
        """Send a patient's notices there from now on; false if it was changed too often today.

        Notices that wait are dropped.  Where they went before gets one that says that they end, and
        the new destination one that says that they begin.
        """
        with self._database.writing() as write:
            if not self._counted(write, patient, now, _CHANGE):
                return False
            self._end(write, patient, now)
            write(
                "INSERT INTO settings (patient, channel, target, secret) VALUES (?, ?, ?, ?)",
                *(patient, destination.channel, destination.target, destination.secret),
            )
            self._add(write, patient, Kind.BEGUN, destination, now)
        return True

    def end(self, patient: str, now: int) -> None:
        """Send a patient no further notices, but one that says so."""
        with self._database.writing() as write:
            self._end(write, patient, now)

    # --- notices --------------------------------------------------------------------------------

    def position(self) -> int | None:
        """Up to which number the book of receipts was followed; none if it never was."""
        rows = self._database.rows("SELECT number FROM position")
        return rows[0][0] if rows else None

    def follow(self, number: int, patients: Collection[str], now: int) -> None:
        """Note that the book was followed up to a number, and of whom there were readings."""
        with self._database.writing() as write:
            for patient in patients:
                found = write(
                    "SELECT channel, target, secret FROM settings WHERE patient = ?", patient
                ).fetchone()
                if found is not None and self._counted(write, patient, now, 1):
                    channel, target, secret = found
                    destination = Destination(Channel(channel), target, secret)
                    self._add(write, patient, Kind.READING, destination, now)
            write("DELETE FROM position")
            write("INSERT INTO position VALUES (?)", number)

    def due(self, now: int, most: int) -> list[Notice]:
        """Notices to send now, those that wait longest first."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM notices WHERE next_at <= ? "  # noqa: S608
            "ORDER BY next_at, at LIMIT ?",
            *(now, most),
        )
        return [
            Notice(id_, patient, Kind(kind), at, Destination(Channel(channel), *where), attempts)
            for id_, patient, kind, at, channel, *where, attempts in rows
        ]

    def sent(self, notice: Notice) -> None:
        """Forget a notice that was delivered."""
        with self._database.writing() as write:
            write("DELETE FROM notices WHERE id = ?", notice.notice_id)

    def failed(self, notice: Notice, next_at: int | None) -> None:
        """Try a notice again at a time, with all others to its destination; none: drop it."""
        with self._database.writing() as write:
            if next_at is None:
                write("DELETE FROM notices WHERE id = ?", notice.notice_id)
                write("UPDATE settings SET failed = failed + 1 WHERE patient = ?", notice.patient)
                return
            write("UPDATE notices SET attempts = attempts + 1 WHERE id = ?", notice.notice_id)
            write(
                "UPDATE notices SET next_at = max(next_at, ?) WHERE target = ?",
                *(next_at, notice.destination.target),
            )

    # --- internal -------------------------------------------------------------------------------

    def _end(self, write: Write, patient: str, now: int) -> None:
        found = write(
            "DELETE FROM settings WHERE patient = ? RETURNING channel, target, secret", patient
        ).fetchone()
        # The destination of before is always notified of the end, however often it is changed.
        write("DELETE FROM notices WHERE patient = ? AND kind != ?", patient, Kind.ENDED)
        if found is not None:
            channel, target, secret = found
            before = Destination(Channel(channel), target, secret)
            self._add(write, patient, Kind.ENDED, before, now)

    def _add(
        self, write: Write, patient: str, kind: Kind, destination: Destination, now: int
    ) -> None:
        write(
            f"INSERT INTO notices ({_COLUMNS}, next_at) "  # noqa: S608
            "VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
            *(secrets.token_hex(16), patient, kind, now),
            *(destination.channel, destination.target, destination.secret, now),
        )

    def _counted(self, write: Write, patient: str, now: int, count: int) -> bool:
        """Whether a patient may have so many further notices today."""
        day = now // _DAY
        write("DELETE FROM counts WHERE day < ?", day)
        query = "SELECT count FROM counts WHERE patient = ?"
        had = (write(query, patient).fetchone() or (0,))[0]
        if had + count > _MOST_A_DAY:
            return False
        write("INSERT OR REPLACE INTO counts VALUES (?, ?, ?)", patient, day, had + count)
        return True

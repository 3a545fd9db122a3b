"""The queue in SQLite: accepted documents, budgets and outcomes.

A ticket is on the disk before it is given, and its state before what it stands for happens, so
that a relayer killed at any moment goes on where it was.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from radledger.databases import SqliteDatabase, Write
from radledger.errors import DatabaseOfLaterRelease, RadLedgerError
from radledger.files import locked
from radledger.relay.checks import SignedCall
from radledger.relay.errors import (
    BudgetExhausted,
    NonceTaken,
    QueueFull,
    RelayBusy,
    TicketUnknown,
)
from radledger.wording import humanize

__all__ = ["Limits", "State", "Ticket", "Tickets"]

_log = logging.getLogger(__name__)
_DAY = 24 * 3600
_EVERYBODY = ""
# To be raised with each change of `tickets`; files of releases before the first have 0.
_LAYOUT = 2
_SCHEMA = """
CREATE TABLE tickets (
    ticket TEXT PRIMARY KEY, kind TEXT NOT NULL, signer TEXT NOT NULL, account TEXT NOT NULL,
    nonce TEXT, target TEXT NOT NULL, data TEXT NOT NULL, since INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL, gas INTEGER NOT NULL, state TEXT NOT NULL,
    transaction_hash TEXT, block INTEGER, timestamp INTEGER,
    error TEXT, error_values TEXT, message TEXT,
    tries INTEGER NOT NULL, not_before INTEGER NOT NULL, urgent INTEGER NOT NULL
) STRICT;
CREATE INDEX live ON tickets (accepted_at) WHERE state IN ('queued', 'sent');
CREATE UNIQUE INDEX once ON tickets (kind, account, nonce)
    WHERE state IN ('queued', 'sent');
CREATE TABLE IF NOT EXISTS spending (
    day INTEGER NOT NULL, signer TEXT NOT NULL, gas INTEGER NOT NULL, PRIMARY KEY (day, signer)
) STRICT, WITHOUT ROWID;
"""


class State(StrEnum):
    """The state of a ticket."""

    QUEUED = "queued"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the relayer is willing to pay.

    Attributes
    ----------
    per_address, per_day
        Gas that the calls of one signer, and of all, may cost in a day (UTC).
    queue
        How many tickets may wait.
    """

    per_address: int
    per_day: int
    queue: int

    @property
    def unreserved(self) -> Limits:
        """Three quarters of the day and of the queue, for what protects no patient.

        Anyone can make addresses and use these up; patients can still revoke.
        """
        return Limits(
            self.per_address, self.per_day - self.per_day // 4, self.queue - self.queue // 4
        )


@dataclass(frozen=True, slots=True)
class Ticket:
    """One row of ``tickets``.

    Attributes
    ----------
    since
        Number of the block after which it can have been executed.
    accepted_at
        Unix time.
    gas
        What it is expected to need while it waits, and what it used afterwards.
    error, error_values, message
        Why it was refused, as ``radledger`` names and prints it.
    tries, not_before
        How often the node could not tell whether it would be refused, and when (Unix time) it is
        asked again.
    urgent
        Whether it protects a patient, so that it goes before what does not.
    """

    ticket: str
    kind: str
    signer: str
    account: str
    nonce: int | None
    target: str
    data: str
    since: int
    accepted_at: int
    gas: int
    state: State
    transaction_hash: str | None = None
    block: int | None = None
    timestamp: int | None = None
    error: str | None = None
    error_values: Mapping[str, Any] | None = None
    message: str | None = None
    tries: int = 0
    not_before: int = 0
    urgent: bool = False


_COLUMNS = [field.name for field in fields(Ticket)]
_WAITS = "state IN ('queued', 'sent')"


class Tickets:
    """The queue of one relayer; safe to use from several threads.

    Parameters
    ----------
    path
        The database; one relayer at a time holds it. Tickets of an earlier layout are dropped:
        their documents can be handed in again.

    Raises
    ------
    RelayBusy
        If another relayer holds it.
    DatabaseOfLaterRelease
        If a later release has changed its layout.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._holding = ExitStack()
        try:
            self._holding.enter_context(locked(path.with_suffix(".lock"), wait=False))
        except BlockingIOError:
            raise RelayBusy(
                f"another relayer works on {path}; stop it first, or use another --home",
                path=str(path),
            ) from None
        self._database = SqliteDatabase(path, ())
        try:
            self._lay_out(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._database.close()
        self._holding.close()

    def find(self, ticket: str) -> Ticket | None:
        """A ticket, or none of that name."""
        found = self._tickets("WHERE ticket = ?", ticket)
        return found[0] if found else None

    def get(self, ticket: str) -> Ticket:
        """A ticket.

        Raises
        ------
        TicketUnknown
            If there is none of that name.
        """
        found = self.find(ticket)
        if found is None:
            raise TicketUnknown(
                "this relayer gave no such ticket; submit the document again", ticket=ticket
            )
        return found

    def accept(
        self,
        call: SignedCall,
        gas: int,
        since: int,
        now: int,
        limits: Limits,
        *,
        urgent: bool = False,
    ) -> Ticket:
        """Accept a call; one that waits or is confirmed keeps its ticket.

        Parameters
        ----------
        call
            What was signed.
        gas
            What it will need.
        since
            Number of the latest block, in which it has not been executed.
        now
            Unix time.
        limits
            How much is taken on.
        urgent
            Whether it protects a patient.

        Raises
        ------
        NonceTaken, QueueFull, BudgetExhausted
            If it cannot be taken on.
        """
        ticket = Ticket(
            *(call.ticket, call.kind, call.signer, call.account, call.nonce, call.to, call.data),
            *(since, now, gas, State.QUEUED),
            urgent=urgent,
        )
        with self._database.writing() as write:
            known = self.find(call.ticket)
            if known is not None and known.state is not State.REFUSED:
                return known
            self._require_nonce_free(call)
            self._require_room(limits.queue)
            day = now // _DAY
            self._require_budget(day, call.signer, gas, limits.per_address)
            self._require_budget(day, _EVERYBODY, gas, limits.per_day)
            self._spend(write, ticket, gas)
            write("DELETE FROM tickets WHERE ticket = ?", call.ticket)
            row = [getattr(ticket, name) for name in _COLUMNS]
            row[_COLUMNS.index("nonce")] = _digits(call.nonce)
            write(f"INSERT INTO tickets VALUES ({', '.join('?' * len(row))})", *row)  # noqa: S608
        return ticket

    def waiting(self) -> tuple[int, int]:
        """How many tickets wait, and the gas that they need together."""
        query = f"SELECT count(*), coalesce(sum(gas), 0) FROM tickets WHERE {_WAITS}"  # noqa: S608
        count, gas = self._database.rows(query)[0]
        return int(count), int(gas)

    # ----------------------------------------------------------------------------- working off

    def next(self, most: int, now: int) -> list[Ticket]:
        """The tickets that are due: those that may have been sent, the urgent ones, then by age."""
        order = "state = 'queued', urgent DESC, accepted_at, rowid"
        condition = f"WHERE {_WAITS} AND not_before <= ? ORDER BY {order} LIMIT ?"
        return self._tickets(condition, now, most)

    def sending(self, tickets: Iterable[Ticket]) -> None:
        """Note that tickets may be on their way from now on."""
        self._move(tickets, State.SENT)

    def requeue(self, tickets: Iterable[Ticket]) -> None:
        """Note that tickets are not on their way after all."""
        self._move(tickets, State.QUEUED)

    def postpone(self, ticket: Ticket, not_before: int) -> None:
        """Leave a ticket until a time (Unix seconds) at which the node may know more."""
        with self._database.writing() as write:
            write(
                "UPDATE tickets SET tries = tries + 1, not_before = ? WHERE ticket = ?",
                *(not_before, ticket.ticket),
            )

    def confirm(
        self, ticket: Ticket, transaction: str, block: int, timestamp: int, *, gas: int, spent: int
    ) -> None:
        """Record that a ticket's call was executed, and the gas that the relayer paid for."""
        with self._database.writing() as write:
            write(
                "UPDATE tickets SET state = 'confirmed', transaction_hash = ?, block = ?, "
                "timestamp = ?, gas = ? WHERE ticket = ?",
                *(transaction, block, timestamp, gas, ticket.ticket),
            )
            self._spend(write, ticket, spent - ticket.gas)

    def refuse(self, ticket: Ticket, error: RadLedgerError, *, gas: int = 0) -> None:
        """Record why a ticket's call cannot be executed, and the gas that trying has cost."""
        values = json.dumps(error.values, default=str)
        with self._database.writing() as write:
            write(
                "UPDATE tickets SET state = 'refused', error = ?, error_values = ?, message = ? "
                "WHERE ticket = ?",
                *(error.name, values, humanize(error), ticket.ticket),
            )
            self._spend(write, ticket, gas - ticket.gas)

    # ------------------------------------------------------------------------------- internals

    def _lay_out(self, path: Path) -> None:
        """Make the tables, in place of `tickets` of another layout; what was spent stays."""
        with self._database.writing() as write:
            ((layout,),) = write("PRAGMA user_version")
            if layout == _LAYOUT:
                return
            if layout > _LAYOUT:
                raise DatabaseOfLaterRelease(
                    f"the queue {path} was written by a later release (layout {layout}, here "
                    f"{_LAYOUT}); use that release",
                    path=str(path),
                    layout=layout,
                    supported=_LAYOUT,
                )
            if list(write("PRAGMA table_info(tickets)")):
                waiting, _ = self.waiting()
                _log.warning(
                    "%s has the layout of another release: the %d tickets that waited are dropped; "
                    "hand their documents in again",
                    *(path, waiting),
                )
                write("DROP TABLE tickets")
            for statement in _SCHEMA.split(";"):
                write(statement)
            write(f"PRAGMA user_version = {_LAYOUT}")

    def _require_nonce_free(self, call: SignedCall) -> None:
        # Of consents, which have no nonce, any number may wait: NULL equals nothing.
        others = self._tickets(
            f"WHERE (kind, account, nonce) = (?, ?, ?) AND {_WAITS}",
            *(call.kind, call.account, _digits(call.nonce)),
        )
        if others:
            raise NonceTaken(
                f"{others[0].ticket} waits with the same nonce; wait until it is confirmed, then "
                "sign again",
                account=call.account,
                nonce=call.nonce,
                ticket=others[0].ticket,
            )

    def _require_room(self, most: int) -> None:
        waiting, _ = self.waiting()
        if waiting >= most:
            raise QueueFull(
                f"{waiting} tickets wait, which is as many as this relayer takes; try again soon",
                waiting=waiting,
            )

    def _require_budget(self, day: int, signer: str, gas: int, limit: int) -> None:
        query = "SELECT gas FROM spending WHERE (day, signer) = (?, ?)"
        spent = sum(int(row[0]) for row in self._database.rows(query, day, signer))
        if spent + gas > limit:
            whose = f"for {signer}" if signer else "in all"
            raise BudgetExhausted(
                f"this relayer pays {limit} gas a day {whose}, and {spent} of it are used; the "
                f"call needs {gas}: try again tomorrow (UTC), or send it yourself",
                limit=limit,
                spent=spent,
                needed=gas,
            )

    def _spend(self, write: Write, ticket: Ticket, gas: int) -> None:
        for signer in (ticket.signer, _EVERYBODY):
            write(
                "INSERT INTO spending VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET gas = gas + excluded.gas",
                *(ticket.accepted_at // _DAY, signer, gas),
            )

    def _move(self, tickets: Iterable[Ticket], state: State) -> None:
        with self._database.writing() as write:
            for ticket in tickets:
                write("UPDATE tickets SET state = ? WHERE ticket = ?", state, ticket.ticket)

    def _tickets(self, condition: str, *values: Any) -> list[Ticket]:
        query = f"SELECT {', '.join(_COLUMNS)} FROM tickets {condition}"  # noqa: S608
        found = []
        for row in self._database.rows(query, *values):
            named = dict(zip(_COLUMNS, row, strict=True))
            named["nonce"] = None if named["nonce"] is None else int(named["nonce"])
            named["state"] = State(named["state"])
            named["urgent"] = bool(named["urgent"])
            named["error_values"] = json.loads(named["error_values"] or "null")
            found.append(Ticket(**named))
        return found


def _digits(nonce: int | None) -> str | None:
    """A nonce as it is kept: numbers of SQLite end at 64 bits."""
    return None if nonce is None else str(nonce)

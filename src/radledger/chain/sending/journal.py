"""The journal of transactions: each is recorded before it is sent, and followed until it is mined.

A transaction that was signed may be mined whatever becomes of the process that signed it.  So
account, nonce, call and every signed version are on the disk before the first one leaves; who
comes later finds what was left and finishes it.  An intent goes through these states:

==============  ==========================================================================
``open``        written, perhaps sent, perhaps mined; its receipt was not seen yet
``mined``       it is in a block
``reverted``    it is in a block, and the contract refused
``superseded``  another transaction with its nonce is in a block, so it never will be
``refused``     it never left, or would be refused now: it will not be sent
==============  ==========================================================================

Give :class:`~radledger.chain.sending.sender.Sender` a journal, and everything that it sends goes
through it.  Before it sends anything it resumes the account's unfinished transactions.  A call
whose process ended before it saw the result is not made again: its receipt is the answer.  ::

    intents = Intents.at(home, deployment)            # one for each chain of a home
    sender = Sender(web3, intents=intents)            # as the `sender` of an opened Ledger is
    for done in sender.finish(account):               # at start: what a killed process left
        print(done.state, done.transaction)
    receipts = sender.send_batch(account, calls)      # each exactly once
    intents.find(account.address, to, data)           # what became of a call, the newest one

A nonce is chosen and its intent written in one step under the journal's lock, so that any number
of processes and threads may send from one account through one journal.  An intent belongs to the
process that wrote it for as long as that runs; afterwards the process that finishes it takes it
over, and the same call, made within a day, is answered with its end.
Secrets are not in the journal: what is there is on the chain, or was meant to be.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from radledger.chain.sending.liveness import LivenessLocks
from radledger.chain.sending.tables import SCHEMA, Intent, Version, content_digest
from radledger.databases import SqliteDatabase, Write

if TYPE_CHECKING:
    from radledger.chain.deployments import Deployment

__all__ = ["Intent", "Intents", "Version"]

_COLUMNS = (
    "intent_id, account, nonce, target, data, fields, state, created_at, transaction_hash, "
    "block, reason, content"
)


# An interrupted run is resumed within a day; after that, the same call is a new one.
_ONE_RUN = 24 * 3600

Sign = Callable[[dict[str, Any]], Version]


class Intents:
    """An open journal; safe for any number of processes and threads.

    Parameters
    ----------
    folder
        Where it is kept, made if it does not exist; None: in memory, for as long as this object.

    Examples
    --------
    >>> intents = Intents()
    >>> draft = {"to": "0x" + "22" * 20, "data": "0x", "gas": 21000, "gasPrice": 1, "chainId": 1}
    >>> sign = lambda fields: Version(f"0x{fields['nonce']:064x}", "0x00")
    >>> [intent.nonce for intent in intents.begin("0x11", 7, [draft, draft], sign)]
    [7, 8]
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._marks = None if folder is None else LivenessLocks(folder / "running")
        path = None if folder is None else folder / "transactions.sqlite3"
        self._database = SqliteDatabase(path, SCHEMA)
        # What callers in this process wait for, and what is followed here for other processes.
        self._calling: set[int] = set()
        self._following: set[int] = set()

    @classmethod
    def at(cls, home: Path, deployment: Deployment) -> Intents:
        """The journal of a home for the chain of a deployment, and of those after it there."""
        return cls(home / "transactions" / deployment.chain_slug)

    def close(self) -> None:
        """Close the database; what is open in it is left for others."""
        self._database.close()

    # ------------------------------------------------------------------------------- writing

    def begin(
        self,
        account: str,
        first: int,
        drafts: Sequence[Mapping[str, Any]],
        sign: Sign,
        *,
        nonce: int | None = None,
    ) -> list[Intent]:
        """Choose nonces, sign and record transactions; they are on disk when this returns.

        Parameters
        ----------
        account
            Who sends.
        first
            The lowest nonce that may be free, as the node tells it.
        drafts
            Fields of each transaction but for the nonce.
        sign
            Called with all fields of each.
        nonce
            Of the first, those of the others following; by default the lowest that are free.

        Raises
        ------
        sqlite3.IntegrityError
            If `nonce` is given, and taken.
        """
        with self._database.writing() as write:
            nonces = _free_nonces(self._taken(account, first), first)
            numbers = []
            for position, draft in enumerate(drafts):
                used = next(nonces) if nonce is None else nonce + position
                signed = sign({**draft, "nonce": used})
                rest = {name: draft[name] for name in draft if name not in ("to", "data")}
                number = write(
                    "INSERT INTO intents (account, nonce, target, data, content, fields, state, "
                    "caller, follower, created_at) VALUES (?, ?, ?, ?, ?, ?, 'open', ?, ?, ?)",
                    *(account, used, draft.get("to"), draft["data"]),
                    *(content_digest(draft.get("to"), draft["data"]), json.dumps(rest)),
                    *(self._own, self._own, int(time.time())),
                ).lastrowid
                _insert_version(write, number, signed)
                numbers.append(number)
            self._calling.update(numbers)
            self._following.update(numbers)
        return [self._get(number) for number in numbers]

    def add_version(self, intent: Intent, fields: Mapping[str, Any], signed: Version) -> Intent:
        """Write down another version of a transaction; on the disk when this returns."""
        rest = {name: fields[name] for name in intent.fields}
        with self._database.writing() as write:
            query = "UPDATE intents SET fields = ? WHERE intent_id = ?"
            write(query, json.dumps(rest), intent.intent_id)
            _insert_version(write, intent.intent_id, signed)
        return self._get(intent.intent_id)

    def settle(self, intent: Intent, receipt: Mapping[str, Any]) -> Intent:
        """Record a receipt: a transaction was mined, or refused by its contract there."""
        mined = int(receipt.get("status", "0x1"), 16) == 1
        with self._database.writing(durable=False) as write:
            write(
                "UPDATE intents SET state = ?, transaction_hash = ?, block = ? WHERE intent_id = ?",
                *("mined" if mined else "reverted", receipt["transactionHash"]),
                *(int(receipt["blockNumber"], 16), intent.intent_id),
            )
        return self._get(intent.intent_id)

    def drop(self, intent: Intent, state: Literal["superseded", "refused"], reason: str) -> Intent:
        """Record that a transaction is abandoned; its nonce is free for others."""
        with self._database.writing(durable=False) as write:
            write(
                "UPDATE intents SET state = ?, reason = ? WHERE intent_id = ?",
                *(state, reason, intent.intent_id),
            )
            self._let_go([intent])
        return self._get(intent.intent_id)

    def reopen(self, intents: Iterable[Intent]) -> None:
        """Record that a mined transaction is no longer in a block."""
        with self._database.writing(durable=False) as write:
            for intent in intents:
                write(
                    "UPDATE intents SET state = 'open', transaction_hash = NULL, block = NULL, "
                    "follower = '' WHERE intent_id = ? AND state IN ('mined', 'reverted')",
                    intent.intent_id,
                )

    def forget_before(self, block: int) -> None:
        """Drop signed versions, and call data except its function, before `block`."""
        condition = "block < ? AND length(data) > 10"
        which = f"SELECT intent_id FROM intents WHERE {condition}"  # noqa: S608
        with self._database.writing(durable=False) as write:
            write(f"DELETE FROM versions WHERE intent_id IN ({which})", block)  # noqa: S608
            write(f"UPDATE intents SET data = substr(data, 1, 10) WHERE {condition}", block)  # noqa: S608

    # ----------------------------------------------------------------------------- whose it is

    def claim(self, account: str) -> list[Intent]:
        """Follow the open intents of an account that no process follows, lowest nonce first."""
        if not self._left(account):
            return []
        with self._database.writing(durable=False) as write:
            left = self._left(account)
            for number in left:
                write("UPDATE intents SET follower = ? WHERE intent_id = ?", self._own, number)
            self._following.update(left)
        return [self._get(number) for number in left]

    def adopt(self, account: str, to: str | None, data: str) -> Intent | None:
        """Take over a transaction whose process ended before it saw the result.

        After a day it is taken for another call that says the same.
        """
        if not self._untold(account, to, data):
            return None
        with self._database.writing(durable=False) as write:
            untold = self._untold(account, to, data)
            for number in untold[:1]:
                write("UPDATE intents SET caller = ? WHERE intent_id = ?", self._own, number)
                self._calling.add(number)
        return self._get(untold[0]) if untold else None

    def acknowledge(self, intents: Sequence[Intent]) -> None:
        """Record that callers have received their results."""
        with self._database.writing(durable=False) as write:
            for intent in intents:
                write("UPDATE intents SET told = 1 WHERE intent_id = ?", intent.intent_id)
                if self._marks is None:  # no later process asks
                    write("DELETE FROM versions WHERE intent_id = ?", intent.intent_id)
                    write("DELETE FROM intents WHERE intent_id = ?", intent.intent_id)
            self._let_go(intents)

    def leave(self, intents: Sequence[Intent]) -> None:
        """Stop following intents, so that another process may claim or adopt them."""
        with self._database.writing(durable=False) as write:
            for intent in intents:
                for role in ("caller", "follower"):
                    query = f"UPDATE intents SET {role} = '' WHERE {role} = ? AND intent_id = ?"  # noqa: S608
                    write(query, self._own, intent.intent_id)
            self._let_go(intents)

    def is_followed(self, intent: Intent) -> bool:
        """Whether an open intent is followed now, by this process or another one."""
        query = "SELECT follower FROM intents WHERE intent_id = ?"
        found = self._database.rows(query, intent.intent_id)
        return self._is_at_it(intent.intent_id, str(found[0][0]), self._following)

    # ------------------------------------------------------------------------------- reading

    def open(self, account: str | None = None) -> list[Intent]:
        """The open intents of one account or of all, lowest nonce first."""
        condition = "" if account is None else "AND account = ?"
        values = () if account is None else (account,)
        return self._select(f"state = 'open' {condition} ORDER BY account, nonce", *values)

    def mined_since(self, account: str, block: int) -> list[Intent]:
        """The intents of an account that were mined in a block or later."""
        return self._select("block >= ? AND account = ? ORDER BY nonce", block, account)

    def mined_from(self, account: str, nonce: int) -> list[Intent]:
        """The mined intents of an account from a nonce on."""
        return self._select(
            "account = ? AND nonce >= ? AND state IN ('mined', 'reverted') ORDER BY nonce",
            *(account, nonce),
        )

    def find(self, account: str, to: str | None, data: str) -> Intent | None:
        """The newest intent of an account that makes a call."""
        found = self._select(
            "content = ? AND account = ? ORDER BY intent_id DESC LIMIT 1",
            *(content_digest(to, data), account),
        )
        return found[0] if found else None

    def newest(self, limit: int) -> list[Intent]:
        """The newest intents, newest first."""
        return self._select("1 ORDER BY intent_id DESC LIMIT ?", limit)

    # ----------------------------------------------------------------------------- internals

    @property
    def _own(self) -> str:
        return self._marks.own if self._marks else ""

    def _left(self, account: str) -> list[int]:
        found = self._database.rows(
            "SELECT intent_id, follower FROM intents WHERE account = ? AND state = 'open' "
            "ORDER BY nonce",
            account,
        )
        return [each for each, who in found if not self._is_at_it(each, who, self._following)]

    def _untold(self, account: str, to: str | None, data: str) -> list[int]:
        found = self._database.rows(
            "SELECT intent_id, caller FROM intents WHERE content = ? AND account = ? "
            "AND state IN ('open', 'mined') AND told = 0 AND created_at > ? ORDER BY intent_id",
            *(content_digest(to, data), account, int(time.time()) - _ONE_RUN),
        )
        return [each for each, who in found if not self._is_at_it(each, who, self._calling)]

    def _is_at_it(self, number: int, who: str, here: set[int]) -> bool:
        if who == self._own:
            return number in here
        return bool(who) and self._marks is not None and self._marks.is_alive(who)

    def _let_go(self, intents: Iterable[Intent]) -> None:
        numbers = {intent.intent_id for intent in intents}
        self._calling -= numbers
        self._following -= numbers

    def _taken(self, account: str, first: int) -> set[int]:
        rows = self._database.rows(
            "SELECT nonce FROM intents WHERE account = ? AND nonce >= ? "
            "AND state IN ('open', 'mined', 'reverted')",
            *(account, first),
        )
        return {int(row[0]) for row in rows}

    def _get(self, number: int | None) -> Intent:
        return self._select("intent_id = ?", number)[0]

    def _select(self, condition: str, *values: Any) -> list[Intent]:
        with self._database.lock:
            rows = self._database.rows(f"SELECT {_COLUMNS} FROM intents WHERE {condition}", *values)  # noqa: S608
            return [self._intent(row) for row in rows]

    def _intent(self, row: Sequence[Any]) -> Intent:
        query = "SELECT transaction_hash, raw FROM versions WHERE intent_id = ? ORDER BY version_id"
        versions = tuple(Version(*each) for each in self._database.rows(query, row[0]))
        values: list[Any] = [*row[:5], json.loads(row[5]), *row[6:], versions]
        return Intent(*values)


def _insert_version(write: Write, number: int, signed: Version) -> None:
    query = "INSERT INTO versions (intent_id, transaction_hash, raw) VALUES (?, ?, ?)"
    write(query, number, signed.transaction, signed.raw)


def _free_nonces(taken: set[int], first: int) -> Iterator[int]:
    nonce = first
    while True:
        if nonce not in taken:
            yield nonce
        nonce += 1

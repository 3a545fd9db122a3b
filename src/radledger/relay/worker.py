"""Process the queue: send waiting tickets in batches, and follow each until it is final."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import (
    ConnectionFailed,
    OutOfGas,
    RequestFailed,
    RevertedUnexplained,
    TransactionPending,
)
from radledger.chain.rpc import request, request_batch
from radledger.chain.sending.diagnosis import failure
from radledger.errors import RadLedgerError, Refusal
from radledger.relay.checks import simulate
from radledger.relay.errors import NonceUsed
from radledger.relay.executions import Execution, executions
from radledger.relay.tickets import State

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.chain.sending.journal import Intent
    from radledger.relay.tickets import Ticket, Tickets

__all__ = ["Worker"]

_log = logging.getLogger(__name__)
_BATCH = 100
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
# Seconds between looks for what had been put off.
_LOOK_EVERY = 1.0
# The last one comes some 17 minutes after the first.
_MOST_TRIES = 10


class Worker:
    """Sends the tickets of a queue, at the cost of one account, in a thread of its own.

    Parameters
    ----------
    ledger
        The deployed contracts; its sender keeps a journal on the disk.
    payer
        Whose Ether is spent.
    tickets
        The queue.
    """

    def __init__(self, ledger: Ledger, payer: LocalAccount, tickets: Tickets) -> None:
        self._ledger = ledger
        self._payer = payer
        self._tickets = tickets
        self._most = _BATCH
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay-worker", daemon=True)

    def start(self) -> None:
        """Start, with what an earlier run left."""
        self._thread.start()

    def wake(self) -> None:
        """Tell that there is something to do."""
        self._wake.set()

    def stop(self, patience: float = 10.0) -> None:
        """Start no further batch, and wait so many seconds for the current one.

        What is not finished by then is on the disk, and a later run resumes it.
        """
        if not self._stopping.is_set() and self._thread.is_alive():
            self._stopping.set()
            self._wake.set()
            self._thread.join(patience)

    def work(self) -> bool:
        """Process one batch; false if nothing waits.

        Raises
        ------
        ChainError
            If the chain fails; what may have been sent is looked for the next time.
        """
        batch = self._tickets.next(self._most, int(time.time()))
        sent = [ticket for ticket in batch if ticket.state is State.SENT]
        if sent:
            self._settle(sent)
        elif batch:
            self._send(batch)
        return bool(batch)

    # ------------------------------------------------------------------------------- internals

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                if not self.work():
                    self._wake.wait(_LOOK_EVERY)
                pause = _FIRST_PAUSE
            except Exception as error:
                known = isinstance(error, RadLedgerError)
                _log.warning("the relayer tries again: %s", error, exc_info=not known)
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _send(self, batch: Sequence[Ticket]) -> None:
        self._tickets.sending(batch)
        calls = [(ticket.target, ticket.data) for ticket in batch]
        try:
            receipts = self._ledger.sender.send_batch(self._payer, calls)
        except (Refusal, RequestFailed, ConnectionFailed) as error:
            # One of them is refused, before anything was sent or in its block, or the node
            # cannot tell; or else the node does not take so many at once, or takes none.
            waiting = self._settle(batch)
            if waiting and not self._sift(waiting):
                self._narrow(waiting, error)
            return
        self._most = min(2 * self._most, _BATCH)
        times = self._times([receipt["blockHash"] for receipt in receipts])
        for ticket, receipt in zip(batch, receipts, strict=True):
            self._tickets.confirm(
                ticket,
                receipt["transactionHash"],
                int(receipt["blockNumber"], 16),
                times[receipt["blockHash"]],
                gas=int(receipt["gasUsed"], 16),
                spent=int(receipt["gasUsed"], 16),
            )

    def _settle(self, batch: Sequence[Ticket]) -> list[Ticket]:
        """Follow those that may have been sent to their outcome; the others wait again.

        Returns
        -------
        list of Ticket
            Those that wait again.
        """
        self._ledger.sender.finish(self._payer)
        found = executions(self._ledger, batch)
        self._require_depth(found.values())
        waiting = []
        for ticket in batch:
            failed = self._failed(ticket)
            if execution := found.get(ticket.ticket):
                self._close(ticket, execution, failed)
            elif failed:
                self._refuse(ticket, *failed)
            else:
                waiting.append(ticket)
        self._tickets.requeue(waiting)
        return waiting

    def _require_depth(self, found: Iterable[Execution]) -> None:
        """That blocks are deep enough to count, also those of other people's transactions."""
        newest = max((each.block for each in found), default=0)
        goal = newest + self._ledger.sender.confirmations
        if newest and self._ledger.block_number() < goal:
            raise TransactionPending(
                f"what is executed in block {newest} counts from block {goal} on", block=newest
            )

    def _failed(self, ticket: Ticket) -> tuple[Intent, dict[str, Any]] | None:
        """The transaction in which a ticket's call failed, and its receipt."""
        intents = self._ledger.sender.intents
        intent = intents.find(self._payer.address, ticket.target, ticket.data)
        if intent is None or intent.state != "reverted":
            return None
        found = request(self._ledger.web3, "eth_getTransactionReceipt", [intent.transaction])
        return intent, found

    def _close(
        self, ticket: Ticket, found: Execution, failed: tuple[Intent, dict[str, Any]] | None
    ) -> None:
        """End a ticket that was executed, or whose nonce was used, by any sender."""
        spent = int(failed[1]["gasUsed"], 16) if failed else 0
        if found.executed:
            if found.sender.lower() == self._payer.address.lower():
                spent = found.gas
            where = (found.transaction, found.block, found.timestamp)
            self._tickets.confirm(ticket, *where, gas=found.gas, spent=spent)
            return
        error = NonceUsed(
            f"the nonce {ticket.nonce} of {ticket.account} was used in {found.transaction}, by "
            "another document or by way of another contract; see what that did before you sign "
            "again",
            account=ticket.account,
            nonce=ticket.nonce,
            transaction=found.transaction,
        )
        self._tickets.refuse(ticket, error, gas=spent)

    def _refuse(self, ticket: Ticket, intent: Intent, receipt: dict[str, Any]) -> None:
        """Refuse what failed in its block, which cost gas."""
        error = failure(self._ledger.web3, intent, receipt)
        if not isinstance(error, OutOfGas):
            error = RevertedUnexplained(
                "the contract refused it in its block, though not before and not now; sign again"
            )
            try:
                simulate(self._ledger, self._payer.address, ticket.target, ticket.data)
            except Refusal as refusal:
                error = refusal
        self._tickets.refuse(ticket, error, gas=int(receipt["gasUsed"], 16))

    def _sift(self, batch: Sequence[Ticket]) -> bool:
        """Take out those that would hold the others up; false if there are none.

        Those that the contracts refuse now are refused, and those of which the node cannot tell
        are put off, longer each time.
        """
        found = False
        for ticket in batch:
            try:
                simulate(self._ledger, self._payer.address, ticket.target, ticket.data)
            except Refusal as refusal:
                self._tickets.refuse(ticket, refusal)
            except RequestFailed as error:
                if ticket.tries < _MOST_TRIES:
                    self._tickets.postpone(ticket, int(time.time()) + 2**ticket.tries)
                else:
                    self._tickets.refuse(ticket, error)
            else:
                continue
            found = True
        return found

    def _narrow(self, batch: Sequence[Ticket], error: RadLedgerError) -> None:
        """Send fewer at once from now on; a single one that the node refuses goes last."""
        self._most = max(1, len(batch) // 2)
        if len(batch) == 1:
            (ticket,) = batch
            pause = 2 ** min(ticket.tries, _MOST_TRIES)
            self._tickets.postpone(ticket, int(time.time()) + pause)
        _log.warning("the node refused %d documents at once: %s", len(batch), error)

    def _times(self, blocks: Sequence[str]) -> dict[str, int]:
        """Unix time of each block."""
        unique = sorted(set(blocks))
        answers: list[Any] = request_batch(
            self._ledger.web3, [("eth_getBlockByHash", [each, False]) for each in unique]
        )
        for answer in answers:
            if not isinstance(answer, dict):
                raise RequestFailed("the node does not know a block that it has receipts of")
        return {
            each: int(answer["timestamp"], 16) for each, answer in zip(unique, answers, strict=True)
        }

"""The relayer without its interface: checks, queue and worker in one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger import signed
from radledger.chain.errors import RequestFailed
from radledger.chain.rpc import request_batch
from radledger.relay.checks import simulate, take
from radledger.relay.errors import CallTooExpensive, PayerDrained
from radledger.relay.patients import Patients
from radledger.relay.tickets import Limits, State, Ticket, Tickets
from radledger.relay.worker import Worker

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger

__all__ = ["Health", "Relayer"]

# Seconds for which a look at the chain's head and the payer's balance counts.
_FRESH = 1.0
# What is looked for on the chain is looked for from so many blocks before, for reorganisations.
_REORGANISED = 64


@dataclass(frozen=True, slots=True)
class Health:
    """The relayer's balance, and how much waits.

    Attributes
    ----------
    payer
        Address of the account that pays.
    balance
        Its Ether, in wei.
    chain_id, block
        The chain, and the number of its latest block.
    waiting
        How many tickets wait.
    """

    payer: str
    balance: int
    chain_id: int
    block: int
    waiting: int


@dataclass(frozen=True, slots=True)
class _Head:
    """A look at the chain: when, its latest block, the payer's balance and a unit of gas in wei."""

    asked_at: float
    block: int
    gas_limit: int
    balance: int
    price: int


class Relayer:
    """Takes signed documents and pays for them.

    Parameters
    ----------
    ledger
        The deployed contracts, as `RadLedger.open` gives them: with a journal of transactions.
    payer
        The account that pays.
    home
        The folder whose ``relay`` holds the queue.
    limits
        How much it pays and takes on.

    Examples
    --------
    >>> relayer = Relayer(ledger, hospital, home, Limits(2_000_000, 10**9, 1_000))
    ... # doctest: +SKIP
    >>> relayer.start()                                            # doctest: +SKIP
    >>> relayer.take(document).state                       # doctest: +SKIP
    <State.QUEUED: 'queued'>
    """

    def __init__(self, ledger: Ledger, payer: LocalAccount, home: Path, limits: Limits) -> None:
        self._ledger = ledger
        self._payer = payer
        self._limits = limits
        self._head: _Head | None = None
        path = home / "relay" / f"{ledger.deployment.chain_slug}.sqlite3"
        self._tickets = Tickets(path)
        self._patients = Patients(ledger, path.with_suffix(".patients.sqlite3"))
        self._worker = Worker(ledger, payer, self._tickets)

    def start(self) -> None:
        """Start processing the queue."""
        self._worker.start()

    def stop(self) -> None:
        """Stop after the current batch."""
        self._worker.stop()
        self._patients.close()
        self._tickets.close()

    def take(self, document: Mapping[str, Any]) -> Ticket:
        """Accept a signed document; the same document, in any form, has the same ticket.

        Raises
        ------
        DocumentMalformed, DocumentForAnotherChain, DocumentTampered, DocumentExpired
            If it cannot hold.
        TargetNotAllowed
            If it is a call that is not paid for here.
        NonceTaken, QueueFull, BudgetExhausted, CallTooExpensive, PayerDrained
            If it is not taken on.
        Refusal
            If the contract would refuse it.
        """
        known = self._tickets.find(signed.identity(document))
        if known is not None and known.state is not State.REFUSED:
            return known
        head = self._recent()
        call = take(self._ledger, document)
        # No node simulates a call that has no room in a block.
        self._require_cheap(call.gas, head)
        gas = simulate(self._ledger, self._payer.address, call.to, call.data)
        self._require_cheap(gas, head)
        self._require_funds(head, gas)
        since = max(0, head.block - _REORGANISED)
        now = int(time.time())
        # Anyone can sign a revocation of an address that was made for it.
        urgent = call.protects is not None and self._patients.include(
            call.protects, block=head.block, settled=since
        )
        limits = self._limits if urgent else self._limits.unreserved
        ticket = self._tickets.accept(call, gas, since, now, limits, urgent=urgent)
        self._worker.wake()
        return ticket

    def ticket(self, ticket: str) -> Ticket:
        """A ticket, while it is on its way with the hash of its transaction.

        Raises
        ------
        TicketUnknown
            If there is none of that name.
        """
        found = self._tickets.get(ticket)
        if found.state is not State.SENT:
            return found
        intents = self._ledger.sender.intents
        intent = intents.find(self._payer.address, found.target, found.data)
        if intent is None or not intent.versions:
            return found
        return replace(found, transaction_hash=intent.versions[-1].transaction)

    def health(self) -> Health:
        """What it has and how much waits.

        Raises
        ------
        PayerDrained
            If it cannot pay for what waits.
        ConnectionFailed
            If the chain cannot be reached.
        """
        self._head = self._ask()
        self._require_funds(self._head, 0)
        waiting, _ = self._tickets.waiting()
        return Health(
            payer=self._payer.address,
            balance=self._head.balance,
            chain_id=self._ledger.chain_id,
            block=self._head.block,
            waiting=waiting,
        )

    # ------------------------------------------------------------------------------- internals

    def _require_cheap(self, gas: int, head: _Head) -> None:
        limit = min(self._limits.per_address, head.gas_limit)
        if gas > limit:
            raise CallTooExpensive(
                f"the call needs {gas} gas, and this relayer pays {limit} at most for one address; "
                "send it yourself",
                needed=gas,
                limit=limit,
            )

    def _recent(self) -> _Head:
        """The state of the chain and the payer, at most a second old."""
        if self._head is None or time.monotonic() - self._head.asked_at > _FRESH:
            self._head = self._ask()
        return self._head

    def _ask(self) -> _Head:
        asked_at = time.monotonic()
        questions: list[tuple[str, list[Any]]] = [
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_getBalance", [self._payer.address, "latest"]),
            ("eth_gasPrice", []),
        ]
        answers = request_batch(self._ledger.web3, questions)
        for answer in answers:
            if isinstance(answer, RequestFailed):
                raise answer
        block, balance, price = answers
        return _Head(
            asked_at,
            block=int(block["number"], 16),
            gas_limit=int(block["gasLimit"], 16),
            balance=int(balance, 16),
            price=int(price, 16),
        )

    def _require_funds(self, head: _Head, gas: int) -> None:
        """Check that the payer's balance suffices for what waits and so much more gas."""
        # A transaction has to offer twice the present price, with a margin of gas.
        needed = 2 * head.price * (self._tickets.waiting()[1] + gas) * 5 // 4
        if head.balance < needed or (head.balance == 0 and head.price):
            raise PayerDrained(
                f"the relayer's account {self._payer.address} has {head.balance / 10**18:.6g} "
                f"Ether and what waits may cost {needed / 10**18:.6g}; its operator has to send "
                "it some",
                account=self._payer.address,
                balance=head.balance,
                needed=needed,
            )

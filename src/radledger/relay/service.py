"""The relayer without its interface: checks, queue and worker in one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.chain.connect import request
from radledger.relay.checks import SignedCall, simulate, take_consent, take_forward, ticket_of
from radledger.relay.errors import PayerDrained
from radledger.relay.tickets import Limits, State, Ticket, Tickets
from radledger.relay.worker import Worker

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger

__all__ = ["Health", "Relayer"]


@dataclass(frozen=True, slots=True)
class Health:
    """What the relayer has and how much waits.

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
    >>> relayer.take_consent(document).state                       # doctest: +SKIP
    <State.QUEUED: 'queued'>
    """

    def __init__(self, ledger: Ledger, payer: LocalAccount, home: Path, limits: Limits) -> None:
        self._ledger = ledger
        self._payer = payer
        self._limits = limits
        chain = f"{ledger.chain_id}-{ledger.deployment.genesis[2:14]}"
        self._tickets = Tickets(home / "relay" / f"{chain}.sqlite3")
        self._worker = Worker(ledger, payer, self._tickets)

    def start(self) -> None:
        """Begin to work the queue off."""
        self._worker.start()

    def stop(self) -> None:
        """End with the batch under way."""
        self._worker.stop()
        self._tickets.close()

    def take_consent(self, document: Mapping[str, Any]) -> Ticket:
        """Take a signed consent on; the same one again has the same ticket.

        Raises
        ------
        DocumentMalformed, DocumentForAnotherChain, DocumentTampered, DocumentExpired
            If it cannot hold.
        NonceTaken, QueueFull, BudgetExhausted, PayerDrained
            If it is not taken on.
        Refusal
            If the contract would refuse it.
        """
        return self._take(take_consent, document)

    def take_forward(self, document: Mapping[str, Any]) -> Ticket:
        """Take a signed forward request on; as :meth:`take_consent`.

        Raises
        ------
        UsageError, TargetNotAllowed
            If it is none that is relayed here.
        """
        return self._take(take_forward, document)

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
        balance = self._funds(0)
        block = self._ledger.block_number()
        waiting, _ = self._tickets.waiting()
        return Health(self._payer.address, balance, self._ledger.chain_id, block, waiting)

    # ------------------------------------------------------------------------------- internals

    def _take(
        self,
        check: Callable[[Ledger, Mapping[str, Any]], SignedCall],
        document: Mapping[str, Any],
    ) -> Ticket:
        known = self._tickets.find(ticket_of(document))
        if known is not None and known.state is not State.REFUSED:
            return known
        since = self._ledger.block_number()
        call = check(self._ledger, document)
        gas = simulate(self._ledger, self._payer.address, call.to, call.data)
        self._funds(gas)
        ticket = self._tickets.accept(call, gas, since, int(time.time()), self._limits)
        self._worker.wake()
        return ticket

    def _funds(self, gas: int) -> int:
        """The payer's balance, if it lasts for what waits and so much more gas."""
        parameters = [self._payer.address, "latest"]
        balance = int(request(self._ledger.web3, "eth_getBalance", parameters), 16)
        price = int(request(self._ledger.web3, "eth_gasPrice", []), 16)
        # A transaction has to offer twice the present price, with a margin of gas.
        needed = 2 * price * (self._tickets.waiting()[1] + gas) * 5 // 4
        if balance < needed or (balance == 0 and price):
            raise PayerDrained(
                f"the relayer's account {self._payer.address} has {balance / 10**18:.6g} Ether "
                f"and what waits may cost {needed / 10**18:.6g}; its operator has to send it some",
                account=self._payer.address,
                balance=balance,
                needed=needed,
            )
        return balance

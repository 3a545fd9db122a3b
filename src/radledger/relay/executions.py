"""What the chain says about a signed call, whoever sent it.

A signature counts once: the contract that uses its nonce up says so in an event.  That event, and
not what became of a transaction of ours, tells whether a call was executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.chain.connect import request_batch
from radledger.chain.errors import RequestFailed

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger
    from radledger.relay.tickets import Ticket

__all__ = ["Execution", "executions"]

_USED = {
    "consent": ("ConsentRegistry", "ConsentNonceUsed", "subject"),
    "forward": ("Forwarder", "ExecutedForwardRequest", "signer"),
}


@dataclass(frozen=True, slots=True)
class Execution:
    """Where a call was executed, by whom, and with how much gas."""

    transaction: str
    block: int
    timestamp: int
    gas: int
    sender: str


def executions(ledger: Ledger, tickets: Sequence[Ticket]) -> Mapping[str, Execution]:
    """Where each of the tickets' calls was executed; those that were not are left out."""
    used = [
        (ticket, event)
        for kind in _USED
        for ticket, event in _used(ledger, [each for each in tickets if each.kind == kind])
    ]
    hashes = [event.transaction for _, event in used]
    sent = _answers(ledger, "eth_getTransactionByHash", hashes)
    receipts = _answers(ledger, "eth_getTransactionReceipt", hashes)
    return {
        ticket.ticket: Execution(
            transaction=event.transaction,
            block=event.block,
            timestamp=event.timestamp,
            gas=int(receipt["gasUsed"], 16),
            sender=str(transaction["from"]),
        )
        for (ticket, event), transaction, receipt in zip(used, sent, receipts, strict=True)
        # Another signature may have used the nonce up.
        if str(transaction["input"]).lower() == ticket.data.lower()
    }


def _used(ledger: Ledger, tickets: Sequence[Ticket]) -> Iterator[tuple[Ticket, Event]]:
    """Each of the tickets, all of one kind, whose nonce was used, and the event that says so."""
    if not tickets:
        return
    contract, name, account = _USED[tickets[0].kind]
    events = ledger.events(
        contract,
        name,
        from_block=min(ticket.since for ticket in tickets),
        **{account: sorted({ticket.account for ticket in tickets})},
    )
    by_nonce = {(event.args[account], event.args["nonce"]): event for event in events}
    for ticket in tickets:
        event = by_nonce.get((ticket.account, ticket.nonce))
        if event is not None:
            yield ticket, event


def _answers(ledger: Ledger, method: str, hashes: Sequence[str]) -> list[Any]:
    answers = request_batch(ledger.web3, [(method, [each]) for each in hashes])
    for answer in answers:
        if isinstance(answer, RequestFailed):
            raise answer
        if answer is None:
            raise RequestFailed(f"the node knows no {method} of what it has events of; ask again")
    return answers

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
from radledger.chain.forward import FORWARDER
from radledger.consent import duo
from radledger.consent.model import unpack

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger
    from radledger.relay.tickets import Ticket

__all__ = ["NonceUse", "nonce_uses"]

_CONSENTS = "ConsentRegistry"
_USED = {
    "consent": (_CONSENTS, "ConsentNonceUsed", "subject"),
    "forward": (FORWARDER, "ExecutedForwardRequest", "signer"),
}
_EFFECTS = {
    "grantBySig": "ConsentGranted",
    "approveBySig": "ConsentGranted",
    "revokeBySig": "ConsentWithdrawn",
    "revokeAllBySig": "ConsentWithdrawnAll",
}


@dataclass(frozen=True, slots=True)
class NonceUse:
    """Where the nonce of a call was used, by whom, and with how much gas.

    Attributes
    ----------
    executed
        Whether it is known to be this call that used it.
    """

    transaction: str
    block: int
    timestamp: int
    gas: int
    sender: str
    executed: bool


def nonce_uses(ledger: Ledger, tickets: Sequence[Ticket]) -> Mapping[str, NonceUse]:
    """Where the nonce of each of the tickets was used; those whose was not are left out.

    A call is known to have been executed if a transaction makes it, or a batch of the forwarder
    has it, or a transaction to another contract had just the effect of a consent.

    Raises
    ------
    RequestFailed, ConnectionFailed
        If the node does not give the events or transactions.
    """
    used = [
        (ticket, event)
        for kind in _USED
        for ticket, event in _used(ledger, [each for each in tickets if each.kind == kind])
    ]
    hashes = [event.transaction for _, event in used]
    sent = _answers(ledger, "eth_getTransactionByHash", hashes)
    receipts = _answers(ledger, "eth_getTransactionReceipt", hashes)
    return {
        ticket.ticket: NonceUse(
            transaction=event.transaction,
            block=event.block,
            timestamp=event.timestamp,
            gas=int(receipt["gasUsed"], 16),
            sender=str(transaction["from"]),
            executed=_is_executed(ledger, ticket, event, transaction),
        )
        for (ticket, event), transaction, receipt in zip(used, sent, receipts, strict=True)
    }


def _is_executed(
    ledger: Ledger, ticket: Ticket, used: Event, transaction: Mapping[str, Any]
) -> bool:
    """Whether it was a ticket's call, and not another one of the same nonce."""
    direct = str(transaction["to"]).lower() == ticket.target.lower()
    if direct and str(transaction["input"]).lower() == ticket.data.lower():
        return True
    if ticket.kind == "consent":
        return not direct and _took_effect(ledger, ticket, used)
    return direct and bool(used.args["success"]) and _in_batch(ledger, ticket, transaction)


def _took_effect(ledger: Ledger, ticket: Ticket, used: Event) -> bool:
    """Whether a transaction did what a consent says, after it had used its nonce."""
    function, said = ledger.contract(_CONSENTS).decode_function_input(ticket.data)
    whose = {name: said[name] for name in ("subject", "grantee", "scope") if name in said}
    events = ledger.events(
        _CONSENTS, _EFFECTS[function.fn_name], from_block=used.block, subject=ticket.account
    )
    return any(
        event.transaction == used.transaction
        and event.log_index > used.log_index
        and whose.items() <= event.args.items()
        and ("terms" not in said or _is_given(said["terms"], event.args["given"]))
        for event in events
    )


def _is_given(asked: Mapping[str, Any], given: int) -> bool:
    """Whether a grant is what was asked for, with the Data Use Ontology's inheritance."""
    purposes = duo.expand(asked["purposes"], asked["conditions"])
    return unpack(given)[0] == tuple({**asked, "purposes": purposes}.values())


def _in_batch(ledger: Ledger, ticket: Ticket, transaction: Mapping[str, Any]) -> bool:
    """Whether a forward request is the only one of its signer in a batch.

    Of several with the same nonce the forwarder executes one and passes over the others.
    """
    from eth_abi.exceptions import DecodingError

    decode = ledger.contract(FORWARDER).decode_function_input
    _, signed = decode(ticket.data)
    try:
        _, sent = decode(transaction["input"])
    except DecodingError:
        return False  # the contract takes what is padded otherwise
    requests = sent.get("requests", ())
    return [each for each in requests if each["from"] == ticket.account] == [signed["request"]]


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

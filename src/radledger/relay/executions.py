"""Executions of signed calls on the chain, by any sender.

A consent was executed if the contract recorded what it says; a forward request if the forwarder
says that its nonce was used.  These events, and not what became of a transaction of ours, tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import RequestFailed
from radledger.chain.forward import FORWARDER, KIND
from radledger.chain.rpc import request_batch
from radledger.consent import duo, messages
from radledger.consent.model import unpack

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger
    from radledger.relay.tickets import Ticket

__all__ = ["Execution", "executions"]

_CONSENTS = "ConsentRegistry"
_EFFECTS = {
    "grantBySig": "ConsentGranted",
    "approveBySig": "ConsentGranted",
    "revokeBySig": "ConsentRevoked",
    "revokeAllBySig": "ConsentRevokedAll",
    "forbidEmergenciesBySig": "EmergenciesForbidden",
}

_WORDS = ("subject", "grantee", "scope", "forbidden")


@dataclass(frozen=True, slots=True)
class Execution:
    """Where a call was executed, by whom, and with how much gas.

    Attributes
    ----------
    executed
        False where the nonce of a forward request was used there, and not known to be for it.
    """

    transaction: str
    block: int
    timestamp: int
    gas: int
    sender: str
    executed: bool


def executions(ledger: Ledger, tickets: Sequence[Ticket]) -> Mapping[str, Execution]:
    """Where each of the tickets was executed, or its nonce used; the others are left out.

    Raises
    ------
    RequestFailed, ConnectionFailed
        If the node does not give the events or transactions.
    """
    consents = [ticket for ticket in tickets if ticket.kind == messages.KIND]
    forwarded = [ticket for ticket in tickets if ticket.kind == KIND]
    found = [*_recorded(ledger, consents), *_used(ledger, forwarded)]
    hashes = [event.transaction for _, event in found]
    sent = _answers(ledger, "eth_getTransactionByHash", hashes)
    receipts = _answers(ledger, "eth_getTransactionReceipt", hashes)
    told: dict[str, Execution] = {}
    for (ticket, event), transaction, receipt in zip(found, sent, receipts, strict=True):
        executed = _is_executed(ledger, ticket, event, transaction)
        if not executed and ticket.kind == messages.KIND:
            continue  # another document on the same grant
        execution = Execution(
            transaction=event.transaction,
            block=event.block,
            timestamp=event.timestamp,
            gas=int(receipt["gasUsed"], 16),
            sender=str(transaction["from"]),
            executed=executed,
        )
        told.setdefault(ticket.ticket, execution)
    return told


def _is_executed(
    ledger: Ledger, ticket: Ticket, event: Event, transaction: Mapping[str, Any]
) -> bool:
    """Whether a transaction executed a ticket's call, and not another one."""
    direct = str(transaction["to"]).lower() == ticket.target.lower()
    if direct and str(transaction["input"]).lower() == ticket.data.lower():
        return True
    if ticket.kind == messages.KIND:
        _, said = _said(ledger, ticket)
        return _signed_at(event) == int(said["authorization"]["signed"])
    return direct and bool(event.args["success"]) and _in_batch(ledger, ticket, transaction)


# --- consents ------------------------------------------------------------------------------------


def _recorded(ledger: Ledger, tickets: Sequence[Ticket]) -> Iterator[tuple[Ticket, Event]]:
    """Each of the tickets with each event that has its words, at the time it says or later.

    The contract records a later time than was signed where the clocks of the subject's devices
    differ; then the transaction tells.
    """
    said = [(ticket, *_said(ledger, ticket)) for ticket in tickets]
    for name in sorted({name for _, name, _ in said}):
        asked = [(ticket, values) for ticket, each, values in said if each == name]
        events = ledger.events(
            _CONSENTS,
            name,
            from_block=min(ticket.since for ticket, _ in asked),
            subject=sorted({ticket.account for ticket, _ in asked}),
        )
        for event in events:
            yield from ((ticket, event) for ticket, values in asked if _has_words(event, values))


def _said(ledger: Ledger, ticket: Ticket) -> tuple[str, Mapping[str, Any]]:
    """The event that records a consent, and what the consent says."""
    function, values = ledger.contract(_CONSENTS).decode_function_input(ticket.data)
    return _EFFECTS[function.fn_name], values


def _has_words(event: Event, said: Mapping[str, Any]) -> bool:
    """Whether an event records what a consent says, whenever that was signed."""
    authorization = said["authorization"]
    whose = {name: said[name] for name in _WORDS if name in said}
    whose["actor"] = authorization["signer"]
    if "scope" in whose:
        whose["scope"] = "0x" + bytes(whose["scope"]).hex()
    return (
        whose.items() <= event.args.items()
        and _signed_at(event) >= authorization["signed"]
        and ("terms" not in said or _is_given(said["terms"], event.args["given"]))
    )


def _signed_at(event: Event) -> int:
    if "given" in event.args:
        return unpack(event.args["given"]).signed
    return int(event.args["signed"])


def _is_given(asked: Mapping[str, Any], given: int) -> bool:
    """Whether a grant is what was asked for, with the Data Use Ontology's inheritance."""
    purposes = duo.expand(asked["purposes"], asked["conditions"])
    return unpack(given).terms == tuple({**asked, "purposes": purposes}.values())


# --- forward requests ----------------------------------------------------------------------------


def _used(ledger: Ledger, tickets: Sequence[Ticket]) -> Iterator[tuple[Ticket, Event]]:
    """Each of the tickets whose nonce was used, and the event that says so."""
    if not tickets:
        return
    events = ledger.events(
        FORWARDER,
        "ExecutedForwardRequest",
        from_block=min(ticket.since for ticket in tickets),
        signer=sorted({ticket.account for ticket in tickets}),
    )
    by_nonce = {(event.args["signer"], event.args["nonce"]): event for event in events}
    for ticket in tickets:
        event = by_nonce.get((ticket.account, ticket.nonce))
        if event is not None:
            yield ticket, event


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


def _answers(ledger: Ledger, method: str, hashes: Sequence[str]) -> list[Any]:
    answers = request_batch(ledger.web3, [(method, [each]) for each in hashes])
    for answer in answers:
        if isinstance(answer, RequestFailed):
            raise answer
        if answer is None:
            raise RequestFailed(f"the node knows no {method} of what it has events of; ask again")
    return answers

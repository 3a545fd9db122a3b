"""What is checked of a signed document before the relayer promises to pay for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.chain import forward
from radledger.chain.ledger import Call
from radledger.chain.refusals import (
    ERC2771ForwarderExpiredRequest,
    ERC2771ForwarderInvalidSigner,
    FailedCall,
)
from radledger.chain.signatures import recover
from radledger.consent import messages
from radledger.identity.address import parse_address
from radledger.relay.errors import DocumentTooLarge, TargetNotAllowed

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = [
    "ALLOWED",
    "MOST_CALL_DATA",
    "SignedCall",
    "simulate",
    "take_consent",
    "take_forward",
    "ticket_of",
]

MOST_CALL_DATA = 4096
"""Bytes of call data that a document may lead to; a hundred of them fit into a JSON-RPC batch."""

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "IdentityRegistry": (
        "addDelegate",
        "approveRecovery",
        "changeOwner",
        "revokeAttribute",
        "revokeDelegate",
        "setAttribute",
        "setGuardians",
        "vetoRecovery",
        "withdrawApproval",
    ),
    "DatasetRegistry": ("claim", "claimFor", "setFree", "withdraw", "withdrawWork"),
    "ImageRegistry": ("acknowledge", "disown"),
}
"""The functions that are paid for by way of the forwarder: what patients sign."""

# Those that take back or defend, and which word of their arguments is the subject's address.
_PROTECTING = {"disown": 1, "revokeAttribute": 0, "revokeDelegate": 0, "vetoRecovery": 0}


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A signed call, ready to be sent at the relayer's cost.

    Attributes
    ----------
    ticket
        From :func:`ticket_of`.
    kind
        ``consent`` or ``forward``.
    signer
        Who signed, and whose budget it uses.
    account
        Whom it is about: the subject of a consent, the signer of a forward request.
    nonce
        The number of the signer's in ``Forwarder`` by which a forward request counts once; none
        for a consent, which counts by the time at which it was signed.
    to, data
        Contract and call data, ``0x…``.
    gas
        What the signer wants to be given at least.
    protects
        Address of the subject whose permissions, keys or delegates the call revokes, whose identity
        it defends, or who disowns an image set; none where it does none of these.
    """

    ticket: str
    kind: str
    signer: str
    account: str
    nonce: int | None
    to: str
    data: str
    gas: int
    protects: str | None = None


def ticket_of(document: Mapping[str, Any]) -> str:
    """The ticket of a document: Keccak-256 of its JSON without spaces, keys in order.

    Examples
    --------
    >>> ticket_of({"b": 1, "a": 2}) == ticket_of({"a": 2, "b": 1})
    True
    """
    from eth_utils.crypto import keccak

    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return "0x" + keccak(text=text).hex()


def take_consent(ledger: Ledger, document: Mapping[str, Any]) -> SignedCall:
    """Check a consent's form, chain, summary, signature and deadline.

    Raises
    ------
    DocumentMalformed, DocumentForAnotherChain, DocumentTampered, DocumentExpired
        See :func:`radledger.consent.documents.verify`.
    DocumentTooLarge
        If the call would have more than :data:`MOST_CALL_DATA` bytes.
    """
    verified = messages.verified(ledger, document)
    message = verified.message
    subject = parse_address(message["subject"])
    to, data = _encoded(ledger, messages.call_of(verified))
    return SignedCall(
        ticket_of(document),
        "consent",
        verified.signer,
        subject,
        None,
        to,
        data,
        gas=0,
        protects=subject if _takes_back(verified.primary, message) else None,
    )


def _takes_back(primary: str, message: Mapping[str, Any]) -> bool:
    return primary in ("Revoke", "RevokeAll") or message.get("forbidden", False)


def take_forward(ledger: Ledger, document: Mapping[str, Any]) -> SignedCall:
    """Check a forward request's chain, target, signature and deadline.

    Raises
    ------
    UsageError
        If it is not a forward request, or for another chain or deployment.
    TargetNotAllowed
        If it is not one of :data:`ALLOWED`, or carries Ether.
    ERC2771ForwarderInvalidSigner, ERC2771ForwarderExpiredRequest
        As the forwarder would refuse it.
    DocumentTooLarge
        If the call would have more than :data:`MOST_CALL_DATA` bytes.
    """
    message, argument = forward.forward_request(ledger, document)
    function = _allowed(ledger, message)
    signer = message["from"]
    recovered = recover(forward.forward_typed_data(ledger, message), argument[-1])
    if recovered != signer:
        raise ERC2771ForwarderInvalidSigner.of({"signer": recovered, "from": signer})
    if ledger.present().time > message["deadline"]:
        raise ERC2771ForwarderExpiredRequest.of({"deadline": message["deadline"]})
    to, data = _encoded(ledger, Call(forward.FORWARDER, "execute", (argument,)))
    return SignedCall(
        ticket_of(document),
        "forward",
        signer,
        signer,
        message["nonce"],
        to,
        data,
        gas=message["gas"],
        protects=_protected(function, bytes.fromhex(message["data"][2:])),
    )


def simulate(ledger: Ledger, payer: str, to: str, data: str) -> int:
    """Gas that a call would need now; raises the refusal that it would meet, by its own name."""
    try:
        return ledger.sender.simulate(payer, to, data)
    except FailedCall:
        function, arguments = ledger.contract(forward.FORWARDER).decode_function_input(data)
        assert function.fn_name == "execute"  # noqa: S101
        signed = arguments["request"]
        forward.explain_failed_call(ledger, {**signed, "data": "0x" + bytes(signed["data"]).hex()})
        raise


def _protected(function: str, data: bytes) -> str | None:
    """The subject for whom a forwarded call takes something back, or whom it defends."""
    if function not in _PROTECTING:
        return None
    end = 4 + 32 * (1 + _PROTECTING[function])
    return parse_address("0x" + data[end - 20 : end].hex()) if len(data) >= end else None


def _allowed(ledger: Ledger, message: Mapping[str, Any]) -> str:
    """The name of the function that is to be called, which has to be one of :data:`ALLOWED`."""
    from eth_utils.abi import function_abi_to_4byte_selector

    if message["value"]:
        raise TargetNotAllowed(
            "the call carries Ether, which this relayer does not pay; sign it with value 0",
            value=message["value"],
        )
    selector = bytes.fromhex(message["data"][2:10])
    deployed = ledger.deployment.contracts
    for contract, functions in ALLOWED.items():
        if contract in deployed and message["to"].lower() == deployed[contract].address.lower():
            abi: Any = ledger.contract(contract).abi
            for item in abi:
                name = item.get("name")
                if name in functions and function_abi_to_4byte_selector(item) == selector:
                    return str(name)
    raise TargetNotAllowed(
        "this relayer does not pay for that contract and function; send the call yourself",
        to=message["to"],
        selector=message["data"][:10],
    )


def _encoded(ledger: Ledger, call: Call) -> tuple[str, str]:
    to, data = ledger.encode(call.contract, call.function, *call.arguments)
    size = len(data) // 2 - 1
    if size > MOST_CALL_DATA:
        raise DocumentTooLarge(
            f"the call has {size} bytes of data, and this relayer takes {MOST_CALL_DATA}; send "
            "it yourself",
            size=size,
            most=MOST_CALL_DATA,
        )
    return to, data

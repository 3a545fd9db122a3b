"""The checks of a signed document before the relayer accepts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger import signed
from radledger.areas import CONTRACTS
from radledger.chain import forward
from radledger.chain.refusals import FailedCall
from radledger.identity.address import parse_address
from radledger.relay.errors import DocumentTooLarge, TargetNotAllowed

if TYPE_CHECKING:
    from radledger.chain.calls import Said
    from radledger.chain.ledger import Ledger

__all__ = [
    "MOST_CALL_DATA",
    "SignedCall",
    "simulate",
    "take",
]

MOST_CALL_DATA = 4096
"""Bytes of call data that a document may lead to; a hundred of them fit into a JSON-RPC batch."""

# Those that take back or defend, and which of their arguments is the subject's address.
_PROTECTING: Mapping[tuple[str, str], str] = {
    ("ConsentRegistry", "revoke"): "subject",
    ("ConsentRegistry", "revokeAll"): "subject",
    ("ConsentRegistry", "forbidEmergencies"): "subject",
    ("IdentityRegistry", "revokeAttribute"): "identity",
    ("IdentityRegistry", "revokeDelegate"): "identity",
    ("IdentityRegistry", "vetoRecovery"): "identity",
    ("ImageRegistry", "disown"): "imageSet.patient",
}


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A signed call, ready to be sent at the relayer's cost.

    Attributes
    ----------
    ticket
        From :func:`radledger.signed.identity`.
    kind
        The document's.
    signer
        Who signed, and whose budget it uses.
    account
        Whom it is about: the subject of a consent, the signer of a call.
    nonce
        The number of the signer's in ``Forwarder`` by which a call counts once; none for a consent,
        which counts by the time at which it was signed.
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


def take(ledger: Ledger, document: Mapping[str, Any]) -> SignedCall:
    """Check a document's form, chain, words, signature, deadline and target.

    Raises
    ------
    DocumentMalformed, DocumentForAnotherChain, DocumentTampered, DocumentExpired
        See :func:`radledger.signed.read`.
    TargetNotAllowed
        If it is a call of a function that no area declares as relayed.
    DocumentTooLarge
        If the call would have more than :data:`MOST_CALL_DATA` bytes.
    """
    read = signed.read(ledger, document)
    said = read.said
    if read.kind == forward.KIND and said.function not in _relayed(said.contract):
        raise TargetNotAllowed(
            f"this relayer does not pay for {said.function} of {said.contract}; send it yourself",
            contract=said.contract,
            function=said.function,
        )
    to, data = ledger.encode(read.call.contract, read.call.function, *read.call.arguments)
    size = len(data) // 2 - 1
    if size > MOST_CALL_DATA:
        raise DocumentTooLarge(
            f"the call has {size} bytes of data, and this relayer takes {MOST_CALL_DATA}; send "
            "it yourself",
            size=size,
            most=MOST_CALL_DATA,
        )
    return SignedCall(
        signed.identity(document),
        read.kind,
        read.signer,
        read.account,
        read.nonce,
        to,
        data,
        read.gas,
        _protected(said),
    )


def simulate(ledger: Ledger, payer: str, to: str, data: str) -> int:
    """Gas that a call would need now; raises the refusal that it would meet, by its own name."""
    try:
        return ledger.sender.simulate(payer, to, data)
    except FailedCall:
        forward.explain_failed_call(ledger, data)
        raise


def _relayed(contract: str) -> tuple[str, ...]:
    """The functions of a contract that are paid for by way of the forwarder."""
    declared = CONTRACTS.get(contract)
    return () if declared is None else declared.relayed


def _protected(said: Said) -> str | None:
    """The subject for whom a call takes something back, or whom it defends."""
    where = _PROTECTING.get((said.contract, said.function))
    if where is None or said.arguments.get("forbidden") is False:
        return None
    value: Any = said.arguments
    for name in where.split("."):
        value = value[name] if isinstance(value, Mapping) else getattr(value, name)
    return parse_address(value)

"""Calls by people without Ether: signed by one, paid by another (ERC-2771).

The document is EIP-712 typed data with its signature, which any wallet can make and anybody can
submit, once, until its deadline, on the chain it names.

References
----------
.. [1] ERC-2771, Secure Protocol for Native Meta Transactions
.. [2] EIP-712, Typed structured data hashing and signing
.. [3] OpenZeppelin Contracts 5.3, ``metatx/ERC2771Forwarder.sol``
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radledger.chain import reverts
from radledger.chain.errors import OutOfGas, RequestFailed
from radledger.chain.refusals import FailedCall
from radledger.chain.rpc import request
from radledger.chain.signatures import signature_bytes, standard
from radledger.chain.typed_data import Domain, Fields, parsed, typed_data
from radledger.errors import UsageError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger, Receipt

__all__ = [
    "FORWARDER",
    "explain_failed_call",
    "forward_request",
    "forward_typed_data",
    "sign_forward",
    "submit_forward",
]

FORWARDER = "Forwarder"
"""The contract through which people without Ether speak."""

_FIELDS: Fields = (
    ("address", "from"),
    ("address", "to"),
    ("uint256", "value"),
    ("uint256", "gas"),
    ("uint256", "nonce"),
    ("uint48", "deadline"),
    ("bytes", "data"),
)


def sign_forward(
    ledger: Ledger,
    signer: LocalAccount,
    contract: str,
    function: str,
    *args: Any,
    deadline: int,
) -> dict[str, Any]:
    """Sign a call that another account will pay for.

    Parameters
    ----------
    ledger
        The connected contracts.
    signer
        Who speaks; needs no Ether.
    contract, function, *args
        What is said, to a contract that trusts the forwarder.
    deadline
        Unix time after which it is void.

    Returns
    -------
    dict
        ``typedData`` (EIP-712) and ``signature``; can be written as JSON.

    Raises
    ------
    Refusal
        If the call would be refused now.
    """
    from eth_account.messages import encode_typed_data

    to, data = ledger.encode(contract, function, *args)
    gas = _estimate(ledger, signer.address, to, data)
    message = {
        "from": signer.address,
        "to": to,
        "value": 0,
        # What the call needs may have grown when it is submitted; unused gas is not paid.
        "gas": 2 * gas,
        "nonce": ledger.call(FORWARDER, "nonces", signer.address),
        "deadline": deadline,
        "data": data,
    }
    typed = forward_typed_data(ledger, message)
    signed = signer.sign_message(encode_typed_data(full_message=typed))
    return {"typedData": typed, "signature": "0x" + bytes(signed.signature).hex()}


def submit_forward(ledger: Ledger, document: Mapping[str, Any], payer: LocalAccount) -> Receipt:
    """Send what :func:`sign_forward` made, at the cost of ``payer``.

    Raises
    ------
    UsageError
        If the document is none of these, or is for another chain or deployment.
    Refusal
        If the signature was used before (``ERC2771ForwarderInvalidSigner``) or is too late
        (``ERC2771ForwarderExpiredRequest``), or as the contract refuses the call itself.
    """
    message, forwarded = forward_request(ledger, document)
    try:
        return ledger.send(payer, FORWARDER, "execute", forwarded)
    except FailedCall:
        explain_failed_call(ledger, message)
        raise


def forward_request(
    ledger: Ledger, document: Mapping[str, Any]
) -> tuple[Mapping[str, Any], tuple[Any, ...]]:
    """What was signed, and the argument of the forwarder's ``execute`` that submits it.

    Raises
    ------
    UsageError
        If the document is not a signed call, or is for another chain or deployment.
    """
    try:
        data = document["typedData"]
        _, message = parsed(data, {"ForwardRequest": _FIELDS})
        signature = signature_bytes(document["signature"])
    except (KeyError, TypeError, ValueError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(
            f"the document is not a signed call: {reason}; have the call signed again",
            reason=reason,
        ) from error
    domain = _domain(ledger)
    if not domain.is_of(data):
        raise UsageError(
            "the call was signed for another chain or deployment; sign it again for this one",
            signed_for=data["domain"],
            here=domain.fields,
        )
    names = ("from", "to", "value", "gas", "deadline", "data")
    # The forwarder asks for a key's signature; what is none it refuses by its own error.
    forwarded = (*(message[name] for name in names), standard(signature) or signature)
    return message, forwarded


def explain_failed_call(ledger: Ledger, message: Mapping[str, Any]) -> None:
    """Raise the refusal behind the forwarder's ``FailedCall``, if the contract still refuses.

    The forwarder swallows the reason, so the contract itself is asked as the forwarder would.

    Raises
    ------
    OutOfGas
        If the contract does not refuse, and the signed gas is less than the call needs.
    Refusal
        As the contract refuses it.
    """
    needed = _estimate(ledger, message["from"], message["to"], message["data"])
    if message["gas"] < needed:
        raise OutOfGas(
            f"the call was signed for {message['gas']} gas and may need {needed}; have it signed "
            "again, for more",
            gas_limit=message["gas"],
            needed=needed,
        )


def forward_typed_data(ledger: Ledger, message: Mapping[str, Any]) -> dict[str, Any]:
    """EIP-712 typed data of a forward request, as its signer's wallet hashed it."""
    return typed_data(_domain(ledger), "ForwardRequest", _FIELDS, message)


def _estimate(ledger: Ledger, signer: str, to: str, data: str) -> int:
    """Gas of a forwarded call; raises the refusal that it would meet."""
    forwarded = {"from": ledger.address(FORWARDER), "to": to, "data": data + signer[2:].lower()}
    try:
        return int(request(ledger.web3, "eth_estimateGas", [forwarded]), 16)
    except RequestFailed as error:
        raise (reverts.from_request(error) or error) from error


def _domain(ledger: Ledger) -> Domain:
    return Domain("RadLedger Forwarder", "1", ledger.chain_id, ledger.address(FORWARDER))

"""Calls by people without Ether: signed by one, paid by another (ERC-2771).

The document is EIP-712 typed data with its signature, which any wallet can make and anyone can
submit, once, until its deadline, on the chain it names.  Its summary names the function and the
arguments of the call.

References
----------
.. [1] ERC-2771, Secure Protocol for Native Meta Transactions
.. [2] EIP-712, Typed structured data hashing and signing
.. [3] OpenZeppelin Contracts 5.3, ``metatx/ERC2771Forwarder.sol``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from radledger.chain import calls, documents, reverts
from radledger.chain.documents import Signed, when
from radledger.chain.errors import (
    DocumentMalformed,
    DocumentTampered,
    NotSignable,
    OutOfGas,
    RequestFailed,
)
from radledger.chain.rpc import request
from radledger.chain.typed_data import Domain, Fields, typed_data

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Call, Ledger

__all__ = [
    "FORWARDER",
    "KIND",
    "STRUCTS",
    "Forwarded",
    "explain_failed_call",
    "forward_typed_data",
    "read",
    "summarise",
]

FORWARDER = "Forwarder"
"""The contract through which people without Ether speak."""

KIND = "radledger.call"
"""The kind of document that holds a forward request."""

_PRIMARY = "ForwardRequest"
_FIELDS: Fields = (
    ("address", "from"),
    ("address", "to"),
    ("uint256", "value"),
    ("uint256", "gas"),
    ("uint256", "nonce"),
    ("uint48", "deadline"),
    ("bytes", "data"),
)
STRUCTS: Mapping[str, Fields] = {_PRIMARY: _FIELDS}
"""The struct that is signed, field by field."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A call that an account signs, for another one to pay for.

    Attributes
    ----------
    ledger
        The connected contracts.
    account
        Address of who makes the call.
    call
        The call, of a contract that trusts the forwarder.
    """

    ledger: Ledger
    account: str
    call: Call

    @property
    def words(self) -> str:
        """What the account does with it, in words."""
        return calls.words_of(self.ledger, self.account, self.call)

    def sign(self, signer: LocalAccount, valid_for: int) -> dict[str, Any]:
        """Sign the call into a document.

        Parameters
        ----------
        signer
            Who makes the call; needs no Ether.
        valid_for
            Seconds in which it can be submitted.

        Raises
        ------
        NotSignable, Refusal
            As :meth:`unsigned` does.
        """
        return documents.sign(signer, KIND, *self._prepared(valid_for))

    def unsigned(self, signer: str, valid_for: int) -> dict[str, Any]:
        """The document, for its signer's wallet to sign.

        Raises
        ------
        NotSignable
            If the contract does not trust the forwarder.
        Refusal
            If the call would be refused now.
        """
        return documents.unsigned(signer, KIND, *self._prepared(valid_for))

    def _prepared(self, valid_for: int) -> tuple[str, dict[str, Any]]:
        """The summary, and the typed data."""
        contract = self.ledger.contract(self.call.contract)
        if not any(each.get("name") == "isTrustedForwarder" for each in contract.abi):
            raise NotSignable(
                f"{self.call.function} of {self.call.contract} cannot be signed for another "
                "account to submit; send it",
                contract=str(self.call.contract),
                function=self.call.function,
            )
        to, data = self.ledger.encode(self.call.contract, self.call.function, *self.call.arguments)
        message = {
            "from": self.account,
            "to": to,
            "value": 0,
            # What the call needs may have grown when it is submitted; unused gas is not paid.
            "gas": 2 * _estimate(self.ledger, self.account, to, data),
            "nonce": self.ledger.call(FORWARDER, "nonces", self.account),
            "deadline": self.ledger.present().time + valid_for,
            "data": data,
        }
        summary = summarise(self.ledger, _PRIMARY, message)
        return summary, forward_typed_data(self.ledger, message)


def read(ledger: Ledger, document: Mapping[str, Any]) -> Signed:
    """Check all of a signed call that can be checked without sending it.

    Raises
    ------
    DocumentMalformed, DocumentForAnotherChain, DocumentTampered, DocumentExpired
        See :func:`radledger.chain.documents.verify`.
    """
    from radledger.chain.ledger import Call

    summary = partial(summarise, ledger)
    verified = documents.verify(document, KIND, _domain(ledger), STRUCTS, summary, ledger)
    message = verified.message
    if message["from"] != verified.signer:
        raise DocumentTampered(
            f"the call is one of {message['from']}, and {verified.signer} signed it; have it "
            "signed again",
            signer=verified.signer,
            account=message["from"],
        )
    names = ("from", "to", "value", "gas", "deadline", "data")
    argument = (*(message[name] for name in names), verified.signature)
    return Signed(
        kind=KIND,
        signer=verified.signer,
        account=verified.signer,
        said=calls.said(ledger, message["to"], message["data"]),
        call=Call(FORWARDER, "execute", (argument,)),
        nonce=message["nonce"],
        gas=message["gas"],
    )


def summarise(ledger: Ledger, _primary: str, message: Mapping[str, Any]) -> str:
    """What signing a forward request does, in words.

    Raises
    ------
    DocumentMalformed
        If no deployed contract has such a function, or the call carries Ether.
    """
    if message["value"]:
        raise DocumentMalformed(
            "the call carries Ether, which is not submitted; have it signed with value 0",
            value=message["value"],
        )
    try:
        said = calls.said(ledger, message["to"], message["data"])
    except ValueError as error:
        raise DocumentMalformed(
            f"the call cannot be put into words: {error}; have it signed again"
        ) from error
    return f"{message['from']} {said.words}. To be submitted by {when(message['deadline'])}."


def explain_failed_call(ledger: Ledger, data: str) -> None:
    """Raise the refusal behind the forwarder's ``FailedCall``, if the contract still refuses.

    The forwarder swallows the reason, so the contract itself is asked as the forwarder would.

    Parameters
    ----------
    ledger
        The connected contracts.
    data
        Call data of the forwarder's ``execute``.

    Raises
    ------
    OutOfGas
        If the contract does not refuse, and the signed gas is less than the call needs.
    Refusal
        As the contract refuses it.
    """
    _, arguments = ledger.contract(FORWARDER).decode_function_input(data)
    signed = arguments["request"]
    call = "0x" + bytes(signed["data"]).hex()
    needed = _estimate(ledger, signed["from"], signed["to"], call)
    if signed["gas"] < needed:
        raise OutOfGas(
            f"the call was signed for {signed['gas']} gas and may need {needed}; have it signed "
            "again, for more",
            gas_limit=signed["gas"],
            needed=needed,
        )


def forward_typed_data(ledger: Ledger, message: Mapping[str, Any]) -> dict[str, Any]:
    """EIP-712 typed data of a forward request, as its signer's wallet hashed it."""
    return typed_data(_domain(ledger), _PRIMARY, _FIELDS, message)


def _estimate(ledger: Ledger, signer: str, to: str, data: str) -> int:
    """Gas of a forwarded call; raises the refusal that it would meet."""
    forwarded = {"from": ledger.address(FORWARDER), "to": to, "data": data + signer[2:].lower()}
    try:
        return int(request(ledger.web3, "eth_estimateGas", [forwarded]), 16)
    except RequestFailed as error:
        raise (reverts.from_request(error) or error) from error


def _domain(ledger: Ledger) -> Domain:
    return Domain("RadLedger Forwarder", "1", ledger.chain_id, ledger.address(FORWARDER))

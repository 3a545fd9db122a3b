"""The typed data that a subject signs, and what it says in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radledger.chain.typed_data import Domain, Fields
from radledger.consent import documents, duo
from radledger.consent.documents import Document, when
from radledger.consent.model import UNTIL_REVOKED, TermsStruct
from radledger.consent.scope import ALL, EMERGENCY, scope_name

if TYPE_CHECKING:
    from radledger.chain.ledger import Call, Ledger

__all__ = [
    "KIND",
    "STRUCTS",
    "call_of",
    "domain",
    "summarise",
    "terms_fields",
    "terms_struct",
    "verified",
]

KIND = "radledger.consent"
_CONTRACT = "ConsentRegistry"

_TERMS: Fields = (
    ("uint32", "from"),
    ("uint32", "until"),
    ("uint16", "purposes"),
    ("uint16", "conditions"),
    ("bytes13", "disease"),
)
_WHOSE: Fields = (("address", "subject"), ("address", "grantee"), ("bytes32", "scope"))
_BASIS: Fields = (("uint32", "seen"), ("uint16", "epoch"))
_WHEN: Fields = (("uint32", "signed"), ("uint40", "deadline"))

STRUCTS: Mapping[str, Fields] = {
    "Grant": (*_WHOSE, *_TERMS, *_BASIS, *_WHEN),
    "Revoke": (*_WHOSE, *_WHEN),
    "RevokeAll": (("address", "subject"), ("uint16", "epoch"), *_WHEN),
    "ForbidEmergencies": (
        ("address", "subject"),
        ("bool", "forbidden"),
        ("uint32", "seen"),
        *_WHEN,
    ),
    "Approve": (("address", "requester"), *_WHOSE, *_TERMS, *_BASIS, *_WHEN),
}
"""The structs of ``contracts/consent/ConsentMessages.sol``, field by field."""


def domain(ledger: Ledger) -> Domain:
    """The EIP-712 domain of the deployed consent registry."""
    contract = ledger.address(_CONTRACT)
    return Domain("RadLedger Consent", "1", ledger.chain_id, contract)


def verified(ledger: Ledger, document: Mapping[str, Any]) -> Document:
    """Check all of a document that can be checked without sending it; see `documents.verify`."""
    return documents.verify(document, KIND, domain(ledger), STRUCTS, summarise, ledger)


def call_of(document: Document) -> Call:
    """The call by which somebody with Ether submits a verified document."""
    from radledger.chain.ledger import Call

    message = document.message
    arguments: list[Any] = [
        bytes.fromhex(message[name][2:]) if name == "scope" else message[name]
        for name in ("requester", "subject", "grantee", "scope")
        if name in message
    ]
    if "purposes" in message:
        arguments += [terms_struct(message), (message["seen"], message["epoch"])]
    elif "forbidden" in message:
        arguments += [message["forbidden"], message["seen"]]
    elif "epoch" in message:
        arguments.append(message["epoch"])
    authorization = (document.signer, message["signed"], message["deadline"], document.signature)
    function = document.primary[0].lower() + document.primary[1:] + "BySig"
    return Call(_CONTRACT, function, (*arguments, authorization))


def terms_fields(struct: TermsStruct) -> dict[str, Any]:
    """The contract's struct ``Terms`` as fields of a message."""
    start, until, purposes, conditions, disease = struct
    return {
        "from": start,
        "until": until,
        "purposes": purposes,
        "conditions": conditions,
        "disease": "0x" + disease.hex(),
    }


def terms_struct(message: Mapping[str, Any]) -> TermsStruct:
    """The fields of a message as the contract's struct ``Terms``."""
    return (
        message["from"],
        message["until"],
        message["purposes"],
        message["conditions"],
        bytes.fromhex(message["disease"][2:]),
    )


_FORBIDS = (
    "forbids clinicians to use any images in an emergency without a permission, also where a life "
    "depends on it; emergency access in force ends"
)
_ALLOWS = "allows clinicians to use all images in an emergency, each for a day at most"


def summarise(primary: str, message: Mapping[str, Any]) -> str:
    """What signing a message does, in words."""
    subject = message["subject"]
    if primary == "RevokeAll":
        what = f"{subject} takes back every permission given so far"
    elif primary == "ForbidEmergencies":
        what = f"{subject} {_FORBIDS if message['forbidden'] else _ALLOWS}"
    else:
        grantee = message["grantee"]
        images = _images(message["scope"])
        if primary == "Revoke":
            what = f"{subject} no longer lets {grantee} use {images}"
        else:
            what = f"{subject} lets {grantee} use {images} for {_uses(message)}"
    if primary == "Approve":
        what += f", as {message['requester']} requested"
    times = f"Signed {when(message['signed'])}, to be submitted by {when(message['deadline'])}."
    return f"{what}. {times}"


def _images(scope: str) -> str:
    name = scope_name(bytes.fromhex(scope[2:]))
    if name == EMERGENCY:
        return "all images in the emergency that was declared"
    return "all images, today's and later ones" if name == ALL else f"the images under {name}"


def _uses(message: Mapping[str, Any]) -> str:
    start, until, purposes, conditions, disease = terms_struct(message)
    # What the contract will permit, not only what was named.
    uses = duo.describe(duo.expand(purposes, conditions), conditions, duo.decode_disease(disease))
    end = "until it is revoked" if until == UNTIL_REVOKED else f"until {when(until)}"
    return f"{uses}; from {when(start)} {end}"

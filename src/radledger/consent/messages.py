"""The typed data that a subject signs, and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from radledger.chain import documents
from radledger.chain.calls import Said
from radledger.chain.documents import Signed, when
from radledger.chain.errors import DocumentMalformed, DocumentTampered
from radledger.chain.typed_data import Domain, parsed
from radledger.consent import bindings, duo
from radledger.consent.bindings import TYPED_DATA, Authorization, Basis
from radledger.consent.diseases import decode_disease, disease_code, encode_disease
from radledger.consent.errors import InvalidDisease
from radledger.consent.model import UNTIL_REVOKED
from radledger.consent.scope import ALL, EMERGENCY, scope_name
from radledger.texts import quoted

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.documents import Document
    from radledger.chain.ledger import Call, Ledger

__all__ = [
    "KIND",
    "domain",
    "read",
    "sign",
    "summarise",
    "terms_fields",
    "terms_struct",
    "without_disease",
    "words_of",
]

KIND = "radledger.consent"
_CONTRACT = "ConsentRegistry"
_PUBLIC = (
    " Public on the chain for good: both addresses, which images by their digest, purposes, "
    "conditions and times; not the disease."
)


def domain(ledger: Ledger) -> Domain:
    """The EIP-712 domain of the deployed consent registry."""
    contract = ledger.address(_CONTRACT)
    return Domain("RadLedger Consent", "1", ledger.chain_id, contract)


def read(ledger: Ledger, document: Mapping[str, Any]) -> Signed:
    """Check all of a consent that can be checked without sending it.

    Raises
    ------
    DocumentMalformed, DocumentForAnotherChain, DocumentTampered, DocumentExpired
        See :func:`radledger.chain.documents.verify`.
    """
    disease = document.get("disease") if isinstance(document, Mapping) else None
    words = partial(summarise, disease=disease)
    verified = documents.verify(document, KIND, domain(ledger), TYPED_DATA, words, ledger)
    primary, message = verified.primary, verified.message
    function = primary[0].lower() + primary[1:]
    return Signed(
        kind=KIND,
        signer=verified.signer,
        account=message["subject"],
        said=Said(_CONTRACT, function, message, words_of(primary, message, disease)),
        call=_call(verified, function),
    )


def sign(ledger: Ledger, document: Mapping[str, Any], signer: LocalAccount) -> dict[str, Any]:
    """Sign a consent that another party prepared.

    Raises
    ------
    DocumentMalformed, DocumentForAnotherChain, DocumentForAnotherSigner, DocumentTampered
        See :func:`radledger.chain.documents.fill_in`.
    """
    disease = document.get("disease")
    words = partial(summarise, disease=disease)
    signed = documents.fill_in(document, signer, KIND, domain(ledger), TYPED_DATA, words)
    return signed if disease is None else {**signed, "disease": disease}


def without_disease(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without its disease, for a submitter that need not know it.

    Raises
    ------
    DocumentMalformed
        If it names a disease, and what it says cannot be read.
    """
    if "disease" not in document:
        return dict(document)
    try:
        said = parsed(document.get("typedData"), TYPED_DATA)
    except ValueError as error:
        raise DocumentMalformed(f"not a document for this: {error}; have it signed again") from None
    rest = {name: part for name, part in document.items() if name != "disease"}
    return {**rest, "summary": summarise(*said)}


def _call(document: Document, function: str) -> Call:
    """The call by which an account with Ether submits a verified document."""
    from radledger.chain.ledger import Call

    message = document.message
    arguments: list[Any] = [
        bytes.fromhex(message[name][2:]) if name == "scope" else message[name]
        for name in ("requester", "subject", "grantee", "scope")
        if name in message
    ]
    if "purposes" in message:
        arguments += [terms_struct(message), Basis(message["seen"], message["epoch"])]
    elif "forbidden" in message:
        arguments += [message["forbidden"], message["seen"]]
    elif "epoch" in message:
        arguments.append(message["epoch"])
    authorization = Authorization(
        document.signer, message["signed"], message["deadline"], document.signature
    )
    return Call(_CONTRACT, f"{function}BySig", (*arguments, authorization))


def terms_fields(struct: bindings.Terms) -> dict[str, Any]:
    """The contract's struct ``Terms`` as fields of a message."""
    start, until, purposes, conditions, disease = struct
    return {
        "from": start,
        "until": until,
        "purposes": duo.words(duo.PURPOSES, purposes),
        "conditions": duo.words(duo.CONDITIONS, conditions),
        "disease": "0x" + disease.hex(),
    }


def terms_struct(message: Mapping[str, Any]) -> bindings.Terms:
    """The fields of a message as the contract's struct ``Terms``.

    Raises
    ------
    DocumentMalformed
        If its words are not those that the contract lists, in its order.
    """
    return bindings.Terms(
        message["from"],
        message["until"],
        _bits(duo.PURPOSES, message["purposes"]),
        _bits(duo.CONDITIONS, message["conditions"]),
        bytes.fromhex(message["disease"][2:]),
    )


def _bits(terms: Sequence[duo.Term], words: Sequence[str]) -> int:
    """The bits of terms that a message lists in words."""
    bits = sum(term.bit for term in terms if term.label in words)
    if duo.words(terms, bits) != list(words):
        raise DocumentMalformed(
            f"not a document for this: {quoted(words)} are not terms in the order of the contract; "
            "have it signed again"
        )
    return bits


_FORBIDS = (
    "forbids clinicians to use any images in an emergency without a permission, also where a life "
    "depends on it; emergency access in force ends"
)
_ALLOWS = "allows clinicians to use all images in an emergency, each for a day at most"


def summarise(primary: str, message: Mapping[str, Any], disease: str | None = None) -> str:
    """Say in words what signing a message does, and what of it is public.

    Parameters
    ----------
    primary, message
        The struct and its fields.
    disease
        ``CODE@SALT`` of the disease that the message has as a digest, where it is known.

    Raises
    ------
    DocumentTampered
        If that is not the disease of the message.
    """
    what = words_of(primary, message, disease)
    times = f"Signed {when(message['signed'])}, to be submitted by {when(message['deadline'])}."
    return f"{what}. {times}{_PUBLIC if 'purposes' in message else ''}"


def words_of(primary: str, message: Mapping[str, Any], disease: str | None = None) -> str:
    """Say what a message does, without its times; parameters are those of :func:`summarise`."""
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
            what = f"{subject} lets {grantee} use {images} for {_uses(message, disease)}"
    if primary == "Approve":
        what += f", as {message['requester']} requested"
    return what


def _images(scope: str) -> str:
    name = scope_name(bytes.fromhex(scope[2:]))
    if name == EMERGENCY:
        return "all images in the emergency that was declared"
    return "all images, today's and later ones" if name == ALL else f"the images under {name}"


def _uses(message: Mapping[str, Any], disease: str | None) -> str:
    start, until, purposes, conditions, digest = terms_struct(message)
    named = decode_disease(digest) if disease is None else _code(disease, digest)
    # What the contract will permit, not only what was named.
    uses = duo.describe(duo.expand(purposes, conditions), conditions, named)
    end = "until it is revoked" if until == UNTIL_REVOKED else f"until {when(until)}"
    return f"{uses}; from {when(start)} {end}"


def _code(disease: str, digest: bytes) -> str:
    """The code of the disease that a document names, if it is that of its message."""
    try:
        code = disease_code(disease)
        if code is not None and encode_disease(disease) == digest:
            return code
    except (InvalidDisease, TypeError):
        pass
    raise DocumentTampered(
        "the disease that the document names is not the one that was signed; ask the signer for "
        "another copy",
        disease=disease,
    )

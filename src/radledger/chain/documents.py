"""Documents that one person signs and another account, which has Ether, submits.

A document is JSON: EIP-712 typed data that any wallet can show and sign, a summary of it in words,
the signer's address and the signature.  The summary is a function of the typed data, so that what
was read is what was signed; :func:`verify` recomputes it.  ``kind`` says what the typed data are,
and ``format`` which release's rules put them into words.

References
----------
.. [1] EIP-712, Typed structured data hashing and signing, https://eips.ethereum.org/EIPS/eip-712
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from radledger.chain.errors import (
    DocumentExpired,
    DocumentForAnotherChain,
    DocumentForAnotherSigner,
    DocumentMalformed,
    DocumentTampered,
)
from radledger.chain.rpc import request
from radledger.chain.signatures import recover, signature_bytes, standard
from radledger.chain.typed_data import Domain, Fields, canonical, parsed, typed_data
from radledger.texts import quoted

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.calls import Said
    from radledger.chain.ledger import Call, Ledger

__all__ = [
    "FORMAT",
    "PARTS",
    "Document",
    "Signed",
    "fill_in",
    "identity",
    "sign",
    "unsigned",
    "verify",
    "when",
]

FORMAT = 1
"""Number of the format; a release that changes fields or words of documents raises it."""

PARTS = ("format", "kind", "summary", "signer", "typedData", "signature")
"""The fields of a document."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Document:
    """A verified document, in the form in which the contract takes it."""

    primary: str
    message: Mapping[str, Any]
    signer: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A verified document that any account may submit.

    Attributes
    ----------
    kind, signer
        As the document has them.
    account
        The account that it is about: the subject of a consent, the signer of a call.
    said
        The signer's message, and the contract that it is for.
    call
        The call by which an account with Ether submits it.
    nonce
        The number of the signer's by which it counts once; none where it counts by its time.
    gas
        What the signer wants to be given at least.
    """

    kind: str
    signer: str
    account: str
    said: Said
    call: Call
    nonce: int | None = None
    gas: int = 0


def unsigned(signer: str, kind: str, summary: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """A document that lacks its signature, for a wallet to sign; :func:`fill_in` signs it."""
    return {
        "format": FORMAT,
        "kind": kind,
        "summary": summary,
        "signer": signer,
        "typedData": dict(data),
    }


def sign(signer: LocalAccount, kind: str, summary: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Sign typed data into a document that :func:`json.dumps` takes as it stands."""
    signature = "0x" + signer.sign_message(_encode(data)).signature.hex()
    return {**unsigned(signer.address, kind, summary, data), "signature": signature}


def fill_in(
    document: Mapping[str, Any],
    signer: LocalAccount,
    kind: str,
    domain: Domain,
    structs: Mapping[str, Fields],
    summarise: Callable[[str, Mapping[str, Any]], str],
) -> dict[str, Any]:
    """Sign a document that another party prepared with :func:`unsigned`.

    What is signed is what the typed data say, in the words of its summary, which is computed again.

    Raises
    ------
    DocumentMalformed
        If a part is missing or of another form.
    DocumentForAnotherChain
        If it is for another chain or contract.
    DocumentForAnotherSigner
        If another account is to sign it.
    DocumentTampered
        If the summary does not belong to the message.
    """
    _, primary, message = _parts(document, kind, structs, PARTS[:-1])
    data = _for_here(document["typedData"], domain, primary, structs[primary], message)
    stated = _part(document, "signer", lambda value: str(canonical("address", value)))
    if stated != signer.address:
        raise DocumentForAnotherSigner(
            f"the document is for {stated} to sign, and the account is {signer.address}; sign it "
            "with that one",
            signer=stated,
            account=signer.address,
        )
    if document["summary"] != summarise(primary, message):
        raise DocumentTampered(
            "the document's summary is not what it would sign; have it made again",
            signer=stated,
            recovered=None,
        )
    return sign(signer, kind, document["summary"], data)


def verify(
    document: Mapping[str, Any],
    kind: str,
    domain: Domain,
    structs: Mapping[str, Fields],
    summarise: Callable[[str, Mapping[str, Any]], str],
    ledger: Ledger,
) -> Document:
    """Check all of a document that can be checked without sending it.

    Parameters
    ----------
    document
        From :func:`sign`, perhaps by way of JSON.
    kind, domain, structs
        What it must be: its kind, the contract that it is for, and the structs that it may hold.
    summarise
        The words for a struct and its message.
    ledger
        Whose latest block tells the time, and whether the signer is a contract.

    Raises
    ------
    DocumentMalformed
        If a part is missing or of another form.
    DocumentForAnotherChain
        If it was signed for another chain or contract.
    DocumentTampered
        If the summary or the signature does not belong to the message.
    DocumentExpired
        If its deadline has passed.
    """
    data, primary, message = _parts(document, kind, structs)
    expected = _for_here(data, domain, primary, structs[primary], message)
    signer = _part(document, "signer", lambda value: str(canonical("address", value)))
    signature = _part(document, "signature", signature_bytes)
    recovered = recover(expected, signature)
    # A contract that signs (ERC-1271) has no key to recover: the chain asks it.
    signed = recovered == signer or _is_contract(ledger, signer)
    if document["summary"] != summarise(primary, message) or not signed:
        raise DocumentTampered(
            "the document is not what its signer signed; ask the signer for another copy",
            signer=signer,
            recovered=recovered,
        )
    # What a contract is asked about stays as it is; what a key signed gets the contracts' form.
    form = standard(signature) if recovered == signer else None
    if ledger.present().time > message["deadline"]:
        raise DocumentExpired(
            f"the signature was valid until {when(message['deadline'])}; have it signed again",
            deadline=message["deadline"],
        )
    return Document(primary, message, signer, form or signature)


def identity(document: Mapping[str, Any], kind: str, structs: Mapping[str, Fields]) -> str:
    """A digest of who signed what, the same in every form in which a wallet writes it.

    The signature and the summary, which follow from these, are left out.

    Parameters
    ----------
    document
        From :func:`sign`, perhaps by way of JSON; it need not be verified.
    kind, structs
        As in :func:`verify`.

    Raises
    ------
    DocumentMalformed
        If a part is missing or of another form.
    """
    from eth_hash.auto import keccak

    data, primary, message = _parts(document, kind, structs)
    signer = _part(document, "signer", lambda value: str(canonical("address", value)))
    signed = [kind, signer, Domain.form(data), primary, message]
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"))
    return "0x" + keccak(text.encode("ascii")).hex()


def when(time: int) -> str:
    """A Unix time in words, in UTC.

    Examples
    --------
    >>> when(1_800_000_000)
    '2027-01-15 08:00:00 UTC'
    """
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError):
        return f"second {time} after 1970"


def _encode(data: Mapping[str, Any]) -> Any:
    from eth_account.messages import encode_typed_data

    return encode_typed_data(full_message=dict(data))


def _for_here(
    data: Mapping[str, Any],
    domain: Domain,
    primary: str,
    fields: Fields,
    message: Mapping[str, Any],
) -> dict[str, Any]:
    """Typed data as we write them, if they are for this chain and contract."""
    expected = typed_data(domain, primary, fields, message)
    if not domain.is_of(data):
        raise DocumentForAnotherChain(
            "the document was signed for another chain or deployment; have it signed again here",
            signed_for=data["domain"],
            expected=expected["domain"],
        )
    return expected


def _parts(
    document: Mapping[str, Any],
    kind: str,
    structs: Mapping[str, Fields],
    parts: Sequence[str] = PARTS,
) -> tuple[Mapping[str, Any], str, Mapping[str, Any]]:
    """The typed data of a document, what it holds and the message, each of the right form."""
    if not isinstance(document, Mapping):
        raise _malformed("it is not a JSON object")
    lacking = [part for part in parts if part not in document]
    if lacking:
        raise _malformed(f"it lacks {', '.join(lacking)}")
    if type(document["format"]) is not int or document["format"] != FORMAT:
        found = quoted(document["format"])
        raise _malformed(f"it has the format {found}, and this release reads {FORMAT}")
    if document["kind"] != kind:
        raise _malformed(f"it is of the kind {quoted(document['kind'])}, not {kind!r}")
    data: Mapping[str, Any] = document["typedData"]
    try:
        return data, *parsed(data, structs)
    except ValueError as error:
        raise _malformed(str(error)) from None


def _part(document: Mapping[str, Any], name: str, read: Callable[[Any], _T]) -> _T:
    try:
        return read(document[name])
    except ValueError:
        raise _malformed(f"its {name} is {quoted(document[name])}") from None


def _malformed(reason: str) -> DocumentMalformed:
    return DocumentMalformed(f"not a document for this: {reason}; have it signed again")


def _is_contract(ledger: Ledger, address: str) -> bool:
    return bool(request(ledger.web3, "eth_getCode", [address, "latest"])[2:])

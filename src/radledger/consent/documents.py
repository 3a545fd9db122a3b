"""Documents that one person signs and somebody else, who has Ether, submits.

A document is JSON: EIP-712 typed data that any wallet can show and sign, a summary of it in words,
the signer's address and the signature.  The summary is a function of the typed data, so that what
was read is what was signed; :func:`verify` computes it anew.

References
----------
.. [1] EIP-712, Typed structured data hashing and signing, https://eips.ethereum.org/EIPS/eip-712
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from radledger.chain.typed_data import Domain, Fields, typed_data, types_of
from radledger.consent.errors import (
    DocumentExpired,
    DocumentForAnotherChain,
    DocumentMalformed,
    DocumentTampered,
)
from radledger.identity.address import parse_address

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger

__all__ = ["Document", "recover", "sign", "verify", "when"]

_SIGNATURE_LENGTH = 65
_PARTS = {"kind", "summary", "signer", "typedData", "signature"}


@dataclass(frozen=True, slots=True)
class Document:
    """What a verified document says."""

    primary: str
    message: Mapping[str, Any]
    signer: str
    signature: bytes


def sign(signer: LocalAccount, kind: str, summary: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Sign typed data into a document that :func:`json.dumps` takes as it stands."""
    return {
        "kind": kind,
        "summary": summary,
        "signer": signer.address,
        "typedData": dict(data),
        "signature": "0x" + signer.sign_message(_encode(data)).signature.hex(),
    }


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
    expected = typed_data(domain, primary, structs[primary], message)
    if data["domain"] != expected["domain"]:
        raise DocumentForAnotherChain(
            "the document was signed for another chain or deployment; have it signed anew here",
            signed_for=data["domain"],
            expected=expected["domain"],
        )
    signer = parse_address(document["signer"])
    signature = _signature(document["signature"])
    recovered = recover(expected, signature)
    # A contract that signs (ERC-1271) has no key to recover: the chain asks it.
    signed = recovered == signer or _is_contract(ledger, signer)
    if document["summary"] != summarise(primary, message) or not signed:
        raise DocumentTampered(
            "the document is not what its signer signed; ask the signer for another copy",
            signer=signer,
            recovered=recovered,
        )
    if ledger.now() > message["deadline"]:
        raise DocumentExpired(
            f"the signature was valid until {when(message['deadline'])}; have it signed anew",
            deadline=message["deadline"],
        )
    return Document(primary, message, signer, signature)


def recover(data: Mapping[str, Any], signature: bytes) -> str | None:
    """Address whose key signed typed data, or none where the signature gives no key."""
    from eth_account import Account
    from eth_keys.exceptions import BadSignature

    if len(signature) != _SIGNATURE_LENGTH:
        return None
    try:
        return str(Account.recover_message(_encode(data), signature=signature))
    except (BadSignature, ValueError):
        return None


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


def _parts(
    document: Mapping[str, Any], kind: str, structs: Mapping[str, Fields]
) -> tuple[Mapping[str, Any], str, Mapping[str, Any]]:
    """The typed data of a document, what it holds and the message, each of the right form."""
    data = document.get("typedData") if isinstance(document, Mapping) else None
    if not isinstance(data, Mapping) or not document.keys() >= _PARTS:
        raise _malformed(f"it lacks one of {', '.join(sorted(_PARTS))}")
    if document["kind"] != kind:
        raise _malformed(f"it is of the kind {document['kind']!r}, not {kind!r}")
    primary, message = data.get("primaryType"), data.get("message")
    if not isinstance(primary, str) or primary not in structs:
        raise _malformed(f"it holds {primary!r}, not {' or '.join(structs)}")
    if data.get("types") != types_of(primary, structs[primary]) or "domain" not in data:
        raise _malformed(f"its types are not those of the contract's {primary}")
    names = [name for _, name in structs[primary]]
    if not isinstance(message, Mapping) or sorted(message) != sorted(names):
        raise _malformed(f"a {primary} has the fields {', '.join(names)}")
    for type_, name in structs[primary]:
        if not _fits(type_, message[name]):
            raise _malformed(f"{name} of a {primary} is no {type_}: {message[name]!r}")
    return data, primary, message


def _fits(type_: str, value: Any) -> bool:
    """Whether a value of JSON is one of an atomic ABI type, in the one form that we write."""
    if type_.startswith("uint"):
        return type(value) is int and 0 <= value < 1 << int(type_[4:])
    digits = 40 if type_ == "address" else 2 * int(type_.removeprefix("bytes"))
    return isinstance(value, str) and bool(re.fullmatch(f"0x[0-9a-fA-F]{{{digits}}}", value))


def _malformed(reason: str) -> DocumentMalformed:
    return DocumentMalformed(f"not a document for this: {reason}; have it signed anew")


def _is_contract(ledger: Ledger, address: str) -> bool:
    return bool(ledger.web3.eth.get_code(address))  # type: ignore[arg-type]


def _signature(text: Any) -> bytes:
    try:
        return bytes.fromhex(str(text).removeprefix("0x"))
    except ValueError:
        raise _malformed("its signature is not hexadecimal") from None

"""References: people by their addresses, images by what the chain calls them.

A person or institution is ``Patient/0x…`` (or ``Practitioner``, ``Organization`` and so on), an
absolute URL of that below this server's, or an identifier ``did:ethr:0x…``.  Image sets, visits and
courses of treatment are identifiers of the systems below, since their digests are longer than an id
of FHIR may be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from radledger.fhir.elements import Data, Reference
from radledger.identity.address import parse_address
from radledger.identity.errors import InvalidAddress
from radledger.texts import quoted

__all__ = [
    "COURSE",
    "DID",
    "IMAGE_SET",
    "VISIT",
    "Party",
    "data_of_scope",
    "party",
    "reference_to",
    "scope_of",
]

IMAGE_SET = "urn:radledger:image-set"
VISIT = "urn:radledger:visit"
COURSE = "urn:radledger:course"
DID = "urn:ietf:rfc:3986"
"""The system of identifiers that are URIs, as DIDs are."""

_LITERAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)/(?P<address>0x[0-9a-fA-F]{40})", re.ASCII)
_DID = re.compile(r"did:ethr:(?:(?P<chain>0x[0-9a-f]+):)?(?P<address>0x[0-9a-fA-F]{40})", re.ASCII)
_DIGEST = re.compile("0x[0-9a-f]{64}")
# What a rule may name by an identifier: how it is meant, the type of the resource, and the system.
_GROUPS = {
    ("instance", "ImagingStudy"): IMAGE_SET,
    ("related", "Encounter"): VISIT,
    ("related", "EpisodeOfCare"): COURSE,
    ("related", "CarePlan"): COURSE,
}


@dataclass(frozen=True, slots=True)
class Party:
    """A person or institution: its address, and of what type it is referred to, if that is said."""

    address: str
    type: str | None


def party(reference: Reference, base: str, chain_id: int) -> Party:
    """Whom a reference names.

    Parameters
    ----------
    reference
        By address, DID or both.
    base
        Address of the server whose resources absolute URLs may name.
    chain_id
        The chain on which a DID has to be.

    Raises
    ------
    ValueError
        If it names no address, or two; its text says why.
    """
    types = {reference.type}
    addresses = set()
    named = (reference.reference or "").removeprefix(f"{base}/")
    if match := _LITERAL.fullmatch(named):
        types.add(match["type"])
        addresses.add(_address(match["address"]))
    elif named and not named.startswith(("http://", "https://")):
        raise _unnamed(reference)
    identifier = reference.identifier
    if identifier is not None and identifier.system == DID:
        match = _DID.fullmatch(identifier.value or "")
        if match is None or match["chain"] not in (None, hex(chain_id)):
            raise _unnamed(reference)
        addresses.add(_address(match["address"]))
    types.discard(None)
    if len(addresses) != 1 or len(types) > 1:
        raise _unnamed(reference)
    return Party(addresses.pop(), next(iter(types), None))


def reference_to(type_: str, address: str, chain_id: int) -> dict[str, Any]:
    """A reference to a person or institution, by address and DID.

    Examples
    --------
    >>> reference_to("Patient", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", 1)["reference"]
    'Patient/0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
    """
    did = f"did:ethr:{hex(chain_id)}:{address}"
    return {
        "reference": f"{type_}/{address}",
        "type": type_,
        "identifier": {"system": DID, "value": did},
    }


def scope_of(data: Data) -> tuple[str, str]:
    """The images that a rule names: the system, and the digest in it.

    Raises
    ------
    ValueError
        If the chain has no scope for them; its text says why.
    """
    reference, identifier = data.reference, data.reference.identifier
    system = _GROUPS.get((data.meaning, reference.type or ""))
    if system is None or identifier is None or reference.reference is not None:
        raise ValueError(
            f"the chain holds no rule about data {data.meaning} {_shown(reference)}; it holds an "
            f"instance of type ImagingStudy by an identifier of {IMAGE_SET}, what is related to an "
            f"Encounter by one of {VISIT}, or to an EpisodeOfCare or CarePlan by one of {COURSE}"
        )
    if identifier.system != system or not _DIGEST.fullmatch(identifier.value or ""):
        raise ValueError(
            f"the identifier is not 0x and 64 digits in lower case of the system {system}"
        )
    return system, str(identifier.value)


def data_of_scope(digest: str, system: str) -> list[dict[str, Any]]:
    """What a rule says of the images under a digest of a system.

    Examples
    --------
    >>> data_of_scope("0x" + "ab" * 32, VISIT)[0]["reference"]["type"]
    'Encounter'
    """
    meaning, type_ = next(named for named, of in _GROUPS.items() if of == system)
    identifier = {"system": system, "value": digest}
    return [{"meaning": meaning, "reference": {"type": type_, "identifier": identifier}}]


def _unnamed(reference: Reference) -> ValueError:
    return ValueError(
        f"{_shown(reference)} does not name one address here; give a reference such as Patient/0x… "
        f"or an identifier did:ethr:0x… of the system {DID}"
    )


def _address(text: str) -> str:
    try:
        return parse_address(text)
    except InvalidAddress as error:
        raise ValueError(error.message) from None


def _shown(reference: Reference) -> str:
    identifier = reference.identifier
    named = reference.reference or (identifier and identifier.value) or reference.type
    return quoted(named or "a reference to nothing")

"""The one question: may this reader use this image set for that, now?

Only ``ConsentRegistry`` answers it; nothing here keeps or repeats its rules.  It judges by the time
of its latest block, so whether the grant that permits has ended meanwhile is looked at again here,
by this machine's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eth_hash.auto import keccak

from radledger.chain.refusals import ConsentNotPermittedExpired
from radledger.consent import bindings, duo
from radledger.consent.bindings import Reason
from radledger.consent.diseases import decode_disease, encode_disease, is_code
from radledger.consent.model import Decision
from radledger.consent.scope import ALL_DIGEST, EMERGENCY_DIGEST

if TYPE_CHECKING:
    from radledger.chain.clock import Present
    from radledger.chain.latest import Views
    from radledger.chain.ledger import Ledger
    from radledger.consent.diseases import Diseases
    from radledger.imaging.model import ImageSet

__all__ = ["Permit", "Use", "decide", "require", "use_of"]

_CONTRACT = "ConsentRegistry"


@dataclass(frozen=True, slots=True)
class Use:
    """What a reader wants to do.

    Examples
    --------
    >>> Use.of(["CC"])
    Use(purposes=32, fulfilled=0, disease=None)
    """

    purposes: int
    fulfilled: int
    disease: str | None

    @classmethod
    def of(
        cls, purposes: Iterable[str], fulfilled: Iterable[str] = (), disease: str | None = None
    ) -> Use:
        """From DUO terms by short name or id, and a disease with its salt or as a digest."""
        encode_disease(disease)
        return cls(duo.purpose_bits(purposes), duo.fulfilled_bits(fulfilled), disease)

    @property
    def struct(self) -> bindings.Use:
        """As the contract takes it."""
        return bindings.Use(self.purposes, self.fulfilled, encode_disease(self.disease))


@dataclass(frozen=True, slots=True)
class Permit:
    """By which grant a use is permitted, and until when (Unix time).

    The patient's own use needs no grant: the id is all zero then, and ``until`` none.
    """

    grant_id: str
    until: int | None

    def ended(self, present: Present) -> bool:
        """Whether it has ended, by the later of the chain's clock and this machine's."""
        return self.until is not None and self.until <= present.time


def decide(
    ledger: Views, present: Present, reader: str, image: ImageSet, use: bindings.Use
) -> Decision:
    """Ask whether a use is permitted at the latest block, by a grant that has not ended.

    Parameters
    ----------
    ledger, present
        The chain, or its latest block, and what time it is there and here.
    reader, image, use
        Who, what, and for what.
    """
    reason, grant_id = ledger.call(_CONTRACT, "permitted", reader, image.struct, use)
    told = Reason.of(reason)
    permitted = told is Reason.PERMITTED
    if permitted and _permit(ledger, present, reader, image, bytes(grant_id)).ended(present):
        permitted, told = False, Reason.EXPIRED
    return Decision(
        permitted=permitted,
        reason=told.value,
        grant_id="0x" + bytes(grant_id).hex() if any(grant_id) else None,
        block_age=present.block_age,
    )


def require(
    ledger: Views, present: Present, reader: str, image: ImageSet, use: bindings.Use
) -> Permit:
    """Ask for the grant that permits a use at the latest block.

    Parameters are those of `decide`.

    Raises
    ------
    Refusal
        The reason, as the subclass of the contract's error's name, with the values that decided.
    """
    _, grant_id = ledger.call(_CONTRACT, "requirePermitted", reader, image.struct, use)
    permit = _permit(ledger, present, reader, image, bytes(grant_id))
    if permit.ended(present):
        whose = {"subject": image.patient, "reader": reader}
        raise ConsentNotPermittedExpired.of({**whose, "until": permit.until})
    return permit


def use_of(
    ledger: Ledger,
    diseases: Diseases,
    reader: str,
    image: ImageSet,
    purposes: Iterable[str],
    fulfilled: Iterable[str],
    disease: str | None,
) -> Use:
    """A use whose disease has the salt of a grant to the reader, where the book knows one.

    A new salt is taken otherwise: a grant that names no disease permits the use on every one.
    """
    known: list[str | None] = []
    if disease is not None and is_code(disease):
        granted = _granted_diseases(ledger, reader, image)
        known += diseases.matching(disease, granted)
    uses = [Use.of(purposes, fulfilled, each) for each in known or [diseases.sealed(disease)]]
    for use in uses[:-1]:
        if decide(ledger, ledger.present(), reader, image, use.struct).permitted:
            return use
    return uses[-1]


def _granted_diseases(ledger: Ledger, reader: str, image: ImageSet) -> list[str]:
    """The digests of diseases in the grants by which a reader may use an image set."""
    grants = (
        ledger.call(_CONTRACT, "grantOf", image.patient, grantee, scope)
        for grantee, scope in _candidates(ledger, reader, image)
    )
    found = (decode_disease(bytes(grant.disease)) for grant in grants)
    return list(dict.fromkeys(each for each in found if each is not None))


def _permit(
    ledger: Views, present: Present, reader: str, image: ImageSet, grant_id: bytes
) -> Permit:
    """A grant that the chain takes for a standing one, which it may not be if no block came."""
    named = "0x" + grant_id.hex()
    if not any(grant_id):
        return Permit(named, None)  # the patient's own images, which need no grant
    for grantee, scope in _candidates(ledger, reader, image):
        if _grant_id(image.patient, grantee, scope) == grant_id:
            until = int(ledger.call(_CONTRACT, "grantOf", image.patient, grantee, scope).until)
            return Permit(named, until)
    # The reader has changed institutions since the chain was asked.
    return Permit(named, present.time)


def _candidates(ledger: Views, reader: str, image: ImageSet) -> Iterator[tuple[str, bytes]]:
    """Grantee and scope of each grant that may permit a use."""
    *_, visit, course = image.struct
    image_id = bytes.fromhex(image.image_id[2:])
    scopes = (ALL_DIGEST, course, visit, image_id, EMERGENCY_DIGEST)
    yield from ((reader, scope) for scope in scopes)
    institution, _ = ledger.call("ParticipantRegistry", "standing", reader)
    yield from ((institution, scope) for scope in scopes)


def _grant_id(subject: str, grantee: str, scope: bytes) -> bytes:
    """``keccak256(abi.encode(subject, grantee, scope))``, as on the chain."""
    words = (bytes.fromhex(subject[2:]), bytes.fromhex(grantee[2:]), scope)
    return keccak(b"".join(word.rjust(32, b"\0") for word in words))

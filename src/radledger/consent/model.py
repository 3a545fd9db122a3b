"""Grants, requests, emergency access and conduct."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from radledger.consent import bindings, duo
from radledger.consent.diseases import decode_disease, encode_disease
from radledger.errors import UsageError

if TYPE_CHECKING:
    from radledger.chain.ledger import Receipt

__all__ = [
    "UNTIL_REVOKED",
    "Conduct",
    "ConsentRequest",
    "Decision",
    "Emergency",
    "EmergencyCounts",
    "Grant",
    "Requested",
    "SealedNote",
    "Slot",
    "Terms",
    "unpack",
]

UNTIL_REVOKED = (1 << 32) - 1
"""The end of a grant that ends by revocation alone: the last second that the chain can hold."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a grant: purposes, conditions and time.

    Parameters
    ----------
    purposes
        DUO terms by short name or id, such as ``("GRU", "CC")``; see :mod:`radledger.consent.duo`.
    conditions
        DUO terms that every use must fulfil.
    disease
        The disease, if the only purpose is ``DS``: its code, to which the service adds a
        salt, or ``CODE@SALT``; a digest where the salt is not known (`radledger.consent.diseases`).
    start
        Start (Unix time); default: the time of granting.
    until
        End (Unix time); default: until revoked.

    Examples
    --------
    >>> Terms(purposes=("HMB",), conditions=("NPUNCU", "IRB"), until=1_900_000_000).until
    1900000000
    """

    purposes: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    disease: str | None = None
    start: int | None = None
    until: int = UNTIL_REVOKED

    def encode(self, now: int) -> bindings.Terms:
        """Encode for the contract; they start ``now`` if no start is set."""
        return bindings.Terms(
            now if self.start is None else self.start,
            self.until,
            duo.purpose_bits(self.purposes),
            duo.condition_bits(self.conditions),
            encode_disease(self.disease),
        )

    @classmethod
    def decode(cls, struct: bindings.Terms) -> Terms:
        """Decode from the contract; the purposes of a grant have DUO's inheritance applied."""
        start, until, purposes, conditions, disease = struct
        return cls(
            purposes=duo.purpose_names(purposes),
            conditions=duo.condition_names(conditions),
            disease=decode_disease(disease),
            start=start,
            until=until,
        )


class Slot(NamedTuple):
    """The word in which the contract keeps a grant or a request.

    Attributes
    ----------
    terms
        The terms that are granted or requested.
    signed
        When it was signed, Unix time; zero in a request, as is the epoch.
    epoch
        How often the subject had revoked everything.
    """

    terms: bindings.Terms
    signed: int
    epoch: int


def unpack(word: int) -> Slot:
    """Read the word in which the contract keeps a grant or a request.

    Its layout is that of ``contracts/consent/GrantSlot.sol``.

    Examples
    --------
    >>> unpack(1_900_000_000 << 64 | 7 << 232).signed
    1900000000
    """

    def field(offset: int, width: int) -> int:
        return word >> offset & ((1 << width) - 1)

    disease = field(128, 104).to_bytes(13, "big")
    terms = bindings.Terms(field(0, 32), field(32, 32), field(96, 16), field(112, 16), disease)
    return Slot(terms, signed=field(64, 32), epoch=field(232, 16))


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant, and whether it stands: ``active``, ``not yet``, ``expired`` or ``revoked``."""

    grant_id: str
    subject: str
    grantee: str
    scope: str
    terms: Terms
    status: str
    granted_by: str
    transaction: str


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """A request that waits for the subject's answer, made at ``requested_at`` (Unix time)."""

    request_id: str
    subject: str
    requester: str
    grantee: str
    scope: str
    terms: Terms
    requested_at: int


@dataclass(frozen=True, slots=True)
class Requested:
    """A request that was just made.

    Attributes
    ----------
    request_id
        Its id, by which it is approved.
    disease
        ``CODE@SALT``, if it names a disease: pass it on to the subject.
    """

    request_id: str
    disease: str | None
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a use is permitted now, why, and by which grant.

    ``reason`` is ``permitted``, ``never granted``, ``revoked``, ``expired``, ``not yet``,
    ``purpose``, ``disease``, ``condition``, ``reader suspended``, ``not anchored``, ``erased``,
    ``disowned``; or ``stale chain`` if the latest block is older than the network allows.
    ``grant_id`` is None if no grant was considered, as for the patient's own images.
    ``block_age`` is the age in seconds of the block that the answer comes from.
    """

    permitted: bool
    reason: str
    grant_id: str | None
    block_age: int = 0


@dataclass(frozen=True, slots=True)
class Emergency:
    """Emergency access, and its review by a second person of the clinician's institution.

    ``reviewer`` and ``justified`` are None until then; ``overdue`` from ``review_by`` on, which is
    the end of the third UTC day after the emergency. One that was found not justified has ended.
    """

    subject: str
    clinician: str
    institution: str
    since: int
    until: int
    review_by: int
    reason: str
    reviewer: str | None
    justified: bool | None
    overdue: bool
    transaction: str


@dataclass(frozen=True, slots=True)
class EmergencyCounts:
    """Numbers of emergency accesses, by outcome.

    Parameters
    ----------
    declared
        How many were declared.
    justified, unjustified
        How many a second person found justified, and not justified.
    waiting
        How many wait for a review that is not due yet.
    overdue
        How many should have been reviewed by now.
    """

    declared: int
    justified: int
    unjustified: int
    waiting: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Conduct:
    """The conduct of an account: its use of emergency access, and suspensions.

    Parameters
    ----------
    account
        Its address.
    institution
        Its institution, which is the account itself for an institution; None without one.
    as_clinician
        Emergency accesses that it declared itself.
    as_institution
        Emergency accesses of its members, which it has to review.
    suspended
        Whether it or its institution is suspended now.
    suspensions
        How often it was suspended.
    """

    account: str
    institution: str | None
    as_clinician: EmergencyCounts
    as_institution: EmergencyCounts
    suspended: bool
    suspensions: int


@dataclass(frozen=True, slots=True)
class SealedNote:
    """A text whose salted digest goes on chain; its author keeps the text and the salt.

    Examples
    --------
    >>> note = SealedNote.of("unconscious after an accident, no relatives reached")
    >>> SealedNote(note.text, note.salt).digest == note.digest
    True
    """

    text: str
    salt: bytes

    @classmethod
    def of(cls, text: str) -> SealedNote:
        """Seal a text under a new salt, without which a guess could be tried on the digest.

        Raises
        ------
        UsageError
            If the text is blank.
        """
        if not text.strip():
            raise UsageError("the reason or opinion is blank; say why in a few words")
        return cls(text, secrets.token_bytes(32))

    @property
    def digest(self) -> bytes:
        """SHA-256 of the salt and the text, 32 bytes."""
        return hashlib.sha256(self.salt + self.text.encode()).digest()

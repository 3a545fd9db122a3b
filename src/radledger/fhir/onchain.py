"""What the chain says of people, images and consents, as the registry asks it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger.area.fold import NOBODY, NOTHING
from radledger.consent import duo, records, signing
from radledger.consent.diseases import decode_disease, encode_disease
from radledger.consent.scope import ALL, EMERGENCY, parse_scope
from radledger.fhir.references import COURSE, IMAGE_SET, VISIT
from radledger.identity.identities import CONSENT_DELEGATE

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger
    from radledger.consent.model import Grant, Terms
    from radledger.fhir.statements import Permission

__all__ = ["OnChain", "Standing", "says"]

_DELEGATE = CONSENT_DELEGATE.encode().ljust(32, b"\0")


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of a subject's consents.

    Attributes
    ----------
    grants
        Each grant, in the order in which they were last given.
    revoked_all_at
        When all were last taken back (Unix time), or 0.
    forbids_emergencies, chosen_at
        Whether emergency access is forbidden, and since when.
    """

    grants: tuple[Grant, ...]
    revoked_all_at: int
    forbids_emergencies: bool
    chosen_at: int

    def grant(self, grantee: str, scope: str) -> Grant | None:
        """The grant for a grantee and scope, if there ever was one."""
        return next(
            (each for each in self.grants if (each.grantee, each.scope) == (grantee, scope)), None
        )


class OnChain:
    """The chain; a :class:`radledger.fhir.findings.Context`.

    Parameters
    ----------
    ledger
        The deployed contracts.
    base
        Address of the server whose resources absolute URLs may name.
    policies
        Policies, beside those of PCF, that forbid nothing but what a Consent says.
    """

    def __init__(self, ledger: Ledger, base: str, policies: Collection[str]) -> None:
        self.ledger = ledger
        self.base = base
        self.policies = policies
        self.chain_id = ledger.chain_id

    def now(self) -> int:
        """The present time (Unix time), of a chain that is alive.

        Raises
        ------
        ChainStale
            If its latest block is too old.
        """
        present = self.ledger.present()
        present.require_current()
        return present.time

    def institution_of(self, address: str) -> str | None:
        """The accredited institution that an address is, or is a member of."""
        institution, _ = self.ledger.call("ParticipantRegistry", "standing", address)
        return None if institution == NOBODY else str(institution)

    def is_active(self, address: str) -> bool:
        """Whether an address is accredited, and neither it nor its institution is suspended."""
        return bool(self.ledger.call("ParticipantRegistry", "isActive", address))

    def may_act(self, subject: str, account: str) -> bool:
        """Whether an account may consent for a subject."""
        return bool(self.ledger.call("IdentityRegistry", "mayAct", subject, account, _DELEGATE))

    def may_forbid_emergencies(self) -> bool:
        """Whether this deployment lets subjects forbid emergency access."""
        may_forbid, _ = self.ledger.call(records.CONTRACT, "emergencyPolicy")
        return bool(may_forbid)

    def groups_of(self, subject: str) -> Collection[tuple[str, str]]:
        """Image sets, visits and courses of a subject: the system and the digest of each."""
        found = set()
        for event in self.ledger.events("ImageRegistry", "ImageAnchored", patient=subject):
            named = ((IMAGE_SET, "image"), (VISIT, "visit"), (COURSE, "course"))
            found |= {(system, event.args[name]) for system, name in named}
        return {each for each in found if each[1] != NOTHING}

    def images_of(self, subject: str, scope: str) -> list[str]:
        """Ids of a subject's image sets that are of a scope: ``all``, a set, visit or course."""
        anchored = self.ledger.events("ImageRegistry", "ImageAnchored", patient=subject)
        named = ("image", "visit", "course")
        return [
            event.args["image"]
            for event in anchored
            if scope == ALL or scope in [event.args[name] for name in named]
        ]

    def standing(self, subject: str) -> Standing:
        """What stands of a subject's consents; emergencies that were declared are not consents.

        Raises
        ------
        ChainStale
            If the latest block is too old to say.
        """
        self.now()
        grants = records.grants(self.ledger, subject=subject)
        forbids, chosen_at = self.ledger.call(records.CONTRACT, "emergencyChoiceOf", subject)
        return Standing(
            grants=tuple(each for each in grants if each.scope != EMERGENCY),
            revoked_all_at=int(self.ledger.call(records.CONTRACT, "revokedAllAt", subject)),
            forbids_emergencies=bool(forbids),
            chosen_at=int(chosen_at),
        )

    def last_signed(self, subject: str, grantee: str, scope: str) -> int:
        """When what stands for a grantee and scope was signed (Unix time), or 0."""
        return signing.last_signed(self.ledger, subject, grantee, parse_scope(scope))


def says(granted: Terms, permission: Permission) -> bool:
    """Whether the terms of a grant permit what a permission says, and nothing else."""
    stated = permission.terms
    conditions = duo.condition_bits(stated.conditions)
    purposes = duo.expand(duo.purpose_bits(stated.purposes), conditions)
    return (
        duo.purpose_bits(granted.purposes) == purposes
        and duo.condition_bits(granted.conditions) == conditions
        and granted.disease == decode_disease(encode_disease(stated.disease))
        and granted.until == stated.until
        and stated.start in (None, granted.start)
    )

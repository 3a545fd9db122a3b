"""What a Consent says, in the words of the chain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from radledger.consent.model import Terms
from radledger.consent.scope import ALL

if TYPE_CHECKING:
    from radledger.chain.action import Action
    from radledger.chain.ledger import Receipt
    from radledger.consent import Consents

__all__ = ["Dissent", "EmergencyChoice", "Permission", "Statement", "from_json", "to_json"]


@dataclass(frozen=True, slots=True)
class Permission:
    """A grant: to whom, of which images, on which terms."""

    grantee: str
    terms: Terms
    scope: str = ALL

    def actions(self, consents: Consents, subject: str) -> list[Action[Receipt]]:
        """What the patient does to say it."""
        grant = consents.grant(
            self.grantee, self.terms, scope=self.scope, subject=subject, exact=True
        )
        return [grant]

    def withdrawal(self, consents: Consents, subject: str) -> list[Action[Receipt]]:
        """What the patient does to take it back."""
        return [consents.revoke(self.grantee, scope=self.scope, subject=subject)]


@dataclass(frozen=True, slots=True)
class EmergencyChoice:
    """Whether emergency access is forbidden."""

    forbidden: bool

    def actions(self, consents: Consents, subject: str) -> list[Action[Receipt]]:
        """What the patient does to say it."""
        if self.forbidden == consents.forbids_emergencies(subject):
            return []
        if self.forbidden:
            return [consents.forbid_emergencies(subject=subject)]
        return [consents.allow_emergencies(subject=subject)]

    def withdrawal(self, consents: Consents, subject: str) -> list[Action[Receipt]]:
        """What the patient does to take it back: the opposite choice."""
        return EmergencyChoice(not self.forbidden).actions(consents, subject)


@dataclass(frozen=True, slots=True)
class Dissent:
    """No permission at all, but perhaps emergency access."""

    forbidden: bool

    def actions(self, consents: Consents, subject: str) -> list[Action[Receipt]]:
        """What the patient does to say it."""
        return [
            consents.revoke_all(subject=subject),
            *EmergencyChoice(self.forbidden).actions(consents, subject),
        ]

    def withdrawal(self, consents: Consents, subject: str) -> list[Action[Receipt]]:
        """Nothing: a dissent ends with the next permission."""
        return []


Statement = Permission | EmergencyChoice | Dissent
_KINDS: Mapping[str, type[EmergencyChoice] | type[Dissent]] = {
    "emergencies": EmergencyChoice,
    "dissent": Dissent,
}


def to_json(statement: Statement) -> str:
    """A statement as it is kept."""
    kind = next((name for name, type_ in _KINDS.items() if isinstance(statement, type_)), "grant")
    return json.dumps({"kind": kind, **asdict(statement)})


def from_json(text: str) -> Statement:
    """A statement as it was kept.

    Examples
    --------
    >>> from_json(to_json(EmergencyChoice(forbidden=True)))
    EmergencyChoice(forbidden=True)
    """
    fields = json.loads(text)
    kind = fields.pop("kind")
    if kind in _KINDS:
        return _KINDS[kind](**fields)
    given = fields.pop("terms")
    purposes, conditions = (tuple(given.pop(name)) for name in ("purposes", "conditions"))
    return Permission(terms=Terms(purposes, conditions, **given), **fields)

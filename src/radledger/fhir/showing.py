"""Consents as they are now: what was recorded, in the state that the chain gives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.fhir.onchain import OnChain, Standing, says
from radledger.fhir.statements import Dissent, EmergencyChoice, Permission, Statement
from radledger.fhir.times import instant
from radledger.fhir.writing import choice_elements, grant_elements

if TYPE_CHECKING:
    from radledger.fhir.store import Record

__all__ = ["RANKS", "Showing", "Shown", "record_id"]

RANKS = {"proposed": 0, "rejected": 1, "active": 2, "inactive": 3}
"""The states of a Consent, in the order in which it has them."""
_HOLDING = ("active", "not yet")


@dataclass(frozen=True, slots=True)
class Shown:
    """A Consent as it is now.

    Attributes
    ----------
    subject
        Whose it is.
    resource
        The resource.
    statement
        What it says.
    record
        What was recorded; none for what was granted otherwise.
    """

    subject: str
    resource: dict[str, Any]
    statement: Statement
    record: Record | None = None

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.resource["id"])

    @property
    def status(self) -> str:
        """Its state."""
        return str(self.resource["status"])

    @property
    def version(self) -> str:
        """Its version, which changes with its state too."""
        return str(self.resource["meta"]["versionId"])


class Showing:
    """Writes Consents.

    Parameters
    ----------
    chain
        What decides their state.
    custodian
        The organization that enforces what the chain holds.
    """

    def __init__(self, chain: OnChain, custodian: str) -> None:
        self._chain, self._custodian = chain, custodian

    def recorded(self, record: Record, standing: Standing) -> Shown:
        """A Consent that was recorded, as it is now."""
        return self.as_of(record, self._status(record, standing))

    def as_of(self, record: Record, status: str) -> Shown:
        """A Consent that was recorded, in one of its states."""
        resource = _resource(
            record.id, str(record.version), status, record.recorded_at, record.resource
        )
        return Shown(record.subject, resource, record.statement, record)

    def of_chain(self, subject: str, standing: Standing) -> Iterator[Shown]:
        """What the chain holds, whether or not it was recorded."""
        for grant in standing.grants:
            signed = self._chain.last_signed(subject, grant.grantee, grant.scope)
            elements = grant_elements(grant, signed, self._chain, self._custodian)
            status = "active" if grant.status in _HOLDING else "inactive"
            id_ = record_id(subject, grant.grant_id)
            resource = _resource(id_, str(signed), status, signed, elements)
            permission = Permission(grant.grantee, grant.terms, grant.scope)
            yield Shown(subject, resource, permission)
        if standing.forbids_emergencies:
            at = standing.chosen_at
            elements = choice_elements(subject, at, self._chain, self._custodian)
            id_ = f"{subject[2:].lower()}-emergencies"
            yield Shown(
                subject,
                _resource(id_, str(at), "active", at, elements),
                EmergencyChoice(forbidden=True),
            )

    def seen(self, subject: str, statement: Statement) -> int:
        """When what stands now, where a statement is to stand, was signed (Unix time)."""
        if isinstance(statement, Permission):
            return self._chain.last_signed(subject, statement.grantee, statement.scope)
        standing = self._chain.standing(subject)
        if isinstance(statement, Dissent):
            return standing.revoked_all_at
        return standing.chosen_at

    def _status(self, record: Record, standing: Standing) -> str:
        before = "rejected" if record.withdrawn else "proposed"
        match record.statement:
            case EmergencyChoice() as choice:
                return self._of_choice(choice.forbidden, record, standing, before)
            case Dissent() as dissent:
                if standing.revoked_all_at <= record.seen:
                    return before
                chosen = self._of_choice(dissent.forbidden, record, standing, before)
                stands = any(each.status in _HOLDING for each in standing.grants)
                return "inactive" if stands and chosen == "active" else chosen
            case Permission() as permission:
                key = (permission.grantee, permission.scope)
                if self._chain.last_signed(record.subject, *key) <= record.seen:
                    return before
                grant = standing.grant(*key)
                holds = (
                    grant is not None and grant.status in _HOLDING and says(grant.terms, permission)
                )
                return "active" if holds else "inactive"

    @staticmethod
    def _of_choice(forbidden: bool, record: Record, standing: Standing, before: str) -> str:
        if standing.forbids_emergencies == forbidden:
            return "active"
        return before if standing.chosen_at <= record.seen else "inactive"


def record_id(subject: str, grant_id: str) -> str:
    """Id of the Consent that says what a grant permits: 63 characters, as FHIR has 64 at most.

    Examples
    --------
    >>> record_id("0x" + "5B" * 20, "0x" + "ab" * 32)[36:46]
    '5b5b-ababa'
    """
    return f"{subject[2:].lower()}-{grant_id[2:24]}"


def _resource(
    id_: str, version: str, status: str, time: int, elements: dict[str, Any]
) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "id": id_,
        "meta": {"versionId": f"{version}.{RANKS[status]}", "lastUpdated": instant(time)},
        "status": status,
        **elements,
    }

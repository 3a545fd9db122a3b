"""Grants and requests, from the events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from radledger.consent.errors import InvalidRequestId, NoSuchRequest
from radledger.consent.ids import requested_id
from radledger.consent.model import (
    ConsentRequest,
    Emergency,
    EmergencyCounts,
    Grant,
    Terms,
    unpack,
)
from radledger.consent.state import ConsentState
from radledger.texts import digest_of, quoted

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = [
    "CONTRACT",
    "asked_terms",
    "emergencies",
    "grants",
    "request_of",
    "requests",
    "subjects",
]

CONTRACT = "ConsentRegistry"


def grants(ledger: Ledger, **filters: Any) -> Iterator[Grant]:
    """The latest state of each grant, in the order in which they were last granted."""
    own = ledger.events(CONTRACT, "ConsentGranted", "ConsentRevoked", **filters)
    subjects = sorted({event.args["subject"] for event in own})
    if not subjects:
        return
    of_all = ledger.events(CONTRACT, "ConsentRevokedAll", "EmergenciesForbidden", subject=subjects)

    @cache
    def is_overdue(clinician: str) -> bool:
        as_clinician, _ = ledger.call(CONTRACT, "conductOf", clinician)
        return bool(EmergencyCounts(*as_clinician).overdue)

    yield from ConsentState.of([*own, *of_all]).grants(ledger.present().time, is_overdue)


def subjects(ledger: Ledger, reader: str) -> set[str]:
    """All whose images a reader can be permitted to use, and some who no longer permit it."""
    institution, _ = ledger.call("ParticipantRegistry", "standing", reader)
    grantees = sorted({reader, institution})
    found = [
        *ledger.events(CONTRACT, "ConsentGranted", grantee=grantees),
        *ledger.events(CONTRACT, "EmergencyDeclared", clinician=reader),
        *ledger.events(CONTRACT, "EmergencyDeclared", institution=institution),
    ]
    return {reader, *(event.args["subject"] for event in found)}


def requests(ledger: Ledger, **filters: Any) -> Iterator[ConsentRequest]:
    """The requests that wait for an answer, in the order in which they were first made."""
    return (asked for asked in _asked(ledger, **filters) if asked.requested_at)


def emergencies(ledger: Ledger, **filters: Any) -> Iterator[Emergency]:
    """Emergency accesses, in the order in which they were declared."""
    declared = ledger.events(CONTRACT, "EmergencyDeclared", **filters)
    if not declared:
        return iter(())
    # A review does not name the institution.
    shared = {name: value for name, value in filters.items() if name != "institution"}
    reviewed = ledger.events(CONTRACT, "EmergencyReviewed", **shared)
    return ConsentState.of([*declared, *reviewed]).emergencies(ledger.present().time)


def request_of(ledger: Ledger, subject: str, request_id: str) -> ConsentRequest:
    """A request to a subject, answered or not.

    Raises
    ------
    InvalidRequestId
        If it is not an id.
    NoSuchRequest
        If there is none of that id.
    """
    if digest_of(request_id) is None:
        raise InvalidRequestId(
            f"{quoted(request_id)} is not an id of a request; give 0x and 64 hexadecimal digits, "
            "copied whole",
            text=request_id,
        )
    for asked in _asked(ledger, subject=subject):
        if asked.request_id == request_id.lower():
            return asked
    raise NoSuchRequest(
        f"{subject} has no request {request_id}; list pending requests with "
        "`radledger consent list --requests`",
        request=request_id,
        subject=subject,
    )


def asked_terms(args: Mapping[str, Any]) -> Terms:
    """The terms of the request that the arguments of ``ConsentRequested`` describe."""
    return Terms.decode(unpack(args["asked"]).terms)


def _asked(ledger: Ledger, **filters: Any) -> Iterator[ConsentRequest]:
    """Requests, answered or not."""
    asked = ledger.events(CONTRACT, "ConsentRequested", **filters)
    if not asked:
        return iter(())
    ids = [requested_id(event.args) for event in asked]
    answered = ledger.events(CONTRACT, "ConsentRequestApproved", request=ids)
    return ConsentState.of([*asked, *answered]).requests()

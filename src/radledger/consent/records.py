"""Grants and requests as the events tell them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from radledger.consent import bindings
from radledger.consent.bindings import GrantStore
from radledger.consent.errors import NoSuchRequest
from radledger.consent.model import (
    ConsentRequest,
    EmergencyCounts,
    Grant,
    Slot,
    Terms,
    unpack,
)
from radledger.consent.scope import EMERGENCY, scope_name

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger

__all__ = ["CONTRACT", "grants", "request_id", "request_of", "requests"]

CONTRACT = "ConsentRegistry"
_HOUR = 3600


def grants(ledger: Ledger, **filters: Any) -> Iterator[Grant]:
    """The latest state of each grant, in the order in which they were last written."""
    latest: dict[tuple[str, str, bytes], Event] = {}
    for event in ledger.events(CONTRACT, "ConsentGranted", **filters):
        latest.pop(_key(event), None)
        latest[_key(event)] = event
    withdrawn = {_key(e): e for e in ledger.events(CONTRACT, "ConsentWithdrawn", **filters)}
    now = ledger.present().time

    @cache
    def revoked_all(subject: str) -> tuple[int, int]:
        return (
            int(ledger.call(CONTRACT, "epochOf", subject)),
            int(ledger.call(CONTRACT, "revokedAllAt", subject)),
        )

    @cache
    def forbidden(subject: str) -> tuple[int, int]:
        """Where the subject last forbade emergency access, which ended all before."""
        events = ledger.events(CONTRACT, "EmergenciesForbidden", subject=subject)
        return max((_position(e) for e in events if e.args["forbidden"]), default=(0, 0))

    @cache
    def overdue(clinician: str) -> bool:
        """Whether a review is overdue, so that no emergency access lasts more than an hour."""
        as_clinician, _ = ledger.call(CONTRACT, "conductOf", clinician)
        return bool(EmergencyCounts(*as_clinician).overdue)

    for key, event in latest.items():
        subject, grantee, scope = key
        given = unpack(event.args["given"])
        terms = Terms.decode(given.terms)
        revoked = key in withdrawn and _position(withdrawn[key]) > _position(event)
        emergency = scope_name(scope) == EMERGENCY
        revoked |= not _survives(given, *revoked_all(subject), emergency=emergency)
        if emergency:
            revoked |= _position(event) < forbidden(subject)
            if overdue(grantee):
                terms = replace(terms, until=min(terms.until, (terms.start or 0) + _HOUR))
        yield Grant(
            grant_id=_hex(ledger.call(CONTRACT, "grantIdOf", subject, grantee, scope)),
            subject=subject,
            grantee=grantee,
            scope=scope_name(scope),
            terms=terms,
            status="revoked" if revoked else _status(terms, now),
            granted_by=event.args["actor"],
            transaction=event.transaction,
        )


def requests(ledger: Ledger, **filters: Any) -> Iterator[ConsentRequest]:
    """The requests that wait for an answer, in the order in which they were first made."""
    for asked in _asked(ledger, **filters).values():
        if asked.requested_at:
            yield asked


def request_of(ledger: Ledger, subject: str, request_id: str) -> ConsentRequest:
    """A request to a subject, answered or not.

    Raises
    ------
    NoSuchRequest
        If there is none of that id.
    """
    asked = _asked(ledger, subject=subject).get(request_id.lower())
    if asked is None:
        raise NoSuchRequest(
            f"{subject} has no request {request_id}; list pending requests with "
            "`radledger consent list --requests`",
            request=request_id,
            subject=subject,
        )
    return asked


def request_id(ledger: Ledger, who: tuple[str, str, str, bytes], terms: bindings.Terms) -> bytes:
    """The id of a request, of requester, subject, grantee, scope and terms."""
    return bytes(ledger.call(CONTRACT, "requestIdOf", *who, terms))


def _asked(ledger: Ledger, **filters: Any) -> dict[str, ConsentRequest]:
    """Requests by id; ``requested_at`` is zero for those that were answered."""
    # The same request may be made again after its answer: one id, one request.
    asked = {}
    for event in ledger.events(CONTRACT, "ConsentRequested", **filters):
        args = event.args
        scope = bytes(args["scope"])
        terms = unpack(args["asked"]).terms
        who = (args["requester"], args["subject"], args["grantee"], scope)
        id_ = request_id(ledger, who, terms)
        asked[_hex(id_)] = ConsentRequest(
            request_id=_hex(id_),
            subject=args["subject"],
            requester=args["requester"],
            grantee=args["grantee"],
            scope=scope_name(scope),
            terms=Terms.decode(terms),
            requested_at=ledger.call(CONTRACT, "requestedAt", id_),
        )
    return asked


def _survives(given: Slot, epoch: int, revoked_all_at: int, *, emergency: bool) -> bool:
    """Whether a grant was not taken back with all others, as the contract decides it."""
    if given.epoch == epoch != GrantStore.LAST_EPOCH:
        return True
    doubt = 0 if emergency and given.epoch == GrantStore.LAST_EPOCH else GrantStore.DOUBT
    return given.signed > revoked_all_at + doubt


def _status(terms: Terms, now: int) -> str:
    if now >= terms.until:
        return "expired"
    return "not yet" if terms.start is not None and now < terms.start else "active"


def _key(event: Event) -> tuple[str, str, bytes]:
    return event.args["subject"], event.args["grantee"], bytes(event.args["scope"])


def _position(event: Event) -> tuple[int, int]:
    return event.block, event.log_index


def _hex(value: bytes) -> str:
    return "0x" + bytes(value).hex()

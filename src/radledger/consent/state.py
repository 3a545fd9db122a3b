"""The state of ``ConsentRegistry``: grants, what revoked them all, requests and emergencies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from radledger.area.fold import Fold, View
from radledger.consent.bindings import EmergencyAccess, GrantStore, Status
from radledger.consent.emergency_state import EmergencyState, is_emergency
from radledger.consent.ids import grant_id, requested_id
from radledger.consent.model import ConsentRequest, Emergency, Grant, Slot, Terms, unpack
from radledger.consent.scope import scope_name

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["ConsentState"]

_CONTRACT = "ConsentRegistry"
# What a revocation finds where nothing was granted.
_NOTHING = unpack(0)


@dataclass
class _Grant:
    given: Slot = _NOTHING
    event: Event | None = None
    signed: int = 0
    revoked: bool = False
    # Whether the subject forbade emergency access after it began.
    forbidden: bool = False

    def record(self) -> dict[str, Any]:
        """What ``grantOf`` answers."""
        start, until, purposes, conditions, disease = self.given.terms
        return {
            "from": start,
            "until": until,
            "signed": self.signed,
            "purposes": purposes,
            "conditions": conditions,
            "disease": "0x" + disease.hex(),
            "epoch": self.given.epoch,
            "status": (Status.REVOKED if self.revoked else Status.GRANTED).number,
        }


@dataclass
class _Request:
    event: Event
    requested_at: int


class ConsentState(Fold):
    """Grants, what was revoked with all others, requests and emergencies."""

    def __init__(self) -> None:
        # Those that were granted, in the order in which they were last.
        self._grants: dict[tuple[str, str, str], _Grant] = {}
        self._revoked_all: dict[str, tuple[int, int]] = {}
        self._requests: dict[str, _Request] = {}
        self._emergencies = EmergencyState()

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        self._emergencies.apply(event)
        args = event.args
        match event.name:
            case "ConsentGranted":
                given = unpack(args["given"])
                self._grants.pop(_key(args), None)
                self._grants[_key(args)] = _Grant(given, event, given.signed)
            case "ConsentRevoked":
                grant = self._grants.setdefault(_key(args), _Grant())
                grant.revoked = True
                # Emergency access keeps its own time, whenever it was ended.
                if not is_emergency(args):
                    grant.signed = args["signed"]
            case "ConsentRevokedAll":
                self._revoked_all[args["subject"]] = args["epoch"], args["signed"]
            case "EmergenciesForbidden" if args["forbidden"]:
                for (subject, _, _), grant in self._grants.items():
                    grant.forbidden |= subject == args["subject"]
            case "ConsentRequested":
                self._requests[requested_id(args)] = _Request(event, event.timestamp)
            case "ConsentRequestApproved":
                self._requests[args["request"]].requested_at = 0

    def grants(self, now: int, is_overdue: Callable[[str], bool]) -> Iterator[Grant]:
        """The latest state of each grant, in the order in which they were last granted.

        Parameters
        ----------
        now
            Unix time.
        is_overdue
            Whether a review of a clinician's emergency access is overdue, so that none of its
            emergency access lasts more than an hour.
        """
        for (subject, grantee, scope), grant in self._grants.items():
            if grant.event is None:
                continue
            terms = Terms.decode(grant.given.terms)
            name = scope_name(bytes.fromhex(scope[2:]))
            emergency = is_emergency({"scope": scope})
            revoked = grant.revoked or not self._survives(subject, grant.given, emergency)
            if emergency:
                revoked |= grant.forbidden
                if is_overdue(grantee):
                    longest = (terms.start or 0) + EmergencyAccess.LONGEST_WHILE_OVERDUE
                    terms = replace(terms, until=min(terms.until, longest))
            yield Grant(
                grant_id=grant_id(subject, grantee, scope),
                subject=subject,
                grantee=grantee,
                scope=name,
                terms=terms,
                status="revoked" if revoked else _status(terms, now),
                granted_by=grant.event.args["actor"],
                transaction=grant.event.transaction,
            )

    def requests(self) -> Iterator[ConsentRequest]:
        """Requests, answered or not, in the order in which they were first made.

        ``requested_at`` is zero for those that were answered.
        """
        for id_, request in self._requests.items():
            args = request.event.args
            yield ConsentRequest(
                request_id=id_,
                subject=args["subject"],
                requester=args["requester"],
                grantee=args["grantee"],
                scope=scope_name(bytes.fromhex(args["scope"][2:])),
                terms=Terms.decode(unpack(args["asked"]).terms),
                requested_at=request.requested_at,
            )

    def emergencies(self, now: int) -> Iterator[Emergency]:
        """Each emergency access and its review, in the order in which they were declared."""
        return self._emergencies.emergencies(now)

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for key, grant in self._grants.items():
            yield View(_CONTRACT, "grantOf", key, (grant.record(),))
        for subject in dict.fromkeys([*self._revoked_all, *(key[0] for key in self._grants)]):
            epoch, at = self._revoked_all.get(subject, (0, 0))
            yield View(_CONTRACT, "epochOf", (subject,), (epoch,))
            yield View(_CONTRACT, "revokedAllAt", (subject,), (at,))
        for id_, request in self._requests.items():
            yield View(_CONTRACT, "requestedAt", (id_,), (request.requested_at,))
        yield from self._emergencies.views(now)

    def _survives(self, subject: str, given: Slot, emergency: bool) -> bool:
        """Whether a grant was not revoked with all others, as the contract decides it."""
        epoch, revoked_all_at = self._revoked_all.get(subject, (0, 0))
        if given.epoch == epoch != GrantStore.LAST_EPOCH:
            return True
        doubt = 0 if emergency and given.epoch == GrantStore.LAST_EPOCH else GrantStore.DOUBT
        return given.signed > revoked_all_at + doubt


def _status(terms: Terms, now: int) -> str:
    if now >= terms.until:
        return "expired"
    return "not yet" if terms.start is not None and now < terms.start else "active"


def _key(args: Mapping[str, Any]) -> tuple[str, str, str]:
    return args["subject"], args["grantee"], args["scope"]

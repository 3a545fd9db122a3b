"""The state of ``ParticipantRegistry``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger.area.fold import NOBODY, Fold, View
from radledger.identity.bindings import ParticipantRegistry, Roles
from radledger.identity.model import Participant
from radledger.identity.roles import role_names

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["CHANGES", "ParticipantState"]

CHANGES = (
    "ParticipantAdmitted",
    "ParticipantGovernorAdded",
    "ParticipantGovernorRemoved",
    "ParticipantLeft",
    "ParticipantReinstated",
    "ParticipantRolesChanged",
    "ParticipantSuspended",
)
"""The events of ``ParticipantRegistry`` that change what an account may do: all but votes."""

_SUSPENDED_BY = {
    "institution": ParticipantRegistry.BY_INSTITUTION,
    "governor": ParticipantRegistry.BY_GOVERNOR,
}


@dataclass
class _Participant:
    institution: str = NOBODY
    roles: int = 0
    since: int = 0
    status: int = 0


class ParticipantState(Fold):
    """Who belongs to which institution as what; governors and their votes."""

    def __init__(self) -> None:
        self._participants: defaultdict[str, _Participant] = defaultdict(_Participant)
        self._governors = 0
        self._round = 0
        self._votes: dict[tuple[str, bool], tuple[int, int]] = {}

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        args = event.args
        participant = self._participants[args["account"]]
        governor = participant.roles & Roles.GOVERNOR
        match event.name:
            case "ParticipantAdmitted":
                participant.institution = args["institution"]
                participant.roles = args["roles"] | governor
                participant.since = event.timestamp
                participant.status &= ParticipantRegistry.BY_GOVERNOR
            case "ParticipantRolesChanged":
                participant.roles = args["roles"] | governor
            case "ParticipantLeft":
                participant.institution, participant.roles, participant.since = NOBODY, governor, 0
            case "ParticipantSuspended" | "ParticipantReinstated":
                participant.status = args["status"]
            case "ParticipantGovernorVoted":
                self._votes[args["account"], args["add"]] = (args["round"], args["votes"])
                if args["votes"] * 2 > self._governors:
                    self._round = args["round"] + 1
            case "ParticipantGovernorAdded":
                participant.roles |= Roles.GOVERNOR
                self._governors += 1
            case "ParticipantGovernorRemoved":
                participant.roles &= ~Roles.GOVERNOR
                self._governors -= 1

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        contract = "ParticipantRegistry"
        yield View(contract, "governorCount", (), (self._governors,))
        yield View(contract, "governorRound", (), (self._round,))
        for (account, add), (round_, votes) in self._votes.items():
            counted = votes if round_ == self._round else 0
            yield View(contract, "governorVotes", (account, add), (counted,))
        for account, participant in list(self._participants.items()):
            suspended = self._suspended(participant)
            yield View(contract, "standing", (account,), (participant.institution, suspended))
            yield View(contract, "rolesOf", (account,), (self._roles(participant, suspended),))
            yield View(contract, "sinceOf", (account,), (participant.since,))
            yield View(contract, "statusOf", (account,), (participant.status,))

    def institution(self, account: str) -> str | None:
        """The institution to which an account belongs."""
        institution = self._participants.get(account, _Participant()).institution
        return institution if institution != NOBODY else None

    def participant(self, account: str) -> Participant:
        """The accreditation of an account."""
        participant = self._participants.get(account, _Participant())
        institution, suspended = self.institution(account), self._suspended(participant)
        return Participant(
            account=account,
            institution=institution,
            roles=role_names(self._roles(participant, suspended)),
            since=participant.since if institution else None,
            active=institution is not None and not suspended,
            suspended=suspended,
            suspended_by=tuple(
                name for name, bit in _SUSPENDED_BY.items() if participant.status & bit
            ),
        )

    def _suspended(self, participant: _Participant) -> bool:
        return bool(participant.status or self._institution(participant).status)

    def _institution(self, participant: _Participant) -> _Participant:
        return self._participants.get(participant.institution, _Participant())

    def _roles(self, participant: _Participant, suspended: bool) -> int:
        governor = participant.roles & Roles.GOVERNOR
        if participant.institution == NOBODY or suspended:
            return governor
        return governor | participant.roles & self._institution(participant).roles

"""The accreditation service, over ``ParticipantRegistry``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from radledger.chain.action import Action, one_call
from radledger.chain.ledger import Call
from radledger.identity.address import parse_address
from radledger.identity.model import Participant
from radledger.identity.participant_state import CHANGES, ParticipantState
from radledger.identity.roles import role_bits

if TYPE_CHECKING:
    from radledger.chain.events import Event
    from radledger.chain.ledger import Ledger, Receipt

__all__ = ["Participants"]

_CONTRACT = "ParticipantRegistry"


class Participants:
    """Accreditation of institutions and of their members.

    Every change is an :class:`~radledger.chain.action.Action`, to be sent or signed; the contract
    refuses it with a typed error unless the signer has the authority for it.

    Examples
    --------
    >>> participants = Participants(ledger)                                # doctest: +SKIP
    >>> roles = ["custodian", "radiologist"]
    >>> participants.admit_institution(hospital.address, roles).send(governor)
    ... # doctest: +SKIP
    >>> participants.admit(radiologist.address, ["radiologist"]).send(hospital)
    ... # doctest: +SKIP
    >>> participants.show(radiologist.address).roles                       # doctest: +SKIP
    ('radiologist',)
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def admit_institution(self, institution: str, roles: Iterable[str]) -> Action[Receipt]:
        """As a governor, admit an institution, or replace the roles of it and its members."""
        return self._action("admitInstitution", parse_address(institution), role_bits(roles))

    def admit(self, account: str, roles: Iterable[str]) -> Action[Receipt]:
        """As an institution, admit a member, or replace a member's roles."""
        return self._action("admit", parse_address(account), role_bits(roles))

    def suspend(self, account: str) -> Action[Receipt]:
        """Suspend a member (as its institution) or anyone accredited (as a governor)."""
        return self._action("suspend", parse_address(account))

    def reinstate(self, account: str) -> Action[Receipt]:
        """Lift the signer's own kind of suspension."""
        return self._action("reinstate", parse_address(account))

    def leave(self) -> Action[Receipt]:
        """Leave the signer's institution."""
        return self._action("leaveInstitution")

    def vote_governor(self, account: str, *, add: bool) -> Action[Receipt]:
        """As a governor, vote to add or remove one; more than half of them carry it out."""
        return self._action("voteGovernor", parse_address(account), add)

    def show(self, account: str) -> Participant:
        """Show the accreditation of an account; one never admitted has no institution or roles."""
        account = parse_address(account)
        events = self._changes(account)
        institution = ParticipantState.of(events).institution(account)
        if institution and institution != account:
            events += self._changes(institution)
        return ParticipantState.of(events).participant(account)

    def _changes(self, account: str) -> list[Event]:
        """What changed the accreditation of an account."""
        return self._ledger.events(_CONTRACT, *CHANGES, account=account)

    def _action(self, function: str, *arguments: Any) -> Action[Receipt]:
        return one_call(self._ledger, lambda _: Call(_CONTRACT, function, arguments))

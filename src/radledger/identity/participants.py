"""Who is accredited as what, by whom: the service over ``ParticipantRegistry``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.area.fold import NOBODY
from radledger.chain.action import Action, one_call
from radledger.chain.ledger import Call
from radledger.identity.address import parse_address
from radledger.identity.bindings import ParticipantRegistry
from radledger.identity.roles import role_bits, role_names

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger, Receipt

__all__ = ["Participant", "Participants"]

_CONTRACT = "ParticipantRegistry"
_SUSPENDED_BY = {
    "institution": ParticipantRegistry.BY_INSTITUTION,
    "governor": ParticipantRegistry.BY_GOVERNOR,
}


@dataclass(frozen=True, slots=True)
class Participant:
    """What the registry says of an account, now.

    Parameters
    ----------
    account
        Its address.
    institution
        To which it belongs; itself for an institution, none where it belongs to none.
    roles
        That it may use now: none while it or its institution is suspended, except ``governor``.
    since
        When its institution admitted it, Unix time; none where it belongs to none.
    active
        Whether it belongs to an institution and neither is suspended.
    suspended
        Whether it or its institution is suspended.
    suspended_by
        Who suspended the account itself: ``institution``, ``governor``, both or neither.
    """

    account: str
    institution: str | None
    roles: tuple[str, ...]
    since: int | None
    active: bool
    suspended: bool
    suspended_by: tuple[str, ...]


class Participants:
    """Accreditation of institutions and of their members.

    Every change is an :class:`~radledger.chain.action.Action`, to be sent or signed; the contract
    refuses it, by the type of its custom error, unless the signer has the authority for it.

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
        """Suspend a member (as its institution) or anybody accredited (as a governor)."""
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
        """Say what an account may do now; who was never admitted has no institution or roles."""
        account = parse_address(account)
        institution, suspended = self._call("standing", account)
        belongs = institution != NOBODY
        status = self._call("statusOf", account)
        return Participant(
            account=account,
            institution=institution if belongs else None,
            roles=role_names(self._call("rolesOf", account)),
            since=self._call("sinceOf", account) if belongs else None,
            active=belongs and not suspended,
            suspended=suspended,
            suspended_by=tuple(who for who, bit in _SUSPENDED_BY.items() if status & bit),
        )

    def _call(self, function: str, *arguments: Any) -> Any:
        return self._ledger.call(_CONTRACT, function, *arguments)

    def _action(self, function: str, *arguments: Any) -> Action[Receipt]:
        return one_call(self._ledger, lambda _: Call(_CONTRACT, function, arguments))

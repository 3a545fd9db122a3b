"""Who is accredited as what, by whom: the service over ``ParticipantRegistry``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.identity.address import parse_address
from radledger.identity.bindings import ParticipantRegistry
from radledger.identity.roles import role_bits, role_names

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger, Receipt

__all__ = ["Participant", "Participants"]

_CONTRACT = "ParticipantRegistry"
_NOBODY = "0x" + "00" * 20
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

    Every change is refused by the chain, with the error of the contract's name, unless the signer
    has the authority for it.

    Examples
    --------
    >>> participants = Participants(ledger)                                # doctest: +SKIP
    >>> participants.admit_institution(governor, hospital.address, ["custodian", "radiologist"])
    ... # doctest: +SKIP
    >>> participants.admit(hospital, radiologist.address, ["radiologist"])  # doctest: +SKIP
    >>> participants.show(radiologist.address).roles                       # doctest: +SKIP
    ('radiologist',)
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def admit_institution(
        self, signer: LocalAccount, institution: str, roles: Iterable[str]
    ) -> Receipt:
        """As a governor, admit an institution, or replace the roles of it and its members."""
        return self._send(signer, "admitInstitution", parse_address(institution), role_bits(roles))

    def admit(self, signer: LocalAccount, account: str, roles: Iterable[str]) -> Receipt:
        """As an institution, admit a member, or replace a member's roles."""
        return self._send(signer, "admit", parse_address(account), role_bits(roles))

    def suspend(self, signer: LocalAccount, account: str) -> Receipt:
        """Suspend a member (as its institution) or anybody accredited (as a governor)."""
        return self._send(signer, "suspend", parse_address(account))

    def reinstate(self, signer: LocalAccount, account: str) -> Receipt:
        """Lift the signer's own kind of suspension."""
        return self._send(signer, "reinstate", parse_address(account))

    def leave(self, signer: LocalAccount) -> Receipt:
        """Leave the signer's institution."""
        return self._send(signer, "leaveInstitution")

    def vote_governor(self, signer: LocalAccount, account: str, *, add: bool) -> Receipt:
        """As a governor, vote to add or remove one; more than half of them carry it out."""
        return self._send(signer, "voteGovernor", parse_address(account), add)

    def show(self, account: str) -> Participant:
        """Say what an account may do now; who was never admitted has no institution or roles."""
        account = parse_address(account)
        institution, suspended = self._call("standing", account)
        belongs = institution != _NOBODY
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

    def _send(self, signer: LocalAccount, function: str, *arguments: Any) -> Receipt:
        return self._ledger.send(signer, _CONTRACT, function, *arguments)

"""The states of ``ParticipantRegistry``, ``IdentityRegistry`` and ``Forwarder``.

ERC-1056 has no event for the nonce that a signed change uses up, so that one counter of
``IdentityRegistry`` cannot be rebuilt; all else can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from radledger.identity.roles import ROLES
from radledger.index.replay.view import NOBODY, NOTHING, View, hashed

if TYPE_CHECKING:
    from radledger.index.events import ChainEvent

__all__ = ["ForwarderState", "IdentityState", "ParticipantState"]

_GOVERNOR = ROLES["governor"]
_BY_GOVERNOR = 1 << 1


class ForwarderState:
    """How many requests of each signer were forwarded."""

    def __init__(self) -> None:
        self._nonces: dict[str, int] = {}

    def apply(self, event: ChainEvent) -> None:
        """Do what the contract did."""
        self._nonces[event.arguments["signer"]] = event.arguments["nonce"] + 1

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for signer, nonce in self._nonces.items():
            yield View("Forwarder", "nonces", (signer,), (nonce,))


@dataclass
class _Participant:
    institution: str = NOBODY
    roles: int = 0
    since: int = 0
    status: int = 0


class ParticipantState:
    """Who belongs to which institution as what; governors and their votes."""

    def __init__(self) -> None:
        self._participants: defaultdict[str, _Participant] = defaultdict(_Participant)
        self._governors = 0
        self._round = 0
        self._votes: dict[tuple[str, bool], tuple[int, int]] = {}

    def apply(self, event: ChainEvent) -> None:
        """Do what the contract did."""
        args = event.arguments
        participant = self._participants[args["account"]]
        governor = participant.roles & _GOVERNOR
        match event.name:
            case "ParticipantAdmitted":
                participant.institution = args["institution"]
                participant.roles = args["roles"] | governor
                participant.since = event.timestamp
                participant.status &= _BY_GOVERNOR
            case "ParticipantRolesChanged":
                participant.roles = args["roles"] | governor
            case "ParticipantLeft":
                participant.institution, participant.roles, participant.since = NOBODY, governor, 0
            case "ParticipantSuspended" | "ParticipantReinstated":
                participant.status = args["status"]
            case "GovernorVoted":
                self._votes[args["account"], args["add"]] = (args["round"], args["votes"])
                if args["votes"] * 2 > self._governors:
                    self._round = args["round"] + 1
            case "GovernorAdded":
                participant.roles |= _GOVERNOR
                self._governors += 1
            case "GovernorRemoved":
                participant.roles &= ~_GOVERNOR
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
            suspended = bool(participant.status) or bool(self._institution(participant).status)
            yield View(contract, "standing", (account,), (participant.institution, suspended))
            yield View(contract, "rolesOf", (account,), (self._roles(participant, suspended),))
            yield View(contract, "sinceOf", (account,), (participant.since,))
            yield View(contract, "statusOf", (account,), (participant.status,))

    def _institution(self, participant: _Participant) -> _Participant:
        return self._participants.get(participant.institution, _Participant())

    def _roles(self, participant: _Participant, suspended: bool) -> int:
        governor = participant.roles & _GOVERNOR
        if participant.institution == NOBODY or suspended:
            return governor
        return governor | participant.roles & self._institution(participant).roles


@dataclass
class _Identity:
    owner: str = NOBODY
    deactivated: bool = False
    changed: int = 0
    round: int = 0
    recoveries: int = 0
    guardians: str = NOTHING
    # By type and delegate: until when, and how often it had been recovered then.
    delegates: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    # By new owner: round, approvals, from when it can be executed.
    recovery: dict[str, tuple[int, int, int]] = field(default_factory=dict)


class IdentityState:
    """Owners, delegates, guardians and recoveries."""

    def __init__(self) -> None:
        self._identities: defaultdict[str, _Identity] = defaultdict(_Identity)

    def apply(self, event: ChainEvent) -> None:
        """Do what the contract did."""
        args = event.arguments
        identity = self._identities[args["identity"]]
        if event.name.startswith("DID"):
            identity.changed = event.block
        match event.name:
            case "DIDOwnerChanged":
                identity.owner = args["owner"]
                identity.deactivated = args["owner"] == NOBODY
                identity.round += 1
            case "DIDDelegateChanged":
                key = (args["delegateType"], args["delegate"])
                identity.delegates[key] = (args["validTo"], identity.recoveries)
            case "GuardiansChanged":
                given = [args["guardians"], args["threshold"]]
                hash_ = hashed(["address[]", "uint256"], given) if args["guardians"] else NOTHING
                identity.guardians = hash_
                identity.round += 1
            case "RecoveryApproved":
                recovery = (identity.round, args["approvals"], args["readyAt"])
                identity.recovery[args["newOwner"]] = recovery
            case "RecoveryVetoed":
                identity.round += 1
            case "RecoveryExecuted":
                identity.recoveries += 1

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        contract = "IdentityRegistry"
        for address, identity in self._identities.items():
            own = address if identity.owner == NOBODY and not identity.deactivated else None
            yield View(contract, "owners", (address,), (identity.owner,))
            yield View(contract, "identityOwner", (address,), (own or identity.owner,))
            yield View(contract, "changed", (address,), (identity.changed,))
            yield View(contract, "guardiansHash", (address,), (identity.guardians,))
            for (type_, delegate), (valid_to, recoveries) in identity.delegates.items():
                key = hashed(["bytes32"], [type_])
                yield View(contract, "delegates", (address, key, delegate), (valid_to,))
                valid = valid_to > now and recoveries == identity.recoveries
                valid &= not identity.deactivated
                yield View(contract, "validDelegate", (address, type_, delegate), (valid,))
            for new_owner, (round_, approvals, ready_at) in identity.recovery.items():
                answers = (approvals, ready_at) if round_ == identity.round else (0, 0)
                yield View(contract, "recoveryOf", (address, new_owner), answers)

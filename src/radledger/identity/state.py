"""The states of ``ParticipantRegistry``, ``IdentityRegistry`` and ``Forwarder``.

ERC-1056 has no event for the nonce that a signed change uses up, so that one counter of
``IdentityRegistry`` cannot be rebuilt; all else can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from radledger.area.fold import NOBODY, NOTHING, Fold, View, hashed
from radledger.identity.bindings import Guardians, Identities, ParticipantRegistry, Roles

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["ForwarderState", "IdentityState", "ParticipantState"]


class ForwarderState(Fold):
    """How many requests of each signer were forwarded."""

    def __init__(self) -> None:
        self._nonces: dict[str, int] = {}

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        self._nonces[event.args["signer"]] = event.args["nonce"] + 1

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
            suspended = bool(participant.status) or bool(self._institution(participant).status)
            yield View(contract, "standing", (account,), (participant.institution, suspended))
            yield View(contract, "rolesOf", (account,), (self._roles(participant, suspended),))
            yield View(contract, "sinceOf", (account,), (participant.since,))
            yield View(contract, "statusOf", (account,), (participant.status,))

    def _institution(self, participant: _Participant) -> _Participant:
        return self._participants.get(participant.institution, _Participant())

    def _roles(self, participant: _Participant, suspended: bool) -> int:
        governor = participant.roles & Roles.GOVERNOR
        if participant.institution == NOBODY or suspended:
            return governor
        return governor | participant.roles & self._institution(participant).roles


_MOST_STEPS = Identities.MANDATE_BITS // Identities.TENURE_BITS

# The tenures along the path from an identity to its controller.
_Mandate = tuple[int, ...]


@dataclass
class _Identity:
    owner: str = NOBODY
    deactivated: bool = False
    changed: int = 0
    round: int = 0
    tenure: int = 0
    # The hash of the list, its threshold, and the mandate under which they were named.
    guardians: tuple[str, int, _Mandate] = (NOTHING, 0, ())
    # By type and delegate: until when, and under which mandate.
    delegates: dict[tuple[str, str], tuple[int, _Mandate]] = field(default_factory=dict)
    recoveries: dict[str, _Recovery] = field(default_factory=dict)


@dataclass
class _Recovery:
    round: int
    mandate: _Mandate
    ready_at: int = 0
    # By guardian: when it approved, and under which mandate.
    approvals: dict[str, tuple[int, _Mandate]] = field(default_factory=dict)


class IdentityState(Fold):
    """Owners, delegates, guardians and recoveries."""

    def __init__(self) -> None:
        self._identities: defaultdict[str, _Identity] = defaultdict(_Identity)

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        args = event.args
        identity = self._identities[args["identity"]]
        if event.name.startswith("DID"):
            identity.changed = event.block
        match event.name:
            case "DIDOwnerChanged":
                identity.owner = args["owner"]
                identity.deactivated = args["owner"] == NOBODY
                identity.tenure += 1
            case "DIDDelegateChanged":
                key = (args["delegateType"], args["delegate"])
                identity.delegates[key] = (args["validTo"], self._mandate(args["identity"]))
            case "IdentityGuardiansSet":
                given = [args["guardians"], args["threshold"]]
                hash_ = hashed(["address[]", "uint256"], given) if args["guardians"] else NOTHING
                mandate = self._mandate(args["identity"])
                identity.guardians = (hash_, args["threshold"], mandate)
                identity.round += 1
            case "IdentityRecoveryApproved":
                approval = (event.timestamp, self._mandate(args["guardian"]))
                recovery = self._recovery(args["identity"], args["newOwner"])
                recovery.approvals[args["guardian"]] = approval
                recovery.ready_at = args["readyAt"]
            case "IdentityApprovalWithdrawn":
                recovery = self._recovery(args["identity"], args["newOwner"])
                recovery.approvals.pop(args["guardian"], None)
            case "IdentityRecoveryVetoed":
                identity.round += 1
            case "IdentityRecoveryExecuted":
                # The guardians who recovered it stay, under the new owner's mandate.
                hash_, threshold, _ = identity.guardians
                identity.guardians = (hash_, threshold, self._mandate(args["identity"]))

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        contract = "IdentityRegistry"
        for address, identity in list(self._identities.items()):
            controller, mandate = self._authority(address)
            hash_, threshold, named_under = identity.guardians
            hash_ = hash_ if named_under == mandate else NOTHING
            yield View(contract, "owners", (address,), (identity.owner,))
            yield View(contract, "identityOwner", (address,), (self._owner(address),))
            yield View(contract, "controllerOf", (address,), (controller,))
            yield View(contract, "changed", (address,), (identity.changed,))
            yield View(contract, "guardiansHash", (address,), (hash_,))
            for (type_, delegate), (valid_to, given_under) in identity.delegates.items():
                key = hashed(["bytes32"], [type_])
                yield View(contract, "delegates", (address, key, delegate), (valid_to,))
                valid = valid_to > now and given_under == mandate
                yield View(contract, "validDelegate", (address, type_, delegate), (valid,))
            for new_owner in identity.recoveries:
                recovery = self._recovery(address, new_owner)
                approvals = self._standing(recovery, now)
                ready_at = recovery.ready_at if approvals >= threshold else 0
                yield View(contract, "recoveryOf", (address, new_owner), (approvals, ready_at))

    def _owner(self, address: str) -> str:
        identity = self._identities.get(address, _Identity())
        return address if identity.owner == NOBODY and not identity.deactivated else identity.owner

    def _authority(self, address: str) -> tuple[str, _Mandate]:
        """Who acts as the owner, and under which mandate."""
        account, tenures = address, []
        for _ in range(_MOST_STEPS):
            tenures.append(self._identities.get(account, _Identity()).tenure)
            controller = self._owner(account)
            if controller in (account, address):
                return controller, tuple(tenures)
            account = controller
        return NOBODY, tuple(tenures)

    def _mandate(self, address: str) -> _Mandate:
        return self._authority(address)[1]

    def _recovery(self, address: str, new_owner: str) -> _Recovery:
        """The recovery of this round and mandate; approvals of other ones do not count."""
        identity, mandate = self._identities[address], self._mandate(address)
        recovery = identity.recoveries.get(new_owner)
        if recovery is None or (recovery.round, recovery.mandate) != (identity.round, mandate):
            recovery = identity.recoveries[new_owner] = _Recovery(identity.round, mandate)
        return recovery

    def _standing(self, recovery: _Recovery, now: int) -> int:
        """How many approvals count."""
        return sum(
            now < given + Guardians.APPROVAL_PERIOD and self._mandate(guardian) == mandate
            for guardian, (given, mandate) in recovery.approvals.items()
        )

"""The states of ``IdentityRegistry`` and ``Forwarder``.

ERC-1056 has no event for the nonce that a signed change uses up, so that one counter of
``IdentityRegistry`` cannot be rebuilt; all else can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from radledger.area.fold import NOBODY, NOTHING, Fold, View, hashed
from radledger.identity import bindings
from radledger.identity.model import Attribute, Delegate, Guardians, Recovery
from radledger.texts import visible

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["EVENTS", "ForwarderState", "IdentityState"]

EVENTS = (
    "DIDAttributeChanged",
    "DIDDelegateChanged",
    "DIDOwnerChanged",
    "IdentityApprovalWithdrawn",
    "IdentityGuardiansSet",
    "IdentityRecoveryApproved",
    "IdentityRecoveryExecuted",
    "IdentityRecoveryVetoed",
)
"""The events of ``IdentityRegistry``."""


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


_MOST_STEPS = bindings.Identities.MANDATE_BITS // bindings.Identities.TENURE_BITS

# The tenures along the path from an identity to its controller.
_Mandate = tuple[int, ...]


@dataclass
class _Identity:
    owner: str = NOBODY
    deactivated: bool = False
    changed: int = 0
    round: int = 0
    tenure: int = 0
    # With the mandate under which they were named.
    guardians: tuple[Guardians, _Mandate] = (Guardians((), 0), ())
    # By type and delegate, and by name and value: until when, and under which mandate.
    delegates: dict[tuple[str, str], tuple[int, _Mandate]] = field(default_factory=dict)
    attributes: dict[tuple[str, str], tuple[int, _Mandate]] = field(default_factory=dict)
    recoveries: dict[str, _Recovery] = field(default_factory=dict)


@dataclass
class _Recovery:
    round: int
    mandate: _Mandate
    ready_at: int = 0
    # By guardian: when it approved, and under which mandate.
    approvals: dict[str, tuple[int, _Mandate]] = field(default_factory=dict)


class IdentityState(Fold):
    """Owners, delegates, attributes, guardians and recoveries."""

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
            case "DIDAttributeChanged":
                key = (args["name"], args["value"])
                identity.attributes.pop(key, None)  # the one that was set last comes last
                identity.attributes[key] = (args["validTo"], self._mandate(args["identity"]))
            case "IdentityGuardiansSet":
                named = Guardians(tuple(args["guardians"]), args["threshold"])
                identity.guardians = (named, self._mandate(args["identity"]))
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
                named, _ = identity.guardians
                identity.guardians = (named, self._mandate(args["identity"]))

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        contract = "IdentityRegistry"
        for address, identity in list(self._identities.items()):
            controller, mandate = self._authority(address)
            yield View(contract, "owners", (address,), (identity.owner,))
            yield View(contract, "identityOwner", (address,), (self._owner(address),))
            yield View(contract, "controllerOf", (address,), (controller,))
            yield View(contract, "changed", (address,), (identity.changed,))
            yield View(contract, "guardiansHash", (address,), (self.guardians_hash(address),))
            for (type_, delegate), (valid_to, given_under) in identity.delegates.items():
                key = hashed(["bytes32"], [type_])
                yield View(contract, "delegates", (address, key, delegate), (valid_to,))
                valid = valid_to > now and given_under == mandate
                yield View(contract, "validDelegate", (address, type_, delegate), (valid,))
            for new_owner in identity.recoveries:
                answers = self._approvals(address, new_owner, now)
                yield View(contract, "recoveryOf", (address, new_owner), answers)

    def related(self, address: str) -> set[str]:
        """The identities on which the state of an identity depends.

        These are the identity, its owner, the owner of that and so on, as far as the contract
        looks, and the same for the guardians who approve a recovery.
        """
        related: set[str] = set()
        for each in (address, *self._approving(address)):
            for _ in range(_MOST_STEPS):
                related.add(each)
                each = self._owner(each)
        return related - {NOBODY}

    def changed(self, address: str) -> int:
        """The block of the last change to an identity; 0 if there was none."""
        return self._identity(address).changed

    def owner(self, address: str) -> str | None:
        """The owner of an identity; None if it is deactivated."""
        owner = self._owner(address)
        return owner if owner != NOBODY else None

    def controller(self, address: str) -> str | None:
        """The account that acts as the owner of an identity, if there is one."""
        controller, _ = self._authority(address)
        return controller if controller != NOBODY else None

    def attributes(self, address: str, now: int) -> Iterator[Attribute]:
        """The attributes in force, in the order in which they were set."""
        controller, mandate = self._authority(address)
        if controller == NOBODY:
            return
        for (name, value), (valid_to, set_under) in self._identity(address).attributes.items():
            if valid_to > now and set_under == mandate:
                yield Attribute(_text(name), value, valid_to)

    def delegates(self, address: str, now: int) -> Iterator[Delegate]:
        """The delegates who may act for an identity."""
        mandate = self._mandate(address)
        for (type_, delegate), (valid_to, given_under) in self._identity(address).delegates.items():
            if valid_to > now and given_under == mandate:
                yield Delegate(delegate, _text(type_), valid_to)

    def guardians(self, address: str) -> Guardians | None:
        """The guardians who were named last, unless they were dismissed or the owner changed."""
        named, named_under = self._identity(address).guardians
        return named if named.guardians and named_under == self._mandate(address) else None

    def guardians_hash(self, address: str) -> str:
        """The hash of the guardians and their threshold, as the contract keeps it."""
        named = self.guardians(address)
        if named is None:
            return NOTHING
        return hashed(["address[]", "uint256"], [named.guardians, named.threshold])

    def recoveries(self, address: str, now: int) -> Iterator[Recovery]:
        """The recoveries under way, in the order in which they were first approved."""
        for new_owner in self._identity(address).recoveries:
            approvals, ready_at = self._approvals(address, new_owner, now)
            if approvals:
                yield Recovery(new_owner, approvals, ready_at or None)

    def _identity(self, address: str) -> _Identity:
        return self._identities.get(address, _Identity())

    def _approving(self, address: str) -> list[str]:
        """The guardians who approve a recovery of an identity."""
        recoveries = self._identity(address).recoveries.values()
        return [guardian for recovery in recoveries for guardian in recovery.approvals]

    def _approvals(self, address: str, new_owner: str, now: int) -> tuple[int, int]:
        """How many approvals of a new owner count, and from when it can be carried out; or 0."""
        recovery = self._recovery(address, new_owner)
        approvals = sum(
            now < given + bindings.Guardians.APPROVAL_PERIOD and self._mandate(guardian) == mandate
            for guardian, (given, mandate) in recovery.approvals.items()
        )
        named, _ = self._identity(address).guardians
        return approvals, recovery.ready_at if approvals >= named.threshold else 0

    def _owner(self, address: str) -> str:
        identity = self._identity(address)
        return address if identity.owner == NOBODY and not identity.deactivated else identity.owner

    def _authority(self, address: str) -> tuple[str, _Mandate]:
        """The account that acts as the owner, and its mandate."""
        account, tenures = address, []
        for _ in range(_MOST_STEPS):
            tenures.append(self._identity(account).tenure)
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


def _text(name: str) -> str:
    """Text from 32 bytes that anyone may have written, with control characters escaped."""
    return visible(bytes.fromhex(name[2:]).rstrip(b"\0").decode("utf-8", "backslashreplace"))

"""A model of ``IdentityRegistry``: what was written under whom, and whether it still counts.

The contract compares numbers (mandates); the model instead keeps every writing with the path of
owners under which it was made, and ends it when one of these gets another owner.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NOBODY = "0x" + "00" * 20
PERIOD = 30 * 24 * 3600
MOST_STEPS = 4


@dataclass
class Writing:
    """Something that a controller wrote, under the owners of the time."""

    path: tuple[str, ...]
    counts: bool = True


@dataclass
class Approval:
    """A guardian's approval, and when it was given."""

    given: int
    writing: Writing


@dataclass
class Recovery:
    """The approvals for one new owner, by guardian."""

    writing: Writing
    threshold: int
    approvals: dict[str, Approval] = field(default_factory=dict)
    ready_at: int = 0


@dataclass
class Identity:
    """What the model knows of one identity."""

    owner: str
    changed: int = 0
    changes: int = 0
    nonce: int = 0
    guardians: tuple[str, ...] = ()
    threshold: int = 0
    named: Writing | None = None
    delegates: dict[str, tuple[int, Writing]] = field(default_factory=dict)
    recoveries: dict[str, Recovery] = field(default_factory=dict)
    recovering: bool = False


class Model:
    """Identities by address."""

    def __init__(self, people: list[str]) -> None:
        self.identities = {person: Identity(person) for person in people}
        self._writings: list[Writing] = []

    def __getitem__(self, identity: str) -> Identity:
        return self.identities[identity]

    # ------------------------------------------------------------------------------ authority

    def path(self, identity: str) -> tuple[str, ...]:
        """The identity and those that own it, as far as it matters who they are."""
        path = [identity]
        while len(path) < MOST_STEPS:
            owner = self.owner(path[-1])
            if owner in (NOBODY, path[-1], identity):
                break
            path.append(owner)
        return tuple(path)

    def owner(self, identity: str) -> str:
        return self.identities[identity].owner

    def controller(self, identity: str) -> str:
        """Who acts as the owner: who owns itself at the end of the path, or closes a circle."""
        last = self.path(identity)[-1]
        owner = self.owner(last)
        return owner if owner in (last, identity) else NOBODY

    def may_act(self, identity: str, actor: str, now: int) -> bool:
        if actor == NOBODY:
            return False
        if actor == self.controller(identity):
            return True
        is_itself = actor == identity or self.owner(actor) == actor
        return is_itself and self.is_delegate(identity, actor, now)

    def is_delegate(self, identity: str, actor: str, now: int) -> bool:
        valid_to, writing = self[identity].delegates.get(actor, (0, Writing((), counts=False)))
        return valid_to > now and writing.counts

    # -------------------------------------------------------------------------------- writing

    def writing(self, identity: str) -> Writing:
        self._writings.append(Writing(self.path(identity)))
        return self._writings[-1]

    def hand_to(self, identity: str, owner: str) -> None:
        record = self[identity]
        record.owner = owner
        self.cancel_recoveries(identity)
        for writing in self._writings:
            writing.counts &= identity not in writing.path

    def recover_to(self, identity: str, owner: str) -> None:
        self.hand_to(identity, owner)
        self[identity].named = self.writing(identity)

    def name_guardians(self, identity: str, guardians: list[str], threshold: int) -> None:
        record = self[identity]
        record.guardians, record.threshold = tuple(guardians), threshold
        record.named = self.writing(identity)
        self.cancel_recoveries(identity)

    # ------------------------------------------------------------------------------- recovery

    def guardians(self, identity: str) -> tuple[str, ...]:
        """Those who can recover it now."""
        named = self[identity].named
        return self[identity].guardians if named and named.counts else ()

    def cancel_recoveries(self, identity: str) -> None:
        self[identity].recoveries.clear()
        self[identity].recovering = False

    def standing(self, identity: str, owner: str, now: int) -> list[str]:
        """The guardians whose approval of a new owner counts."""
        recovery = self[identity].recoveries.get(owner)
        if recovery is None or not recovery.writing.counts:
            return []
        return [
            guardian
            for guardian, approval in recovery.approvals.items()
            if approval.writing.counts and now < approval.given + PERIOD
        ]

    def ready_at(self, identity: str, owner: str, now: int) -> int:
        """From when a recovery can be executed; zero while too few approvals count."""
        recovery = self[identity].recoveries.get(owner)
        if recovery is None or len(self.standing(identity, owner, now)) < recovery.threshold:
            return 0
        return recovery.ready_at if recovery.writing.counts else 0

    def approve(self, identity: str, guardian: str, owner: str, now: int, delay: int) -> None:
        record = self[identity]
        recovery = record.recoveries.get(owner)
        if recovery is None or not recovery.writing.counts:
            recovery = Recovery(self.writing(identity), record.threshold)
            record.recoveries[owner] = recovery
        enough_before = len(self.standing(identity, owner, now)) >= recovery.threshold
        recovery.approvals[guardian] = Approval(now, self.writing(guardian))
        enough = len(self.standing(identity, owner, now)) >= recovery.threshold
        if enough and not enough_before:
            recovery.ready_at = now + delay
        record.recovering = True

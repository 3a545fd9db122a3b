"""What the registry of identities says: its getters, and the events that hold the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger

__all__ = [
    "CONTRACT",
    "KEY_ATTRIBUTE",
    "KEY_LENGTH",
    "NOBODY",
    "Attribute",
    "Delegate",
    "Guardians",
    "Identity",
    "Recovery",
    "encryption_key",
    "guardians",
    "identity_record",
]

CONTRACT = "IdentityRegistry"
NOBODY = "0x" + "00" * 20
KEY_ATTRIBUTE = "did/pub/X25519/enc/base64"
"""Under this name did:ethr resolvers find a key agreement key; the value is the 32 raw bytes."""
KEY_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Delegate:
    """Who may act for an identity, as what, until when (Unix time)."""

    delegate: str
    type: str
    valid_to: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """What an identity publishes about itself, until when (Unix time); the value in hexadecimal."""

    name: str
    value: str
    valid_to: int


@dataclass(frozen=True, slots=True)
class Guardians:
    """Who can recover an identity, and how many of them it takes."""

    guardians: tuple[str, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery under way; ``ready_at`` (Unix time) is none until enough guardians approved."""

    new_owner: str
    approvals: int
    ready_at: int | None


@dataclass(frozen=True, slots=True)
class Identity:
    """What the registry says of an identity, now; ``owner`` is none once it was deactivated."""

    identity: str
    did: str
    owner: str | None
    encryption_key: str | None
    delegates: tuple[Delegate, ...]
    attributes: tuple[Attribute, ...]
    guardians: Guardians | None
    recoveries: tuple[Recovery, ...]


def identity_record(ledger: Ledger, identity: str) -> Identity:
    """All that the registry says of an identity."""
    owner = ledger.call(CONTRACT, "identityOwner", identity)
    key = encryption_key(ledger, identity)
    return Identity(
        identity=identity,
        did=f"did:ethr:{hex(ledger.chain_id)}:{identity}",
        owner=owner if owner != NOBODY else None,
        encryption_key="0x" + key.hex() if key else None,
        delegates=tuple(_delegates(ledger, identity)),
        attributes=tuple(_attributes(ledger, identity)),
        guardians=guardians(ledger, identity),
        recoveries=tuple(_recoveries(ledger, identity)),
    )


def encryption_key(ledger: Ledger, identity: str) -> bytes | None:
    """The encryption key that was registered last and is valid now."""
    keys = [a for a in _attributes(ledger, identity) if a.name == KEY_ATTRIBUTE]
    values = [bytes.fromhex(key.value[2:]) for key in keys]
    return next((value for value in reversed(values) if len(value) == KEY_LENGTH), None)


def guardians(ledger: Ledger, identity: str) -> Guardians | None:
    """The guardians that were set last, or none."""
    changes = ledger.events(CONTRACT, "GuardiansChanged", identity=identity)
    if not changes or not changes[-1].args["guardians"]:
        return None
    last = changes[-1].args
    return Guardians(tuple(last["guardians"]), last["threshold"])


def _attributes(ledger: Ledger, identity: str) -> Iterator[Attribute]:
    """Valid attributes, in the order in which they were set; none of a deactivated identity."""
    if ledger.call(CONTRACT, "identityOwner", identity) == NOBODY:
        return
    latest: dict[tuple[bytes, bytes], Event] = {}
    for event in ledger.events(CONTRACT, "DIDAttributeChanged", identity=identity):
        key = (bytes(event.args["name"]), bytes(event.args["value"]))
        latest.pop(key, None)
        latest[key] = event
    now = ledger.present().time
    for (name, value), event in latest.items():
        if event.args["validTo"] > now:
            yield Attribute(_text(name), "0x" + value.hex(), event.args["validTo"])


def _delegates(ledger: Ledger, identity: str) -> Iterator[Delegate]:
    latest: dict[tuple[bytes, str], Any] = {}
    for event in ledger.events(CONTRACT, "DIDDelegateChanged", identity=identity):
        key = (bytes(event.args["delegateType"]), event.args["delegate"])
        latest[key] = event.args["validTo"]
    for (type_, delegate), valid_to in latest.items():
        # A recovery ends what delegates may do without an event for each.
        if ledger.call(CONTRACT, "validDelegate", identity, type_, delegate):
            yield Delegate(delegate, _text(type_), valid_to)


def _recoveries(ledger: Ledger, identity: str) -> Iterator[Recovery]:
    approved = ledger.events(CONTRACT, "RecoveryApproved", identity=identity)
    for new_owner in dict.fromkeys(event.args["newOwner"] for event in approved):
        approvals, ready_at = ledger.call(CONTRACT, "recoveryOf", identity, new_owner)
        if approvals:
            yield Recovery(new_owner, approvals, ready_at or None)


def _text(name: bytes) -> str:
    return name.rstrip(b"\0").decode("utf-8", "backslashreplace")

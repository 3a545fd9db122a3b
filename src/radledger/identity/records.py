"""What the registry of identities says: its getters, and the events that hold the rest.

What an owner wrote counts until the identity, or an identity that owns it, gets another owner.  Of
delegates, guardians and approvals the registry says whether they still count; attributes stand in
events alone, so here those are left out that were set before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.area.fold import NOBODY
from radledger.chain.errors import RequestFailed
from radledger.crypto.errors import InvalidPublicKey
from radledger.crypto.keys import Kem, PublicKey
from radledger.texts import visible

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger

__all__ = [
    "CONTRACT",
    "KEY_ATTRIBUTE",
    "X25519_ATTRIBUTE",
    "Attribute",
    "Delegate",
    "Guardians",
    "Identity",
    "Recovery",
    "encryption_key",
    "guardians",
    "guards_of_others",
    "identity_record",
    "key_attribute",
]

CONTRACT = "IdentityRegistry"
_OWNER, _ATTRIBUTE = "DIDOwnerChanged", "DIDAttributeChanged"
KEY_ATTRIBUTE = "did/pub/Multikey/enc"
"""Under this name did:ethr resolvers find a key agreement key that says itself of what kind it is.

The value is the multicodec of the kind and the raw key.  There is no multicodec of a hybrid key, so
it has one for private use that ends in its number in IANA's registry of HPKE's KEMs, 0x647a.
"""
X25519_ATTRIBUTE = "did/pub/X25519/enc/base64"
"""The name of a key agreement key for X25519 alone; the value is the 32 raw bytes."""
_HYBRID_CODE = bytes.fromhex("fac8c101")  # 0x30647a as a variable-length integer


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
    """What the registry says of an identity, now.

    Attributes
    ----------
    owner
        As it was set; none once the identity was deactivated.
    controller
        The key that acts as the owner: the owner, or if the owner's own identity was handed on
        or recovered, the owner of that; none if no key does.
    encryption_key, kem
        The key to which secrets are wrapped, in hexadecimal, and what it is for, see
        :class:`radledger.crypto.keys.Kem`.
    """

    identity: str
    did: str
    owner: str | None
    controller: str | None
    encryption_key: str | None
    kem: str | None
    delegates: tuple[Delegate, ...]
    attributes: tuple[Attribute, ...]
    guardians: Guardians | None
    recoveries: tuple[Recovery, ...]


def identity_record(ledger: Ledger, identity: str) -> Identity:
    """All that the registry says of an identity."""
    owner = ledger.call(CONTRACT, "identityOwner", identity)
    controller = ledger.call(CONTRACT, "controllerOf", identity)
    key = encryption_key(ledger, identity)
    return Identity(
        identity=identity,
        did=f"did:ethr:{hex(ledger.chain_id)}:{identity}",
        owner=owner if owner != NOBODY else None,
        controller=controller if controller != NOBODY else None,
        encryption_key="0x" + key.raw.hex() if key else None,
        kem=key.kem.value if key else None,
        delegates=tuple(_delegates(ledger, identity)),
        attributes=tuple(_attributes(ledger, identity)),
        guardians=guardians(ledger, identity),
        recoveries=tuple(_recoveries(ledger, identity)),
    )


def encryption_key(ledger: Ledger, identity: str) -> PublicKey | None:
    """The usable key that was registered last, by no earlier owner, and is valid now.

    A hybrid one counts before those of X25519 alone.
    """
    found: dict[Kem, PublicKey] = {}
    for attribute in _attributes(ledger, identity):
        with suppress(InvalidPublicKey):
            if key := _public_key(attribute):
                found[key.kem] = key
    return found.get(Kem.HYBRID) or found.get(Kem.X25519)


def key_attribute(key: PublicKey) -> tuple[str, bytes]:
    """Name and value of the attribute by which a key is registered."""
    if key.kem is Kem.HYBRID:
        return KEY_ATTRIBUTE, _HYBRID_CODE + key.raw
    return X25519_ATTRIBUTE, key.raw


def _public_key(attribute: Attribute) -> PublicKey | None:
    """The key that an attribute registers, if it is one for secrets."""
    value = bytes.fromhex(attribute.value[2:])
    if attribute.name == X25519_ATTRIBUTE:
        return PublicKey(Kem.X25519, value)
    if attribute.name == KEY_ATTRIBUTE and value.startswith(_HYBRID_CODE):
        return PublicKey(Kem.HYBRID, value.removeprefix(_HYBRID_CODE))
    return None


def guardians(ledger: Ledger, identity: str) -> Guardians | None:
    """The guardians that were set last; none if there are none, or an earlier owner set them.

    Raises
    ------
    RequestFailed
        If the node gives no event of those that the contract has.
    """
    if not any(ledger.call(CONTRACT, "guardiansHash", identity)):
        return None
    changes = ledger.events(CONTRACT, "IdentityGuardiansSet", identity=identity)
    if not changes:
        raise RequestFailed(
            f"{identity} has guardians, and the node gives no event that names them; ask another "
            "node",
            method="eth_getLogs",
            identity=identity,
        )
    last = changes[-1].args
    return Guardians(tuple(last["guardians"]), last["threshold"])


def guards_of_others(ledger: Ledger, identity: str, guardians: Iterable[str]) -> tuple[str, ...]:
    """Which guardians have been named by other identities as well, in the order given."""
    named = {
        guardian
        for event in ledger.events(CONTRACT, "IdentityGuardiansSet")
        if event.args["identity"] != identity
        for guardian in event.args["guardians"]
    }
    return tuple(guardian for guardian in guardians if guardian in named)


def _attributes(ledger: Ledger, identity: str) -> Iterator[Attribute]:
    """Valid attributes, in the order in which they were set; none if no key acts as the owner."""
    if ledger.call(CONTRACT, "controllerOf", identity) == NOBODY:
        return
    owners = _owners(ledger, identity)
    latest: dict[tuple[str, str], Event] = {}
    for event in ledger.events(CONTRACT, _OWNER, _ATTRIBUTE, identity=[identity, *owners]):
        if event.name == _OWNER:
            latest.clear()  # what was set before counts no more
        elif event.args["identity"] == identity:
            key = (event.args["name"], event.args["value"])
            latest.pop(key, None)
            latest[key] = event
    now = ledger.present().time
    for (name, value), event in latest.items():
        if event.args["validTo"] > now:
            yield Attribute(_text(name), value, event.args["validTo"])


def _owners(ledger: Ledger, identity: str) -> list[str]:
    """The owner of an identity, the owner of that, and so on."""
    path = [identity]
    while (owner := ledger.call(CONTRACT, "identityOwner", path[-1])) not in (NOBODY, *path):
        path.append(owner)
    return path[1:]


def _delegates(ledger: Ledger, identity: str) -> Iterator[Delegate]:
    latest: dict[tuple[str, str], Any] = {}
    for event in ledger.events(CONTRACT, "DIDDelegateChanged", identity=identity):
        key = (event.args["delegateType"], event.args["delegate"])
        latest[key] = event.args["validTo"]
    for (type_, delegate), valid_to in latest.items():
        # Another owner ends what delegates may do without an event for each.
        if ledger.call(CONTRACT, "validDelegate", identity, type_, delegate):
            yield Delegate(delegate, _text(type_), valid_to)


def _recoveries(ledger: Ledger, identity: str) -> Iterator[Recovery]:
    approved = ledger.events(CONTRACT, "IdentityRecoveryApproved", identity=identity)
    for new_owner in dict.fromkeys(event.args["newOwner"] for event in approved):
        approvals, ready_at = ledger.call(CONTRACT, "recoveryOf", identity, new_owner)
        if approvals:
            yield Recovery(new_owner, approvals, ready_at or None)


def _text(name: str) -> str:
    """32 bytes that anyone may have written, without what would steer a terminal."""
    return visible(bytes.fromhex(name[2:]).rstrip(b"\0").decode("utf-8", "backslashreplace"))

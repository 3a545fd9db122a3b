"""Identities as the events of ``IdentityRegistry`` describe them.

What an owner sets counts until the identity, or an identity that owns it, gets another owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from radledger.chain.errors import RequestFailed
from radledger.crypto.errors import InvalidPublicKey
from radledger.crypto.keys import Kem, PublicKey
from radledger.identity.model import Attribute, Guardians, Identity
from radledger.identity.state import EVENTS, IdentityState

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger

__all__ = [
    "CONTRACT",
    "GATEWAY_ATTRIBUTE",
    "KEY_ATTRIBUTE",
    "X25519_ATTRIBUTE",
    "encryption_key",
    "gateways",
    "guardians",
    "guards_of_others",
    "identity_record",
    "key_attribute",
    "unusable_key",
]

CONTRACT = "IdentityRegistry"
KEY_ATTRIBUTE = "did/pub/Multikey/enc"
"""Under this name did:ethr resolvers find a key agreement key that says itself of what kind it is.

The value is the multicodec of the kind and the raw key.  There is no multicodec of a hybrid key, so
it has one for private use that ends in its number in IANA's registry of HPKE's KEMs, 0x647a.
"""
X25519_ATTRIBUTE = "did/pub/X25519/enc/base64"
"""The name of a key agreement key for X25519 alone; the value is the 32 raw bytes."""
GATEWAY_ATTRIBUTE = "did/svc/RadLedgerGateway"
"""Under this name did:ethr resolvers find a service; the value is the URL of the gateway."""
_HYBRID_CODE = bytes.fromhex("fac8c101")  # 0x30647a as a variable-length integer


def identity_record(ledger: Ledger, identity: str) -> Identity:
    """Return an identity from the registry."""
    state, now = _state_of(ledger, identity), ledger.present().time
    attributes = tuple(state.attributes(identity, now))
    key, unusable = _registered(attributes)
    return Identity(
        identity=identity,
        did=f"did:ethr:{hex(ledger.chain_id)}:{identity}",
        owner=state.owner(identity),
        controller=state.controller(identity),
        encryption_key="0x" + key.raw.hex() if key else None,
        kem=key.kem.value if key else None,
        unusable_key=unusable,
        delegates=tuple(state.delegates(identity, now)),
        attributes=attributes,
        guardians=state.guardians(identity),
        recoveries=tuple(state.recoveries(identity, now)),
    )


def encryption_key(ledger: Ledger, identity: str) -> PublicKey | None:
    """The usable key that was registered last, by no earlier owner, and is valid now.

    A hybrid one counts before those of X25519 alone.

    Raises
    ------
    RequestFailed
        If the node returns other events than those that the contract counts, since secrets would be
        wrapped to a key that its owner has replaced.
    """
    state = _complete_state_of(ledger, identity)
    return _registered(state.attributes(identity, ledger.present().time))[0]


def unusable_key(ledger: Ledger, identity: str) -> str | None:
    """Why a key that was registered and would count cannot be used; none where there is no such."""
    attributes = _state_of(ledger, identity).attributes(identity, ledger.present().time)
    return _registered(attributes)[1]


def key_attribute(key: PublicKey) -> tuple[str, bytes]:
    """Name and value of the attribute by which a key is registered."""
    if key.kem is Kem.HYBRID:
        return KEY_ATTRIBUTE, _HYBRID_CODE + key.raw
    return X25519_ATTRIBUTE, key.raw


def _registered(attributes: Iterable[Attribute]) -> tuple[PublicKey | None, str | None]:
    """The key that counts, and why one that would count before it cannot be used."""
    found: dict[str, PublicKey] = {}
    unusable: dict[str, str] = {}
    for attribute in attributes:
        try:
            if key := _public_key(attribute):
                found[key.kem] = key
        except InvalidPublicKey as error:
            unusable[str(error.values["kem"])] = str(error.values["reason"])
    for kem in (Kem.HYBRID, Kem.X25519):
        if kem in found or kem in unusable:
            usable = found.get(kem) or found.get(Kem.X25519)
            return usable, None if kem in found else f"{kem}: {unusable[kem]}"
    return None, None


def _public_key(attribute: Attribute) -> PublicKey | None:
    """The key that an attribute registers, if it is one for secrets."""
    value = bytes.fromhex(attribute.value[2:])
    if attribute.name == X25519_ATTRIBUTE:
        return PublicKey(Kem.X25519, value)
    if attribute.name == KEY_ATTRIBUTE and value.startswith(_HYBRID_CODE):
        return PublicKey(Kem.HYBRID, value.removeprefix(_HYBRID_CODE))
    return None


def gateways(ledger: Ledger, identity: str) -> list[str]:
    """The URLs of gateways that an identity publishes; the last one counts.

    Raises
    ------
    RequestFailed
        If the node returns other events than those that the contract counts.
    """
    state = _complete_state_of(ledger, identity)
    attributes = state.attributes(identity, ledger.present().time)
    return [
        bytes.fromhex(each.value[2:]).decode("utf-8", "replace")
        for each in attributes
        if each.name == GATEWAY_ATTRIBUTE
    ]


def guardians(ledger: Ledger, identity: str) -> Guardians | None:
    """The guardians who were set last; None if there are none, or an earlier owner set them.

    Raises
    ------
    RequestFailed
        If the node returns no event that names the guardians.
    """
    return _confirmed(ledger, identity, _withheld_guardians).guardians(identity)


def guards_of_others(ledger: Ledger, identity: str, guardians: Iterable[str]) -> tuple[str, ...]:
    """The guardians that other identities have named as well, in the given order."""
    named = {
        guardian
        for event in ledger.events(CONTRACT, "IdentityGuardiansSet")
        if event.args["identity"] != identity
        for guardian in event.args["guardians"]
    }
    return tuple(guardian for guardian in guardians if guardian in named)


def _complete_state_of(ledger: Ledger, identity: str) -> IdentityState:
    """The state of an identity, of which the node withholds no change."""
    return _confirmed(ledger, identity, _withheld_change)


def _confirmed(
    ledger: Ledger,
    identity: str,
    withheld: Callable[[Ledger, IdentityState, str], RequestFailed | None],
) -> IdentityState:
    """The state of an identity, once the contract counts the same events as the node gives.

    A change between the two questions is not withheld, so the events are read once more.
    """
    state = _state_of(ledger, identity)
    if withheld(ledger, state, identity):
        state = _state_of(ledger, identity)
        if error := withheld(ledger, state, identity):
            raise error
    return state


def _withheld_guardians(
    ledger: Ledger, state: IdentityState, identity: str
) -> RequestFailed | None:
    expected = "0x" + ledger.call(CONTRACT, "guardiansHash", identity).hex()
    if state.guardians_hash(identity) == expected:
        return None
    return RequestFailed(
        f"{identity} has guardians, and the node gives no event that names them; ask another node",
        method="eth_getLogs",
        identity=identity,
    )


def _withheld_change(ledger: Ledger, state: IdentityState, identity: str) -> RequestFailed | None:
    for each in sorted(state.related(identity)):
        changed = ledger.call(CONTRACT, "changed", each)
        if state.changed(each) != changed:
            return RequestFailed(
                f"{each} was last changed in block {changed}, and the node gives no event of that; "
                "ask another node",
                method="eth_getLogs",
                identity=each,
                block=changed,
            )
    return None


def _state_of(ledger: Ledger, identity: str) -> IdentityState:
    """The state of an identity, from its events and those of the identities it depends on."""
    events: list[Event] = []
    known: set[str] = set()
    wanted = {identity}
    while wanted:
        events += ledger.events(CONTRACT, *EVENTS, identity=sorted(wanted))
        known |= wanted
        state = IdentityState.of(events)
        wanted = state.related(identity) - known
    return state

"""Who acts on a local chain, and how they become who they are.

==============  ==========================================================================
``governor``    the only governor; deploys the contracts
``hospital``    an institution that keeps images (custodian) and treats patients
``clinic``      another institution, with the same roles
``radiologist`` a member of the hospital: clinician and radiologist
``researcher``  a member of the clinic: researcher, annotator, developer; has reward tokens
``patient``     holds no role and no Ether
``stranger``    holds no role, but Ether
==============  ==========================================================================

All but the stranger have an encryption key registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger

__all__ = ["FUNDED", "PEOPLE", "Role", "accredit", "register_key"]

FUNDED = ("governor", "hospital", "clinic", "radiologist", "researcher", "stranger")
"""Who has Ether, in the order of the node's accounts."""

PEOPLE = (*FUNDED, "patient")
"""Everybody, in the order of the mnemonic's accounts."""

ENCRYPTION_KEY = b"did/pub/X25519/enc/base64".ljust(32, b"\0")
"""Name of the attribute (ERC-1056) with the raw public key, in the form that did:ethr gives it."""

KEY_VALIDITY = 10 * 365 * 24 * 3600


class Role(IntFlag):
    """Role bits that people here have, from ``contracts/lib/Roles.sol``."""

    CUSTODIAN = 1 << 1
    CLINICIAN = 1 << 2
    RADIOLOGIST = 1 << 3
    RESEARCHER = 1 << 4
    ANNOTATOR = 1 << 7
    DEVELOPER = 1 << 8


INSTITUTION = Role.CUSTODIAN | Role.CLINICIAN | Role.RADIOLOGIST
INSTITUTION |= Role.RESEARCHER | Role.ANNOTATOR | Role.DEVELOPER
MEMBERS = {
    "radiologist": ("hospital", Role.CLINICIAN | Role.RADIOLOGIST),
    "researcher": ("clinic", Role.RESEARCHER | Role.ANNOTATOR | Role.DEVELOPER),
}


def accredit(ledger: Ledger, people: Mapping[str, LocalAccount]) -> None:
    """Admit the institutions and their members; whoever is admitted already stays as is."""
    registry = "ParticipantRegistry"

    def admitted(name: str) -> bool:
        return bool(ledger.call(registry, "sinceOf", people[name].address))

    for name in ("hospital", "clinic"):
        if not admitted(name):
            address = people[name].address
            ledger.send(people["governor"], registry, "admitInstitution", address, int(INSTITUTION))
    for name, (institution, roles) in MEMBERS.items():
        if not admitted(name):
            ledger.send(people[institution], registry, "admit", people[name].address, int(roles))


def register_key(
    ledger: Ledger, account: LocalAccount, public_key: bytes, payer: LocalAccount
) -> None:
    """Register an encryption key for ``account``, which signs it, at the cost of ``payer``.

    Does nothing if it is the key registered last.
    """
    history = ledger.events("IdentityRegistry", "DIDAttributeChanged", identity=account.address)
    known = [event.args["value"] for event in history if event.args["name"] == ENCRYPTION_KEY]
    if known and known[-1] == public_key:
        return
    change: tuple[Any, ...] = (ENCRYPTION_KEY, public_key, KEY_VALIDITY)
    if payer.address == account.address:
        ledger.send(account, "IdentityRegistry", "setAttribute", account.address, *change)
        return
    signature = _signed_attribute(ledger, account, *change)
    ledger.send(
        payer, "IdentityRegistry", "setAttributeSigned", account.address, *signature, *change
    )


def _signed_attribute(
    ledger: Ledger, account: LocalAccount, name: bytes, value: bytes, validity: int
) -> tuple[int, bytes, bytes]:
    """ERC-1056's own signature of ``setAttribute``: v, r, s."""
    from eth_typing import Hash32
    from eth_utils.crypto import keccak

    registry = "IdentityRegistry"
    digest = keccak(
        b"\x19\x00"
        + bytes.fromhex(ledger.address(registry)[2:])
        + ledger.call(registry, "nonce", account.address).to_bytes(32)
        + bytes.fromhex(account.address[2:])
        + b"setAttribute"
        + name
        + value
        + validity.to_bytes(32)
    )
    signed = account.unsafe_sign_hash(Hash32(digest))
    return signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32)

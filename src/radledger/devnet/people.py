"""The people of a local chain, and their accreditation.

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
from typing import TYPE_CHECKING

from radledger.identity import Identities, Participants
from radledger.identity.records import encryption_key
from radledger.signed import submit

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.crypto.keys import PublicKey

__all__ = [
    "FUNDED",
    "INSTITUTIONS",
    "INSTITUTION_ROLES",
    "MEMBERS",
    "PEOPLE",
    "accredit",
    "register_key",
]

FUNDED = ("governor", "hospital", "clinic", "radiologist", "researcher", "stranger")
"""Who has Ether, in the order of the node's accounts."""

PEOPLE = (*FUNDED, "patient")
"""All persons, in the order of the mnemonic's accounts."""

INSTITUTIONS = ("hospital", "clinic")
INSTITUTION_ROLES = (
    "custodian",
    "clinician",
    "radiologist",
    "researcher",
    "annotator",
    "developer",
)
"""What both institutions and their members may be."""

MEMBERS = {
    "radiologist": ("hospital", ("clinician", "radiologist")),
    "researcher": ("clinic", ("researcher", "annotator", "developer")),
}
"""Who belongs to which institution, as what."""


def accredit(ledger: Ledger, people: Mapping[str, LocalAccount]) -> None:
    """Admit the institutions and their members; those already admitted are not changed."""
    participants = Participants(ledger)

    def is_new(name: str) -> bool:
        return not ledger.call("ParticipantRegistry", "sinceOf", people[name].address)

    for name in filter(is_new, INSTITUTIONS):
        participants.admit_institution(people[name].address, INSTITUTION_ROLES).send(
            people["governor"]
        )
    for name in filter(is_new, MEMBERS):
        institution, roles = MEMBERS[name]
        participants.admit(people[name].address, roles).send(people[institution])


def register_key(
    ledger: Ledger, account: LocalAccount, public_key: PublicKey, payer: LocalAccount
) -> None:
    """Register an encryption key for ``account``, which signs it, at the cost of ``payer``.

    Does nothing if it is the key registered last, or another account owns the identity by now.
    """
    if encryption_key(ledger, account.address) == public_key:
        return
    if ledger.call("IdentityRegistry", "controllerOf", account.address) != account.address:
        return
    identities = Identities(ledger)
    if payer.address == account.address:
        identities.set_key(public_key).send(account)
    else:
        submit(ledger, identities.set_key(public_key).sign(account), payer)

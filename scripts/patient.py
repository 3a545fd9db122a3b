"""What a patient decides.

::

    brownie run patient grant GRANTEE PURPOSE[,PURPOSE…] [SCOPE] [DAYS]
    brownie run patient revoke GRANTEE [SCOPE]
    brownie run patient revoke_all
    brownie run patient list

The patient signs; who sends it and pays is said in `scripts.brownie_network.payer`.
"""

from __future__ import annotations

from typing import Any

from radledger.consent import Terms
from radledger.consent.model import UNTIL_REVOKED
from scripts import brownie_network as network

__all__ = ["grant", "list", "main", "revoke", "revoke_all"]

_DAY = 24 * 3600


def grant(grantee: str, purposes: str, scope: str = "all", days: str = "") -> None:
    """Permit an account to use images for purposes of the Data Use Ontology, such as CC or HMB."""
    radledger = network.opened()
    until = radledger.ledger.present().time + int(days) * _DAY if days else UNTIL_REVOKED
    terms = Terms(tuple(purposes.split(",")), until=until)
    patient = network.signer("patient")
    _submit(radledger.consents.grant(network.address(grantee), terms, scope=scope).sign(patient))


def revoke(grantee: str, scope: str = "all") -> None:
    """Take one grant back."""
    consents = network.opened().consents
    patient = network.signer("patient")
    _submit(consents.revoke(network.address(grantee), scope=scope).sign(patient))


def revoke_all() -> None:
    """Take every grant back."""
    _submit(network.opened().consents.revoke_all().sign(network.signer("patient")))


def list() -> None:  # noqa: A001 - the command's name
    """Print the patient's grants, and what has become of each."""
    subject = network.signer("patient").address
    for each in network.opened().consents.list(subject=subject):
        print(f"{each.status:8} {each.grantee} {','.join(each.terms.purposes)} {each.scope}")


def _submit(document: dict[str, Any]) -> None:
    receipt = network.opened().submit(document, network.payer("patient"))
    print(f"{document['summary']}\n{receipt.transaction}, {receipt.gas_used:,} gas")


main = list

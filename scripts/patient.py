"""What a patient decides.

::

    brownie run patient grant GRANTEE PURPOSE[,PURPOSE…] [SCOPE] [DAYS]
    brownie run patient approve REQUEST
    brownie run patient revoke GRANTEE [SCOPE]
    brownie run patient revoke_all
    brownie run patient list

``GRANTEE`` is an address, or a name on a development chain; ``SCOPE`` is ``all`` (the default), the
id of an image set, or the digest of a visit or course.  The patient signs; another account sends
and pays (`scripts.brownie_network.payer`).
"""

from __future__ import annotations

from typing import Any

from scripts import brownie_network as network

__all__ = ["approve", "grant", "list", "main", "revoke", "revoke_all"]


@network.script
def grant(grantee: str, purposes: str, scope: str = "all", days: str = "") -> None:
    """Permit an account to use images for purposes of the Data Use Ontology, such as CC or HMB."""
    radledger = network.opened()
    terms = network.terms(radledger, purposes, days)
    patient = network.signer("patient")
    _submit(radledger.consents.grant(network.address(grantee), terms, scope=scope).sign(patient))


@network.script
def approve(request: str) -> None:
    """Grant exactly what was requested."""
    _submit(network.opened().consents.approve(request).sign(network.signer("patient")))


@network.script
def revoke(grantee: str, scope: str = "all") -> None:
    """Take one grant back."""
    consents = network.opened().consents
    patient = network.signer("patient")
    _submit(consents.revoke(network.address(grantee), scope=scope).sign(patient))


@network.script
def revoke_all() -> None:
    """Take every grant back."""
    _submit(network.opened().consents.revoke_all().sign(network.signer("patient")))


@network.script
def list() -> None:  # noqa: A001 - the command's name
    """Print the patient's grants, each with its status."""
    subject = network.signer("patient").address
    for each in network.opened().consents.list(subject=subject):
        print(f"{each.status:8} {each.grantee} {','.join(each.terms.purposes)} {each.scope}")


def _submit(document: dict[str, Any]) -> None:
    receipt = network.opened().submit(document, network.payer("patient"))
    print(f"{document['summary']}\n{receipt.transaction}, {receipt.gas_used:,} gas")


def main() -> None:
    """Say what the script accepts."""
    print(__doc__)

"""Acceptances: a curator signs that an image set may enter a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radledger.chain import documents
from radledger.chain.documents import when
from radledger.chain.refusals import DatasetNotCurator
from radledger.chain.typed_data import Domain, typed_data
from radledger.identity.bindings import Roles
from radledger.research import records
from radledger.research.bindings import TYPED_DATA, Acceptance
from radledger.research.errors import AcceptanceDiffers

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger

__all__ = ["call_arguments", "require_curator", "sign"]

_KIND = "radledger.dataset"
_PRIMARY = "Accept"


def require_curator(ledger: Ledger, account: str, dataset_id: str, institution: str) -> None:
    """Refuse an account that the contract would not accept as a curator of a data set.

    Raises
    ------
    DatasetNotCurator, ParticipantLacksRole, ParticipantNotAccredited, ParticipantIsSuspended
        If it is not a researcher of that institution.
    """
    role = Roles.RESEARCHER
    if ledger.call("ParticipantRegistry", "requireRole", account, role) != institution:
        raise DatasetNotCurator.of({"dataset": dataset_id, "institution": institution})


def sign(
    ledger: Ledger, signer: LocalAccount, dataset_id: str, image_id: str, weight: int, deadline: int
) -> dict[str, Any]:
    """Sign that an image set enters a data set with a weight.

    Parameters
    ----------
    ledger
        The chain that it is for.
    signer
        A curator of the data set.
    dataset_id, image_id, weight
        What enters, and what it weighs.
    deadline
        Unix time until which it can be contributed.

    Returns
    -------
    dict
        A document, which :func:`json.dumps` takes as it stands.
    """
    message = {"dataset": dataset_id, "image": image_id, "weight": weight, "deadline": deadline}
    data = typed_data(_domain(ledger), _PRIMARY, TYPED_DATA[_PRIMARY], message)
    return documents.sign(signer, _KIND, _summarise(_PRIMARY, message), data)


def call_arguments(
    ledger: Ledger, document: Mapping[str, Any], dataset_id: str, image_id: str
) -> tuple[int, Acceptance]:
    """The weight that a document accepts, and the acceptance as the contract takes it.

    Raises
    ------
    DocumentMalformed, DocumentForAnotherChain, DocumentTampered, DocumentExpired
        See :func:`radledger.chain.documents.verify`.
    AcceptanceDiffers
        If it accepts another image set, or for another data set.
    """
    verified = documents.verify(document, _KIND, _domain(ledger), TYPED_DATA, _summarise, ledger)
    message = verified.message
    for name, value in (("dataset", dataset_id), ("image", image_id)):
        if message[name].lower() != value.lower():
            raise AcceptanceDiffers(
                f"the document accepts the {name} {message[name]}, not {value}; "
                "have a curator sign one for it",
                **{name: value},
            )
    acceptance = Acceptance(verified.signer, message["deadline"], verified.signature)
    return message["weight"], acceptance


def _domain(ledger: Ledger) -> Domain:
    return Domain("RadLedger Data Sets", "1", ledger.chain_id, ledger.address(records.CONTRACT))


def _summarise(primary: str, message: Mapping[str, Any]) -> str:
    """Say in words what signing the message does."""
    return (
        f"The image set {message['image']} enters the data set {message['dataset']} with weight "
        f"{message['weight']}. To be submitted by {when(message['deadline'])}."
    )

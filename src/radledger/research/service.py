"""What the parts of the service over ``DatasetRegistry`` share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from radledger.chain.forwarding import Forwarding
from radledger.consent.diseases import Diseases
from radledger.research import records
from radledger.research.errors import UnknownDataset
from radledger.research.model import Dataset, parse_digest

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Event, Ledger, Receipt

__all__ = ["HOUR", "Service"]

HOUR = 3600


class Service(Forwarding):
    """A ledger, what is sent to its data set registry, and what is signed for it."""

    def __init__(self, ledger: Ledger, diseases: Diseases | None = None) -> None:
        self._ledger = ledger
        self._diseases = diseases or Diseases(None)

    def show(self, dataset_id: str) -> Dataset:
        """Say all that is known of a data set.

        Raises
        ------
        UnknownDataset
            If there is none of that id.
        """
        return self._dataset(self._creation(dataset_id))

    def _dataset(self, creation: Event) -> Dataset:
        """All that is known of a data set, its disease with the salt where that is known here."""
        found = records.dataset(self._ledger, creation)
        disease = self._diseases.named(found.terms.disease)
        return replace(found, terms=replace(found.terms, disease=disease))

    def _creation(self, dataset_id: str) -> Event:
        found = records.created(self._ledger, dataset=parse_digest(dataset_id))
        if not found:
            raise UnknownDataset(
                f"there is no data set {dataset_id}; list them with `radledger dataset list`",
                dataset=dataset_id,
            )
        return found[0]

    def _send(self, signer: LocalAccount, function: str, *arguments: Any) -> Receipt:
        return self._ledger.send(signer, records.CONTRACT, function, *arguments)

    def _sign(
        self, signer: LocalAccount, function: str, *arguments: Any, valid_for: int
    ) -> dict[str, Any]:
        return self._sign_forward(
            signer, records.CONTRACT, function, *arguments, valid_for=valid_for
        )

"""The common part of the service over ``DatasetRegistry``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from radledger.chain.action import Action, one_call
from radledger.chain.ledger import Call
from radledger.consent.diseases import Diseases
from radledger.research import records
from radledger.research.errors import UnknownDataset
from radledger.research.model import Dataset, parse_digest

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger, Receipt

__all__ = ["Service"]


class Service:
    """A ledger, and what is done with its data set registry."""

    def __init__(self, ledger: Ledger, diseases: Diseases | None = None) -> None:
        self._ledger = ledger
        self._diseases = diseases or Diseases(None)

    def show(self, dataset_id: str) -> Dataset:
        """Return a data set with its contributions and money.

        Raises
        ------
        UnknownDataset
            If there is none of that id.
        """
        return self._dataset(self._creation(dataset_id))

    def _dataset(self, creation: Event) -> Dataset:
        """A data set, its disease with the salt if that is known here."""
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

    def _action(
        self, function: str, arguments: Callable[[str], tuple[Any, ...]]
    ) -> Action[Receipt]:
        """A call of the registry, with arguments by the address of who makes it."""

        def call(account: str) -> Call:
            return Call(records.CONTRACT, function, arguments(account))

        return one_call(self._ledger, call)

    def _call(self, function: str, *arguments: Any) -> Action[Receipt]:
        """A call of the registry that is the same for everyone."""
        return self._action(function, lambda _: arguments)

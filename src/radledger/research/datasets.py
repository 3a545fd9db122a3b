"""The service of data sets, over ``DatasetRegistry``."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from radledger.chain.action import Action, last
from radledger.chain.ledger import Call
from radledger.consent.permission import Use
from radledger.identity.address import parse_address
from radledger.research import bindings, records
from radledger.research.contributing import Contributing
from radledger.research.errors import NothingContributed
from radledger.research.model import (
    CreatedDataset,
    Dataset,
    DatasetTerms,
    FrozenVersion,
    instances_bound,
    parse_digest,
    rule_number,
    share_struct,
)
from radledger.research.rewards import Rewards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from radledger.chain.ledger import Receipt

__all__ = ["Datasets"]


class Datasets(Contributing, Rewards):
    """Create data sets, contribute to them, pay for them and be paid.

    What people do is an :class:`~radledger.chain.action.Action`: they send it and pay, or sign it
    for any account with Ether to submit (:func:`radledger.signed.submit`).

    Examples
    --------
    >>> from radledger import signed
    >>> datasets = Datasets(ledger)                                        # doctest: +SKIP
    >>> terms = DatasetTerms(token, {"data": 7_000, "custody": 3_000}, ("HMB",))  # doctest: +SKIP
    >>> dataset_id = datasets.create(terms).send(researcher).dataset_id    # doctest: +SKIP
    >>> accepted = datasets.sign_acceptance(researcher, dataset_id, image_set)
    ... # doctest: +SKIP
    >>> datasets.contribute(dataset_id, image_set, acceptance=accepted).send(hospital)
    ... # doctest: +SKIP
    >>> datasets.fund(dataset_id, 1_000 * 10**18).send(researcher)         # doctest: +SKIP
    >>> document = datasets.claim(dataset_id, "data").sign(patient)        # doctest: +SKIP
    >>> signed.submit(ledger, document, payer=hospital)                    # doctest: +SKIP
    """

    def create(self, terms: DatasetTerms, *, salt: bytes | None = None) -> Action[CreatedDataset]:
        """Create a data set of the signer's institution, as a researcher of it.

        Parameters
        ----------
        terms
            Its terms, for good.
        salt
            32 bytes that tell it from another one with the same terms; default: random.

        Raises
        ------
        InvalidShares, InvalidInstances, UnknownClass, UnknownTerm, InvalidDisease, InvalidAddress
            If the terms are invalid.
        """
        disease = self._diseases.sealed(terms.disease)
        use = Use.of(terms.purposes, terms.fulfilled, disease)
        struct = bindings.Terms(
            parse_address(terms.token),
            share_struct(terms.shares),
            rule_number(terms.rule),
            instances_bound(terms),
            use.struct,
            parse_digest(terms.protocol),
        )
        call = Call(records.CONTRACT, "create", (struct, salt or secrets.token_bytes(32)))

        def result(receipts: Sequence[Receipt]) -> CreatedDataset:
            args = last(receipts).event("DatasetCreated").args
            return CreatedDataset(args["dataset"], args["vault"], disease, last(receipts))

        return Action(self._ledger, lambda _: [call], result)

    def freeze(self, dataset_id: str) -> Action[FrozenVersion]:
        """Freeze the contents of a data set at the time of sending, as its next version.

        It raises `NothingContributed` if nothing in it counts.
        """
        id_ = parse_digest(dataset_id)

        def calls(_: str) -> list[Call]:
            counted = [each for each in self.show(dataset_id).contributions if each.counted]
            if not counted:
                raise NothingContributed(
                    f"data set {dataset_id} has no contribution that counts; contribute first",
                    dataset=dataset_id,
                )
            root = records.version_tree(counted).root
            return [Call(records.CONTRACT, "freeze", (id_, root, len(counted)))]

        def result(receipts: Sequence[Receipt]) -> FrozenVersion:
            args = last(receipts).event("DatasetVersionFrozen").args
            return FrozenVersion(
                args["version"], args["root"], args["contributions"], last(receipts)
            )

        return Action(self._ledger, calls, result)

    def list(self, *, institution: str | None = None) -> tuple[Dataset, ...]:
        """All data sets, or those of an institution, oldest first."""
        filters = {} if institution is None else {"institution": parse_address(institution)}
        creations = records.created(self._ledger, **filters)
        return tuple(map(self._dataset, creations))

"""The money of data sets: payments, shares, waivers and claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from radledger.chain.action import Action, last
from radledger.chain.ledger import Call, ContractAt
from radledger.chain.refusals import (
    DatasetAmountInvalid,
    DatasetHasNoContributors,
    DatasetWeightsChanged,
)
from radledger.identity.address import parse_address
from radledger.research import records
from radledger.research.bindings import RewardAccounts
from radledger.research.errors import NothingToClaim
from radledger.research.model import CLASSES, Share, class_number, parse_digest
from radledger.research.service import Service

if TYPE_CHECKING:
    from radledger.chain.ledger import Receipt

__all__ = ["Rewards"]


class Rewards(Service):
    """Pay for data sets, claim rewards, or waive them."""

    def fund(
        self, dataset_id: str, amount: int, *, weights: Mapping[str, int] | None = None
    ) -> Action[Receipt]:
        """Pay into a data set, for the contributors who have a weight at this moment.

        When it is sent it raises `DatasetHasNoContributors` or `DatasetWeightsChanged` if the money
        would reach no contributor, or others than the payer saw; nothing has been allowed then.

        Parameters
        ----------
        dataset_id
            The data set.
        amount
            Base units of its token, fewer than 2^96; the registry is allowed to take just these.
        weights
            The weight of each class, as :meth:`show` said when the payer decided; by default as it
            is when the money is sent. It is refused once a contributor has entered or left.

        Raises
        ------
        UnknownDataset
            If there is no such data set.
        DatasetAmountInvalid
            If the amount is not positive, or more than one payment can be.
        """
        if not 0 < amount <= RewardAccounts.MOST_UNITS:
            raise DatasetAmountInvalid.of({"received": amount})
        terms = self._creation(dataset_id).args["terms"]
        seen = None if weights is None else _in_order(weights)

        def calls(_: str) -> list[Call]:
            present = self._weights(dataset_id)
            named = seen or present
            _require_shared(dataset_id, terms["shares"], named, present)
            token = ContractAt("LocalToken", terms["token"])
            registry = self._ledger.address(records.CONTRACT)
            paid = (parse_digest(dataset_id), amount, named)
            return [
                Call(token, "approve", (registry, amount)),
                Call(records.CONTRACT, "fund", paid),
            ]

        return Action(self._ledger, calls, last)

    def set_free(
        self, dataset_id: str, contribution_class: str, *, free: bool, identity: str | None = None
    ) -> Action[Receipt]:
        """Waive rewards from now on, or accept them again; ``identity`` as for :meth:`claim`."""
        what = parse_digest(dataset_id), class_number(contribution_class)
        return self._action("setFree", lambda account: (*what, _whose(identity, account), free))

    def claim(
        self,
        dataset_id: str,
        contribution_class: str | None = None,
        *,
        identity: str | None = None,
    ) -> Action[list[Receipt]]:
        """Collect what is due to the signer, in one class or in all where something is.

        When it is sent or signed it raises `NothingToClaim` if no class is named and nothing is due
        in any; it is refused with `DatasetNothingDue` if nothing is due in the named class.  A
        signature covers one class.

        Parameters
        ----------
        dataset_id, contribution_class
            From where.
        identity
            Whose contributions they are, where the signer may act for another identity: as after a
            recovery, when the first claim in a class also closes it to the key that was lost.
        """
        id_ = parse_digest(dataset_id)
        named = None if contribution_class is None else class_number(contribution_class)

        def calls(account: str) -> list[Call]:
            due = self._due(dataset_id, account, identity) if named is None else [named]
            return [_claim(id_, number, account, identity) for number in due]

        return Action(self._ledger, calls, list)

    def shares(self, dataset_id: str, contributor: str) -> list[Share]:
        """The accounts of one contributor, by class."""
        found = self.show(dataset_id).shares
        return [share for share in found if share.contributor == parse_address(contributor)]

    def _due(self, dataset_id: str, account: str, identity: str | None) -> list[int]:
        """The classes in which something can be claimed."""
        whose = identity or account
        shares = self.shares(dataset_id, whose)
        # An account without money yet is closed to a lost key as well.
        due = [class_number(each.contribution_class) for each in shares if each.due or identity]
        if not due:
            raise NothingToClaim(
                f"nothing is due to {whose} from data set {dataset_id}",
                dataset=dataset_id,
                contributor=whose,
            )
        return due

    def _weights(self, dataset_id: str) -> tuple[int, ...]:
        """The weight of each class now, in the order of the chain."""
        id_ = parse_digest(dataset_id)
        return tuple(
            self._ledger.call(records.CONTRACT, "weightOf", id_, number)
            for number in range(len(CLASSES))
        )


def _require_shared(
    dataset_id: str, shares: Sequence[int], named: Sequence[int], present: Sequence[int]
) -> None:
    """Refuse as the registry will, before a payer has allowed it to take anything."""
    decisive = [number for number, share in enumerate(shares) if share]
    for number in decisive:
        if named[number] != present[number]:
            values = {"class": number, "named": named[number], "weight": present[number]}
            raise DatasetWeightsChanged.of({"dataset": dataset_id, **values})
    if not any(present[number] for number in decisive):
        raise DatasetHasNoContributors.of({"dataset": dataset_id})


def _in_order(weights: Mapping[str, int]) -> tuple[int, ...]:
    for name in weights:
        class_number(name)
    return tuple(weights.get(name, 0) for name in CLASSES)


def _whose(identity: str | None, account: str) -> str:
    return parse_address(identity or account)


def _claim(dataset: bytes, number: int, account: str, identity: str | None) -> Call:
    if identity is None:
        return Call(records.CONTRACT, "claim", (dataset, number))
    claim = (dataset, number, parse_address(identity), account)
    return Call(records.CONTRACT, "claimFor", claim)

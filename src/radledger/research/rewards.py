"""The money of data sets: paid in, shared, waived, paid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radledger.chain.ledger import ContractAt
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
from radledger.research.service import HOUR, Service

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Receipt

__all__ = ["Rewards"]


class Rewards(Service):
    """Pay for data sets, be paid, or give for free."""

    def fund(
        self,
        signer: LocalAccount,
        dataset_id: str,
        amount: int,
        *,
        weights: Mapping[str, int] | None = None,
    ) -> Receipt:
        """Pay money in, to be shared among those who have a weight at this moment.

        Parameters
        ----------
        signer
            Who pays.
        dataset_id
            The data set.
        amount
            Base units of its token, fewer than 2^96; the registry is allowed to take just these.
        weights
            The weight of each class, as :meth:`show` said when the payer decided; by default as it
            is now. The money is refused once a contributor has entered or left.

        Raises
        ------
        UnknownDataset
            If there is no such data set.
        DatasetAmountInvalid
            If the amount is not positive, or more than one payment can be; nothing has been allowed
            then.
        DatasetHasNoContributors, DatasetWeightsChanged
            If the money would reach no contributor, or others than the payer saw; nothing was
            allowed then.
        """
        if not 0 < amount <= RewardAccounts.MOST_UNITS:
            raise DatasetAmountInvalid.of({"received": amount})
        terms = self._creation(dataset_id).args["terms"]
        present = self._weights(dataset_id)
        named = present if weights is None else _in_order(weights)
        _require_shared(dataset_id, terms["shares"], named, present)
        token = ContractAt("LocalToken", terms["token"])
        registry = self._ledger.address(records.CONTRACT)
        self._ledger.send(signer, token, "approve", registry, amount)
        return self._send(signer, "fund", parse_digest(dataset_id), amount, named)

    def set_free(
        self,
        signer: LocalAccount,
        dataset_id: str,
        contribution_class: str,
        *,
        free: bool,
        identity: str | None = None,
    ) -> Receipt:
        """Give for free, or for reward again, from now on; ``identity`` as for :meth:`claim`."""
        arguments = _choice(signer, dataset_id, contribution_class, identity, free)
        return self._send(signer, "setFree", *arguments)

    def sign_set_free(
        self,
        signer: LocalAccount,
        dataset_id: str,
        contribution_class: str,
        *,
        free: bool,
        identity: str | None = None,
        valid_for: int = HOUR,
    ) -> dict[str, Any]:
        """As :meth:`set_free`, signed for another account to submit."""
        arguments = _choice(signer, dataset_id, contribution_class, identity, free)
        return self._sign(signer, "setFree", *arguments, valid_for=valid_for)

    def claim(
        self,
        signer: LocalAccount,
        dataset_id: str,
        contribution_class: str | None = None,
        *,
        identity: str | None = None,
    ) -> list[Receipt]:
        """Collect what is due to the signer, in one class or in all where something is.

        Parameters
        ----------
        signer
            Who is paid.
        dataset_id, contribution_class
            From where.
        identity
            Whose contributions they are, where the signer may act for another identity: as after a
            recovery, when the first claim in a class also closes it to the key that was lost.

        Raises
        ------
        NothingToClaim
            If no class is named and nothing is due in any.
        DatasetNothingDue
            If nothing is due in the named class.
        """
        classes = [contribution_class] if contribution_class else []
        if not classes:
            whose = identity or signer.address
            shares = self.shares(dataset_id, whose)
            # What has no money yet is closed to a lost key all the same.
            classes = [each.contribution_class for each in shares if each.due or identity]
            if not classes:
                raise NothingToClaim(
                    f"nothing is due to {whose} from data set {dataset_id}",
                    dataset=dataset_id,
                    contributor=whose,
                )
        claims = [_claim(signer, dataset_id, each, identity) for each in classes]
        return [self._send(signer, *claim) for claim in claims]

    def sign_claim(
        self,
        signer: LocalAccount,
        dataset_id: str,
        contribution_class: str,
        *,
        identity: str | None = None,
        valid_for: int = HOUR,
    ) -> dict[str, Any]:
        """As :meth:`claim` of one class, signed for another account to submit."""
        claim = _claim(signer, dataset_id, contribution_class, identity)
        return self._sign(signer, *claim, valid_for=valid_for)

    def shares(self, dataset_id: str, contributor: str) -> list[Share]:
        """What one contributor has in each class."""
        found = self.show(dataset_id).shares
        return [share for share in found if share.contributor == parse_address(contributor)]

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


def _choice(
    signer: LocalAccount, dataset_id: str, contribution_class: str, identity: str | None, free: bool
) -> tuple[Any, ...]:
    whose = parse_address(identity or signer.address)
    return parse_digest(dataset_id), class_number(contribution_class), whose, free


def _claim(
    signer: LocalAccount, dataset_id: str, contribution_class: str, identity: str | None
) -> tuple[Any, ...]:
    what = (parse_digest(dataset_id), class_number(contribution_class))
    if identity is None:
        return "claim", *what
    return "claimFor", *what, parse_address(identity), signer.address

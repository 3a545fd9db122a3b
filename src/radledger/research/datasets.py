"""Data sets, their contributors and their money: the service over ``DatasetRegistry``."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from radledger.chain.ledger import ContractAt
from radledger.chain.refusals import DatasetHasNoContributors
from radledger.consent.permission import Use
from radledger.identity.address import parse_address
from radledger.research import records
from radledger.research.errors import NothingContributed, NothingToClaim, UnknownDataset
from radledger.research.model import (
    CreatedDataset,
    Dataset,
    FrozenVersion,
    Share,
    Terms,
    class_number,
    parse_digest,
    rule_number,
    share_struct,
)

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger, Receipt
    from radledger.imaging.model import ImageSet

__all__ = ["Datasets"]

_IMAGE_CLASSES = ("data", "custody")
_HOUR = 3600


class Datasets:
    """Create data sets, contribute to them, pay for them and be paid.

    What contributors do exists twice: under its name, sent by the signer, who pays; and as
    ``sign_…``, which gives a document that anybody with Ether may :meth:`submit` within
    ``valid_for`` seconds (ERC-2771).

    Examples
    --------
    >>> datasets = Datasets(ledger)                                        # doctest: +SKIP
    >>> terms = Terms(token, {"data": 7_000, "custody": 3_000}, ("HMB",))  # doctest: +SKIP
    >>> dataset_id = datasets.create(researcher, terms).dataset_id         # doctest: +SKIP
    >>> datasets.contribute(hospital, dataset_id, image_set)               # doctest: +SKIP
    >>> datasets.fund(researcher, dataset_id, 1_000 * 10**18)              # doctest: +SKIP
    >>> datasets.submit(datasets.sign_claim(patient, dataset_id, "data"), hospital)
    ... # doctest: +SKIP
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # --- the institution's researchers --------------------------------------------------------

    def create(
        self, signer: LocalAccount, terms: Terms, *, salt: bytes | None = None
    ) -> CreatedDataset:
        """Create a data set of the signer's institution.

        Parameters
        ----------
        signer
            A researcher of the institution.
        terms
            Its terms, for good.
        salt
            32 bytes that tell it from another one with the same terms; random unless given.

        Raises
        ------
        InvalidShares, UnknownClass, UnknownTerm, InvalidDisease, InvalidAddress
            If the terms make no sense.
        Refusal
            If the contract refuses, as the subclass of its error's name.
        """
        use = Use.of(terms.purposes, terms.fulfilled, terms.disease)
        struct = (
            parse_address(terms.token),
            share_struct(terms.shares),
            rule_number(terms.rule),
            use.struct,
            parse_digest(terms.protocol),
        )
        receipt = self._send(signer, "create", struct, salt or secrets.token_bytes(32))
        event = receipt.event("DatasetCreated")
        return CreatedDataset(
            "0x" + bytes(event.args["dataset"]).hex(), event.args["vault"], receipt
        )

    def contribute_work(
        self,
        signer: LocalAccount,
        dataset_id: str,
        contribution_class: str,
        contributor: str,
        work: str,
        score: int,
    ) -> Receipt:
        """Count an annotator's or developer's work, scored by the signer, a researcher."""
        return self._send(
            signer,
            "contributeWork",
            parse_digest(dataset_id),
            class_number(contribution_class),
            parse_address(contributor),
            parse_digest(work),
            score,
        )

    def freeze(self, signer: LocalAccount, dataset_id: str) -> FrozenVersion:
        """Freeze what the data set consists of now as its next version.

        Raises
        ------
        NothingContributed
            If nothing in it counts.
        """
        id_ = parse_digest(dataset_id)
        counted = [c for c in records.contributions(self._ledger, id_) if c.counted]
        if not counted:
            raise NothingContributed(
                f"data set {dataset_id} has no contribution that counts; contribute first",
                dataset=dataset_id,
            )
        root = records.version_tree(counted).root
        receipt = self._send(signer, "freeze", id_, root, len(counted))
        version = receipt.event("VersionFrozen").args["version"]
        return FrozenVersion(version, "0x" + root.hex(), len(counted), receipt)

    # --- contributors -------------------------------------------------------------------------

    def contribute(
        self,
        signer: LocalAccount,
        dataset_id: str,
        image: ImageSet,
        *,
        classes: Iterable[str] = _IMAGE_CLASSES,
        score: int = 0,
    ) -> list[Receipt]:
        """Add an image set: its patient earns for the data, its custodian for the custody.

        Parameters
        ----------
        signer
            The custodian, the patient or a researcher of the data set's institution.
        dataset_id
            The data set.
        image
            The image set, with the patient's consent to the institution for the declared use.
        classes
            ``data``, ``custody`` or both.
        score
            Its weight, where the terms say that image sets are scored.

        Returns
        -------
        list of Receipt
            One for each class.

        Raises
        ------
        Refusal
            If consent is missing or the contract refuses otherwise, as the subclass of its
            error's name.
        """
        id_ = parse_digest(dataset_id)
        numbers = [class_number(name) for name in classes]
        return [
            self._send(signer, "contribute", id_, number, image.struct, score) for number in numbers
        ]

    def withdraw(
        self, signer: LocalAccount, dataset_id: str, item: str, contribution_class: str = "data"
    ) -> Receipt:
        """End the signer's own contribution; what was earned by then stays due."""
        return self._send(signer, "withdraw", *_withdrawal(dataset_id, item, contribution_class))

    def sign_withdraw(
        self,
        signer: LocalAccount,
        dataset_id: str,
        item: str,
        contribution_class: str = "data",
        *,
        valid_for: int = _HOUR,
    ) -> dict[str, Any]:
        """As :meth:`withdraw`, signed for somebody else to submit."""
        arguments = _withdrawal(dataset_id, item, contribution_class)
        return self._sign(signer, "withdraw", *arguments, valid_for=valid_for)

    def withdraw_unconsented(
        self,
        signer: LocalAccount,
        dataset_id: str,
        image: ImageSet,
        contribution_class: str = "data",
    ) -> Receipt:
        """End a contribution whose consent is gone; anybody may, and the patient at any time."""
        return self._send(
            signer,
            "withdrawUnconsented",
            parse_digest(dataset_id),
            class_number(contribution_class),
            image.struct,
        )

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
        valid_for: int = _HOUR,
    ) -> dict[str, Any]:
        """As :meth:`set_free`, signed for somebody else to submit."""
        arguments = _choice(signer, dataset_id, contribution_class, identity, free)
        return self._sign(signer, "setFree", *arguments, valid_for=valid_for)

    # --- money --------------------------------------------------------------------------------

    def fund(self, signer: LocalAccount, dataset_id: str, amount: int) -> Receipt:
        """Pay money in, to be shared among those who have a weight at this moment.

        Parameters
        ----------
        signer
            Who pays.
        dataset_id
            The data set.
        amount
            Base units of its token; the registry is allowed to take just these.

        Raises
        ------
        UnknownDataset
            If there is no such data set.
        DatasetHasNoContributors
            If the money would reach nobody; nothing has been allowed then.
        """
        terms = self._creation(dataset_id).args["terms"]
        self._require_contributors(dataset_id, terms["shares"])
        token = ContractAt("LocalToken", terms["token"])
        registry = self._ledger.address(records.CONTRACT)
        self._ledger.send(signer, token, "approve", registry, amount)
        return self._send(signer, "fund", parse_digest(dataset_id), amount)

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
            Whose contributions they are, where the signer may act for somebody else: as after a
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
        valid_for: int = _HOUR,
    ) -> dict[str, Any]:
        """As :meth:`claim` of one class, signed for somebody else to submit."""
        claim = _claim(signer, dataset_id, contribution_class, identity)
        return self._sign(signer, *claim, valid_for=valid_for)

    def submit(self, document: dict[str, Any], payer: LocalAccount) -> Receipt:
        """Send what a contributor signed, at the cost of ``payer``."""
        return self._ledger.submit_forward(document, payer)

    # --- views --------------------------------------------------------------------------------

    def show(self, dataset_id: str) -> Dataset:
        """Say all that is known of a data set.

        Raises
        ------
        UnknownDataset
            If there is none of that id.
        """
        return records.dataset(self._ledger, self._creation(dataset_id))

    def shares(self, dataset_id: str, contributor: str) -> list[Share]:
        """What one contributor has in each class."""
        found = self.show(dataset_id).shares
        return [share for share in found if share.contributor == parse_address(contributor)]

    def list(self, *, institution: str | None = None) -> tuple[Dataset, ...]:
        """All data sets, or those of an institution, oldest first."""
        filters = {} if institution is None else {"institution": parse_address(institution)}
        creations = records.created(self._ledger, **filters)
        return tuple(records.dataset(self._ledger, creation) for creation in creations)

    # --- internal -----------------------------------------------------------------------------

    def _creation(self, dataset_id: str) -> Any:
        found = records.created(self._ledger, dataset=parse_digest(dataset_id))
        if not found:
            raise UnknownDataset(
                f"there is no data set {dataset_id}; list them with `radledger dataset list`",
                dataset=dataset_id,
            )
        return found[0]

    def _require_contributors(self, dataset_id: str, shares: Iterable[int]) -> None:
        """Refuse as the registry will, before a payer has allowed it to take anything."""
        id_ = parse_digest(dataset_id)
        for number, share in enumerate(shares):
            if share and self._ledger.call(records.CONTRACT, "weightOf", id_, number):
                return
        raise DatasetHasNoContributors.of({"dataset": dataset_id})

    def _send(self, signer: LocalAccount, function: str, *arguments: Any) -> Receipt:
        return self._ledger.send(signer, records.CONTRACT, function, *arguments)

    def _sign(
        self, signer: LocalAccount, function: str, *arguments: Any, valid_for: int
    ) -> dict[str, Any]:
        deadline = self._ledger.present().time + valid_for
        return self._ledger.sign_forward(
            signer, records.CONTRACT, function, *arguments, deadline=deadline
        )


def _withdrawal(dataset_id: str, item: str, contribution_class: str) -> tuple[bytes, int, bytes]:
    return parse_digest(dataset_id), class_number(contribution_class), parse_digest(item)


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

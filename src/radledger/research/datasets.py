"""Data sets, their contributors and their money: the service over ``DatasetRegistry``."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from radledger.consent.permission import Use
from radledger.identity.address import parse_address
from radledger.research import bindings, records
from radledger.research.contributing import Contributing
from radledger.research.errors import NothingContributed
from radledger.research.model import (
    CreatedDataset,
    Dataset,
    FrozenVersion,
    Terms,
    instances_bound,
    parse_digest,
    rule_number,
    share_struct,
)
from radledger.research.rewards import Rewards

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["Datasets"]


class Datasets(Contributing, Rewards):
    """Create data sets, contribute to them, pay for them and be paid.

    What contributors do exists twice: under its name, sent by the signer, who pays; and as
    ``sign_…``, which gives a document that anybody with Ether may :meth:`submit` within
    ``valid_for`` seconds (ERC-2771).

    Examples
    --------
    >>> datasets = Datasets(ledger)                                        # doctest: +SKIP
    >>> terms = Terms(token, {"data": 7_000, "custody": 3_000}, ("HMB",))  # doctest: +SKIP
    >>> dataset_id = datasets.create(researcher, terms).dataset_id         # doctest: +SKIP
    >>> accepted = datasets.sign_acceptance(researcher, dataset_id, image_set)
    ... # doctest: +SKIP
    >>> datasets.contribute(hospital, dataset_id, image_set, acceptance=accepted)
    ... # doctest: +SKIP
    >>> datasets.fund(researcher, dataset_id, 1_000 * 10**18)              # doctest: +SKIP
    >>> datasets.submit(datasets.sign_claim(patient, dataset_id, "data"), hospital)
    ... # doctest: +SKIP
    """

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
            32 bytes that tell it from another one with the same terms; default: random.

        Raises
        ------
        InvalidShares, InvalidInstances, UnknownClass, UnknownTerm, InvalidDisease, InvalidAddress
            If the terms are invalid.
        Refusal
            If the contract refuses, as the subclass of its error's name.
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
        receipt = self._send(signer, "create", struct, salt or secrets.token_bytes(32))
        event = receipt.event("DatasetCreated")
        return CreatedDataset(event.args["dataset"], event.args["vault"], disease, receipt)

    def freeze(self, signer: LocalAccount, dataset_id: str) -> FrozenVersion:
        """Freeze what the data set consists of now as its next version.

        Raises
        ------
        NothingContributed
            If nothing in it counts.
        """
        id_ = parse_digest(dataset_id)
        counted = [each for each in self.show(dataset_id).contributions if each.counted]
        if not counted:
            raise NothingContributed(
                f"data set {dataset_id} has no contribution that counts; contribute first",
                dataset=dataset_id,
            )
        root = records.version_tree(counted).root
        receipt = self._send(signer, "freeze", id_, root, len(counted))
        version = receipt.event("DatasetVersionFrozen").args["version"]
        return FrozenVersion(version, "0x" + root.hex(), len(counted), receipt)

    def list(self, *, institution: str | None = None) -> tuple[Dataset, ...]:
        """All data sets, or those of an institution, oldest first."""
        filters = {} if institution is None else {"institution": parse_address(institution)}
        creations = records.created(self._ledger, **filters)
        return tuple(map(self._dataset, creations))

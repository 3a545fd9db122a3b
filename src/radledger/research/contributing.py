"""Contributions to data sets: added, withdrawn, suspended and resumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radledger.chain.action import WEEK, Action
from radledger.chain.refusals import DatasetWeightInvalid
from radledger.identity.address import parse_address
from radledger.research import acceptance as acceptances
from radledger.research import records
from radledger.research.errors import AcceptanceDiffers
from radledger.research.model import RULES, class_number, parse_digest
from radledger.research.service import Service

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Receipt
    from radledger.imaging.model import ImageSet

__all__ = ["Contributing"]


class Contributing(Service):
    """Add image sets and works to data sets, and withdraw them."""

    def contribute(
        self,
        dataset_id: str,
        image: ImageSet,
        *,
        score: int = 0,
        acceptance: Mapping[str, Any] | None = None,
    ) -> Action[Receipt]:
        """Add an image set: its patient earns for the data, its custodian for the custody.

        A curator does, that is a researcher of the data set's institution; or any account that has
        a curator's acceptance.

        Parameters
        ----------
        dataset_id
            The data set.
        image
            The image set, with the patient's consent to the institution for the declared use.
        score
            Its weight, where the terms say that image sets are scored.
        acceptance
            From :meth:`sign_acceptance`, which says the weight; a score must be the same.

        Raises
        ------
        AcceptanceDiffers
            If the acceptance is of another image set or score, or for another data set.
        DocumentMalformed, DocumentForAnotherChain, DocumentTampered, DocumentExpired
            If the acceptance cannot hold.
        """
        id_ = parse_digest(dataset_id)
        if acceptance is None:
            weight = score or self._weight(self._terms(id_), image, score)
            return self._call("contribute", id_, image.struct, weight)
        weight, struct = acceptances.call_arguments(
            self._ledger, acceptance, dataset_id, image.image_id
        )
        if score not in (0, weight):
            raise AcceptanceDiffers(
                f"the document accepts the image set with weight {weight}, not {score}; leave the "
                "score out, or have a curator sign one for it",
                weight=score,
            )
        return self._call("contributeAccepted", id_, image.struct, weight, struct)

    def sign_acceptance(
        self,
        signer: LocalAccount,
        dataset_id: str,
        image: ImageSet,
        *,
        score: int = 0,
        valid_for: int = WEEK,
    ) -> dict[str, Any]:
        """Accept an image set as a curator, for its custodian or patient to contribute.

        Parameters
        ----------
        signer
            A curator.
        dataset_id, image, score
            As in :meth:`contribute`.
        valid_for
            Seconds in which it can be contributed.

        Returns
        -------
        dict
            A document for :meth:`contribute`, which is good for this image set and data set, once.

        Raises
        ------
        DatasetNotCurator, ParticipantLacksRole, ParticipantNotAccredited, ParticipantIsSuspended
            If the signer is not a researcher of the data set's institution.
        DatasetWeightInvalid
            If image sets are scored and there is no score, or the score is not what the terms give.
        """
        terms = self._terms(parse_digest(dataset_id))
        acceptances.require_curator(self._ledger, signer.address, dataset_id, terms.institution)
        weight = self._weight(terms, image, score)
        if not weight or score not in (0, weight):
            raise DatasetWeightInvalid.of({"rule": terms.rule, "weight": score})
        deadline = self._ledger.present().time + valid_for
        return acceptances.sign(self._ledger, signer, dataset_id, image.image_id, weight, deadline)

    def contribute_work(
        self, dataset_id: str, contribution_class: str, contributor: str, work: str, score: int
    ) -> Action[Receipt]:
        """Count an annotator's or developer's work, scored by the signer, a curator."""
        id_, number = parse_digest(dataset_id), class_number(contribution_class)
        whose = parse_address(contributor)
        return self._call("contributeWork", id_, number, whose, parse_digest(work), score)

    def withdraw(self, dataset_id: str, image: ImageSet) -> Action[Receipt]:
        """Withdraw an image set permanently; what was earned by then stays due.

        The patient does, or who may consent for it: neither the patient nor the custodian earns
        with it any more. Or the custodian, who ends its own part.  Anyone else is refused with
        `DatasetNotAuthorized`.
        """
        return self._call("withdraw", parse_digest(dataset_id), image.struct)

    def withdraw_work(self, dataset_id: str, contribution_class: str, work: str) -> Action[Receipt]:
        """Withdraw the signer's own work permanently; what was earned by then stays due."""
        id_, number = parse_digest(dataset_id), class_number(contribution_class)
        return self._call("withdrawWork", id_, number, parse_digest(work))

    def suspend(self, dataset_id: str, image: ImageSet) -> Action[Receipt]:
        """Suspend an image set that has lost its consent, so that it no longer earns.

        Anyone may. It is withdrawn for good after 30 days, unless it is resumed by then.
        """
        return self._call("suspend", parse_digest(dataset_id), image.struct)

    def resume(self, dataset_id: str, image: ImageSet) -> Action[Receipt]:
        """Resume a suspended image set that has consent again, so that it counts; anyone may."""
        return self._call("resume", parse_digest(dataset_id), image.struct)

    def _terms(self, dataset_id: bytes) -> Any:
        return self._ledger.call(records.CONTRACT, "datasetOf", dataset_id)

    def _weight(self, terms: Any, image: ImageSet, score: int) -> int:
        """The weight of an image set under the terms."""
        if RULES[terms.rule] == "per instance":
            anchored = self._ledger.call("ImageRegistry", "imageOf", parse_digest(image.image_id))
            return int(min(anchored.instances, terms.mostInstances))
        return 1 if RULES[terms.rule] == "per set" else score

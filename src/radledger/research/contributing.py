"""What enters a data set, and what leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radledger.chain.refusals import DatasetWeightInvalid
from radledger.identity.address import parse_address
from radledger.research import acceptance as acceptances
from radledger.research import records
from radledger.research.errors import AcceptanceDiffers
from radledger.research.model import RULES, class_number, parse_digest
from radledger.research.service import HOUR, Service

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Receipt
    from radledger.imaging.model import ImageSet

__all__ = ["Contributing"]

_WEEK = 7 * 24 * HOUR


class Contributing(Service):
    """Add image sets and works to data sets, and take them out."""

    def contribute(
        self,
        signer: LocalAccount,
        dataset_id: str,
        image: ImageSet,
        *,
        score: int = 0,
        acceptance: Mapping[str, Any] | None = None,
    ) -> Receipt:
        """Add an image set: its patient earns for the data, its custodian for the custody.

        Parameters
        ----------
        signer
            A curator, that is a researcher of the data set's institution; or anybody, with a
            curator's acceptance.
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
        Refusal
            If consent is missing or the contract refuses otherwise, as the subclass of its
            error's name.
        """
        id_ = parse_digest(dataset_id)
        if acceptance is None:
            weight = score or self._weight(self._terms(id_), image, score)
            return self._send(signer, "contribute", id_, image.struct, weight)
        weight, struct = acceptances.call_arguments(
            self._ledger, acceptance, dataset_id, image.image_id
        )
        if score not in (0, weight):
            raise AcceptanceDiffers(
                f"the document accepts the image set with weight {weight}, not {score}; leave the "
                "score out, or have a curator sign one for it",
                weight=score,
            )
        return self._send(signer, "contributeAccepted", id_, image.struct, weight, struct)

    def sign_acceptance(
        self,
        signer: LocalAccount,
        dataset_id: str,
        image: ImageSet,
        *,
        score: int = 0,
        valid_for: int = _WEEK,
    ) -> dict[str, Any]:
        """Accept an image set as a curator, for its custodian or patient to contribute.

        Parameters
        ----------
        signer, dataset_id, image, score
            As in :meth:`contribute`, by a curator.
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
        self,
        signer: LocalAccount,
        dataset_id: str,
        contribution_class: str,
        contributor: str,
        work: str,
        score: int,
    ) -> Receipt:
        """Count an annotator's or developer's work, scored by the signer, a curator."""
        return self._send(
            signer,
            "contributeWork",
            parse_digest(dataset_id),
            class_number(contribution_class),
            parse_address(contributor),
            parse_digest(work),
            score,
        )

    def withdraw(self, signer: LocalAccount, dataset_id: str, image: ImageSet) -> Receipt:
        """Take an image set out for good; what was earned by then stays due.

        Parameters
        ----------
        signer
            The patient, or who may consent for it: neither the patient nor the custodian earns
            with it any more. Or the custodian, who ends its own part.
        dataset_id, image
            What is taken out of which data set.

        Raises
        ------
        DatasetNotAuthorized
            If the signer may act for neither.
        """
        return self._send(signer, "withdraw", parse_digest(dataset_id), image.struct)

    def sign_withdraw(
        self, signer: LocalAccount, dataset_id: str, image: ImageSet, *, valid_for: int = HOUR
    ) -> dict[str, Any]:
        """As :meth:`withdraw`, signed for another account to submit."""
        arguments = (parse_digest(dataset_id), image.struct)
        return self._sign(signer, "withdraw", *arguments, valid_for=valid_for)

    def withdraw_work(
        self, signer: LocalAccount, dataset_id: str, work: str, contribution_class: str
    ) -> Receipt:
        """Take the signer's own work out for good; what was earned by then stays due."""
        arguments = _work(dataset_id, contribution_class, work)
        return self._send(signer, "withdrawWork", *arguments)

    def sign_withdraw_work(
        self,
        signer: LocalAccount,
        dataset_id: str,
        work: str,
        contribution_class: str,
        *,
        valid_for: int = HOUR,
    ) -> dict[str, Any]:
        """As :meth:`withdraw_work`, signed for another account to submit."""
        arguments = _work(dataset_id, contribution_class, work)
        return self._sign(signer, "withdrawWork", *arguments, valid_for=valid_for)

    def suspend(self, signer: LocalAccount, dataset_id: str, image: ImageSet) -> Receipt:
        """Show that an image set has no consent any more, so that it earns no longer.

        Anybody may. It is withdrawn for good after 30 days, unless it is resumed by then.
        """
        return self._send(signer, "suspend", parse_digest(dataset_id), image.struct)

    def resume(self, signer: LocalAccount, dataset_id: str, image: ImageSet) -> Receipt:
        """Show that a suspended image set has consent again, so that it counts; anybody may."""
        return self._send(signer, "resume", parse_digest(dataset_id), image.struct)

    def _terms(self, dataset_id: bytes) -> Any:
        return self._ledger.call(records.CONTRACT, "datasetOf", dataset_id)

    def _weight(self, terms: Any, image: ImageSet, score: int) -> int:
        """What the terms say that an image set weighs."""
        if RULES[terms.rule] == "per instance":
            anchored = self._ledger.call("ImageRegistry", "imageOf", parse_digest(image.image_id))
            return int(min(anchored.instances, terms.mostInstances))
        return 1 if RULES[terms.rule] == "per set" else score


def _work(dataset_id: str, contribution_class: str, work: str) -> tuple[bytes, int, bytes]:
    return parse_digest(dataset_id), class_number(contribution_class), parse_digest(work)

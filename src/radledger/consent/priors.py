"""An image set with its priors: one choice, and no more than was chosen.

The registry knows one grant for each grantee and scope.  The course of an illness is a scope
already: its custodian anchored the image sets under it, and it covers later ones, too.  Comparable
studies are not on the chain, which has neither modality nor body region.  So they are looked up
where the images can be opened, and each gets a grant of its own, for what there is at that moment.

A request for comparable studies names them by a digest, under which no image set is.  Approving it
grants nothing by itself; the images are granted beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from radledger.consent.errors import PriorsUnknown
from radledger.errors import RadLedgerError
from radledger.imaging.bindings import Kind, State
from radledger.imaging.comparing import Description, describe
from radledger.imaging.model import NONE

if TYPE_CHECKING:
    from radledger.imaging.service import Images
    from radledger.storage import Storage

__all__ = ["Comparable", "PriorChoice", "Priors", "comparable_scope"]

_DOMAIN = b"radledger.comparable-studies/1\n"


class PriorChoice(StrEnum):
    """Which priors go with an image set."""

    COURSE = "course"
    COMPARABLE = "comparable"


@dataclass(frozen=True, slots=True)
class Comparable:
    """An image set and its comparable priors.

    Attributes
    ----------
    image_sets
        The set itself first, then the priors, the latest first.
    unopened
        Image sets of the patient that could not be opened here, and so are not among them.
    """

    image_sets: tuple[Description, ...]
    unopened: tuple[str, ...]


def comparable_scope(image_id: str) -> str:
    """The scope of a request for an image set with comparable studies; no image set is under it."""
    return "0x" + hashlib.sha256(_DOMAIN + bytes.fromhex(image_id[2:])).hexdigest()


class Priors:
    """Finds the priors of image sets.

    Parameters
    ----------
    images, storage
        Those of the home.

    Examples
    --------
    >>> priors = Priors(radledger.images, radledger.storage)          # doctest: +SKIP
    >>> for each in priors.comparable(image_id, secret).image_sets:   # doctest: +SKIP
    ...     consents.grant(reader, terms, scope=each.image_id).send(patient)
    """

    def __init__(self, images: Images, storage: Storage) -> None:
        self._images = images
        self._storage = storage

    def course(self, image_id: str) -> str:
        """The scope of the course of treatment of an image set, with earlier and later ones of it.

        Raises
        ------
        ImageUnknown
            If there is no such image set.
        PriorsUnknown
            If it was anchored without a course.
        """
        course = self._images.show(image_id).image_set.course
        if course == NONE:
            raise PriorsUnknown(
                f"{image_id} is not of a course of treatment; grant what is meant by the ids of "
                "its image sets, or comparable studies",
                image=image_id,
            )
        return course

    def comparable(self, image_id: str, secret: Callable[[str], str]) -> Comparable:
        """An image set, and those of its patient from earlier studies of the same kind and region.

        Parameters
        ----------
        image_id
            The set.
        secret
            Gives the secret of an image set by its id; one for which it raises is left out.

        Raises
        ------
        ImageUnknown, ImageIsErased, SecretUnknown
            If there is no such set, or it cannot be opened here.
        PriorsUnknown
            If its files do not say which part of the body they show.
        """
        record = self._images.show(image_id)
        chosen = describe(self._images, self._storage, record, secret(record.image_id))
        if not chosen.region:
            raise PriorsUnknown(
                f"the files of {image_id} do not say which part of the body they show; grant what "
                "is meant by the ids of its image sets",
                image=image_id,
            )
        found, unopened = [], []
        for each in self._images.list(patient=record.image_set.patient):
            if each.image_id == chosen.image_id or each.state is not State.ANCHORED:
                continue
            if each.parent is not None and each.kind is not Kind.CORRECTED:
                continue  # made of one that is listed as well
            try:
                other = describe(self._images, self._storage, each, secret(each.image_id))
            except RadLedgerError:
                unopened.append(each.image_id)
                continue
            if other.is_prior_to(chosen):
                found.append(other)
        found.sort(key=lambda each: (each.taken_on or "", each.block), reverse=True)
        return Comparable((chosen, *found), tuple(unopened))

    def requested(self, subject: str, scope: str) -> str | None:
        """The image set whose comparable studies a request is for; None if it is for another scope.

        Parameters
        ----------
        subject, scope
            Those of the request.
        """
        records = self._images.list(patient=subject)
        return next((e.image_id for e in records if comparable_scope(e.image_id) == scope), None)

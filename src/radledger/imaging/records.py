"""Image sets, from the events of ``ImageRegistry``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from radledger.imaging.errors import ImageUnknown, InvalidImageId
from radledger.imaging.model import ImageRecord, State
from radledger.imaging.state import EVENTS, ImageState
from radledger.texts import digest_of, quoted

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = ["CONTRACT", "find_records", "image_record", "is_anchored", "state_of", "versions"]

CONTRACT = "ImageRegistry"
_ANCHORED = "ImageAnchored"
_CHANGES = ("ImageRekeyed", "ImageErased", "ImageDisowned", "ImageAcknowledged")


def image_record(ledger: Ledger, image_id: str) -> ImageRecord:
    """The record of one image set.

    Raises
    ------
    InvalidImageId
        If it is not an id.
    ImageUnknown
        If no such set has been anchored on this chain.
    """
    found = ImageState.of(ledger.events(CONTRACT, *EVENTS, image=_word(image_id))).records()
    if not found:
        raise ImageUnknown(
            f"no image set {image_id} has been anchored on this chain; see that the id was "
            "copied whole, or list those there are with `radledger image list`",
            image=image_id,
        )
    return found[0]


def find_records(
    ledger: Ledger, *, custodian: str | None = None, patient: str | None = None
) -> list[ImageRecord]:
    """Records of a custodian's, a patient's or all image sets, oldest first."""
    filters = {"custodian": custodian, "patient": patient}
    wanted: Any = {name: value for name, value in filters.items() if value is not None}
    anchored = ledger.events(CONTRACT, _ANCHORED, **wanted)
    if not anchored:
        return []
    images = [event.args["image"] for event in anchored]
    # One question for a few sets; for many, the answer to a question about all is shorter.
    chosen: Any = {"image": images} if len(images) <= 100 else {}
    return ImageState.of([*anchored, *ledger.events(CONTRACT, *_CHANGES, **chosen)]).records()


def versions(ledger: Ledger, image_id: str) -> list[ImageRecord]:
    """An image set, all that it came from and all that came from any of these, oldest first."""
    record = image_record(ledger, image_id)
    # A version belongs to the same patient as its parent: the contract enforces it.
    family = find_records(ledger, patient=record.image_set.patient)
    parents = {each.image_id: each.parent for each in family}

    def origin(image_id: str) -> str:
        while (parent := parents[image_id]) is not None:
            image_id = parent
        return image_id

    return [each for each in family if origin(each.image_id) == origin(image_id)]


def is_anchored(ledger: Ledger, image_id: str) -> bool:
    """Whether the chain knows an image set, erased or not.

    Raises
    ------
    InvalidImageId
        If it is not an id.
    """
    return bool(ledger.call(CONTRACT, "imageOf", _word(image_id)).state)


def state_of(ledger: Ledger, image_id: str) -> State | None:
    """The state of an image set at the latest block; none if it was not anchored."""
    number = ledger.call(CONTRACT, "stateOf", _word(image_id))
    return State.of(number) if number else None


def _word(image_id: str) -> bytes:
    word = digest_of(image_id)
    if word is None:
        raise InvalidImageId(
            f"{quoted(image_id)} is not an id of an image set; give 0x and 64 hexadecimal digits",
            image=image_id,
        )
    return word

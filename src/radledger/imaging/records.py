"""What the chain tells of image sets: the events of ``ImageRegistry``, put together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from radledger.imaging.errors import ImageUnknown, InvalidImageId
from radledger.imaging.model import NONE, ImageRecord, ImageSet, Kind, State

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger

__all__ = ["CONTRACT", "find_records", "image_record", "is_anchored", "versions"]

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
    events = ledger.events(CONTRACT, _ANCHORED, *_CHANGES, image=_word(image_id))
    anchored = [event for event in events if event.name == _ANCHORED]
    if not anchored:
        raise ImageUnknown(
            f"no image set {image_id} has been anchored on this chain; see that the id was "
            "copied whole, or list those there are with `radledger image list`",
            image=image_id,
        )
    return _records(anchored, events)[0]


def find_records(
    ledger: Ledger, *, custodian: str | None = None, patient: str | None = None
) -> list[ImageRecord]:
    """Records of a custodian's, a patient's or all image sets, oldest first."""
    filters = {"custodian": custodian, "patient": patient}
    wanted: Any = {name: value for name, value in filters.items() if value is not None}
    anchored = ledger.events(CONTRACT, _ANCHORED, **wanted)
    if not anchored:
        return []
    images = [bytes(event.args["image"]) for event in anchored]
    # One question for a few sets; for many, the answer to a question about all is shorter.
    chosen: Any = {"image": images} if len(images) <= 100 else {}
    return _records(anchored, ledger.events(CONTRACT, *_CHANGES, **chosen))


def versions(ledger: Ledger, image_id: str) -> list[ImageRecord]:
    """An image set, all that it came from and all that came from any of these, oldest first."""
    record = image_record(ledger, image_id)
    # A version belongs to the same patient as its parent: the contract sees to it.
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


def _records(anchored: Iterable[Event], changes: Iterable[Event]) -> list[ImageRecord]:
    """Records of the sets that were anchored, with what became of them since, oldest first."""
    last: dict[tuple[bytes, str], Event] = {}
    state: dict[bytes, str] = {}
    for event in changes:
        image = bytes(event.args["image"])
        last[image, event.name] = event
        if event.name in ("ImageDisowned", "ImageAcknowledged"):
            state[image] = event.name
    return [
        _record(
            event,
            last.get((image, "ImageRekeyed"), event),
            last.get((image, "ImageErased")),
            state.get(image) == "ImageDisowned",
        )
        for event in anchored
        for image in [bytes(event.args["image"])]
    ]


def _record(anchored: Event, keyed: Event, erased: Event | None, disowned: bool) -> ImageRecord:
    args = anchored.args
    present = State.DISOWNED if disowned else State.ANCHORED
    parent = _hex(args["parent"])
    return ImageRecord(
        image_id=_hex(args["image"]),
        image_set=ImageSet(
            custodian=args["custodian"],
            patient=args["patient"],
            root=_hex(args["root"]),
            visit=_hex(args["visit"]),
            course=_hex(args["course"]),
        ),
        kind=Kind.of(args["kind"]),
        parent=parent if parent != NONE else None,
        instances=args["instances"],
        state=State.ERASED if erased else present,
        manifest=_hex(keyed.args["manifest"]),
        keyed_in_block=keyed.block,
        anchored_at=anchored.timestamp,
        block=anchored.block,
        transaction=anchored.transaction,
        certificate=_hex(erased.args["certificate"]) if erased else None,
    )


def _word(image_id: str) -> bytes:
    try:
        word = bytes.fromhex(image_id.removeprefix("0x"))
    except ValueError:
        word = b""
    if len(word) != 32:
        raise InvalidImageId(
            f"{image_id!r} is not an id of an image set; give 0x and 64 hexadecimal digits",
            image=image_id,
        )
    return word


def _hex(value: bytes) -> str:
    return "0x" + bytes(value).hex()

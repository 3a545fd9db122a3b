"""The state of ``ImageRegistry``: image sets and what happened to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger.area.fold import Fold, View
from radledger.imaging.model import NONE, ImageRecord, ImageSet, Kind, State

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["EVENTS", "ImageState"]

_BECOMES = {
    "ImageErased": State.ERASED,
    "ImageDisowned": State.DISOWNED,
    "ImageAcknowledged": State.ANCHORED,
}

EVENTS = ("ImageAnchored", "ImageRekeyed", *_BECOMES)
"""The events that this state is made of."""


@dataclass
class _Image:
    anchored: Event
    keyed: Event
    state: State = State.ANCHORED
    certificate: str | None = None

    def record(self) -> ImageRecord:
        args = self.anchored.args
        parts = ("custodian", "patient", "root", "visit", "course")
        return ImageRecord(
            image_id=args["image"],
            image_set=ImageSet(**{name: args[name] for name in parts}),
            kind=Kind.of(args["kind"]),
            parent=args["parent"] if args["parent"] != NONE else None,
            instances=args["instances"],
            state=self.state,
            manifest=self.keyed.args["manifest"],
            keyed_in_block=self.keyed.block,
            anchored_at=self.anchored.timestamp,
            block=self.anchored.block,
            transaction=self.anchored.transaction,
            certificate=self.certificate,
        )


class ImageState(Fold):
    """Image sets by id, in the order in which they were anchored.

    Examples
    --------
    >>> ImageState.of([]).records()
    []
    """

    def __init__(self) -> None:
        self._images: dict[str, _Image] = {}

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        image = event.args["image"]
        if event.name == "ImageAnchored":
            self._images[image] = _Image(event, keyed=event)
        elif image not in self._images:
            return  # its anchoring is missing, which the comparison of the events names
        elif event.name == "ImageRekeyed":
            self._images[image].keyed = event
        elif event.name in _BECOMES:
            self._images[image].state = _BECOMES[event.name]
            self._images[image].certificate = event.args.get("certificate")

    def records(self) -> list[ImageRecord]:
        """The record of each image set."""
        return [image.record() for image in self._images.values()]

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for id_, image in self._images.items():
            answer = {
                "patient": image.anchored.args["patient"],
                "anchoredAt": image.anchored.timestamp,
                "instances": image.anchored.args["instances"],
                "state": image.state.number,
            }
            yield View("ImageRegistry", "imageOf", (id_,), (answer,))

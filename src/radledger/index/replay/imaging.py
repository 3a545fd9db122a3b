"""The state of ``ImageRegistry``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from radledger.index.replay.view import View

if TYPE_CHECKING:
    from radledger.index.events import ChainEvent

__all__ = ["ImageState"]

_ANCHORED, _ERASED, _DISOWNED = 1, 2, 3
_BECOMES = {
    "ImageErased": _ERASED,
    "ImageDisowned": _DISOWNED,
    "ImageAcknowledged": _ANCHORED,
}


class ImageState:
    """Patient, time, instances and state of each image set."""

    def __init__(self) -> None:
        self._images: dict[str, dict[str, Any]] = {}

    def apply(self, event: ChainEvent) -> None:
        """Do what the contract did."""
        args = event.arguments
        if event.name == "ImageAnchored":
            self._images[args["image"]] = {
                "patient": args["patient"],
                "anchoredAt": event.timestamp,
                "instances": args["instances"],
                "state": _ANCHORED,
            }
        elif event.name in _BECOMES and args["image"] in self._images:
            self._images[args["image"]]["state"] = _BECOMES[event.name]

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for image, record in self._images.items():
            yield View("ImageRegistry", "imageOf", (image,), (record,))

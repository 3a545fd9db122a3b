"""Instances that viewers look at, opened: their headers and frames, at any place of a file."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO

from radledger.dicom.errors import PixelsUnreadable
from radledger.dicom.exchange import FrameExchange
from radledger.dicom.image import ImagePixels
from radledger.dicom.limits import bounded
from radledger.dicom.preview import Shown, picture
from radledger.dicom.source import DicomSource, source_of

if TYPE_CHECKING:
    from radledger.gateway.dicomweb.image_sets import ImageSets, OpenSet

__all__ = ["PYDICOM", "Instances", "OpenInstance"]

_MOST_OPEN = 16
"""Each has up to 8 MiB of ciphertext in memory, and what is longer in a temporary file."""

PYDICOM = threading.Lock()
"""Held while a header is read or pixels are decoded: pydicom's settings are the process's, and so
the memory of a decoder is taken once."""


class OpenInstance:
    """An open instance; for one thread at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self.lock = threading.Lock()
        self.closed = False
        self.pixels: ImagePixels | None = None
        self.exchange: FrameExchange | None = None
        with ExitStack() as stack:
            stack.enter_context(file)
            with PYDICOM:
                self.source: DicomSource = bounded(source_of, file, stack)
            element = self.source.pixels
            if element is not None:
                self.pixels = ImagePixels.of(self.source.dataset, element.tag)
                self.exchange = FrameExchange(self.source, self.pixels)
            self._stack = stack.pop_all()

    @property
    def frames(self) -> int:
        """Frames of pixel data, 0 without any."""
        return self.pixels.frames if self.pixels else 0

    def frame(self, index: int, *, stored: bool) -> bytes:
        """A frame, as it is stored in a compressed file, or without compression.

        Raises
        ------
        DicomError
            If there are no pixels, or they cannot be decoded.
        """
        if self.exchange is None:
            raise _without_pixels()
        if stored:
            return self.exchange.stored(index)
        if self.source.native:
            return self.exchange.plain(index)
        with PYDICOM:
            return bounded(self.exchange.plain, index)

    def picture(self, index: int, shown: Shown) -> bytes:
        """A frame as a picture; errors are those of `frame`."""
        if self.pixels is None:
            raise _without_pixels()
        with PYDICOM:
            return bounded(picture, self.source, self.pixels, index, shown)

    def close(self) -> None:
        """Close the file."""
        self.closed = True
        self._stack.close()


class Instances:
    """Opened instances; those that were not used for longest are closed for others.

    A viewer asks for the frames of a file one by one, which is fetched and walked once.

    Parameters
    ----------
    image_sets
        Where they are from.
    """

    def __init__(self, image_sets: ImageSets) -> None:
        self._image_sets = image_sets
        self._opened: OrderedDict[tuple[str, str], OpenInstance] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def opened(self, image_set: OpenSet, sop_instance: str) -> Iterator[OpenInstance]:
        """An instance, for this thread alone.

        Raises
        ------
        DicomError
            If it cannot be read.
        ImageSetUnreadable, ContentNotFound, StorageUnavailable
            As `ImageSets.open_file` does.
        """
        while True:
            instance = self._find(image_set, sop_instance)
            with instance.lock:
                if not instance.closed:
                    yield instance
                    return

    def close(self) -> None:
        """Close all."""
        with self._lock:
            opened = list(self._opened.values())
            self._opened.clear()
        for each in opened:
            with each.lock:
                each.close()

    def forget(self, image_id: str) -> None:
        """Close those of an image set, such as one that was erased."""
        with self._lock:
            gone = [self._opened.pop(key) for key in list(self._opened) if key[0] == image_id]
        for each in gone:
            with each.lock:
                each.close()

    def _find(self, image_set: OpenSet, sop_instance: str) -> OpenInstance:
        key = image_set.image_id, sop_instance
        with self._lock:
            kept = self._opened.get(key)
            if kept is not None:
                self._opened.move_to_end(key)
                return kept
        made = OpenInstance(self._image_sets.open_file(image_set, sop_instance))
        with self._lock:
            # Another thread may have opened it meanwhile.
            replaced = self._opened.pop(key, None)
            self._opened[key] = made
            surplus = [] if replaced is None else [replaced]
            while len(self._opened) > _MOST_OPEN:
                surplus.append(self._opened.popitem(last=False)[1])
        for each in surplus:
            with each.lock:
                each.close()
        return made


def _without_pixels() -> PixelsUnreadable:
    return PixelsUnreadable("the instance has no pixel data")

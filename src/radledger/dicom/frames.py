"""Which fragments of encapsulated pixel data make which frame: PS3.5 section A.4."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import NoReturn

from radledger.dicom.codestream import RLE, cleaned, is_jpeg, starts_codestream
from radledger.dicom.errors import MalformedDicom, PixelsUnreadable
from radledger.dicom.image import ImagePixels
from radledger.dicom.source import DicomSource

__all__ = ["Frames"]

_OVERHEAD = 1 << 20
_START_BYTES = 8
_EXTENDED_OFFSET_TABLE = 0x7FE00001

Span = tuple[int, int]


class Frames:
    """The frames of an open file with compressed pixels.

    Parameters
    ----------
    source, pixels
        The file, and what it says of its pixels.

    Raises
    ------
    MalformedDicom
        If there are more fragments than belong to so many frames.
    """

    def __init__(self, source: DicomSource, pixels: ImagePixels) -> None:
        self._source, self._pixels = source, pixels
        self._spans = self._grouped()

    def read(self, index: int) -> bytes:
        """The bytes of one frame, its fragments joined.

        Raises
        ------
        PixelsUnreadable
            If it is larger than its pixels, or the file became shorter.
        """
        spans, pixels = self._spans[index], self._pixels
        size = sum(length for _, length in spans)
        # lossless codes grow by at most a quarter: what is much larger is not an image
        if size > 2 * pixels.pixels * pixels.samples * pixels.bits_allocated // 8 + _OVERHEAD:
            raise PixelsUnreadable("a compressed frame is larger than its pixels", size=size)
        frame = b"".join(self._bytes(start, length) for start, length in spans)
        if len(frame) < size:
            raise PixelsUnreadable("the file became shorter while it was read", missing=size)
        return frame

    def codestream(self, index: int, frame: bytes) -> bytes:
        """A frame of a JPEG syntax with nothing but picture in it.

        Raises
        ------
        PixelsUnreadable
            What `cleaned` raises.
        MalformedDicom
            If the codestream ends before the frame's last fragment.
        """
        codestream = cleaned(frame, self._source.transfer_syntax, self._pixels)
        if codestream.end <= len(frame) - self._spans[index][-1][1]:
            self._too_many(len(self._spans[index]) - 1 + self._pixels.frames)
        return codestream.data

    def _grouped(self) -> list[list[Span]]:
        element, frames = self._source.pixels, self._pixels.frames
        if element is None or element.fragments is None:
            raise PixelsUnreadable("the object has no compressed frames")
        table, *items = element.fragments
        items = [item for item in items if item[1]]
        if len(items) > frames and self._source.transfer_syntax == RLE:
            self._too_many(len(items))  # one fragment each: PS3.5 section A.4.2
        if frames == 1:
            return [items]
        starts = set(range(frames))
        if len(items) != frames:
            starts = self._stated(table, items) or self._seen(items)
        if len(starts) != frames or 0 not in starts:
            self._too_many(len(items))
        bounds = [*sorted(starts), len(items)]
        return [items[a:b] for a, b in pairwise(bounds)]

    def _stated(self, table: Span, items: list[Span]) -> set[int]:
        """Which items begin a frame by the offset table; none if it does not fit."""
        elements = (each for each in self._source.elements if each.tag == _EXTENDED_OFFSET_TABLE)
        extended = next(elements, None)
        letter, stated = "I", self._bytes(*table)
        if extended is not None and extended.length:
            letter, stated = "Q", self._bytes(extended.value, extended.length)
        size = struct.calcsize(letter)
        offsets = struct.unpack_from(f"<{len(stated) // size}{letter}", stated)
        first = table[0] + table[1]
        places = {start - 8 - first: number for number, (start, _) in enumerate(items)}
        if len(offsets) != self._pixels.frames or not places.keys() >= set(offsets):
            return set()
        return {places[offset] for offset in offsets}

    def _seen(self, items: list[Span]) -> set[int]:
        """Which items begin a codestream."""
        if not is_jpeg(self._source.transfer_syntax):
            return set()
        return {
            number
            for number, (start, _) in enumerate(items)
            if starts_codestream(self._bytes(start, _START_BYTES))
        }

    def _bytes(self, start: int, length: int) -> bytes:
        self._source.stream.seek(start)
        return self._source.stream.read(length)

    def _too_many(self, fragments: int) -> NoReturn:
        raise MalformedDicom(
            f"the pixel data has {fragments} fragments and Number of Frames is "
            f"{self._pixels.frames}: nothing says which fragments make which frame; "
            "correct the number and export the file again",
            fragments=fragments,
            frames=self._pixels.frames,
        )

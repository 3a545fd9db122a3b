"""RLE segments: PS3.5 Annex G."""

from __future__ import annotations

import struct
from itertools import pairwise

from .errors import PixelsUnreadable
from .image import ImagePixels

__all__ = ["trimmed"]

_HEADER = 64


def trimmed(frame: bytes, pixels: ImagePixels, *, whole: bool = False) -> bytes:
    """A frame whose segments expand to a plane each, and end where they have.

    Parameters
    ----------
    frame
        Header and segments.
    pixels
        What the data set says.
    whole
        Walk all segments; otherwise only those that could expand beyond all measure.

    Raises
    ------
    PixelsUnreadable
        If the header does not fit the data set, or a segment is cut.
    """
    count = pixels.samples * (pixels.bits_allocated // 8)
    if len(frame) < _HEADER or pixels.bits_allocated % 8 or not 1 <= count <= 15:
        raise PixelsUnreadable("a frame holds no RLE segments", segments=count)
    header = struct.unpack_from("<16I", frame)
    bounds = [*header[1 : count + 1], len(frame)]
    if header[0] != count or bounds[0] < _HEADER or bounds != sorted(bounds):
        raise PixelsUnreadable(
            "a frame's RLE header does not fit its data set", claimed=header[0], expected=count
        )
    segments = []
    for start, end in pairwise(bounds):
        # a run of 128 takes two bytes: only larger segments can expand beyond all measure
        if whole or (end - start) * 64 > 2 * pixels.pixels + 4096:
            end = _end(frame, start, end, pixels.pixels)
        segments.append(frame[start:end])
    offsets, position = [count], _HEADER
    for segment in segments:
        offsets.append(position)
        position += len(segment)
    return struct.pack("<16I", *offsets, *[0] * (15 - count)) + b"".join(segments)


def _end(frame: bytes, start: int, end: int, expected: int) -> int:
    """Where a segment has expanded to a plane."""
    position, size = start, 0
    while position < end and size < expected:
        control = frame[position]
        if control < 128:
            size += control + 1
            position += control + 2
        else:
            size += 257 - control if control > 128 else 0
            position += 2 if control > 128 else 1
    if size != expected or position > end:
        raise PixelsUnreadable(
            "an RLE segment does not expand to the size of a plane",
            expanded=size,
            expected=expected,
        )
    return position

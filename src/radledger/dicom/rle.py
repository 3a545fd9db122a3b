"""RLE segments: PS3.5 Annex G."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rle.utils import decode_pixel_data, encode_pixel_data

from radledger.dicom.errors import PixelsUnreadable
from radledger.dicom.image import ImagePixels

__all__ = ["decoded_bits", "encoded", "trimmed"]

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
    count, size = _planes(pixels)
    if len(frame) < _HEADER or not 1 <= count <= 15:
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
        if whole or (end - start) * 64 > 2 * size + 4096:
            end = _end(frame, start, end, size)
        segments.append(frame[start:end])
    offsets, position = [count], _HEADER
    for segment in segments:
        offsets.append(position)
        position += len(segment)
    return struct.pack("<16I", *offsets, *[0] * (15 - count)) + b"".join(segments)


def decoded_bits(frame: bytes, pixels: ImagePixels) -> NDArray[np.uint8]:
    """A frame of single bits, packed eight to a byte in one segment.

    Raises
    ------
    ValueError
        If the segment does not expand to them.
    """
    size = _planes(pixels)[1]
    packed = decode_pixel_data(frame, version=2, rows=1, columns=size, bits_allocated=8)
    bits = np.unpackbits(np.frombuffer(packed, "u1"), bitorder="little")[: pixels.pixels]
    return bits.reshape(pixels.rows, pixels.columns)


def encoded(samples: NDArray[Any], pixels: ImagePixels) -> bytes:
    """A frame of these samples.

    Raises
    ------
    PixelsUnreadable
        If RLE cannot hold them.
    """
    rows, columns, bits = pixels.rows, pixels.columns, pixels.bits_allocated
    if bits == 1:
        samples = np.packbits(samples.reshape(-1), bitorder="little")
        rows, columns, bits = 1, samples.size, 8
    try:
        frame = encode_pixel_data(
            samples.tobytes(),
            byteorder="<",
            rows=rows,
            columns=columns,
            samples_per_pixel=pixels.samples,
            bits_allocated=bits,
        )
    except ValueError as error:
        raise PixelsUnreadable(f"a frame cannot be written as RLE: {error}") from error
    return frame + b"\0" * (len(frame) % 2)


def _planes(pixels: ImagePixels) -> tuple[int, int]:
    """How many segments a frame has, and how many bytes each expands to."""
    if pixels.bits_allocated == pixels.samples == 1:
        return 1, -(-pixels.pixels // 8)
    if pixels.bits_allocated % 8:
        return 0, 0
    return pixels.samples * (pixels.bits_allocated // 8), pixels.pixels


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

"""What a compressed frame claims about its own size, read before a decoder believes it.

JPEG, JPEG-LS and JPEG 2000 decoders allocate what the codestream's header says, which has
nothing to do with the data set's Rows and Columns unless somebody compares them.
"""

from __future__ import annotations

import struct
from itertools import pairwise

from .errors import PixelsUnreadable
from .image import ImagePixels
from .limits import MAX_FRAME_SAMPLES

__all__ = ["check_claims"]

_RLE = "1.2.840.10008.1.2.5"
_JPEG_2000 = "1.2.840.10008.1.2.4.9"
_HIGH_THROUGHPUT = "1.2.840.10008.1.2.4.20"
_MOST_TILES = 65_535
# start of frame, all but DHT (C4), JPG (C8) and DAC (CC); F7 is JPEG-LS
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}


def check_claims(frame: bytes, syntax: str, pixels: ImagePixels) -> None:
    """Refuse a frame that claims another size than its data set, or more than one may have.

    Parameters
    ----------
    frame
        One frame's codestream.
    syntax
        Transfer syntax UID.
    pixels
        What the data set says.

    Raises
    ------
    PixelsUnreadable
        Values hold both sizes.
    """
    if pixels.pixels * pixels.samples > MAX_FRAME_SAMPLES:
        raise PixelsUnreadable(
            f"a compressed frame of more than {MAX_FRAME_SAMPLES} samples is not decoded",
            samples=pixels.pixels * pixels.samples,
            limit=MAX_FRAME_SAMPLES,
        )
    if syntax == _RLE:
        _check_rle(frame, pixels)
        return
    if syntax.startswith((_JPEG_2000, _HIGH_THROUGHPUT)):
        claimed = _jpeg_2000_size(frame)
    else:
        claimed = _jpeg_size(frame)
    expected = (pixels.rows, pixels.columns, pixels.samples)
    if claimed != expected:
        raise PixelsUnreadable(
            "a frame's codestream and the data set disagree about its size",
            claimed=claimed,
            expected=expected,
        )


def _jpeg_2000_size(frame: bytes) -> tuple[int, int, int]:
    start = frame.find(b"\xff\x4f\xff\x51", 0, 4096)
    if start < 0 or len(frame) < start + 42:
        raise PixelsUnreadable("a frame holds no JPEG 2000 codestream")
    width, height, left, top, tile_width, tile_height, tile_left, tile_top, components = (
        struct.unpack_from(">8IH", frame, start + 8)
    )
    if not tile_width or not tile_height:
        raise PixelsUnreadable("a frame's JPEG 2000 tiles have no size")
    across = -(-(width - tile_left) // tile_width)
    down = -(-(height - tile_top) // tile_height)
    if across * down > _MOST_TILES:
        raise PixelsUnreadable(
            "a frame claims more JPEG 2000 tiles than there may be",
            tiles=across * down,
            limit=_MOST_TILES,
        )
    return height - top, width - left, components


def _jpeg_size(frame: bytes) -> tuple[int, int, int]:
    position = 2
    while frame[:2] == b"\xff\xd8" and position + 10 <= len(frame) and frame[position] == 0xFF:
        marker = frame[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _FRAME_MARKERS:
            height, width, components = struct.unpack_from(">HHB", frame, position + 5)
            return height, width, components
        else:
            position += 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
    raise PixelsUnreadable("a frame holds no JPEG codestream")


def _check_rle(frame: bytes, pixels: ImagePixels) -> None:
    """RLE has no size of its own: count what each segment expands to (PS3.5 Annex G)."""
    count = pixels.samples * (pixels.bits_allocated // 8)
    if len(frame) < 64 or pixels.bits_allocated % 8 or not 1 <= count <= 15:
        raise PixelsUnreadable("a frame holds no RLE segments", segments=count)
    header = struct.unpack_from("<16I", frame)
    bounds = [*header[1 : count + 1], len(frame)]
    if header[0] != count or bounds[0] < 64 or bounds != sorted(bounds):
        raise PixelsUnreadable(
            "a frame's RLE header does not fit its data set", claimed=header[0], expected=count
        )
    for start, end in pairwise(bounds):
        # a run of 128 takes two bytes: only larger segments can expand beyond all measure
        if (end - start) * 64 > 2 * pixels.pixels + 4096:
            _check_segment(frame, start, end, pixels.pixels)


def _check_segment(frame: bytes, start: int, end: int, expected: int) -> None:
    position, size = start, 0
    while position < end and size < expected:
        control = frame[position]
        if control < 128:
            size += control + 1
            position += control + 2
        else:
            size += 257 - control if control > 128 else 0
            position += 2 if control > 128 else 1
    # what follows the last pixel is padding; two bytes of it at most
    if size != expected or end - position > 2:
        raise PixelsUnreadable(
            "an RLE segment does not expand to the size of a plane",
            expanded=size,
            expected=expected,
        )

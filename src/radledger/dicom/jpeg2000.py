"""JPEG 2000 codestreams: what they claim, and which of their bytes are picture.

ISO/IEC 15444-1 Annex A: a main header, tile-parts with a header each, and an end marker; and
Annex I: the boxes of a JP2 file, which some writers put into DICOM against PS3.5 section A.4.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

from .errors import PixelsUnreadable
from .image import Codestream

__all__ = ["clean_jpeg_2000"]

_START, _END = b"\xff\x4f", b"\xff\xd9"
_SIZE, _TILE, _DATA, _LENGTHS = 0x51, 0x90, 0x93, 0x55
# coding, quantization, regions, packets and the extensions of part 2; all but comments (64)
_NEEDED = frozenset(
    [0x50, 0x51, 0x52, 0x53, 0x55, *range(0x56, 0x5A), *range(0x5C, 0x62), 0x63, *range(0x72, 0x7A)]
)
_MOST_TILES = 65_535

_JP2 = b"\0\0\0\x0cjP  "
_CODESTREAM, _HEADER = b"jp2c", b"jp2h"
_BOXES = frozenset({b"jP  ", b"ftyp", _HEADER, _CODESTREAM})
_HEADER_BOXES = frozenset({b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef"})


def clean_jpeg_2000(frame: bytes) -> Codestream:
    """One frame without comments, boxes that are no picture, and what follows its end.

    Raises
    ------
    PixelsUnreadable
        If it is cut, damaged, or no JPEG 2000.
    """
    if not frame.startswith(_JP2):
        return _codestream(frame)
    parts = []
    for kind, start, stop in _boxes(frame, 0, len(frame)):
        content = frame[start:stop]
        if kind == _CODESTREAM:
            cleaned = _codestream(content)
            parts.append(_box(kind, cleaned.data))
            return replace(cleaned, data=b"".join(parts), end=start + cleaned.end)
        if kind == _HEADER:
            children = _boxes(frame, start, stop)
            content = b"".join(_box(k, frame[a:b]) for k, a, b in children if k in _HEADER_BOXES)
        if kind in _BOXES:
            parts.append(_box(kind, content))
    raise PixelsUnreadable("a frame holds no JPEG 2000 codestream")


def _codestream(frame: bytes) -> Codestream:
    if frame[:4] != _START + bytes([0xFF, _SIZE]) or len(frame) < 44:
        raise PixelsUnreadable("a frame holds no JPEG 2000 codestream")
    rows, columns, samples, precision = _claims(frame)
    header, position = _header(frame, 2, _TILE)
    tiles: list[bytes] = []
    shortened = False
    while frame[position : position + 2] != _END:
        if position == len(frame) and tiles:
            break  # some writers leave the end marker out; all tiles are there
        tile, stop = _tile(frame, position)
        shortened |= len(tile) < stop - position
        tiles.append(tile)
        position = stop
    if shortened:
        # the lengths of the tile-parts in the main header are not true any more, nor needed
        header = [segment for segment in header if segment[1] != _LENGTHS]
    end = _END if position < len(frame) else b""
    data = b"".join([_START, *header, *tiles, end])
    return Codestream(data, position + len(end), rows, columns, samples, precision)


def _claims(frame: bytes) -> tuple[int, int, int, int]:
    """Rows, columns, samples and bits, which decoders believe."""
    width, height, left, top, tile_width, tile_height, tile_left, tile_top, components, depth = (
        struct.unpack_from(">8IHB", frame, 8)
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
    return height - top, width - left, components, (depth & 0x7F) + 1


def _tile(frame: bytes, start: int) -> tuple[bytes, int]:
    """One tile-part without comments, and where the next begins."""
    if frame[start : start + 4] != b"\xff\x90\0\x0a" or len(frame) < start + 12:
        raise PixelsUnreadable(
            "a frame's codestream is damaged or cut: no tile where one must stand",
            offset=start,
            size=len(frame),
        )
    (length,) = struct.unpack_from(">I", frame, start + 6)
    # the last tile-part may leave its length out; no data looks like the end marker
    stop = start + length if length else frame.find(_END, start)
    segments, position = _header(frame, start + 12, _DATA)
    if not position + 2 <= stop <= len(frame):
        raise PixelsUnreadable(
            "a frame's codestream is cut: a tile does not end in it", offset=start, size=len(frame)
        )
    header = b"".join(segments)
    if length:
        length -= position - (start + 12) - len(header)
    claim = struct.pack(">I", length)
    return b"".join(
        (
            frame[start : start + 6],
            claim,
            frame[start + 10 : start + 12],
            header,
            frame[position:stop],
        )
    ), stop


def _header(frame: bytes, position: int, until: int) -> tuple[list[bytes], int]:
    """The segments that a decoder needs, and where the marker `until` stands."""
    kept = []
    while frame[position : position + 2] != bytes([0xFF, until]):
        stop = position + 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
        if frame[position : position + 1] != b"\xff" or not position + 4 <= stop <= len(frame):
            raise PixelsUnreadable(
                "a frame's codestream is damaged or cut: a segment does not end in it",
                offset=position,
                size=len(frame),
            )
        if frame[position + 1] in _NEEDED:
            kept.append(frame[position:stop])
        position = stop
    return kept, position


def _boxes(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type of each box, and where its content begins and ends."""
    while position + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if length == 1 and start + 8 <= end:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        stop = position + length if length else end
        if not start <= stop <= end:
            raise PixelsUnreadable("a frame's JP2 box does not end in it", offset=position)
        yield kind, start, stop
        position = stop


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content

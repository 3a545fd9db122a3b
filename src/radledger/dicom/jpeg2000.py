"""JPEG 2000 codestreams: what they claim, and which of their bytes are picture.

ISO/IEC 15444-1 Annex A: a main header, tile-parts with a header each, and an end marker; and
Annex I: the boxes of a JP2 file, which some writers put into DICOM against PS3.5 section A.4.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

from radledger.dicom.errors import PixelsUnreadable
from radledger.dicom.image import Codestream

__all__ = ["clean_jpeg_2000"]

_START, _END = b"\xff\x4f", b"\xff\xd9"
_SIZE, _TILE, _DATA, _LENGTHS = 0x51, 0x90, 0x93, 0x55
_CAPABILITIES, _CODING, _QUANTIZATION = 0x50, 0x52, 0x5C
# Capabilities, size, coding, quantization, regions and packets.  Comments, profiles, places of
# components and lengths of packets are for no decoder.
_NEEDED = frozenset([*range(0x50, 0x54), *range(0x5C, 0x62)])
_PART_2_NEEDED = _NEEDED | set(range(0x72, 0x7A))
_ONCE = (_SIZE, _CAPABILITIES, _CODING, _QUANTIZATION)
_PART_2 = frozenset({"1.2.840.10008.1.2.4.92", "1.2.840.10008.1.2.4.93"})
_MOST_TILES = 65_535

_JP2 = b"\0\0\0\x0cjP  "
_CODESTREAM = b"jp2c"


def clean_jpeg_2000(frame: bytes, syntax: str) -> Codestream:
    """One frame without comments, the boxes around it, and what follows its end.

    Raises
    ------
    PixelsUnreadable
        If it is cut, damaged, or no JPEG 2000.
    """
    needed = _PART_2_NEEDED if syntax in _PART_2 else _NEEDED
    if not frame.startswith(_JP2):
        return _codestream(frame, needed)
    for kind, start, stop in _boxes(frame, 0, len(frame)):
        if kind == _CODESTREAM:
            cleaned = _codestream(frame[start:stop], needed)
            return replace(cleaned, end=start + cleaned.end)
    raise PixelsUnreadable("a frame holds no JPEG 2000 codestream")


def _codestream(frame: bytes, needed: frozenset[int]) -> Codestream:
    if frame[:4] != _START + bytes([0xFF, _SIZE]) or len(frame) < 44:
        raise PixelsUnreadable("a frame holds no JPEG 2000 codestream")
    rows, columns, samples, precision = _claims(frame)
    header, position = _header(frame, 2, _TILE, needed | {_LENGTHS})
    tiles: list[bytes] = []
    while frame[position : position + 2] != _END:
        if position == len(frame) and tiles:
            break  # some writers leave the end marker out; all tiles are there
        tile, position = _tile(frame, position, needed)
        tiles.append(tile)
    if _stated_lengths(header) != [len(tile) for tile in tiles]:
        # not true, or not true any more, and needed by no decoder
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


def _stated_lengths(header: list[bytes]) -> list[int]:
    """The lengths of tile-parts in the main header: ISO/IEC 15444-1 section A.7.1."""
    lengths: list[int] = []
    for segment in header:
        if segment[1] == _LENGTHS and len(segment) > 5:
            kind = segment[5]
            entry = struct.Struct(f">{kind >> 4 & 3}x{'I' if kind & 0x40 else 'H'}")
            if (len(segment) - 6) % entry.size:
                return []
            lengths += [length for (length,) in entry.iter_unpack(segment[6:])]
    return lengths


def _tile(frame: bytes, start: int, needed: frozenset[int]) -> tuple[bytes, int]:
    """One tile-part without comments, and where the next begins."""
    if frame[start : start + 4] != b"\xff\x90\0\x0a" or len(frame) < start + 12:
        raise PixelsUnreadable(
            "a frame's codestream is damaged or cut: no tile where one must be",
            offset=start,
            size=len(frame),
        )
    (length,) = struct.unpack_from(">I", frame, start + 6)
    # the last tile-part may leave its length out; no data looks like the end marker
    stop = start + length if length else frame.find(_END, start)
    segments, position = _header(frame, start + 12, _DATA, needed)
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


def _header(
    frame: bytes, position: int, until: int, needed: frozenset[int]
) -> tuple[list[bytes], int]:
    """The segments that a decoder needs, and where the marker `until` stands."""
    kept: list[bytes] = []
    while frame[position : position + 2] != bytes([0xFF, until]):
        stop = position + 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
        if frame[position : position + 1] != b"\xff" or not position + 4 <= stop <= len(frame):
            raise PixelsUnreadable(
                "a frame's codestream is damaged or cut: a segment does not end in it",
                offset=position,
                size=len(frame),
            )
        if frame[position + 1] in needed:
            kept.append(frame[position:stop])
            _check(kept, position)
        position = stop
    return kept, position


def _check(kept: list[bytes], offset: int) -> None:
    """See that the last segment is as long as it must be, and the only one of its kind."""
    segment = kept[-1]
    marker, size = segment[1], len(segment)
    expected = size
    if marker == _SIZE:
        expected = 40 + 3 * int.from_bytes(segment[38:40], "big")
    elif marker == _CAPABILITIES:
        expected = 8 + 2 * int.from_bytes(segment[4:8], "big").bit_count()
    elif marker == _CODING and size > 9:
        # sizes of precincts, one for each resolution
        expected = 14 + (segment[9] + 1 if segment[4] & 1 else 0)
    again = marker in _ONCE and any(each[1] == marker for each in kept[:-1])
    if size != expected or again:
        raise PixelsUnreadable(
            "a frame's codestream is damaged: a segment is of another size than it must be, or "
            "stands twice",
            marker=f"FF{marker:02X}",
            offset=offset,
        )


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

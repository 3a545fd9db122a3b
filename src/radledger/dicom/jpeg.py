"""JPEG and JPEG-LS codestreams: what they claim, and which of their bytes are picture.

ISO/IEC 10918-1 Annex B and ISO/IEC 14495-1 Annex C: marker segments, and the entropy-coded data
that follows a start of scan.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from .errors import PixelsUnreadable
from .image import Codestream

__all__ = ["clean_jpeg"]

_START, _END, _SCAN, _TEMPORARY = 0xD8, 0xD9, 0xDA, 0x01
_RESTARTS = range(0xD0, 0xD8)
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
# Huffman tables, quantization, lines, restart interval, JPEG-LS parameters
_NEEDED = _SIZES | {0xC4, 0xDB, 0xDC, 0xDD, 0xF8, _SCAN}
_NUMBERS = frozenset({0xDC, 0xDD})  # of two bytes
# after a byte of ones come zeros in JPEG, and a zero bit in JPEG-LS, unless it is a marker
_AFTER_DATA = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")
_AFTER_LS_DATA = re.compile(rb"\xff+[\x80-\xcf\xd8-\xfe]")

_KINDS = {
    "1.2.840.10008.1.2.4.50": {0xC0, 0xC1, 0xC2},
    "1.2.840.10008.1.2.4.51": {0xC0, 0xC1, 0xC2},
    "1.2.840.10008.1.2.4.57": {0xC3},
    "1.2.840.10008.1.2.4.70": {0xC3},
    "1.2.840.10008.1.2.4.80": {0xF7},
    "1.2.840.10008.1.2.4.81": {0xF7},
}


def clean_jpeg(frame: bytes, syntax: str) -> Codestream:
    """One frame without comments, application data and what follows its end.

    Of the application segments only those stay that tell a decoder about colours: JFIF without
    its thumbnail, Adobe's APP14, and the colour transform of JPEG-LS.

    Raises
    ------
    PixelsUnreadable
        If it is cut, damaged, or no codestream of the transfer syntax.
    """
    if frame[:2] != b"\xff\xd8":
        raise PixelsUnreadable("a frame holds no JPEG codestream")
    parts: list[bytes | memoryview] = [frame[:2]]
    size, end = None, 0
    for marker, segment, data, stop in _segments(frame):
        end = stop
        if marker in _SIZES:
            if size is not None or marker not in _KINDS.get(syntax, _SIZES) or len(segment) < 10:
                raise PixelsUnreadable(
                    "a frame's codestream is not of the file's transfer syntax",
                    marker=f"FF{marker:02X}",
                    transfer_syntax=syntax,
                )
            size = struct.unpack_from(">BHHB", segment, 4)
        parts += (_needed(marker, segment), data)
    if size is None:
        raise PixelsUnreadable("a frame holds no JPEG codestream")
    precision, rows, columns, samples = size
    return Codestream(b"".join([*parts, b"\xff\xd9"]), end, rows, columns, samples, precision)


def _segments(frame: bytes) -> Iterator[tuple[int, bytes, memoryview, int]]:
    """Marker, segment, the entropy-coded data after it, and where all of it ends."""
    position, jpeg_ls = 2, False
    view = memoryview(frame)
    while True:
        start = position
        while frame[position : position + 1] == b"\xff":
            position += 1
        if position == start or position == len(frame):
            raise PixelsUnreadable(
                "a frame's codestream is damaged or cut: no marker where one must stand",
                offset=start,
                size=len(frame),
            )
        marker = frame[position]
        position += 1
        if marker == _END:
            yield marker, b"", view[:0], position
            return
        if marker in _RESTARTS or marker == _TEMPORARY:
            continue
        stop = position + int.from_bytes(frame[position : position + 2], "big")
        if marker in (0x00, _START) or not position + 2 <= stop <= len(frame):
            raise PixelsUnreadable(
                "a frame's codestream is damaged or cut: a segment does not end in it",
                offset=start,
                size=len(frame),
            )
        segment, position = b"\xff" + frame[position - 1 : stop], stop
        jpeg_ls |= marker == 0xF7
        if marker == _SCAN:
            after = (_AFTER_LS_DATA if jpeg_ls else _AFTER_DATA).search(frame, stop)
            if after is None:
                raise PixelsUnreadable(
                    "a frame's codestream is cut: it has no end marker", size=len(frame)
                )
            position = after.start()
        yield marker, segment, view[stop:position], position


def _needed(marker: int, segment: bytes) -> bytes:
    """What a decoder needs of a segment."""
    if marker in _NEEDED:
        return segment if marker not in _NUMBERS or len(segment) == 6 else b""
    content = segment[4:]
    if marker == 0xE0 and content[:5] == b"JFIF\0" and len(content) >= 14:
        content = content[:12] + b"\0\0"
    elif marker == 0xEE and content[:5] == b"Adobe":
        content = content[:12]
    elif marker == 0xE8 and content[:4] == b"mrfx":
        content = content[:5]
    else:
        return b""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content

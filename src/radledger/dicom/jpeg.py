"""JPEG and JPEG-LS codestreams: what they claim, and which of their bytes are picture.

ISO/IEC 10918-1 Annex B and ISO/IEC 14495-1 Annex C: marker segments, and the entropy-coded data
that follows a start of scan.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import lru_cache

from radledger.dicom.entropy import Blocks, Coding, Damaged, Scan, SingleCodes, trimmed
from radledger.dicom.errors import PixelsUnreadable
from radledger.dicom.image import Codestream
from radledger.dicom.jpeg_headers import (
    LOSSLESS,
    Component,
    FrameHeader,
    ScanHeader,
    Table,
    Tables,
    restart_interval,
)
from radledger.dicom.progressive import Band, Bits

__all__ = ["clean_jpeg"]

_START, _END, _SCAN, _TEMPORARY = 0xD8, 0xD9, 0xDA, 0x01
_RESTARTS = range(0xD0, 0xD8)
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_TABLES = frozenset({0xC4, 0xDB})  # Huffman, quantization
_RESTART_INTERVAL, _JPEG_LS_PARAMETERS = 0xDD, 0xF8
_NEEDED = _SIZES | {_RESTART_INTERVAL, _JPEG_LS_PARAMETERS, _SCAN}
_PROGRESSIVE, _LAST_COEFFICIENT = 0xC2, 63
_FOLLOWED = frozenset({0xC0, 0xC1, _PROGRESSIVE, LOSSLESS})  # and baseline, extended sequential
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


@lru_cache(maxsize=1)  # a frame is cleaned to be copied, and again to compare it with its copy
def clean_jpeg(frame: bytes, syntax: str) -> Codestream:
    """One frame with nothing in it but what a decoder needs for the picture.

    Comments, application data, tables that no scan uses, what follows the last code of an
    entropy-coded segment, and what follows the end go.  Of the application segments only those
    stay that tell a decoder about colours: JFIF without its thumbnail, Adobe's APP14, and the
    colour transform of JPEG-LS.

    Raises
    ------
    PixelsUnreadable
        If it is cut, damaged, or no codestream of the transfer syntax.
    """
    if frame[:2] != b"\xff\xd8":
        raise PixelsUnreadable("a frame holds no JPEG codestream")
    picture, start = _Picture(syntax), 2
    for marker, segment, data, stop in _segments(frame):
        try:
            picture.add(marker, segment, data)
        except Damaged as error:
            raise PixelsUnreadable(
                f"a frame's codestream is damaged or cut: {error}", offset=start, size=len(frame)
            ) from error
        start = stop
    if picture.size is None:
        raise PixelsUnreadable("a frame holds no JPEG codestream")
    precision, rows, columns, samples = picture.size
    return Codestream(picture.codestream(), start, rows, columns, samples, precision)


class _Picture:
    """What is kept of a codestream, as it is read."""

    def __init__(self, syntax: str) -> None:
        self.size: tuple[int, int, int, int] | None = None
        self._syntax = syntax
        self._frame: FrameHeader | None = None
        self._tables, self._interval = Tables(), 0
        self._seen: dict[Component, dict[int, int]] = {}
        self._left: list[Component] = []
        self._parts: list[bytes | memoryview | tuple[int, list[Table]]] = []

    def add(self, marker: int, segment: bytes, data: memoryview) -> None:
        """Take the next segment with the entropy-coded data after it.

        Raises
        ------
        Damaged
            If it is not what it must be.
        PixelsUnreadable
            If it is of another transfer syntax.
        """
        content = segment[4:]
        if marker in _SIZES:
            self._start(marker, content)
        elif marker in _TABLES:
            self._parts.append((marker, self._tables.define(marker, content)))
            return
        elif marker == _RESTART_INTERVAL:
            self._interval = restart_interval(content)
        elif marker == _SCAN:
            self._parts += (segment, self._scan(content, data))
            return
        elif marker == _END and self._left:
            raise Damaged("a component is in no scan")
        self._parts.append(_needed(marker, segment))

    def codestream(self) -> bytes:
        """All that is kept."""
        parts = (_used(*part) if isinstance(part, tuple) else part for part in self._parts)
        return b"".join([b"\xff\xd8", *parts, b"\xff\xd9"])

    def _start(self, marker: int, content: bytes) -> None:
        if self.size is not None or marker not in _KINDS.get(self._syntax, _SIZES):
            raise PixelsUnreadable(
                "a frame's codestream is not of the file's transfer syntax",
                marker=f"FF{marker:02X}",
                transfer_syntax=self._syntax,
            )
        self._frame = frame = FrameHeader.of(marker, content)
        self._left += frame.components if marker in _FOLLOWED else ()
        self.size = (frame.precision, frame.rows, frame.columns, len(frame.components))

    def _scan(self, content: bytes, data: memoryview) -> bytes | memoryview:
        frame = self._frame
        if frame is None:
            raise Damaged("a scan precedes the frame header")
        if frame.marker not in _FOLLOWED:
            self._tables.use_all()
            return data
        header = ScanHeader.of(frame, content)
        for component, _, _ in header.components:
            if component in self._left:
                self._left.remove(component)
            elif frame.marker != _PROGRESSIVE:
                raise Damaged("a component is in two scans")
        units, sizes = frame.units([component for component, _, _ in header.components])
        coding = self._coding(frame.marker, header, sizes)
        return trimmed(data, Scan(coding, units, self._interval))

    def _coding(self, marker: int, header: ScanHeader, sizes: list[int]) -> Coding:
        """How each data unit of a scan's MCUs is coded."""
        tables = self._tables
        each = [
            one for one, size in zip(header.components, sizes, strict=True) for _ in range(size)
        ]
        if marker == LOSSLESS:
            return SingleCodes(tuple(tables.dc(dc) for _, dc, _ in each), lossless=True)
        for component, _, _ in header.components:
            tables.quantization(component.quantization)
        if marker != _PROGRESSIVE:
            return Blocks(tuple((tables.dc(dc), tables.ac(ac)) for _, dc, ac in each))
        if header.first:
            [(component, _, ac), *more] = header.components
            if more or not header.first <= header.last <= _LAST_COEFFICIENT:
                raise Damaged("a scan is of coefficients that it cannot have")
            seen = self._seen.setdefault(component, {})
            return Band(tables.ac(ac), header.first, header.last, header.refined, seen)
        if header.refined:
            return Bits(len(each))
        return SingleCodes(tuple(tables.dc(dc) for _, dc, _ in each), lossless=False)


def _used(marker: int, tables: list[Table]) -> bytes:
    content = b"".join(table.content for table in tables if table.used)
    return _segment(marker, content) if content else b""


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
                "a frame's codestream is damaged or cut: no marker where one must be",
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
        return segment
    content = segment[4:]
    if marker == 0xE0 and content[:5] == b"JFIF\0" and len(content) >= 14:
        content = content[:12] + b"\0\0"
    elif marker == 0xEE and content[:5] == b"Adobe":
        content = content[:12]
    elif marker == 0xE8 and content[:4] == b"mrfx":
        content = content[:5]
    else:
        return b""
    return _segment(marker, content)


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content

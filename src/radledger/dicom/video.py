"""Video: MPEG-2, H.264 and HEVC streams, which are neither decoded nor taken apart here.

An elementary stream is a row of units, each behind a start code (ISO/IEC 13818-2 section 5.2.1,
ITU-T H.264 and H.265 Annex B).  Encoders and cameras put names, times and places into user data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from radledger.dicom.errors import PixelsUnreadable

__all__ = ["checked", "is_video", "unchecked_data"]

_VIDEO = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.(10[0-8])(\.1)?")
_START_CODE = b"\0\0\1"
_PACKET = 188
_KEPT = 1 << 16

# Messages about timing, pictures and colours, none of which is long; most others may hold
# anything: H.264 and H.265 Annex D
_HARMLESS = frozenset([0, 1, 2, 6, 7, 9, 19, 21, 45, 47, *range(128, 131), 132, 136, 137, 144, 147])
_LONGEST_MESSAGE = 64
_MPEG_2_END, _ENDS = 0xB7, {"H.264": {10, 11}, "HEVC": {36, 37}}
_MPEG_2 = frozenset([*range(0xB0), 0xB3, 0xB5, 0xB7, 0xB8])
_H264_PICTURE, _H264_MESSAGES = frozenset([*range(1, 6), *range(7, 12), 14, 15, 20]), {6}
_FILLERS, _FILLING = {12, 38}, {0xFF, 0x80}
_HEVC_PICTURE, _HEVC_MESSAGES = frozenset([*range(10), *range(16, 22), *range(32, 38)]), {39, 40}


def is_video(syntax: str) -> bool:
    """Whether a transfer syntax is one of MPEG-2, H.264 and HEVC."""
    return _VIDEO.fullmatch(syntax) is not None


def checked(pieces: Iterable[bytes], syntax: str) -> Iterator[bytes]:
    """A video's bytes as they are, if they begin as its transfer syntax demands.

    Raises
    ------
    PixelsUnreadable
        If they begin in another way.
    """
    head, rest = _head(pieces)
    if not (_is_container(head) or _begins(head, syntax)):
        raise PixelsUnreadable(
            "the pixel data is not a video of the file's transfer syntax", transfer_syntax=syntax
        )
    yield from chain([head], rest)


def unchecked_data(pieces: Iterable[bytes], syntax: str) -> str | None:
    """What a video may hold beside pictures; None if it surely holds nothing.

    Parameters
    ----------
    pieces
        Its bytes.
    syntax
        Transfer syntax UID.
    """
    head, rest = _head(pieces)
    if _is_container(head):
        return "a container, whose other streams and texts are not searched"
    kind = _kind(syntax)
    for unit in _units(chain([head], rest)):
        found = _beside(unit, kind)
        if found is not None:
            return found
    return None


def _kind(syntax: str) -> str:
    match = _VIDEO.fullmatch(syntax)
    number = int(match[1]) if match else 0
    return "MPEG-2" if number <= 101 else "HEVC" if number >= 107 else "H.264"


def _head(pieces: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    rest = iter(pieces)
    head = b""
    for piece in rest:
        head += piece
        if len(head) > _PACKET:
            break
    return head, rest


def _is_container(head: bytes) -> bool:
    """MPEG transport and program streams, and MP4."""
    transport = head[:1] == b"\x47" and head[_PACKET : _PACKET + 1] in (b"\x47", b"")
    return transport or head[4:8] == b"ftyp" or head.startswith(b"\0\0\1\xba")


def _begins(head: bytes, syntax: str) -> bool:
    unit = head.lstrip(b"\0")[:2]
    if not head.startswith(b"\0\0") or len(unit) < 2 or unit[0] != 1:
        return False
    kind = _kind(syntax)
    if kind == "MPEG-2":
        return unit[1] == 0xB3
    if kind == "H.264":
        return unit[1] < 0x80 and unit[1] & 0x1F in (6, 7, 9)
    return unit[1] < 0x80 and unit[1] >> 1 in (32, 33, 35, 39)


def _units(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What stands between start codes; of long units the beginning."""
    pending = b""
    for piece in pieces:
        *units, pending = (pending + piece).split(_START_CODE)
        yield from units
        if len(pending) > _KEPT:
            # a start code may span two pieces
            pending = pending[:_KEPT] + pending[-2:]
    yield pending


def _beside(unit: bytes, kind: str) -> str | None:
    """What a unit is beside picture."""
    if not unit.strip(b"\0"):
        return None
    code = unit[0]
    if kind == "MPEG-2":
        after_end = code == _MPEG_2_END and unit[1:].strip(b"\0")
        return None if code in _MPEG_2 and not after_end else "user data"
    number = code & 0x1F if kind == "H.264" else code >> 1 & 0x3F
    picture, messages, header = (
        (_H264_PICTURE, _H264_MESSAGES, 1)
        if kind == "H.264"
        else (_HEVC_PICTURE, _HEVC_MESSAGES, 2)
    )
    content = unit[header:].rstrip(b"\0")
    harmless = (
        (number in picture and not (number in _ENDS[kind] and content))
        or (number in messages and all(map(_is_harmless, _messages(content))))
        or (number in _FILLERS and set(content) <= _FILLING)
    )
    return None if harmless else "user data"


def _is_harmless(message: tuple[int, int]) -> bool:
    kind, size = message
    return kind in _HARMLESS and size <= _LONGEST_MESSAGE


def _messages(payload: bytes) -> Iterator[tuple[int, int]]:
    """The types and sizes of the messages in a unit of supplemental information."""
    data = payload.replace(b"\0\0\3", b"\0\0")
    position = 0
    while position + 1 < len(data):
        numbers = []
        for _ in range(2):  # type and size: bytes of 255 and a smaller one, added up
            number = 0
            while data[position : position + 1] == b"\xff":
                number, position = number + 255, position + 1
            number += data[position] if position < len(data) else 0
            position += 1
            numbers.append(number)
        yield numbers[0], numbers[1]
        position += numbers[1]

"""Where the picture ends in the entropy-coded data of a JPEG scan.

ISO/IEC 10918-1 Annex F for sequential DCT and Annex H for lossless coding, both with Huffman
codes; Annex G is in `radledger.dicom.progressive`.  Only the lengths of codes are followed; no
coefficient and no sample is computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle, islice
from typing import Protocol, TypeVar

import numpy as np

__all__ = [
    "NOWHERE",
    "Blocks",
    "Coding",
    "Damaged",
    "Scan",
    "SingleCodes",
    "by_window",
    "check_codes",
    "trimmed",
]

_RESTART = re.compile(rb"\xff+([\xd0-\xd7])")
_STUFFED = re.compile(rb"\xff+\0")

NOWHERE = 1 << 60
"""Further than any data: where an undefined code leads, in bits."""

_WINDOW = 16  # bits, as many as the longest code has
_CODES = 1 << _WINDOW
_COEFFICIENTS = 64
# bytes whose windows are made at once, and what one data unit may have at most
_PIECE = 1 << 16
_LONGEST_UNIT = _COEFFICIENTS * 4

T = TypeVar("T")


class Damaged(Exception):
    """What is wrong with a codestream."""


class Coding(Protocol):
    """How the data units of a scan are coded."""

    def end(self, data: bytes, start: int, units: int) -> int:
        """Where the last code ends.

        Parameters
        ----------
        data
            A segment between restart markers, without stuffed bytes.
        start, units
            The MCU of the scan that is coded first, and how many follow.

        Returns
        -------
        int
            In bits; more than the data has if codes are missing or undefined.

        Raises
        ------
        IndexError
            If the data ends before.
        """


@dataclass(frozen=True, slots=True)
class Scan:
    """What is coded in a scan.

    Attributes
    ----------
    coding
        How it is coded.
    units
        Its MCUs.
    interval
        MCUs between two restart markers, 0 for no markers.
    """

    coding: Coding
    units: int
    interval: int


def trimmed(data: memoryview, scan: Scan) -> bytes:
    """The entropy-coded data of a scan, without what follows the last code of each segment.

    The bits that fill the last byte are ones (F.1.2.3).

    Parameters
    ----------
    data
        All bytes from the scan header to the next marker that is not a restart.
    scan
        What is coded in them.

    Raises
    ------
    Damaged
        If codes are missing or undefined, or restart markers are not where they must be.
    """
    segments = _RESTART.split(data)
    markers = b"".join(segments[1::2])
    interval = scan.interval or scan.units or 1
    count = max(1, -(-scan.units // interval))
    if len(segments) != 2 * count - 1 or markers != bytes(
        0xD0 + number % 8 for number in range(count - 1)
    ):
        raise Damaged("its restart markers are not those of its intervals")
    parts = []
    for number, segment in enumerate(segments[::2]):
        start = number * interval
        parts.append(_picture(segment, scan.coding, start, min(interval, scan.units - start)))
    return _joined(parts)


def _joined(parts: list[bytes]) -> bytes:
    """Segments with restart markers between them."""
    markers = (bytes([0xFF, 0xD0 + number % 8]) for number in range(len(parts)))
    return b"".join(each for pair in zip(parts, markers, strict=True) for each in pair)[:-2]


def _picture(data: bytes, coding: Coding, start: int, units: int) -> bytes:
    """The bytes of some MCUs."""
    plain = _STUFFED.sub(b"\xff", data)
    try:
        end = coding.end(plain, start, units)
    except IndexError:
        end = NOWHERE
    if end > 8 * len(plain):
        raise Damaged("its entropy-coded data ends before its picture, or has undefined codes")
    whole, rest = divmod(end, 8)
    last = bytes([plain[whole] | 0xFF >> rest]) if rest else b""
    if plain[whole:] == last and b"\xff\xff" not in data:
        return data
    return (plain[:whole] + last).replace(b"\xff", b"\xff\0")


@dataclass(frozen=True, slots=True)
class SingleCodes:
    """One code for each data unit: lossless samples (H.1.2), or DC coefficients (G.1.2.1).

    Attributes
    ----------
    codes
        For each data unit of an MCU, as a DHT segment has it: how many codes are of each length,
        and their values.
    lossless
        Whether they are of samples.
    """

    codes: tuple[bytes, ...]
    lossless: bool

    def end(self, data: bytes, start: int, units: int) -> int:
        """Where the last code ends."""
        tables = [_lengths(each, lossless=self.lossless) for each in self.codes]
        base, at, windows, piece = 0, 0, _windows(data, 0), 8 * _PIECE
        for lengths in islice(cycle(tables), units * len(tables)):
            at += lengths[windows[at >> 3] >> 8 - (at & 7) & 0xFFFF]
            if at > piece:
                base += at >> 3
                at &= 7
                windows = _windows(data, base)
        return 8 * base + at


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of 64 coefficients: sequential DCT (F.1.2, F.2.2).

    Attributes
    ----------
    codes
        For each block of an MCU, as a DHT segment has them: those of DC coefficients, and those
        of AC coefficients.
    """

    codes: tuple[tuple[bytes, bytes], ...]

    def end(self, data: bytes, start: int, units: int) -> int:
        """Where the last code ends."""
        tables = [(_lengths(dc, lossless=False), _steps(ac)) for dc, ac in self.codes]
        base, at, windows, piece = 0, 0, _windows(data, 0), 8 * _PIECE
        for lengths, steps in islice(cycle(tables), units * len(tables)):
            at += lengths[windows[at >> 3] >> 8 - (at & 7) & 0xFFFF]
            coefficient = 1
            while coefficient < _COEFFICIENTS:
                length, run = steps[windows[at >> 3] >> 8 - (at & 7) & 0xFFFF]
                at += length
                coefficient += run
            if at > piece:
                base += at >> 3
                at &= 7
                windows = _windows(data, base)
        return 8 * base + at


def check_codes(specification: bytes) -> None:
    """Refuse a number of codes of each length that no prefix code has (C.2).

    Raises
    ------
    Damaged
        If there are too many.
    """
    taken = sum(
        count << _WINDOW - length for length, count in enumerate(specification[:_WINDOW], 1)
    )
    if taken > _CODES:
        raise Damaged("a Huffman table has more codes than there can be")


def _windows(data: bytes, start: int) -> list[int]:
    """For each byte of a piece of the data, the 24 bits that begin with it."""
    piece = data[start : start + _PIECE + _LONGEST_UNIT] + b"\0\0"
    values = np.frombuffer(piece, "u1").astype("u4")
    windows: list[int] = (values[:-2] << 16 | values[1:-1] << 8 | values[2:]).tolist()
    return windows


@lru_cache(maxsize=8)
def _lengths(specification: bytes, *, lossless: bool) -> list[int]:
    """The length of a code with the bits that it asks for, by the 16 bits that begin with it."""
    # a difference of 16 bits needs no more: H.1.2.2
    more = [*range(16), 0] if lossless else [*range(16)]
    return by_window(
        specification,
        lambda length, value: length + more[value] if value < len(more) else NOWHERE,
        NOWHERE,
    )


@lru_cache(maxsize=8)
def _steps(specification: bytes) -> list[tuple[int, int]]:
    """The same with the coefficients that a code stands for."""

    def step(length: int, value: int) -> tuple[int, int]:
        run, size = divmod(value, 16)
        return length + size, run + 1 if size or run == 15 else _COEFFICIENTS  # end of block

    return by_window(specification, step, (NOWHERE, _COEFFICIENTS))


def by_window(specification: bytes, entry: Callable[[int, int], T], undefined: T) -> list[T]:
    """What each code means, by the 16 bits that begin with it (C.2).

    Parameters
    ----------
    specification
        As a DHT segment has it.
    entry
        Makes the meaning of a code's length and value.
    undefined
        The meaning of bits that begin with no code.
    """
    meanings: list[T] = []
    values = iter(specification[_WINDOW:])
    for length, count in enumerate(specification[:_WINDOW], 1):
        for value in islice(values, count):
            meanings += [entry(length, value)] * (1 << _WINDOW - length)
    return meanings + [undefined] * (_CODES - len(meanings))

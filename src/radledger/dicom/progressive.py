"""Where the picture ends in the scans of a progressive JPEG.

ISO/IEC 10918-1 Annex G with Huffman codes.  A scan that refines coefficients has one bit for each
that is not zero so far, so these are remembered from scan to scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from radledger.dicom.entropy import NOWHERE, by_window

__all__ = ["Band", "Bits"]

_MANY_ZEROS = 15


@dataclass(frozen=True, slots=True)
class Bits:
    """One bit for each data unit: refined DC coefficients (G.1.2.1.1).

    Attributes
    ----------
    blocks
        Data units of an MCU.
    """

    blocks: int

    def end(self, data: bytes, start: int, units: int) -> int:
        """Where the last code ends."""
        return units * self.blocks


@dataclass(frozen=True, slots=True)
class Band:
    """AC coefficients of one component (G.1.2.2, G.1.2.3).

    Attributes
    ----------
    codes
        As a DHT segment has them.
    first, last
        Which coefficients.
    refined
        Whether they are given one more bit.
    seen
        For each block, which coefficients are not zero so far, as bits of a number.  A block
        that has none may be missing.
    """

    codes: bytes
    first: int
    last: int
    refined: bool
    seen: dict[int, int]

    def end(self, data: bytes, start: int, units: int) -> int:
        """Where the last code ends."""
        block = self._refined if self.refined else self._first
        at = run = 0
        for number in range(start, start + units):
            at, run = block(data, at, run, number)
            if at > 8 * len(data):
                return NOWHERE
        return at

    def _first(self, data: bytes, at: int, run: int, block: int) -> tuple[int, int]:
        """Where a block ends, and how many more blocks end with it."""
        if run:
            return at, run - 1
        codes, coefficient, seen = _codes(self.codes), self.first, self.seen.get(block, 0)
        while coefficient <= self.last:
            length, zeros, size = codes[_bits(data, at, 16)]
            at += length
            if not size and zeros < _MANY_ZEROS:
                return at + zeros, (1 << zeros) - 1 + _bits(data, at, zeros)
            at += size
            coefficient += zeros
            if size:
                self.seen[block] = seen = seen | 1 << coefficient
            coefficient += 1
        return at, 0

    def _refined(self, data: bytes, at: int, run: int, block: int) -> tuple[int, int]:
        codes, coefficient = _codes(self.codes), self.first
        before = self.seen.get(block, 0) & (2 << self.last) - 1
        while not run and coefficient <= self.last:
            length, zeros, size = codes[_bits(data, at, 16)]
            at += length
            if not size and zeros < _MANY_ZEROS:
                run = (1 << zeros) + _bits(data, at, zeros)
                at += zeros
                break
            at += size
            while coefficient <= self.last and (zeros or before >> coefficient & 1):
                if before >> coefficient & 1:
                    at += 1
                else:
                    zeros -= 1
                coefficient += 1
            if size:
                self.seen[block] = self.seen.get(block, 0) | 1 << coefficient
            coefficient += 1
        if not run:
            return at, 0
        return at + (before >> coefficient).bit_count(), run - 1


@lru_cache(maxsize=8)
def _codes(specification: bytes) -> list[tuple[int, int, int]]:
    """Length, run of zeros and size of a code, by the 16 bits that begin with it."""
    return by_window(
        specification,
        lambda length, value: (length, value >> 4, value & 15),
        (NOWHERE, _MANY_ZEROS, 0),
    )


def _bits(data: bytes, at: int, count: int) -> int:
    """The value of some bits, at most 16; zeros follow the data."""
    start = at >> 3
    window = int.from_bytes(data[start : start + 3].ljust(3, b"\0"), "big")
    return window >> 24 - (at & 7) - count & (1 << count) - 1

"""The headers of a JPEG codestream that say how its scans are coded.

ISO/IEC 10918-1 Annex B.2: frame header, scan headers, tables and restart intervals.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from radledger.dicom.entropy import Damaged, check_codes

__all__ = [
    "LOSSLESS",
    "Component",
    "FrameHeader",
    "ScanHeader",
    "Table",
    "Tables",
    "restart_interval",
]

LOSSLESS = 0xC3
"""Marker of the frame header of lossless coding."""

_HUFFMAN, _QUANTIZATION = 0xC4, 0xDB
_LENGTHS = 16
_AC = 0x10


@dataclass(frozen=True, slots=True)
class Component:
    """One colour: its number, its sampling factors, and its quantization table."""

    identifier: int
    across: int
    down: int
    quantization: int


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """A frame header (B.2.2)."""

    marker: int
    precision: int
    rows: int
    columns: int
    components: tuple[Component, ...]

    @classmethod
    def of(cls, marker: int, content: bytes) -> FrameHeader:
        """Read the parameters of a start of frame.

        Raises
        ------
        Damaged
            If its length, its precision or its sampling factors are impossible.
        """
        if len(content) < 6 or len(content) != 6 + 3 * content[5]:
            raise Damaged("its frame header has another size than it must have")
        precision, rows, columns, _ = struct.unpack_from(">BHHB", content)
        components = tuple(
            Component(identifier, sampling >> 4, sampling & 15, quantization)
            for identifier, sampling, quantization in struct.iter_unpack("BBB", content[6:])
        )
        if not 2 <= precision <= 16:  # gdcm crashes beyond
            raise Damaged(f"its samples have {precision} bits, not 2 to 16")
        if not all(1 <= each.across <= 4 and 1 <= each.down <= 4 for each in components):
            raise Damaged("its sampling factors are not from 1 to 4")
        return cls(marker, precision, rows, columns, components)

    def units(self, scan: list[Component]) -> tuple[int, list[int]]:
        """How many MCUs a scan of these components has, and data units of each in one (A.2)."""
        side = 1 if self.marker == LOSSLESS else 8
        across = max(each.across for each in self.components)
        down = max(each.down for each in self.components)
        if len(scan) > 1:
            count = -(-self.columns // (side * across)) * -(-self.rows // (side * down))
            return count, [each.across * each.down for each in scan]
        [only] = scan
        columns = -(-self.columns * only.across // across)
        rows = -(-self.rows * only.down // down)
        return -(-columns // side) * -(-rows // side), [1]


@dataclass(slots=True)
class Table:
    """A Huffman or quantization table with its class or precision and number."""

    content: bytes
    used: bool = False


class Tables:
    """The tables in force, and which of them a scan has used."""

    def __init__(self) -> None:
        self._huffman: dict[int, Table] = {}
        self._quantization: dict[int, Table] = {}

    def define(self, marker: int, content: bytes) -> list[Table]:
        """Read the tables of a segment; they are in force from now on.

        Raises
        ------
        Damaged
            If the segment does not end with a table.
        """
        split = _huffman_tables if marker == _HUFFMAN else _quantization_tables
        tables = [Table(each) for each in split(content)]
        for table in tables:
            if marker == _HUFFMAN:
                self._huffman[table.content[0]] = table
            else:
                self._quantization[table.content[0] & 15] = table
        return tables

    def dc(self, number: int) -> bytes:
        """The codes of a table for DC coefficients or samples, which is used from now on.

        Raises
        ------
        Damaged
            If there is no such table.
        """
        return self._codes(number)

    def ac(self, number: int) -> bytes:
        """The same of a table for AC coefficients."""
        return self._codes(_AC | number)

    def quantization(self, number: int) -> None:
        """Remember that a quantization table is used."""
        if number in self._quantization:
            self._quantization[number].used = True

    def use_all(self) -> None:
        """Take all tables in force for used."""
        for table in (*self._huffman.values(), *self._quantization.values()):
            table.used = True

    def _codes(self, number: int) -> bytes:
        table = self._huffman.get(number)
        if table is None:
            raise Damaged("a scan has no Huffman table")
        table.used = True
        return table.content[1:]


def restart_interval(content: bytes) -> int:
    """MCUs between two restart markers, by a DRI segment (B.2.4.4).

    Raises
    ------
    Damaged
        If it is not of two bytes.
    """
    if len(content) != 2:
        raise Damaged("its restart interval has another size than it must have")
    return int.from_bytes(content, "big")


@dataclass(frozen=True, slots=True)
class ScanHeader:
    """A scan header (B.2.3).

    Attributes
    ----------
    components
        With the numbers of their DC and AC tables.
    first, last
        Which coefficients; of meaning in a progressive scan only, as is `refined`.
    refined
        Whether they are given one more bit.
    """

    components: tuple[tuple[Component, int, int], ...]
    first: int
    last: int
    refined: bool

    @classmethod
    def of(cls, frame: FrameHeader, content: bytes) -> ScanHeader:
        """Read the parameters of a start of scan.

        Raises
        ------
        Damaged
            If it is of another size than it must be, or names other components.
        """
        count = content[0] if content else 0
        if not 1 <= count <= 4 or len(content) != 4 + 2 * count:
            raise Damaged("a scan header has another size than it must have")
        left, chosen = list(frame.components), []
        for identifier, numbers in struct.iter_unpack("BB", content[1 : 1 + 2 * count]):
            component = next((each for each in left if each.identifier == identifier), None)
            if component is None:
                raise Damaged("a scan is of a component that the frame does not have")
            left.remove(component)
            chosen.append((component, numbers >> 4, numbers & 15))
        first, last, precision = content[-3:]
        return cls(tuple(chosen), first, last, bool(precision >> 4))


def _huffman_tables(content: bytes) -> Iterator[bytes]:
    """The tables of a DHT segment (B.2.4.2)."""
    at = 0
    while at < len(content):
        counts = content[at + 1 : at + 1 + _LENGTHS]
        end = at + 1 + _LENGTHS + sum(counts)
        if end > len(content):
            raise Damaged("a Huffman table is cut")
        check_codes(counts)
        yield content[at:end]
        at = end


def _quantization_tables(content: bytes) -> Iterator[bytes]:
    """The tables of a DQT segment (B.2.4.1)."""
    at = 0
    while at < len(content):
        end = at + 1 + (128 if content[at] >> 4 else 64)
        if end > len(content):
            raise Damaged("a quantization table is cut")
        yield content[at:end]
        at = end

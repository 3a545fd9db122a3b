"""Locate the elements of a DICOM data set without trusting any length.

pydicom reads most truncated files without an error and recurses as deep as a file asks it to.
This scan walks every element and item first (DICOM PS3.5 section 7), touches no value, and
refuses what does not fit into the file, nests too deep or is too numerous.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, NoReturn

from pydicom.datadict import dictionary_VR

from radledger.dicom.errors import (
    DicomError,
    DicomTooLarge,
    MalformedDicom,
    NestedTooDeep,
    TruncatedDicom,
)
from radledger.dicom.limits import MAX_DEPTH, MAX_ELEMENTS, MAX_FRAGMENTS

__all__ = ["SHORT_VRS", "Element", "Encoding", "Scanner", "is_pixel_data"]

ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
PIXEL_ELEMENTS = frozenset({0x7FE00008, 0x7FE00009, PIXEL_DATA})

_LONG_VRS = frozenset(
    ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]
)
_TEXT_VRS = ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UI"]
SHORT_VRS = frozenset([*_TEXT_VRS, "AT", "FD", "FL", "SL", "SS", "UL", "US"])
"""Those whose length takes two bytes in explicit VR: PS3.5 section 7.1.2."""
_WINDOW = 16 << 10
_HEADER = 8


def is_pixel_data(tag: int) -> bool:
    """Whether a tag is (Float, Double Float) Pixel Data."""
    return tag in PIXEL_ELEMENTS


@dataclass(frozen=True, slots=True)
class Encoding:
    """How elements are written: PS3.5 section 7.1 and Annex A."""

    implicit: bool
    little: bool

    @property
    def order(self) -> str:
        """The byte order's letter for `struct`."""
        return "<" if self.little else ">"

    @property
    def byte_order(self) -> Literal["little", "big"]:
        """The byte order's name for `int`."""
        return "little" if self.little else "big"

    def tag(self, head: bytes) -> int:
        """The tag with which the header of an element begins."""
        if self.little:
            return head[1] << 24 | head[0] << 16 | head[3] << 8 | head[2]
        return head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a data set: where its header, its value and its end are."""

    tag: int
    vr: str
    start: int
    value: int
    end: int
    fragments: tuple[tuple[int, int], ...] | None = None
    """Offset and length of each item of encapsulated pixel data, offset table first."""

    @property
    def length(self) -> int:
        """Bytes of the value, delimiters included."""
        return self.end - self.value


@dataclass(slots=True)
class Scanner:
    """Walks a seekable stream of `size` bytes.

    Parameters
    ----------
    stream
        The file, or the inflated data set of one.
    size
        Bytes in the stream.
    """

    stream: BinaryIO
    size: int
    count: int = 0
    """Elements and items met so far."""
    _window: bytes = b""
    _window_start: int = 0
    _vrs: dict[int, str] = field(default_factory=dict)

    def data_set(
        self, start: int, end: int, encoding: Encoding, *, group: int | None = None
    ) -> list[Element]:
        """The top-level elements between two offsets.

        Parameters
        ----------
        start, end
            Offsets in the stream.
        encoding
            VR and byte order.
        group
            Stop before the first element of another group.

        Raises
        ------
        TruncatedDicom, MalformedDicom, NestedTooDeep, DicomTooLarge
            As their names say; values hold the offset.
        """
        elements: list[Element] = []
        seen: set[int] = set()
        position = start
        while position < end:
            if group is not None and self._tag(position, encoding) >> 16 != group:
                break
            try:
                element = self._element(position, end, encoding, 0)
            except (MalformedDicom, TruncatedDicom) as error:
                if elements and self._is_padding(position, end):
                    break
                self._trailing(elements, position, end, error)
                raise
            if not element.tag and self._is_padding(position, end):
                break
            self._once(element.tag, seen, position)
            elements.append(element)
            position = element.end
        return elements

    # -- elements -------------------------------------------------------------------------

    def _element(self, start: int, end: int, encoding: Encoding, depth: int) -> Element:
        self._counted(start)
        head = self._read(start, 8, end)
        tag = encoding.tag(head)
        vr, value, length = self._head(tag, head, start, end, encoding)
        if length != UNDEFINED:
            self._fits(value, length, end, tag)
            stop = value + length
            if vr == "SQ":
                self._items(value, stop, encoding, depth + 1, delimited=False)
            elif vr == "UN" and self._known_vr(tag) == "SQ":
                # PS3.5 6.2.2 note: a known sequence sent as UN is implicit VR little endian
                self._items(value, stop, Encoding(True, True), depth + 1, delimited=False)
            return Element(tag, vr, start, value, stop)
        if tag == PIXEL_DATA and vr != "SQ":
            stop, fragments = self._fragments(value, end, encoding)
            return Element(tag, vr, start, value, stop, fragments)
        if vr == "UN" and not encoding.implicit:
            encoding = Encoding(True, True)
        elif vr not in ("SQ", "UN"):
            self._malformed("only sequences may have an undefined length", start, tag)
        stop = self._items(value, end, encoding, depth + 1, delimited=True)
        return Element(tag, vr, start, value, stop)

    def _head(
        self, tag: int, head: bytes, start: int, end: int, encoding: Encoding
    ) -> tuple[str, int, int]:
        if tag >> 16 == 0xFFFE:
            self._malformed("an item or a delimiter is where an element must be", start, tag)
        if encoding.implicit:
            return self._known_vr(tag), start + 8, int.from_bytes(head[4:8], encoding.byte_order)
        vr = head[4:6].decode("latin-1")
        if vr in SHORT_VRS:
            return vr, start + 8, int.from_bytes(head[6:8], encoding.byte_order)
        if vr not in _LONG_VRS:
            self._malformed(f"{vr!r} is not a value representation", start, tag)
        (length,) = struct.unpack(encoding.order + "I", self._read(start + 8, 4, end))
        return vr, start + 12, length

    def _items(
        self, start: int, end: int, encoding: Encoding, depth: int, *, delimited: bool
    ) -> int:
        if depth > MAX_DEPTH:
            raise NestedTooDeep(
                f"sequences are nested more than {MAX_DEPTH} deep; leave the file out",
                limit=MAX_DEPTH,
                offset=start,
            )
        position = start
        while delimited or position < end:
            self._counted(position)
            tag = self._tag(position, encoding, end)
            (length,) = struct.unpack(encoding.order + "I", self._read(position + 4, 4, end))
            value = position + 8
            if tag == SEQUENCE_END and delimited:
                return value
            if tag != ITEM:
                self._malformed("a sequence holds something that is not an item", position, tag)
            if length == UNDEFINED:
                position = self._item(value, end, encoding, depth, delimited=True)
            else:
                self._fits(value, length, end, tag)
                position = self._item(value, value + length, encoding, depth, delimited=False)
        return position

    def _item(
        self, start: int, end: int, encoding: Encoding, depth: int, *, delimited: bool
    ) -> int:
        seen: set[int] = set()
        position = start
        if not encoding.implicit and end - start >= 8:
            head = self._read(start, 8, end)
            # some writers nest implicit VR in explicit VR; pydicom looks at the same letters
            if head[:4] != b"\xfe\xff\x0d\xe0" and not all(0x40 < c < 0x5B for c in head[4:6]):
                encoding = Encoding(True, encoding.little)
        while delimited or position < end:
            tag = self._tag(position, encoding, end)
            if delimited and tag == ITEM_END:
                return position + 8
            element = self._element(position, end, encoding, depth)
            self._once(tag, seen, position)
            position = element.end
        return position

    def _fragments(
        self, start: int, end: int, encoding: Encoding
    ) -> tuple[int, tuple[tuple[int, int], ...]]:
        fragments: list[tuple[int, int]] = []
        position = start
        while True:
            tag = self._tag(position, encoding, end)
            (length,) = struct.unpack(encoding.order + "I", self._read(position + 4, 4, end))
            position += 8
            if tag == SEQUENCE_END:
                return position, tuple(fragments)
            if tag != ITEM or length == UNDEFINED:
                self._malformed("encapsulated pixel data holds no fragment here", position, tag)
            self._fits(position, length, end, tag)
            fragments.append((position, length))
            if len(fragments) > MAX_FRAGMENTS:
                raise DicomTooLarge(
                    f"the pixel data has more than {MAX_FRAGMENTS} fragments; leave it out",
                    limit=MAX_FRAGMENTS,
                )
            position += length

    # -- bytes ----------------------------------------------------------------------------

    def _is_padding(self, start: int, end: int) -> bool:
        """Whether nothing but zeros is left."""
        self.stream.seek(start)
        while start < end:
            piece = self.stream.read(min(end - start, _WINDOW))
            if not piece or piece.strip(b"\0"):
                return False
            start += len(piece)
        return True

    def _trailing(self, before: list[Element], start: int, end: int, error: DicomError) -> None:
        """Refuse bytes for what they are if they follow a whole image, or are too few to tell."""
        values = {"offset": start, "size": end - start}
        if any(is_pixel_data(element.tag) for element in before):
            raise MalformedDicom(
                f"{end - start} bytes after the pixel data are not an element (from byte {start}); "
                "remove them, or export the file again",
                **values,
            ) from error
        if before and end - start < _HEADER:
            raise TruncatedDicom(
                f"{end - start} bytes after the last whole element are too few for another (from "
                f"byte {start}); remove them, or get the whole file if it was cut",
                **values,
            ) from error

    def _tag(self, start: int, encoding: Encoding, end: int | None = None) -> int:
        return encoding.tag(self._read(start, 4, self.size if end is None else end))

    def _read(self, start: int, count: int, end: int) -> bytes:
        self._fits(start, count, end, None)
        offset = start - self._window_start
        if offset < 0 or offset + count > len(self._window):
            self.stream.seek(start)
            self._window = self.stream.read(_WINDOW)
            self._window_start, offset = start, 0
            if len(self._window) < count:
                self._truncated(start, count)
        return self._window[offset : offset + count]

    def _fits(self, start: int, length: int, end: int, tag: int | None) -> None:
        if start + length > self.size:
            self._truncated(start, length)
        if start + length > end:
            self._malformed("a length leads out of the sequence that holds it", start, tag)

    def _known_vr(self, tag: int) -> str:
        vr = self._vrs.get(tag)
        if vr is None:
            try:
                vr = dictionary_VR(tag) if tag & 0xFFFF else "UL"
            except KeyError:
                vr = "UN"
            self._vrs[tag] = vr
        return vr

    def _counted(self, position: int) -> None:
        self.count += 1
        if self.count > MAX_ELEMENTS:
            raise DicomTooLarge(
                f"the file has more than {MAX_ELEMENTS} elements; leave it out",
                limit=MAX_ELEMENTS,
                offset=position,
            )

    def _once(self, tag: int, seen: set[int], position: int) -> None:
        if tag in seen:
            self._malformed("an element occurs twice in one data set", position, tag)
        seen.add(tag)

    def _truncated(self, start: int, length: int) -> NoReturn:
        raise TruncatedDicom(
            f"the file ends at byte {self.size} and its content later; get the whole file",
            size=self.size,
            needed=start + length,
        )

    def _malformed(self, what: str, offset: int, tag: int | None) -> NoReturn:
        name = None if tag is None else f"({tag >> 16:04x},{tag & 0xFFFF:04x})"
        raise MalformedDicom(
            f"{what} (byte {offset}); export the file again", offset=offset, tag=name
        )

"""One spelling for attributes that transfer syntaxes and writers spell in many ways.

The value of an attribute becomes JSON: numbers, texts and bytes become strings, sequences
become lists of objects, and an attribute's key is its tag as eight hexadecimal digits.

===================  =======================================================================
VR                   string
===================  =======================================================================
DS IS and binary     ``<digits>E<exponent>``, the digits without zeros at either end, a minus
numbers              sign where negative, ``0`` for zero: 0.50 is ``5E-1`` and 512 ``512E0``.
                     FL and FD are first written as the shortest decimal that gives the same
                     64-bit number.  What is no number stays as it is.
lookup tables        unsigned 16-bit words, written as numbers, whatever their VR; pixel
                     padding too
texts, UIDs, dates   decoded by the character set; spaces and zero bytes cut off both ends
bytes and words      ``hex:`` and the little-endian bytes in hexadecimal
===================  =======================================================================

What cannot be read as its VR demands counts as bytes.  Several values are joined by a
backslash.  A string of more than 256 characters is replaced by an object
``{"sha256": digest of its UTF-8}``.  Empty attributes are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from radledger.dicom.keywords import tags
from radledger.dicom.spelling import corrected
from radledger.dicom.values import element_of

__all__ = ["Json", "attributes", "canonical_json", "canonical_number"]

Json = str | dict[str, Any] | list[Any]

_NUMBERS = frozenset(["DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "UV", "SV"])
_WORD_SIZES = {"OB": 1, "UN": 1, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
_LONGEST = 256


# Their VR is US, SS or OW, by writer and by Pixel Representation.
_WORDS = tags(
    """
    RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor
    BluePaletteColorLookupTableDescriptor
    RedPaletteColorLookupTableData GreenPaletteColorLookupTableData
    BluePaletteColorLookupTableData AlphaPaletteColorLookupTableData
    SegmentedRedPaletteColorLookupTableData SegmentedGreenPaletteColorLookupTableData
    SegmentedBluePaletteColorLookupTableData
    LUTDescriptor LUTData RealWorldValueFirstValueMapped RealWorldValueLastValueMapped
    PixelPaddingValue PixelPaddingRangeLimit
    """
)


def canonical_json(value: Json) -> bytes:
    """JSON with sorted keys, no spaces, and ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def canonical_number(text: str) -> str:
    """One spelling for each number.

    Examples
    --------
    >>> [canonical_number(text) for text in ("0.500", "5e-1", "-100", "0", "12A")]
    ['5E-1', '5E-1', '-1E2', '0', '12A']
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return text.lower()
    significant = "".join(map(str, digits)).strip()
    stripped = significant.rstrip("0")
    exponent += len(significant) - len(stripped)
    stripped = stripped.lstrip("0")
    return f"{'-' if sign else ''}{stripped}E{exponent}" if stripped else "0"


def attributes(
    dataset: Dataset, keep: Callable[[int], bool], *, but: Collection[int] = ()
) -> dict[str, Json]:
    """The attributes of a data set that `keep` accepts by tag, at every depth.

    Parameters
    ----------
    dataset
        As read; elements that are not kept are not even converted.
    keep
        Says for a tag whether it counts.
    but
        Tags that count in sequences only.
    """
    found: dict[str, Json] = {}
    for tag in dataset.keys():  # noqa: SIM118 - iterating a data set converts its elements
        if keep(int(tag)) and tag not in but:
            value = _value(dataset, int(tag), keep)
            if value not in ("", []):
                found[f"{int(tag):08X}"] = value
    return found


def _value(dataset: Dataset, tag: int, keep: Callable[[int], bool]) -> Json:
    raw = dataset.get_item(tag)
    if isinstance(raw, RawDataElement):
        raw = corrected(raw)
    little = raw.is_little_endian if isinstance(raw, RawDataElement) else True
    if tag in _WORDS and isinstance(raw, RawDataElement):
        return _short("\\".join(map(_integer, _words(raw.value or b"", little))))
    try:
        element = element_of(dataset, raw)
    except Exception as error:  # pydicom's conversions raise what values provoke
        if isinstance(error, MemoryError) or not isinstance(raw, RawDataElement):
            raise
        return _bytes(raw.value or b"", 1, little)
    if element.VR == "SQ":
        return [attributes(item, keep) for item in element.value or ()]
    if element.VR in _WORD_SIZES or isinstance(element.value, bytes):
        value = element.value if isinstance(element.value, bytes) else b""
        return _bytes(value, _WORD_SIZES.get(element.VR, 1), little)
    if element.value is None:
        return ""
    values = element.value if element.VM > 1 else [element.value]
    if element.VR in _NUMBERS:
        return _short("\\".join(canonical_number(_spelled(value)) for value in values))
    return _short("\\".join(str(value).strip(" \0") for value in values))


def _spelled(value: Any) -> str:
    return str(getattr(value, "original_string", None) or value).strip(" \0")


def _integer(value: int) -> str:
    return canonical_number(str(value))


def _words(value: bytes, little: bool) -> list[int]:
    words: list[int] = np.frombuffer(value[: len(value) & ~1], "<u2" if little else ">u2").tolist()
    return words


def _bytes(value: bytes, word: int, little: bool) -> Json:
    if not little and word > 1:
        whole = len(value) - len(value) % word
        value = np.frombuffer(value[:whole], f">u{word}").astype(f"<u{word}").tobytes()
    if len(value) * 2 + 4 > _LONGEST:
        digest = hashlib.sha256(b"hex:")
        for start in range(0, len(value), 1 << 20):
            digest.update(value[start : start + (1 << 20)].hex().encode("ascii"))
        return {"sha256": digest.hexdigest()}
    return f"hex:{value.hex()}" if value else ""


def _short(text: str) -> Json:
    if len(text) <= _LONGEST:
        return text
    return {"sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()}

"""Values in another VR than the dictionary's, and numbers as people write them.

What has exactly one meaning is put in its right form: ``7,25`` in a DS is 7.25, ``3.0`` in an
IS is 3, and a Pixel Spacing that is stated as UT is one.  ``1,024`` may be 1.024 or 1024, so it
stays as it is, and so does everything else that cannot be read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from decimal import Decimal

from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR
from pydicom.dataelem import RawDataElement

from radledger.dicom.keywords import DEPENDED_ON, tags

__all__ = ["corrected"]

_TEXTS = frozenset("AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split())  # noqa: SIM905
# a date, a UID or a name is not a number, though it may be written like one
_ANY_TEXT = _TEXTS - {"AE", "AS", "DA", "DT", "PN", "TM", "UI", "UR"}
_BYTES = frozenset({"OB", "OW", "UN"})
_BINARY = {
    "FD": "d", "FL": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q"
}  # fmt: skip

_DS = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_IS = re.compile(r"[+-]?\d+", re.ASCII)
_CS = re.compile(r"[A-Z0-9_ ]{1,16}")
# a comma before any three digits may as well group them
_COMMA = re.compile(r"(?![+-]?[1-9]\d{0,2},\d{3}$)([+-]?\d*),(\d+([eE][+-]?\d+)?)", re.ASCII)
# Terms of PS3.3 that are accepted in lower case: other words may be a person's name.
_MODALITIES = """
    BDUS BI BMD CR CT DG DX ECG EPS ES GM HC IO IVOCT IVUS KER LEN MG MR NM OAM OCT OP OPM OPT OPV
    OT PA PT PX REG RF RG RTDOSE RTIMAGE RTPLAN RTRECORD RTSTRUCT SEG SM SR US VA XA XC
"""
_PHOTOMETRIC = """
    MONOCHROME1 MONOCHROME2 PALETTE~COLOR RGB XYB YBR_FULL YBR_FULL_422 YBR_ICT YBR_RCT
    YBR_PARTIAL_420 YBR_PARTIAL_422
"""
_TERMS = {
    tag: frozenset(term.replace("~", " ") for term in terms.split())
    for keywords, terms in (
        ("Modality", _MODALITIES),
        ("PhotometricInterpretation", _PHOTOMETRIC),
        ("Laterality ImageLaterality FrameLaterality", "L R U B"),
        ("PatientPosition", "HFP HFS HFDR HFDL FFDR FFDL FFP FFS LFP LFS RFP RFS"),
        ("PatientOrientation", "A P L R H F AL AR AH AF PL PR PH PF LH LF RH RF"),
    )
    for tag in tags(keywords)
}
_GROUPED = {
    ",": re.compile(r"[+-]?[1-9]\d{0,2}((,\d{3})+\.\d+|(,\d{3}){2,})", re.ASCII),
    ".": re.compile(r"[+-]?[1-9]\d{0,2}((\.\d{3})+,\d+|(\.\d{3}){2,})", re.ASCII),
}


def corrected(element: RawDataElement, *, signed: bool | None = None) -> RawDataElement:
    r"""An element in its right VR and spelling, or the same object where nothing is to be done.

    Parameters
    ----------
    element
        As it was read; its VR is None where the encoding does not state one.
    signed
        Whether pixels are signed, where that is known: it decides about attributes of two VRs.

    Examples
    --------
    >>> raw = RawDataElement(0x00280030, "UT", 10, b"7,25\\7,250e0 ", 0, False, True)
    >>> corrected(raw).VR, corrected(raw).value
    ('DS', b'7.25\\7.250e0')
    """
    tag = int(element.tag)
    if not element.value or not dictionary_has_tag(tag):
        return element
    known = dictionary_VR(tag).split(" or ")
    stated = element.VR or known[0]
    if stated == "UN" and known[0] not in _TEXTS:
        # its bytes are those of the right VR (PS3.5 section 6.2.2)
        return element if len(known) == 1 or signed is None else _of_words(element, known, signed)
    written = _WRITTEN.get(stated)
    if stated in known and (written is None or written(element.value)):
        return element
    texts = _texts(element, stated)
    if texts is None or not _has_multiplicity(len(texts), dictionary_VM(tag)):
        return element
    for vr in known:
        if stated in _BYTES and vr in _BINARY:
            continue  # they may be text, or the number itself
        value = _encoded(texts, vr, tag, "<" if element.is_little_endian else ">")
        if value is not None:
            return element._replace(VR=element.VR and vr, value=value, length=len(value))
    return element


def _of_words(element: RawDataElement, known: list[str], signed: bool) -> RawDataElement:
    """An element of US, SS or OW."""
    numbers = "SS" if signed and "SS" in known else "US"
    return element._replace(VR="OW" if "OW" in known else numbers)


def _has_right_letters(pattern: bytes) -> Callable[[bytes], object]:
    return re.compile(pattern).fullmatch


_WRITTEN = {
    "CS": _has_right_letters(rb"[A-Z0-9_ \\\0]*"),
    "DS": _has_right_letters(rb"[0-9eE+.\- \\\0]*"),
    "IS": _has_right_letters(rb"[0-9+\- \\\0]*"),
}


def _texts(element: RawDataElement, stated: str) -> list[str] | None:
    """The values as texts, without the spaces around them."""
    value = element.value or b""
    if stated in _ANY_TEXT or stated in _BYTES:
        try:
            return [text.strip(" \0") for text in value.decode("ascii").split("\\")]
        except UnicodeDecodeError:
            return None
    letter = _BINARY.get(stated)
    if letter is None or len(value) % struct.calcsize(letter):
        return None
    order = "<" if element.is_little_endian else ">"
    return [repr(number) for (number,) in struct.iter_unpack(order + letter, value)]


def _encoded(texts: list[str], vr: str, tag: int, order: str) -> bytes | None:
    if vr in ("DS", "IS", *_BINARY):
        numbers = [_number(text) for text in texts]
        if vr == "DS":
            return _joined(numbers)
        if vr in ("FD", "FL"):
            return _packed(numbers, order + _BINARY[vr], float)
        whole = [_whole(number) for number in numbers]
        return _joined(whole) if vr == "IS" else _packed(whole, order + _BINARY[vr], int)
    if tag not in DEPENDED_ON:
        return None
    if vr == "CS":
        return _joined([_term(text, tag) for text in texts])
    return _joined(list(texts)) if vr in ("LO", "SH") else None


def _joined(texts: list[str | None]) -> bytes | None:
    if None in texts:
        return None
    value = "\\".join(text for text in texts if text is not None).encode("ascii")
    return value + b" " * (len(value) % 2)


def _packed(numbers: list[str | None], kind: str, number: Callable[[str], float]) -> bytes | None:
    if None in numbers:
        return None
    try:
        return b"".join(struct.pack(kind, number(text)) for text in numbers if text is not None)
    except (OverflowError, struct.error):
        return None


def _number(text: str) -> str | None:
    """A decimal string, where the text is a number in exactly one way."""
    if _DS.fullmatch(text):
        return text
    comma = _COMMA.fullmatch(text)
    if comma:
        return f"{comma[1]}.{comma[2]}"
    for group, pattern in _GROUPED.items():
        if pattern.fullmatch(text):
            return text.replace(group, "").replace(",", ".")
    return None


def _term(text: str, tag: int) -> str | None:
    if _CS.fullmatch(text):
        return text
    return text.upper() if text.upper() in _TERMS.get(tag, ()) else None


def _whole(number: str | None) -> str | None:
    if number is None or _IS.fullmatch(number):
        return number
    value = Decimal(number)
    # no attribute counts beyond 64 bits; an exponent could ask for any number of digits
    return str(int(value)) if abs(value) < 1 << 64 and value == int(value) else None


def _has_multiplicity(count: int, multiplicity: str) -> bool:
    """Whether there may be so many values: ``1``, ``1-3``, ``1-n`` or ``2-2n`` of PS3.6."""
    least, _, most = multiplicity.partition("-")
    if not most:
        return count == int(least)
    if most.endswith("n"):
        return count >= int(least) and count % int(most[:-1] or 1) == 0
    return int(least) <= count <= int(most)

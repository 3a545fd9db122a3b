"""ICC profiles: the numbers that give pixels their colours, without texts and vendor's data.

A profile is a header, a table of tags, and the data of each tag.  Vendors describe themselves, the
device, its serial number and its calibration there.  What is kept is the transform to the profile
connection space and back; it is written into a new profile, so nothing beside the tags stays.

References
----------
.. [1] DICOM PS3.3 section C.11.15, "ICC Profile Module"
.. [2] ICC.1:2022 (ISO 15076-1), sections 7 (header, tag table), 8 (required tags), 10 (types)
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from math import prod

__all__ = ["colours_only"]

_HEADER = 128
_MAJOR_VERSIONS = (2, 4)
_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")
_SPACES = (b"RGB ", b"GRAY")
_CONNECTION_SPACES = (b"XYZ ", b"Lab ")
_D50 = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
_DATE = struct.pack(">6H", 1900, 1, 1, 0, 0, 0)
_TEXT = "Texts removed by de-identification"
_TRANSFORMS = (
    {b"A2B0"},
    {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"},
    {b"kTRC"},
)


def colours_only(profile: bytes) -> bytes:
    """The same profile for colours, without any text, date, name or number of a device.

    Parameters
    ----------
    profile
        An ICC profile of version 2 or 4 for RGB or grey values; bytes after its end are dropped.

    Raises
    ------
    ValueError
        If it is not such a profile; the error says what is wrong.

    Examples
    --------
    >>> from PIL import ImageCms
    >>> profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    >>> b"lcms" in profile, b"lcms" in colours_only(profile)
    (True, False)
    """
    header = _part(profile, 0, _HEADER)
    size, major = int.from_bytes(header[:4], "big"), header[8]
    if header[36:40] != b"acsp" or not _HEADER < size <= len(profile):
        raise ValueError("it has no ICC signature, or is cut")
    if major not in _MAJOR_VERSIONS:
        raise ValueError(f"its version is {major}, and only 2 and 4 are known")
    for start, known in ((12, _CLASSES), (16, _SPACES), (20, _CONNECTION_SPACES)):
        if header[start : start + 4] not in known:
            names = ", ".join(each.decode().strip() for each in known)
            raise ValueError(f"bytes {start} to {start + 3} are none of {names}")
    kept = _kept(profile[:size])
    if not any(needed <= kept.keys() for needed in _TRANSFORMS):
        raise ValueError("it has no transform of colours")
    texts = {b"desc": _description, b"cprt": _copyright}
    return _joined(header, {name: make(major) for name, make in texts.items()} | kept)


def _joined(header: bytes, content: Mapping[bytes, bytes]) -> bytes:
    """A profile of a header and the data of each tag; equal data is written once."""
    table, data, places = b"", b"", dict[bytes, int]()
    start = _HEADER + 4 + 12 * len(content)
    for tag, value in content.items():
        if value not in places:
            places[value] = start + len(data)
            data += _padded(value)
        table += tag + struct.pack(">II", places[value], len(value))
    head = struct.pack(
        ">I4x2s2x12s12s4s4xI16xI12s48x",
        *(start + len(data), header[8:10], header[12:24], _DATE, b"acsp"),
        *(int.from_bytes(header[44:48], "big") & 3, header[67] & 3, _D50),
    )
    return head + struct.pack(">I", len(content)) + table + data


def _kept(profile: bytes) -> dict[bytes, bytes]:
    """The data of each tag that colours depend on, by the tag's signature."""
    count = int.from_bytes(_part(profile, _HEADER, 4), "big")
    table = _part(profile, _HEADER + 4, 12 * count)
    kept: dict[bytes, bytes] = {}
    for tag, start, size in struct.iter_unpack(">4sII", table):
        if tag not in _TAGS:
            continue
        data = _part(profile, start, size)
        if tag in kept or data[:4] not in _TAGS[tag]:
            raise ValueError(f"its tag {tag.decode()} is there twice, or of an unknown type")
        kept[tag] = _TYPES[data[:4]](data)
    return kept


# -------------------------------------------------------------------------------- types of data


def _part(data: bytes, start: int, size: int) -> bytes:
    part = data[start : start + size]
    if len(part) != size:
        raise ValueError("it is cut, or a length in it is wrong")
    return part


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _xyz(data: bytes) -> bytes:
    return b"XYZ " + bytes(4) + _part(data, 8, 12)


def _matrix(data: bytes) -> bytes:
    return b"sf32" + bytes(4) + _part(data, 8, 36)


def _curve(data: bytes) -> bytes:
    count = int.from_bytes(_part(data, 8, 4), "big")
    return b"curv" + bytes(4) + _part(data, 8, 4 + 2 * count)


def _parametric(data: bytes) -> bytes:
    function = int.from_bytes(_part(data, 8, 2), "big")
    parameters = dict(enumerate((1, 3, 4, 5, 7))).get(function)
    if parameters is None:
        raise ValueError("a parametric curve in it is of an unknown kind")
    return b"para" + bytes(4) + data[8:10] + bytes(2) + _part(data, 12, 4 * parameters)


def _lut(data: bytes) -> bytes:
    """A table of 8 or 16 bits: a matrix, input curves, the table and output curves."""
    ins, outs, points = _part(data, 8, 3)
    head, entries, width = 48, (256, 256), 1
    if data[:4] == b"mft2":
        head, entries, width = 52, struct.unpack(">2H", _part(data, 48, 4)), 2
    size = width * (entries[0] * ins + points**ins * outs + entries[1] * outs)
    return data[:4] + bytes(4) + data[8:11] + bytes(1) + _part(data, 12, head - 12 + size)


def _lut_of_parts(data: bytes) -> bytes:
    """A transform of curves, a matrix, curves, a table and curves, each at its own place."""
    ins, outs = _part(data, 8, 2)
    inner, outer = (outs, ins) if data[:4] == b"mAB " else (ins, outs)
    parts: tuple[Callable[[bytes], bytes], ...] = (
        lambda part: _curves(part, inner),
        lambda part: _part(part, 0, 48),
        lambda part: _curves(part, inner),
        lambda part: _table(part, ins, outs),
        lambda part: _curves(part, outer),
    )
    places, content = [], b""
    for place, part in zip(struct.unpack(">5I", _part(data, 12, 20)), parts, strict=True):
        places.append(32 + len(content) if place else 0)
        content += _padded(part(data[place:])) if place else b""
    return data[:4] + bytes(4) + bytes((ins, outs, 0, 0)) + struct.pack(">5I", *places) + content


def _curves(data: bytes, count: int) -> bytes:
    curves = b""
    for _ in range(count):
        rest = data[len(curves) :]
        if rest[:4] not in _CURVES:
            raise ValueError("a curve in it is of an unknown type")
        curves += _padded(_TYPES[rest[:4]](rest))
    return curves


def _table(data: bytes, ins: int, outs: int) -> bytes:
    head = _part(data, 0, 20)
    width = head[16]
    if ins > 16 or width not in (1, 2):
        raise ValueError("a table in it is of an unknown kind")
    points = head[:ins]
    size = prod(points) * outs * width
    return points.ljust(16, b"\0") + bytes((width, 0, 0, 0)) + _part(data, 20, size)


_CURVES = (b"curv", b"para")
_TYPES: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"XYZ ": _xyz,
    b"sf32": _matrix,
    b"curv": _curve,
    b"para": _parametric,
    b"mft1": _lut,
    b"mft2": _lut,
    b"mAB ": _lut_of_parts,
    b"mBA ": _lut_of_parts,
}
_TAGS: Mapping[bytes, tuple[bytes, ...]] = {
    **dict.fromkeys((b"wtpt", b"bkpt", b"rXYZ", b"gXYZ", b"bXYZ"), (b"XYZ ",)),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), _CURVES),
    **dict.fromkeys((b"A2B0", b"A2B1", b"A2B2"), (b"mft1", b"mft2", b"mAB ")),
    **dict.fromkeys((b"B2A0", b"B2A1", b"B2A2"), (b"mft1", b"mft2", b"mBA ")),
    b"chad": (b"sf32",),
}


# --------------------------------------------------------------------------- texts that must be


def _description(major: int) -> bytes:
    if major > 2:
        return _localized()
    ascii_ = _TEXT.encode() + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(ascii_)) + ascii_ + bytes(8 + 3 + 67)


def _copyright(major: int) -> bytes:
    return _localized() if major > 2 else b"text" + bytes(4) + _TEXT.encode() + b"\0"


def _localized() -> bytes:
    text = _TEXT.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text

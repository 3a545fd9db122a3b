"""ICC profiles keep the colours and nothing else: no text, no device, no byte beside the tags."""

from __future__ import annotations

import io
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.errors import MalformedDicom
from radledger.dicom.icc import colours_only
from radledger.dicom.profiles import Profile
from tests.dicom.files import image, sample, save

KEY = b"a secret of the custodian".ljust(32)
CANARY = b"Doe^Jane MRN0001"
WIDE = CANARY.decode().encode("utf-16-be")
CURVE = b"curv" + bytes(4) + struct.pack(">IH", 1, 0x0200)
PARAMETRIC = b"para" + bytes(4) + struct.pack(">2H5i", 3, 0, 157286, 62119, 3417, 5072, 2651)
MATRIX = struct.pack(">12i", *(65536 if n in (0, 4, 8) else 0 for n in range(12)))


def profile(tags: dict[bytes, bytes], *, space: bytes = b"Lab ", between: bytes = b"") -> bytes:
    """A profile of version 2 with a canary in every field of its header that has room."""
    place = 132 + 12 * len(tags)
    table, data = b"", b""
    for tag, value in tags.items():
        table += tag + struct.pack(">2I", place + len(data), len(value))
        data += value + bytes(-len(value) % 4) + between
    name = CANARY[:4]
    head = struct.pack(
        ">I4s4B4s4s4s6H4s4sI4s4s8sI3I4s16s28s",
        *(place + len(data), name, 2, 0x40, 1, 1, b"scnr", b"RGB ", space, 2026, 3, 17, 9, 41, 5),
        *(b"acsp", name, 0xFFFFFFFC, name, name, CANARY[:8], 0, 0xF6D6, 0x10000, 0xD32D),
        *(name, CANARY, CANARY + CANARY[:12]),
    )
    return head + struct.pack(">I", len(tags)) + table + data


def grid(points: int) -> np.ndarray:
    return np.indices((points, points, points)).reshape(3, -1).T / (points - 1)


def table_of_8_bits() -> bytes:
    ramp = bytes(range(256)) * 3
    cube = (grid(5) * (255, 200, 150)).astype("u1").tobytes()
    return b"mft1" + bytes(4) + bytes((3, 3, 5, 0)) + MATRIX[:36] + ramp + cube + ramp


def table_of_16_bits() -> bytes:
    ramp = struct.pack(">2H", 0, 65280) * 3
    cube = (grid(4) * (65280, 50000, 40000)).astype(">u2").tobytes()
    head = b"mft2" + bytes(4) + bytes((3, 3, 4, 0)) + MATRIX[:36] + struct.pack(">2H", 2, 2)
    return head + ramp + cube + ramp


def parts_of(kind: bytes, between: bytes = b"") -> bytes:
    """`mAB ` or `mBA ` with all five parts, whatever may be between them."""
    cube = (grid(3) * (65280, 50000, 40000)).astype(">u2").tobytes()
    table = bytes((3, 3, 3)) + bytes(13) + bytes((2, 0, 0, 0)) + cube
    curves = (CURVE + bytes(2)) * 3
    content, places = b"", []
    for part in (curves, MATRIX, PARAMETRIC * 3, table, curves):
        content += between
        places.append(32 + len(content))
        content += part + bytes(-len(part) % 4)
    return kind + bytes(4) + bytes((3, 3, 0, 0)) + struct.pack(">5I", *places) + content


def xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(each * 65536) for each in values))


SRGB = {
    b"wtpt": xyz(0.9642, 1, 0.8249),
    b"rXYZ": xyz(0.4361, 0.2225, 0.0139),
    b"gXYZ": xyz(0.3851, 0.7169, 0.0971),
    b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
    b"rTRC": CURVE,
    b"gTRC": CURVE,
    b"bTRC": CURVE,
}
PROFILES = {
    "matrix": profile(SRGB, space=b"XYZ "),
    "8 bits": profile({b"A2B0": table_of_8_bits()}),
    "16 bits": profile({b"A2B0": table_of_16_bits(), b"wtpt": SRGB[b"wtpt"]}),
    "in parts": profile({b"A2B0": parts_of(b"mAB "), b"B2A0": parts_of(b"mBA ")}),
    "version 4": sample("crayons.icc").read_bytes(),
}


def colours(icc: bytes, intent: int) -> list[int]:
    """What a decoder makes of all corners and many values between."""
    values = (grid(9) * 255).astype("u1").reshape(27, 27, 3)
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    shown = ImageCms.profileToProfile(
        Image.fromarray(values), source, ImageCms.createProfile("LAB"), intent, outputMode="LAB"
    )
    assert shown is not None
    return list(shown.tobytes())


@pytest.mark.parametrize("kind", PROFILES)
def test_colours_stay(kind: str) -> None:
    before, after = PROFILES[kind], colours_only(PROFILES[kind])
    for intent in range(4):
        assert colours(after, intent) == colours(before, intent)
    assert len(set(colours(after, 0))) > 10
    assert colours_only(after) == after
    assert int.from_bytes(after[:4], "big") == len(after)
    assert not len(after) % 4


@pytest.mark.parametrize("kind", PROFILES)
def test_of_the_header_only_what_colours_need_stays(kind: str) -> None:
    after = colours_only(PROFILES[kind])
    assert CANARY[:4] not in after
    assert after[24:36] == struct.pack(">6H", 1900, 1, 1, 0, 0, 0)
    assert int.from_bytes(after[44:48], "big") in (0, 1, 2, 3)
    assert after[80:128] == bytes(48)


TEXTS = {
    b"desc": b"desc" + bytes(4) + struct.pack(">I", 17) + CANARY + bytes(79),
    b"cprt": b"text" + bytes(4) + CANARY + b"\0",
    b"dmnd": b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", 32, 28) + WIDE,
    b"dmdd": b"text" + bytes(4) + CANARY + b"\0",
    b"targ": b"text" + bytes(4) + CANARY + b"\0",
    b"calt": b"dtim" + bytes(4) + struct.pack(">6H", 2026, 3, 17, 9, 41, 5),
    b"vued": b"desc" + bytes(4) + struct.pack(">I", 17) + CANARY + bytes(79),
    b"meta": b"dict" + bytes(4) + CANARY,
    b"MRN0": CANARY,
}
HIDDEN = {
    "texts": profile(SRGB | TEXTS, space=b"XYZ "),
    "between tags": profile(SRGB, space=b"XYZ ", between=CANARY),
    "after the end": PROFILES["matrix"] + CANARY,
    "after an XYZ": profile(SRGB | {b"rXYZ": SRGB[b"rXYZ"] + CANARY}, space=b"XYZ "),
    "after a curve": profile(SRGB | {b"rTRC": CURVE + CANARY}, space=b"XYZ "),
    "after a parametric": profile(SRGB | {b"rTRC": PARAMETRIC + CANARY}, space=b"XYZ "),
    "after 8 bits": profile({b"A2B0": table_of_8_bits() + CANARY}),
    "after 16 bits": profile({b"A2B0": table_of_16_bits() + CANARY}),
    "between parts": profile({b"A2B0": parts_of(b"mAB ", CANARY)}),
    "after parts": profile({b"A2B0": parts_of(b"mAB ") + CANARY}),
}


@pytest.mark.parametrize("where", HIDDEN)
def test_no_text_stays(where: str) -> None:
    after = colours_only(HIDDEN[where])
    for text in (CANARY, WIDE, b"2026", struct.pack(">3H", 2026, 3, 17)):
        assert text not in after
    assert colours(after, 0) == colours(HIDDEN[where], 0)


def tags_of(icc: bytes) -> list[tuple[bytes, int, int]]:
    (count,) = struct.unpack_from(">I", icc, 128)
    return [struct.unpack_from(">4s2I", icc, 132 + 12 * each) for each in range(count)]


@pytest.mark.parametrize("kind", PROFILES)
def test_what_the_standard_requires_is_there_and_nothing_beside_the_tags(kind: str) -> None:
    after = colours_only(PROFILES[kind])
    tags = tags_of(after)
    assert {b"desc", b"cprt"} < {tag for tag, _, _ in tags}
    ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(after)))
    places = sorted({(start, start + size) for _, start, size in tags})
    assert places[0][0] == 132 + 12 * len(tags)
    for (_, end), (start, _) in pairwise([*places, (len(after), 0)]):
        assert 0 <= start - end < 4
        assert not any(after[end:start])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda icc: b"", "cut"),
        (lambda icc: CANARY * 20, "no ICC signature"),
        (lambda icc: icc[:-4], "is cut"),
        (lambda icc: icc[:8] + b"\5" + icc[9:], "version is 5"),
        (lambda icc: icc[:12] + b"link" + icc[16:], "bytes 12 to 15 are none of scnr"),
        (lambda icc: icc[:16] + b"CMYK" + icc[20:], "bytes 16 to 19 are none of RGB"),
        (lambda icc: icc.replace(b"gTRC", b"xTRC"), "no transform"),
        (lambda icc: icc.replace(b"gTRC", b"rTRC"), "tag rTRC is there twice"),
        (lambda icc: icc.replace(b"XYZ \0", b"text\0"), "tag wtpt is there twice, or of an"),
        (lambda icc: icc.replace(CURVE[:12], b"curv\0\0\0\0\xff\0\0\0"), "a length in it is wrong"),
    ],
)
def test_what_is_not_a_profile_for_colours_is_refused(change, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        colours_only(change(PROFILES["matrix"]))
    assert CANARY.decode() not in str(refused.value)


@given(st.data())
def test_damage_is_refused_or_leaves_a_whole_profile(data: st.DataObject) -> None:
    damaged = bytearray(PROFILES[data.draw(st.sampled_from(sorted(PROFILES)))])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(len(damaged), 600) - 1))] = data.draw(
            st.integers(0, 255)
        )
    try:
        after = colours_only(bytes(damaged))
    except ValueError:
        return
    assert colours_only(after) == after
    assert len(after) <= len(damaged) + 400


def with_profile(icc: object, vr: str = "OB") -> Dataset:
    dataset = image(
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelData=bytes(range(48)),
    )
    path = Dataset()
    path.add(DataElement(0x00282000, vr, icc))
    dataset.OpticalPathSequence = [path]
    dataset.add(DataElement(0x00282000, vr, icc))
    return dataset


@pytest.mark.parametrize("vr", ["OB", "UN", "OW"])
def test_a_copy_has_the_profile_without_its_texts(tmp_path: Path, vr: str) -> None:
    path = save(with_profile(HIDDEN["texts"], vr), tmp_path / "a.dcm")
    stream = io.BytesIO()
    deidentify_file(path, stream, Profile.parse("basic"), KEY)
    assert CANARY not in stream.getvalue()
    copy = pydicom.dcmread(io.BytesIO(stream.getvalue()))
    assert copy.ICCProfile == colours_only(HIDDEN["texts"])
    assert copy.OpticalPathSequence[0].ICCProfile == copy.ICCProfile
    assert copy["ICCProfile"].VR == "OB"


def test_a_file_whose_profile_cannot_be_cleaned_is_refused(tmp_path: Path) -> None:
    path = save(with_profile(CANARY * 20), tmp_path / "a.dcm")
    with pytest.raises(MalformedDicom, match="ICCProfile holds no valid ICC profile") as refused:
        deidentify_file(path, tmp_path / "b.dcm", Profile.parse("basic"), KEY)
    assert refused.value.values == {"attribute": "ICCProfile"}
    assert CANARY.decode() not in refused.value.message
    assert not (tmp_path / "b.dcm").exists()


def test_an_empty_profile_stays_empty(tmp_path: Path) -> None:
    stream = io.BytesIO()
    path = save(with_profile(None), tmp_path / "a.dcm")
    deidentify_file(path, stream, Profile.parse("basic"), KEY)
    assert pydicom.dcmread(io.BytesIO(stream.getvalue())).ICCProfile is None

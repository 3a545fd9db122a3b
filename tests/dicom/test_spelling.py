"""A value in a wrong VR, or as people write it, is kept if it has exactly one meaning."""

from __future__ import annotations

import io
import random
import struct
from decimal import Decimal
from pathlib import Path

import pydicom
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ImplicitVRLittleEndian

from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.digest import image_digest
from radledger.dicom.errors import ImageChanged, MalformedDicom
from radledger.dicom.profiles import Profile
from radledger.dicom.read import read_header
from radledger.dicom.spelling import corrected
from radledger.dicom.structure import SHORT_VRS
from tests.dicom.files import image, save

KEY = b"a secret of the custodian".ljust(32)


def raw(keyword: str, vr: str, value: bytes) -> RawDataElement:
    tag = Tag(tag_for_keyword(keyword) or 0)
    return RawDataElement(tag, vr, len(value), value, 0, False, True)


def deidentified(path: Path) -> Dataset:
    stream = io.BytesIO()
    deidentify_file(path, stream, Profile.parse("basic"), KEY)
    stream.seek(0)
    return pydicom.dcmread(stream)


@pytest.mark.parametrize(
    ("keyword", "vr", "value", "right"),
    [
        ("RescaleSlope", "DS", b"7,25", b"7.25"),
        ("RescaleSlope", "DS", b" -0,001 ", b"-0.001"),
        ("RescaleSlope", "DS", b"1.024,5", b"1024.5"),
        ("RescaleSlope", "DS", b"1,024.5", b"1024.5"),
        ("RescaleSlope", "DS", b"1,024,000", b"1024000"),
        ("RescaleSlope", "DS", b"1024,000", b"1024.000"),
        ("RescaleSlope", "DS", b"0,500", b"0.500"),
        ("RescaleSlope", "DS", b",5e3", b".5e3"),
        ("PixelSpacing", "DS", b"7,25\\0.5", b"7.25\\0.5"),
        ("PixelAspectRatio", "IS", b"4.000000\\3.000000", b"4\\3"),
        ("NumberOfFrames", "IS", b"3.0", b"3"),
        ("NumberOfFrames", "IS", b"3,0", b"3"),
        ("NumberOfFrames", "IS", b"1e2", b"100"),
        ("NumberOfFrames", "US", b"\3\0", b"3"),
        ("NumberOfFrames", "LO", b"3 ", b"3"),
        ("PixelSpacing", "UT", b"0.5\\0.5", b"0.5\\0.5"),
        ("PixelSpacing", "OB", b"0.5\\0.5", b"0.5\\0.5"),
        ("PixelSpacing", "UN", b"0,5\\0,5", b"0.5\\0.5"),
        ("PixelSpacing", "FD", struct.pack("<2d", 0.5, 0.1), b"0.5\\0.1"),
        ("Rows", "LO", b"512", b"\0\2"),
        ("Rows", "DS", b"512.0", b"\0\2"),
        ("Rows", "UL", b"\0\2\0\0", b"\0\2"),
        ("PixelPaddingValue", "IS", b"-2000", b"\x30\xf8"),
        ("PhysicalDeltaX", "LO", b"0,5", struct.pack("<d", 0.5)),
        ("Modality", "LO", b"CT", b"CT"),
        ("Modality", "CS", b"Ct", b"CT"),
        ("PhotometricInterpretation", "CS", b"Monochrome2", b"MONOCHROME2"),
        ("PhotometricInterpretation", "CS", b"palette color", b"PALETTE COLOR"),
        ("RescaleType", "UT", b"HU", b"HU"),
    ],
)
def test_what_has_one_meaning_is_put_right(
    keyword: str, vr: str, value: bytes, right: bytes
) -> None:
    element = corrected(raw(keyword, vr, value))
    assert element.value.rstrip(b" ") == right
    assert element.VR in dictionary_VR(element.tag).split(" or ")
    assert element.length == len(element.value)
    assert len(element.value) % 2 == 0
    assert corrected(element) is element


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("RescaleSlope", "DS", b"1,024"),  # a thousand, or about one
        ("RescaleSlope", "DS", b"-125,000"),
        ("RescaleSlope", "DS", b"7,25 mm"),
        ("RescaleSlope", "DS", b"1 024"),
        ("RescaleSlope", "DS", b"1_000"),
        ("RescaleSlope", "LO", b"nan"),
        ("RescaleSlope", "FD", struct.pack("<d", float("inf"))),
        ("RescaleSlope", "DS", b"1,2\\3"),  # two values where one must be
        ("PixelSpacing", "DS", b"0,5"),  # one value where two must be
        ("NumberOfFrames", "IS", b"3.5"),
        ("NumberOfFrames", "IS", b"1e999999"),
        ("Rows", "IS", b"70000"),
        ("Rows", "OB", b"16"),  # 16, or the number that its bytes are
        ("Modality", "CS", b"miller"),
        ("Modality", "LO", "Müller".encode("latin-1")),
        ("PatientName", "LO", b"1,5"),
        ("RescaleSlope", "DS", b"\xd9\xa7"),
    ],
)
def test_anything_else_stays_as_it_is(keyword: str, vr: str, value: bytes) -> None:
    element = raw(keyword, vr, value)
    assert corrected(element) is element


def test_big_endian_numbers_are_read_and_written_as_such() -> None:
    tag = Tag(0x00280010)
    wide = RawDataElement(tag, "UL", 4, b"\0\0\2\0", 0, False, False)
    assert corrected(wide).value == b"\2\0"


@pytest.mark.parametrize("keyword", ["PixelSpacing", "RescaleSlope", "ImagePositionPatient"])
def test_a_text_that_is_not_a_number_refuses_the_file_by_name(keyword: str, tmp_path: Path) -> None:
    dataset = image()
    dataset.add_new(keyword, "LO", "canary")
    path = save(dataset, tmp_path / "in.dcm")
    with pytest.raises(ImageChanged) as refusal:
        deidentified(path)
    assert refusal.value.values == {"attribute": keyword}
    assert read_header(path).pixels is not None


def test_values_are_put_right_at_every_depth_and_in_implicit_vr(tmp_path: Path) -> None:
    def groups(spacing: list[str]) -> list[Dataset]:
        measures, group = Dataset(), Dataset()
        measures.PixelSpacing = spacing
        group.PixelMeasuresSequence = [measures]
        return [group]

    dataset = image(SharedFunctionalGroupsSequence=groups(["7.25", "7.25"]))
    for syntax in (dataset.file_meta.TransferSyntaxUID, ImplicitVRLittleEndian):
        dataset.file_meta.TransferSyntaxUID = syntax
        path = save(dataset, tmp_path / "in.dcm")
        right = image_digest(path)
        path.write_bytes(path.read_bytes().replace(b"7.25\\7.25", b"7,25\\7,25"))
        assert image_digest(path) == right
        [group] = deidentified(path).SharedFunctionalGroupsSequence
        assert group.PixelMeasuresSequence[0].PixelSpacing == [Decimal("7.25")] * 2


def test_numbers_that_place_no_pixel_are_put_right_or_emptied(tmp_path: Path) -> None:
    path = save(image(KVP="120.5", ExposureTime="37"), tmp_path / "in.dcm")
    data = path.read_bytes().replace(b"120.5", b"120,5").replace(b"37", b"?7")
    path.write_bytes(data)
    copy = deidentified(path)
    assert (copy.KVP, copy.ExposureTime) == (Decimal("120.5"), None)


@pytest.mark.parametrize(("representation", "vr"), [(0, "US"), (1, "SS")])
def test_an_unknown_vr_is_that_of_the_pixels(representation: int, vr: str, tmp_path: Path) -> None:
    dataset = image(PixelRepresentation=representation)
    dataset.add_new("PixelPaddingValue", "UN", b"\x00\x80")
    dataset.add_new("LUTDescriptor", "UN", b"\x00\x01\x00\x80\x10\x00")
    path = save(dataset, tmp_path / "in.dcm")
    copy = deidentified(path)
    assert copy["PixelPaddingValue"].VR == copy["LUTDescriptor"].VR == vr
    assert copy.PixelPaddingValue & 0xFFFF == 0x8000
    assert [value & 0xFFFF for value in copy.LUTDescriptor] == [256, 0x8000, 16]


NUMBERS = {
    "PixelSpacing": 2,
    "ImagePositionPatient": 3,
    "ImageOrientationPatient": 6,
    "RescaleSlope": 1,
    "RescaleIntercept": 1,
    "SliceThickness": 1,
    "PixelAspectRatio": 2,
    "PixelPaddingValue": 1,
    "SpacingBetweenSlices": 1,
}
TEXT_VRS = ["LO", "SH", "UT", "LT", "ST", "UC", "CS", "DS", "IS"]
NUMBER_VRS = {"FD": "d", "FL": "f", "US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q"}
SPELLINGS = ["{}", "{}.0", "{},0", "{}.5", "{},25", "+{}", "{}e1", "{} ", "{},125", "{}mm", "x", ""]


def test_random_wrong_vrs_never_lose_a_value(rng: random.Random, tmp_path: Path) -> None:
    """The copy has the value in its right VR, or the file is refused by the attribute's name."""
    path, files = tmp_path / "in.dcm", {}
    for keyword in NUMBERS:
        dataset = image(PixelRepresentation=1)
        dataset.add_new(keyword, "LO", "PLACE")
        files[keyword] = save(dataset, path).read_bytes()
    kept = refused = 0
    for _ in range(2000):
        keyword, count = rng.choice(list(NUMBERS.items()))
        vr, value = written(rng, count)
        head = vr.encode() + struct.pack("<H" if vr in SHORT_VRS else "<2xI", len(value))
        path.write_bytes(files[keyword].replace(b"LO\6\0PLACE ", head + value))
        try:
            copy = deidentified(path)
        except (ImageChanged, MalformedDicom) as error:
            named = error.values.get("attribute")
        else:
            named = None
        if named is not None:
            refused += 1
            assert named == keyword, (vr, value)
        elif value.strip(b"\0 \\"):
            kept += 1
            assert copy[keyword].VR in dictionary_VR(keyword).split(" or "), (vr, value)
            assert copy[keyword].value not in (None, ""), (vr, value)
    assert kept > 300
    assert refused > 300


def written(rng: random.Random, count: int) -> tuple[str, bytes]:
    if rng.random() < 0.3:
        vr, letter = rng.choice(list(NUMBER_VRS.items()))
        return vr, struct.pack(f"<{count}{letter}", *(rng.randrange(200) for _ in range(count)))
    texts = [rng.choice(SPELLINGS).format(rng.randrange(2000)) for _ in range(count)]
    value = "\\".join(texts).encode()
    return rng.choice(TEXT_VRS), value + b" " * (len(value) % 2)

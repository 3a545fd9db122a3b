"""The image digest survives every lossless encoding and notices every change of meaning."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from radledger.dicom.canonical import canonical_number
from radledger.dicom.digest import file_digest, image_digest
from radledger.dicom.errors import DicomError, PixelsUnreadable, UnsafePath
from radledger.dicom.read import read_header
from tests.dicom.files import image, sample, samples, save


def digest(dataset: Dataset, folder: Path) -> bytes:
    return image_digest(save(dataset, folder / "digest.dcm"))


@pytest.mark.parametrize(
    "names",
    [
        [
            "MR_small.dcm",
            "MR_small_RLE.dcm",
            "MR_small_bigendian.dcm",
            "MR_small_expb.dcm",
            "MR_small_implicit.dcm",
            "MR_small_jp2klossless.dcm",
            "MR_small_jpeg_ls_lossless.dcm",
            "MR_small_padded.dcm",
        ],
        ["rtdose.dcm", "rtdose_expb.dcm", "rtdose_rle.dcm"],
        ["liver_1frame.dcm", "liver_expb_1frame.dcm"],
        ["SC_rgb_small_odd.dcm", "SC_rgb_small_odd_big_endian.dcm"],
        ["SC_rgb_rle.dcm", "SC_rgb_jpeg_gdcm.dcm"],
    ],
)
def test_one_image_in_many_encodings(names: list[str]) -> None:
    assert len({image_digest(sample(name)) for name in names}) == 1
    assert len({file_digest(sample(name)) for name in names}) == len(names)


def test_images_differ() -> None:
    of_wheel = ["CT_small.dcm", "MR_small.dcm", "rtdose.dcm", "rtdose_1frame.dcm", "test-SR.dcm"]
    assert len({image_digest(sample(name)) for name in of_wheel}) == len(of_wheel)


ENCODERS = {RLELossless: "pylibjpeg", JPEGLSLossless: "pyjpegls", JPEG2000Lossless: "pylibjpeg"}


def reencoded(dataset: Dataset, syntax: str, path: Path) -> Path:
    copy = pydicom.dcmread(save(dataset, path))
    if syntax in ENCODERS:
        copy.compress(syntax, generate_instance_uid=False, encoding_plugin=ENCODERS[syntax])
        return save(copy, path)
    little, implicit = syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
    if not little:
        bits = copy.BitsAllocated
        copy.PixelData = np.frombuffer(copy.PixelData, f"<u{bits // 8}").byteswap().tobytes()
        copy["PixelData"].VR = "OB" if bits == 8 else "OW"
    copy.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(path, copy, implicit_vr=implicit, little_endian=little)
    return path


SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(36, 45),
    columns=st.integers(36, 45),
    frames=st.integers(1, 3),
    kind=st.sampled_from([(8, 8, 0), (16, 12, 0), (16, 16, 1), (16, 12, 1), (16, 10, 0)]),
    samples_per_pixel=st.sampled_from([1, 3]),
)
def test_lossless_encodings_of_any_image_agree(
    seed: int,
    rows: int,
    columns: int,
    frames: int,
    kind: tuple[int, int, int],
    samples_per_pixel: int,
    tmp_path: Path,
) -> None:
    bits, stored, signed = kind if samples_per_pixel == 1 else (8, 8, 0)
    count = rows * columns * frames * samples_per_pixel
    low = -(1 << (stored - 1)) if signed else 0
    # noise would not compress, and the JPEG-LS encoder's buffer does not allow for that
    steps = np.random.default_rng(seed).integers(-3, 4, count).cumsum() * (1 << stored) // 200
    values = low + steps % (1 << stored)
    dataset = image(
        rows,
        columns,
        NumberOfFrames=frames,
        BitsAllocated=bits,
        BitsStored=stored,
        HighBit=stored - 1,
        PixelRepresentation=signed,
        SamplesPerPixel=samples_per_pixel,
        PhotometricInterpretation="RGB" if samples_per_pixel == 3 else "MONOCHROME2",
    )
    if samples_per_pixel == 3:
        dataset.PlanarConfiguration = 0
    data = values.astype(f"<i{bits // 8}" if signed else f"<u{bits // 8}").tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    digests = {s.name: image_digest(reencoded(dataset, s, tmp_path / "a.dcm")) for s in SYNTAXES}
    assert len(set(digests.values())) == 1, digests
    changed = bytearray(dataset.PixelData)
    changed[0] ^= 1
    dataset.PixelData = bytes(changed)
    assert digest(dataset, tmp_path) != digests["Explicit VR Little Endian"]


def test_it_can_be_computed_from_its_description_alone(tmp_path: Path) -> None:
    dataset = image(2, 2, PixelRepresentation=1, NumberOfFrames=1)
    dataset.PixelData = struct.pack("<4H", 0x0800, 0xF001, 0x07FF, 0xFFFF)
    description = {
        "attributes": {
            "00280030": r"5E-1\5E-1",
            "00281052": "-1024E0",
            "00281053": "1E0",
        },
        "image": {
            "bits_stored": 12,
            "columns": 2,
            "floating": False,
            "frames": 1,
            "photometric": "MONOCHROME2",
            "rows": 2,
            "samples": 1,
            "signed": True,
        },
    }
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    pixels = struct.pack("<4h", -2048, 1, 2047, -1)
    expected = hashlib.sha256(
        b"radledger image digest 1\npixels\n" + text.encode() + b"\n" + pixels
    )
    assert digest(dataset, tmp_path) == expected.digest()


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PixelSpacing", ["0.5", "0.6"]),
        ("RescaleSlope", "2"),
        ("RescaleIntercept", "-1000"),
        ("ImagePositionPatient", ["0", "0", "1"]),
        ("ImageOrientationPatient", ["1", "0", "0", "0", "1", "0"]),
        ("PhotometricInterpretation", "MONOCHROME1"),
        ("PixelRepresentation", 1),
        ("Laterality", "L"),
    ],
)
def test_a_change_of_meaning_changes_it(keyword: str, value: object, tmp_path: Path) -> None:
    assert digest(image(**{keyword: value}), tmp_path) != digest(image(), tmp_path)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PixelSpacing", ["0.50", "5e-1"]),
        ("RescaleSlope", "1.000"),
        ("PatientName", "Nobody"),
        ("WindowCenter", "40"),
        ("SOPInstanceUID", "1.2.3.5"),
        ("StudyDate", "20200101"),
        ("NumberOfFrames", 1),
    ],
)
def test_what_does_not_change_the_image_keeps_it(
    keyword: str, value: object, tmp_path: Path
) -> None:
    assert digest(image(**{keyword: value}), tmp_path) == digest(image(), tmp_path)


def test_bits_beside_the_stored_ones_do_not_count(tmp_path: Path) -> None:
    plain = image()
    overlaid = image(
        PixelData=bytes(b | (0x80 if i % 2 else 0) for i, b in enumerate(plain.PixelData))
    )
    overlaid["PixelData"].VR = "OW"
    assert digest(overlaid, tmp_path) == digest(plain, tmp_path)


def test_colour_by_plane_and_by_pixel_agree(tmp_path: Path) -> None:
    colours = np.arange(2 * 4 * 4 * 3, dtype="u1").reshape(2, 16, 3)
    common = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "NumberOfFrames": 2}
    bits = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    by_pixel = image(**common, **bits, PlanarConfiguration=0, PixelData=colours.tobytes())
    planes = colours.transpose(0, 2, 1).tobytes()
    by_plane = image(**common, **bits, PlanarConfiguration=1, PixelData=planes)
    for dataset in (by_pixel, by_plane):
        dataset["PixelData"].VR = "OB"
    assert digest(by_pixel, tmp_path) == digest(by_plane, tmp_path)
    by_plane.PlanarConfiguration = 0
    assert digest(by_pixel, tmp_path) != digest(by_plane, tmp_path)


def test_a_report_keeps_its_digest_when_it_is_written_in_another_encoding(tmp_path: Path) -> None:
    report = pydicom.dcmread(sample("test-SR.dcm"))
    path = tmp_path / "report.dcm"
    for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        little, implicit = syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
        report.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(path, report, implicit_vr=implicit, little_endian=little)
        assert image_digest(path) == image_digest(sample("test-SR.dcm"))
    report.ContentSequence[0].ConceptNameCodeSequence[0].CodeMeaning = "another"
    assert digest(report, tmp_path) != image_digest(sample("test-SR.dcm"))


def test_pixels_that_cannot_be_decoded_have_no_image_digest(tmp_path: Path) -> None:
    data = bytearray(sample("MR_small_jp2klossless.dcm").read_bytes())
    at = data.index(b"\xff\x4f\xff\x51") + 8
    data[at : at + 4] = b"\xff\xff\xff\xff"  # the codestream claims four thousand million columns
    (tmp_path / "a.dcm").write_bytes(data)
    with pytest.raises(PixelsUnreadable):
        image_digest(tmp_path / "a.dcm")


def test_other_fragments_of_the_same_codestream_agree(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(sample("JPEG2000.dcm"))
    [frame] = pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)
    whole = digest(dataset, tmp_path)
    dataset.PixelData = pydicom.encaps.encapsulate([frame], fragments_per_frame=3, has_bot=False)
    assert digest(dataset, tmp_path) == whole


def test_file_digest(tmp_path: Path) -> None:
    data = sample("CT_small.dcm").read_bytes()
    assert file_digest(sample("CT_small.dcm")) == hashlib.sha256(data).digest()
    with pytest.raises(UnsafePath):
        file_digest(tmp_path)


@given(st.integers(-(10**20), 10**20), st.integers(0, 12), st.integers(0, 5))
def test_a_number_has_one_spelling(number: int, places: int, zeros: int) -> None:
    text = f"{number:d}E-{places}"
    sign, digits = ("-", text[1:]) if number < 0 else ("", text)
    assert canonical_number(f"{sign}{'0' * zeros}{digits}") == canonical_number(text)
    shown = canonical_number(text)
    assert canonical_number(shown) == shown
    assert shown != canonical_number(f"{number + 1}E-{places}")


def test_every_file_of_the_wheel_that_can_be_read_has_a_digest() -> None:
    digests = {}
    refused = []
    for path in samples():
        try:
            read_header(path)
        except DicomError:
            continue
        try:
            digests[path.name] = image_digest(path)
        except PixelsUnreadable:
            refused.append(path.name)
    assert len(digests) > 90
    assert refused == ["JPEG2000-embedded-sequence-delimiter.dcm"]

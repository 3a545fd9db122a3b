"""Decompressed copies of lossy files are distinguished from changed ones, within stated bounds."""

from __future__ import annotations

import io
import subprocess

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit

from radledger.dicom.decompressed import compared
from radledger.dicom.digest import image_digest
from radledger.dicom.read import header_of
from radledger.dicom.source import open_dicom
from tests.dcmtk import program
from tests.dicom.files import image, sample, save

GRAY = ["JPEG-lossy.dcm", "JPGExtended.dcm"]
COLOUR = [
    "SC_rgb_jpeg_dcmtk.dcm",  # YBR_FULL
    "SC_rgb_jpeg_lossy_gdcm.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "examples_ybr_color.dcm",  # YBR_FULL_422, of 30 frames
    "SC_rgb_jpeg_app14_dcmd.dcm",  # RGB, of which a decoder may make RGB once more
    "SC_jpeg_no_color_transform.dcm",
    "SC_jpeg_no_color_transform_2.dcm",
]


def outcome(original, copy):
    with open_dicom(original) as ours, open_dicom(copy) as theirs:
        mine, other = (header_of(each, copy).pixels for each in (ours, theirs))
        found = compared(ours, mine, theirs, other)
    assert found.reason
    return found.outcome


@pytest.fixture
def decompressed(tmp_path):
    """Have dcmtk decompress a file."""

    def decompress(path, *options):
        copy = tmp_path / f"copy{''.join(options)}.dcm"
        command = [program("dcmdjpeg"), *options, str(path), str(copy)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return copy

    return decompress


def edited(path, edit, folder):
    """A copy of a native file with other samples."""
    dataset = pydicom.dcmread(path)
    shape = (-1, dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)
    samples = np.frombuffer(dataset.PixelData, f"<u{dataset.BitsAllocated // 8}")
    samples = samples[: samples.size // np.prod(shape[1:]) * np.prod(shape[1:])]
    samples = samples.reshape(shape).astype(int)
    edit(samples)
    kind = f"<u{dataset.BitsAllocated // 8}"
    dataset.PixelData = samples.clip(0, (1 << dataset.BitsStored) - 1).astype(kind).tobytes()
    return save(dataset, folder / "edited.dcm")


@pytest.mark.parametrize("name", [*GRAY, *COLOUR])
@pytest.mark.parametrize("option", ["+cp", "+ca"])
def test_what_dcmtk_decompressed_is_the_same(decompressed, name, option):
    copy = decompressed(sample(name), option)
    assert image_digest(copy) != image_digest(sample(name))
    assert outcome(sample(name), copy) == "same"


def test_components_that_were_not_converted_are_the_same(decompressed):
    for name in COLOUR[:4]:
        assert outcome(sample(name), decompressed(sample(name), "+cn")) == "same"


@pytest.mark.parametrize(
    ("name", "by", "found"),
    [
        ("JPEG-lossy.dcm", 2, "same"),
        ("JPEG-lossy.dcm", 3, "undecided"),
        ("JPEG-lossy.dcm", 130, "undecided"),
        ("JPEG-lossy.dcm", 131, "changed"),
        ("SC_rgb_jpeg_dcmtk.dcm", 6, "same"),
        ("SC_rgb_jpeg_dcmtk.dcm", 9, "undecided"),
    ],
)
def test_bounds(decompressed, tmp_path, name, by, found):
    """One sample differs by so much."""

    def edit(samples):
        spot = samples[0, 20, 20]
        spot[...] = np.where(spot >= by, spot - by, spot + by)

    copy = edited(decompressed(sample(name), "+ca"), edit, tmp_path)
    assert outcome(sample(name), copy) == found


@pytest.fixture
def photograph(tmp_path):
    """A JPEG in colour, with halved chrominance or without; and what it shows."""
    y, x = np.mgrid[:96, :128]
    noise = np.random.default_rng(7).integers(-20, 20, (96, 128, 3))
    shown = np.stack([x + 40, 2 * y, 200 - x], axis=-1) + noise
    shown = np.where((x // 8 + y // 8)[..., None] % 2, shown, [180, 60, 90]).clip(0, 255)

    def photograph(subsampling):
        buffer = io.BytesIO()
        Image.fromarray(shown.astype("u1")).save(
            buffer, "JPEG", quality=85, subsampling=subsampling
        )
        dataset = image(96, 128, SamplesPerPixel=3, PlanarConfiguration=0)
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PhotometricInterpretation = "YBR_FULL_422" if subsampling else "YBR_FULL"
        dataset.PixelData = encapsulate([buffer.getvalue()])
        dataset["PixelData"].is_undefined_length = True
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        path = tmp_path / f"photograph{subsampling}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        buffer.seek(0)
        return path, np.asarray(Image.open(buffer).convert("RGB")).astype(int)

    return photograph


def native(path, samples, folder):
    """A copy without compression."""
    dataset = pydicom.dcmread(path)
    dataset.PixelData = samples.astype("u1").tobytes()
    dataset["PixelData"].is_undefined_length = False
    dataset.PhotometricInterpretation = "RGB"
    dataset.PlanarConfiguration = 0
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    copy = folder / "native.dcm"
    dataset.save_as(copy, enforce_file_format=True)
    return copy


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_painted_spot_in_colour_is_a_change(photograph, tmp_path, subsampling):
    path, shown = photograph(subsampling)
    assert outcome(path, native(path, shown, tmp_path)) == "same"
    for colour in ([90, 90, 90], [0, 0, 0], [255, 255, 255], [20, 220, 120]):
        painted = shown.copy()
        painted[40:60, 50:70] = colour
        assert outcome(path, native(path, painted, tmp_path)) == "changed"


def test_other_ways_to_write_halved_chrominance_out_are_never_called_a_change(photograph, tmp_path):
    path, shown = photograph(2)
    ycc = np.asarray(Image.fromarray(shown.astype("u1")).convert("YCbCr")).copy()
    # as a decoder that repeats each sample does
    ycc[..., 1:] = ycc[::2, ::2, 1:].repeat(2, axis=0).repeat(2, axis=1)
    boxes = np.asarray(Image.fromarray(ycc, "YCbCr").convert("RGB"))
    assert np.abs(boxes - shown).max() > 20
    assert outcome(path, native(path, boxes, tmp_path)) == "undecided"


def test_jpeg_2000_is_the_same_or_undecided(tmp_path):
    path = sample("JPEG2000.dcm")
    dataset = pydicom.dcmread(path)
    assert dataset.file_meta.TransferSyntaxUID == JPEG2000
    dataset.decompress(generate_instance_uid=False)
    copy = save(dataset, tmp_path / "copy.dcm")
    assert image_digest(copy) != image_digest(path)
    assert outcome(path, copy) == "same"

    def paint(samples):
        samples[0, 100:120, 100:120] = 0

    assert outcome(path, edited(copy, paint, tmp_path)) == "undecided"


def test_decompressed_and_compressed_again_without_loss_is_the_same(decompressed, tmp_path):
    dataset = pydicom.dcmread(decompressed(sample("JPEG-lossy.dcm"), "+cp"))
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    assert outcome(sample("JPEG-lossy.dcm"), save(dataset, tmp_path / "again.dcm")) == "same"


def test_compressed_with_loss_again_is_a_change(photograph, tmp_path):
    path, shown = photograph(0)
    buffer = io.BytesIO()
    Image.fromarray(shown.astype("u1")).save(buffer, "JPEG", quality=20, subsampling=0)
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([buffer.getvalue()])
    assert outcome(path, save(dataset, tmp_path / "again.dcm")) == "changed"


@pytest.mark.parametrize(
    ("keyword", "value", "found"),
    [
        ("RescaleIntercept", "7", "changed"),
        ("PixelSpacing", [9, 9], "changed"),
        ("PhotometricInterpretation", "MONOCHROME1", "undecided"),
        ("BitsStored", 16, "undecided"),
        ("PatientName", "Another^Name", "same"),
    ],
)
def test_what_else_a_copy_says(decompressed, tmp_path, keyword, value, found):
    dataset = pydicom.dcmread(decompressed(sample("JPEG-lossy.dcm"), "+cp"))
    setattr(dataset, keyword, value)
    if keyword == "BitsStored":
        dataset.HighBit = 15
    assert outcome(sample("JPEG-lossy.dcm"), save(dataset, tmp_path / "said.dcm")) == found


def test_another_size_is_a_change(decompressed, tmp_path):
    copy = decompressed(sample("JPEG-lossy.dcm"), "+cp")
    dataset = pydicom.dcmread(copy)
    dataset.Rows //= 2
    dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 2]
    assert outcome(sample("JPEG-lossy.dcm"), save(dataset, tmp_path / "half.dcm")) == "changed"


def test_exact_originals_are_not_in_doubt(tmp_path):
    dataset = pydicom.dcmread(sample("MR_small_RLE.dcm"))
    dataset.decompress(generate_instance_uid=False)
    dataset.PixelData = b"\1" + dataset.PixelData[1:]
    path = save(dataset, tmp_path / "changed.dcm")
    assert outcome(sample("MR_small_RLE.dcm"), path) == "changed"


def test_video_is_undecided(decompressed, tmp_path, monkeypatch):
    from radledger.dicom import decompressed as module

    monkeypatch.setattr(module, "is_video", lambda syntax: True)
    copy = decompressed(sample("JPEG-lossy.dcm"), "+cp")
    assert outcome(sample("JPEG-lossy.dcm"), copy) == "undecided"
    monkeypatch.undo()
    monkeypatch.setattr(module, "MAX_FRAME_SAMPLES", 100)
    assert outcome(sample("JPEG-lossy.dcm"), copy) == "undecided"


def test_luminance_is_only_looked_at_where_all_decoders_find_it():
    said = module_says
    start = b"\xff\xd8"
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
    components = b"\xff\xc0\x00\x11\x08\x00\x08\x00\x08\x03"
    ycc = components + b"\x01\x11\x00\x02\x11\x01\x03\x11\x01"
    assert said(start + ycc)
    assert said(start + adobe + b"\x01" + ycc)
    assert not said(start + adobe + b"\x00" + ycc)
    assert not said(start + adobe + b"\x02" + ycc)
    assert not said(start + components + b"R\x11\x00G\x11\x01B\x11\x01")
    assert not said(start)
    assert not said(start + b"\xff\xe0")


def module_says(data):
    from radledger.dicom.decompressed import _is_ybr_in_codestream

    return _is_ybr_in_codestream(data)

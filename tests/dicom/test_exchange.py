"""Frames as they are sent: the numbers that the header describes, whatever the file's encoding."""

from __future__ import annotations

import io
from contextlib import contextmanager

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import generate_frames

from radledger.dicom.errors import MalformedDicom, PixelsUnreadable
from radledger.dicom.exchange import MEDIA_TYPES, FrameExchange
from radledger.dicom.preview import Shown, picture
from radledger.dicom.read import header_of
from radledger.dicom.source import open_dicom
from tests.dicom.files import image, sample, save


@contextmanager
def exchange_of(path):
    """The frames of a file, and how many there are."""
    with open_dicom(path) as source:
        pixels = header_of(source, path).pixels
        yield FrameExchange(source, pixels), pixels.frames


def plain_frames(path):
    with exchange_of(path) as (frames, count):
        return [frames.plain(index) for index in range(count)]


def stored_frames(path):
    with exchange_of(path) as (frames, count):
        return [frames.stored(index) for index in range(count)]


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "SC_rgb_rle_2frame.dcm",
        "SC_rgb_small_odd.dcm",
        "SC_rgb_small_odd_big_endian.dcm",
        "SC_rgb_rle_16bit_2frame.dcm",
        "SC_rgb_rle_32bit.dcm",
        "liver_1frame.dcm",
        "liver_expb_1frame.dcm",
        "rtdose.dcm",
        "rtdose_expb.dcm",
        "rtdose_rle.dcm",
    ],
)
def test_a_plain_frame_is_what_pydicom_reads(name):
    dataset = pydicom.dcmread(sample(name))
    count = int(dataset.get("NumberOfFrames", 1))
    dataset.pixel_array_options(raw=True)
    expected = dataset.pixel_array if count > 1 else dataset.pixel_array[None]
    if dataset.get("PlanarConfiguration") == 1:
        expected = np.moveaxis(expected, -1, 1)
    found = plain_frames(sample(name))
    if dataset.BitsAllocated == 1:
        expected = [np.packbits(each.reshape(-1), bitorder="little") for each in expected]
    assert found == [each.astype(each.dtype.newbyteorder("<")).tobytes() for each in expected]


def test_frames_of_single_bits_begin_at_whole_bytes(tmp_path):
    bits = np.random.default_rng(1).integers(0, 2, (3, 3, 5), dtype=np.uint8)
    dataset = image(3, 5, BitsAllocated=1, BitsStored=1, HighBit=0, NumberOfFrames=3)
    dataset.PixelRepresentation = 0
    packed = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    dataset.PixelData = packed + bytes(len(packed) % 2)
    found = plain_frames(save(dataset, tmp_path / "a.dcm"))
    assert found == [np.packbits(each.reshape(-1), bitorder="little").tobytes() for each in bits]


@pytest.mark.parametrize("name", ["SC_rgb_rle_2frame.dcm", "MR_small_jp2klossless.dcm"])
def test_a_stored_frame_is_that_of_the_file(name):
    dataset = pydicom.dcmread(sample(name))
    count = int(dataset.get("NumberOfFrames", 1))
    expected = list(generate_frames(dataset.PixelData, number_of_frames=count))
    assert stored_frames(sample(name)) == expected
    assert dataset.file_meta.TransferSyntaxUID in MEDIA_TYPES


def test_a_native_file_has_no_stored_frames():
    with pytest.raises(PixelsUnreadable):
        stored_frames(sample("CT_small.dcm"))


def test_a_file_that_does_not_say_which_fragments_make_which_frame(tmp_path):
    dataset = pydicom.dcmread(sample("SC_rgb_rle_2frame.dcm"))
    dataset.NumberOfFrames = 1
    path = tmp_path / "a.dcm"
    dataset.save_as(path)
    for read in (plain_frames, stored_frames):
        with pytest.raises(MalformedDicom):
            read(path)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("SC_rgb_rle.dcm", True),
        ("SC_ybr_full_422_uncompressed.dcm", True),
        ("MR_small_jp2klossless.dcm", True),
        ("SC_rgb_dcmtk_+eb+cr.dcm", True),
        ("SC_rgb_dcmtk_+eb+cy+np.dcm", False),  # decoded, its chrominance is not halved
        ("examples_jpeg2k.dcm", False),  # decoded, it is RGB
    ],
)
def test_what_decoding_turns_into_other_colours_is_not_sent_plain(name, plain):
    with exchange_of(sample(name)) as (frames, _):
        assert frames.can_be_plain is plain


def test_a_frame_is_shown_in_the_window_that_is_asked_for(tmp_path):
    values = np.arange(16, dtype="<u2")
    dataset = image(WindowCenter="-1016", WindowWidth="17", PixelData=values.tobytes())
    dataset["PixelData"].VR = "OW"
    path = save(dataset, tmp_path / "a.dcm")

    def seen(**how):
        with open_dicom(path) as source:
            data = picture(source, header_of(source, path).pixels, 0, Shown(**how))
        return Image.open(io.BytesIO(data))

    own = np.asarray(seen())
    assert (own[0, 0], own[3, 3]) == (0, 255)
    low = -1024 + 8
    black = np.asarray(seen(window=(low, low + 1))).reshape(-1)
    assert list(black) == [0] * 9 + [255] * 7
    assert seen(width=2).size == (2, 2)
    assert seen(height=1).size == (1, 1)
    assert seen(encoding="JPEG", quality=50).format == "JPEG"

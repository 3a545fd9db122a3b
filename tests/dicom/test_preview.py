"""Previews show what a viewer would show, and are small."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from radledger.dicom.errors import DicomError, PixelsUnreadable
from radledger.dicom.preview import preview
from radledger.dicom.read import read_header
from radledger.dicom.synthetic import make_ct_series
from tests.dicom.files import image, sample, samples, save


def shown(path: Path, size: int = 256) -> Image.Image:
    return Image.open(io.BytesIO(preview(path, size)))


def test_gray_values_go_through_the_window(tmp_path: Path) -> None:
    values = np.arange(16, dtype="<u2")
    dataset = image(WindowCenter="-1016", WindowWidth="17", PixelData=values.tobytes())
    dataset["PixelData"].VR = "OW"
    ramp = np.asarray(shown(save(dataset, tmp_path / "a.dcm")))
    assert ramp.shape == (4, 4)
    assert (ramp[0, 0], ramp[3, 3]) == (0, 255)
    assert (np.diff(ramp.reshape(-1).astype(int)) > 0).all()
    dataset.PhotometricInterpretation = "MONOCHROME1"
    assert (np.asarray(shown(save(dataset, tmp_path / "b.dcm"))) == 255 - ramp).all()


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_rle.dcm",
        "SC_rgb_dcmtk_+eb+cy+np.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "SC_rgb_gdcm_KY.dcm",
    ],
)
def test_colours_come_out_as_colours(name: str) -> None:
    red, green = (shown(sample(name)).getpixel((50, y)) for y in (4, 24))
    assert isinstance(red, tuple)
    assert isinstance(green, tuple)
    assert red[0] > 240 > 20 > red[1]
    assert green[1] > 240 > 20 > green[0]


def test_a_palette_becomes_colours() -> None:
    picture = shown(sample("examples_palette.dcm"))
    assert picture.mode == "RGB"
    assert picture.size == (256, 112)


def test_the_middle_frame_is_shown() -> None:
    # the second frame of two is the first one, inverted
    assert shown(sample("SC_rgb_rle_2frame.dcm")).getpixel((50, 4)) == (0, 255, 255)


@pytest.mark.parametrize(("size", "expected"), [(64, 64), (1, 16), (10_000, 128)])
def test_the_size_is_bounded(size: int, expected: int) -> None:
    assert shown(sample("CT_small.dcm"), size).size == (expected, expected)


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    path = save(image(PixelSpacing=["1", "2"]), tmp_path / "a.dcm")
    assert shown(path).size == (8, 4)


def test_objects_without_pixels_have_none() -> None:
    with pytest.raises(PixelsUnreadable):
        preview(sample("test-SR.dcm"))


def test_every_file_of_the_wheel_gives_a_picture_or_says_why_not() -> None:
    pictures = 0
    for path in samples():
        try:
            read_header(path)
            assert max(shown(path, 64).size) <= 64
            pictures += 1
        except DicomError:
            continue
    assert pictures > 80


def test_the_synthetic_series_shows_body_and_lesion(tmp_path: Path) -> None:
    paths = make_ct_series(tmp_path, 10, size=128)
    headers = [read_header(path) for path in paths]
    assert len({header.series for header in headers}) == 1
    assert len({header.sop_instance for header in headers}) == 10
    assert [header.instance_number for header in headers] == list(range(1, 11))
    depth = [float(header.dataset.ImagePositionPatient[2]) for header in headers]
    assert np.allclose(np.diff(depth), 2.5)
    picture = np.asarray(shown(paths[3], 128))
    assert picture[0, 0] < 10  # air
    assert picture[64, 38] < 10  # right lung
    assert picture[65, 90] > 150  # lesion in the left lung
    assert picture[64, 64] > 100  # tissue between them
    assert headers[0].dataset.PatientName != ""


def test_the_synthetic_series_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    def files(seed: int, name: str) -> list[bytes]:
        return [p.read_bytes() for p in make_ct_series(tmp_path / name, 2, size=32, seed=seed)]

    assert files(1, "a") == files(1, "b") != files(2, "c")

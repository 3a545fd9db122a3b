"""Files, headers, frames, pictures and values come as they were anchored, in a form accepted."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames

from tests.dicom.files import image, save
from tests.gateway.conftest import URL, refused
from tests.gateway.dicomweb.conftest import DICOM, SAMPLES, parts_of, path_of
from tests.gateway.dicomweb.shared import (
    add,
    dicomweb,
    gateway,
    grant,
    granted,
    home,
    http,
    ledger,
    reader,
    series,
)

__all__ = [
    "add",
    "dicomweb",
    "gateway",
    "grant",
    "granted",
    "home",
    "http",
    "ledger",
    "reader",
    "series",
]

EXPLICIT, JPEG_2000 = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90"
RLE = "1.2.840.10008.1.2.5"
OCTETS = 'multipart/related; type="application/octet-stream"'
FRAMES = f"{OCTETS}; transfer-syntax=*"


def test_files_come_byte_for_byte(shown, series):
    expected = [file.read_bytes() for file in series]
    media_type = f"application/dicom; transfer-syntax={EXPLICIT}"
    for level in ("study", "series"):
        parts = shown.parts(path_of(pydicom.dcmread(series[0]), level))
        assert {kind for kind, _ in parts} == {media_type}
        assert [content for _, content in parts] == expected


ACCEPTED = [
    (DICOM, True),
    ("multipart/related; type=application/dicom", True),
    (f'multipart/related; type="application/dicom"; transfer-syntax={EXPLICIT}', True),
    ("*/*", True),
    (None, True),
    ("multipart/*", True),
    ("text/html, multipart/related;q=0.5", True),
    ("application/dicom", False),
    (f"application/dicom;transfer-syntax={EXPLICIT}", False),
    ("application/*", False),
    (f"{DICOM};q=0.1, application/dicom;q=0.2", False),
]
NOT_ACCEPTED = [
    "text/html",
    "application/dicom; q=0",
    f'multipart/related; type="application/dicom"; transfer-syntax={JPEG_2000}',
    'multipart/related; type="application/dicom"; transfer-syntax=1.2.3.4',
    'multipart/related; type="application/dicom+xml"',
    "image/jpeg",
]
MALFORMED = ["dicom", "a/b;c", "a/b;q=2", "a/b;q=x", 'a/b;c="d', "a/b c/d"]


def test_an_instance_comes_in_the_form_that_is_accepted(shown, series):
    path = path_of(pydicom.dcmread(series[1]))
    expected = series[1].read_bytes()
    for accept, in_parts in ACCEPTED:
        response = shown.get(path, accept)
        assert response.status_code == 200, response.text
        if in_parts:
            assert [content for _, content in parts_of(response)] == [expected], accept
        else:
            kind = f"application/dicom; transfer-syntax={EXPLICIT}"
            assert response.headers["content-type"] == kind, accept
            assert response.headers["content-location"] == f"{URL}/dicom-web{path}"
            assert response.content == expected
    by_url = shown.get(f"{path}?accept=application/dicom", "text/html")
    assert by_url.content == expected


def test_what_is_in_no_accepted_form_is_refused_with_what_there_is(shown, series):
    path = path_of(pydicom.dcmread(series[0]))
    offered = f'multipart/related; type="application/dicom"; transfer-syntax={EXPLICIT}'
    for accept in NOT_ACCEPTED:
        values = refused(shown.get(path, accept), 406, "NotAcceptable")
        assert values == {"accept": accept, "offered": [offered]}
    for accept in MALFORMED:
        assert refused(shown.get(path, accept), 400, "QueryInvalid") == {"accept": accept}


def test_a_study_of_several_transfer_syntaxes_needs_all_accepted(add, dicomweb, sample):
    first, second = (pydicom.dcmread(SAMPLES / n) for n in ("MR_small.dcm", "MR_small_RLE.dcm"))
    assert first.StudyInstanceUID == second.StudyInstanceUID
    other = sample("MR_small_RLE.dcm", SOPInstanceUID="1.2.3", SeriesInstanceUID="1.2.4")
    viewer = dicomweb(*add(sample("MR_small.dcm"), other))
    path = path_of(first, "study")
    assert {kind.rpartition("=")[2] for kind, _ in viewer.parts(path)} == {EXPLICIT, RLE}
    only = f'multipart/related; type="application/dicom"; transfer-syntax={EXPLICIT}'
    refused(viewer.get(path, only), 406, "NotAcceptable")


def test_metadata_is_what_pydicom_reads(shown, series):
    datasets = [pydicom.dcmread(file) for file in series]
    for level in ("study", "series"):
        found = shown.json(f"{path_of(datasets[0], level)}/metadata")
        assert [each["00080018"]["Value"][0] for each in found] == [
            each.SOPInstanceUID for each in datasets
        ]
    (found,) = shown.json(f"{path_of(datasets[2])}/metadata")
    assert found.pop("00083002") == {"vr": "UI", "Value": [EXPLICIT]}
    pixels = found.pop("7FE00010")
    assert pixels == {
        "vr": "OW",
        "BulkDataURI": f"{URL}/dicom-web{path_of(datasets[2])}/bulkdata/7FE00010",
    }
    del datasets[2].PixelData
    assert found == datasets[2].to_json_dict()
    assert list(found) == sorted(found)


def test_long_binary_values_come_by_address(add, dicomweb, sample):
    viewer = dicomweb(*add(sample("examples_overlay.dcm"), allow_burned_in=True))
    dataset = pydicom.dcmread(SAMPLES / "examples_overlay.dcm")
    (found,) = viewer.json(f"{path_of(dataset)}/metadata")
    by_address = [tag for tag, each in found.items() if "BulkDataURI" in each]
    assert "7FE00010" in by_address
    assert len(by_address) > 1
    for tag in by_address:
        if tag != "7FE00010":
            path = found[tag]["BulkDataURI"].removeprefix(f"{URL}/dicom-web")
            ((_, content),) = viewer.parts(path, "*/*")
            assert content == dataset[int(tag, 16)].value
            single = viewer.get(path, "application/octet-stream")
            assert single.content == content
    pixels = found["7FE00010"]["BulkDataURI"].removeprefix(f"{URL}/dicom-web")
    ((_, content),) = viewer.parts(pixels, "*/*")
    assert content == dataset.PixelData
    for tag in ("00100010", "00280010", "7FE00020", "x", "pixels"):
        path = f"{path_of(dataset)}/bulkdata/{tag}"
        assert refused(viewer.get(path), 404, "FrameUnknown") == {"tag": tag}


def test_values_that_json_has_no_number_for(add, dicomweb, sample):
    path = sample("CT_small.dcm", RealWorldValueSlope=None, TableSpeed=float("nan"))
    viewer = dicomweb(*add(path, allow_unchecked=True))
    (found,) = viewer.json(f"{path_of(pydicom.dcmread(path))}/metadata")
    assert found["00189309"] == {"vr": "FD", "Value": [None]}


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_bigendian.dcm", "SC_rgb_rle_2frame.dcm", "image_dfl.dcm"]
)
def test_frames_come_without_compression(add, dicomweb, sample, name):
    viewer = dicomweb(*add(sample(name), allow_burned_in=True, allow_unchecked=True))
    dataset = pydicom.dcmread(SAMPLES / name)
    count = int(dataset.get("NumberOfFrames", 1))
    dataset.pixel_array_options(raw=True)
    frames = dataset.pixel_array if count > 1 else dataset.pixel_array[None]
    if dataset.get("PlanarConfiguration") == 1:
        frames = np.moveaxis(frames, -1, 1)
    expected = [each.astype(each.dtype.newbyteorder("<")).tobytes() for each in frames]
    numbers = ",".join(str(number + 1) for number in range(count))
    path = f"{path_of(dataset)}/frames"
    for accept in (OCTETS, "*/*", f"{OCTETS}; transfer-syntax={EXPLICIT}"):
        parts = viewer.parts(f"{path}/{numbers}", accept)
        assert [content for _, content in parts] == expected
        assert {kind for kind, _ in parts} == {
            f"application/octet-stream; transfer-syntax={EXPLICIT}"
        }
    single = viewer.get(f"{path}/{count}", "application/octet-stream")
    assert single.content == expected[-1]


@pytest.mark.parametrize(
    ("name", "syntax", "media_type"),
    [
        ("SC_rgb_rle_2frame.dcm", RLE, "image/dicom-rle"),
        ("MR_small_jp2klossless.dcm", JPEG_2000, "image/jp2"),
    ],
)
def test_frames_come_as_they_are_stored(add, dicomweb, sample, name, syntax, media_type):
    viewer = dicomweb(*add(sample(name), allow_burned_in=True))
    dataset = pydicom.dcmread(SAMPLES / name)
    count = int(dataset.get("NumberOfFrames", 1))
    expected = list(generate_frames(dataset.PixelData, number_of_frames=count))
    path = f"{path_of(dataset)}/frames/{','.join(str(n) for n in range(count, 0, -1))}"
    for accept, kind in [
        (FRAMES, "application/octet-stream"),
        (f"{OCTETS}; transfer-syntax={syntax}", "application/octet-stream"),
        (f'multipart/related; type="{media_type}"', media_type),
        (f'multipart/related; type="image/*"; transfer-syntax={syntax}', media_type),
    ]:
        parts = viewer.parts(path, accept)
        assert [content for _, content in parts] == expected[::-1]
        assert {each for each, _ in parts} == {f"{kind}; transfer-syntax={syntax}"}
    refused(viewer.get(path, 'multipart/related; type="image/jls"'), 406, "NotAcceptable")


def test_frames_whose_colours_decoding_changes_come_as_they_are_stored(add, dicomweb, sample):
    name = "SC_rgb_dcmtk_+eb+cy+np.dcm"
    viewer = dicomweb(*add(sample(name), allow_burned_in=True))
    path = f"{path_of(pydicom.dcmread(SAMPLES / name))}/frames/1"
    values = refused(viewer.get(path, OCTETS), 406, "NotAcceptable")
    jpeg = "1.2.840.10008.1.2.4.50"
    assert values["offered"] == [
        f'multipart/related; type="application/octet-stream"; transfer-syntax={jpeg}',
        f'multipart/related; type="image/jpeg"; transfer-syntax={jpeg}',
    ]
    ((kind, content),) = viewer.parts(path, "*/*")
    assert kind == f"image/jpeg; transfer-syntax={jpeg}"
    assert Image.open(io.BytesIO(content)).size == (100, 100)


def test_frames_that_there_are_not(shown, series):
    path = f"{path_of(pydicom.dcmread(series[0]))}/frames"
    for end in ("", "/rendered"):
        values = refused(shown.get(f"{path}/2{end}"), 404, "FrameUnknown")
        assert values == {"frames": 1, "frame": 2}
        for numbers in ("0", "-1", "1,", "x", "1,x", "01", "1" * 10, "1,1"):
            values = refused(shown.get(f"{path}/{numbers}{end}"), 400, "QueryInvalid")
            assert values == {"parameter": "frames", "value": numbers}


def test_an_object_without_pixels_has_no_frames(add, dicomweb, sample):
    viewer = dicomweb(*add(sample("rtplan.dcm")))
    path = path_of(pydicom.dcmread(SAMPLES / "rtplan.dcm"))
    for end in ("frames/1", "frames/1/rendered", "rendered"):
        values = refused(viewer.get(f"{path}/{end}"), 404, "FrameUnknown")
        assert values["frames"] == 0
    (found,) = viewer.json(f"{path}/metadata")
    assert "7FE00010" not in found
    assert found["300A00B0"]["Value"]


def test_a_video_is_sent_whole(add, dicomweb, tmp_path):
    dataset = image(16, 16, NumberOfFrames=2, SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.1.1")
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"
    dataset.PixelData = encapsulate([b"\0\0\1\x65" + bytes(60)])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    path = save(dataset, tmp_path / "video.dcm")
    viewer = dicomweb(*add(path, allow_unchecked=True))
    ((_, content),) = viewer.parts(path_of(dataset))
    assert content == path.read_bytes()
    for end in ("frames/1", "bulkdata/7FE00010"):
        refused(viewer.get(f"{path_of(dataset)}/{end}"), 406, "NotAcceptable")
    refused(viewer.get(f"{path_of(dataset)}/frames/1/rendered"), 406, "MalformedDicom")


def test_values_in_big_endian_come_in_little_endian(add, dicomweb, tmp_path):
    dataset = image(4, 4)
    values = bytes(range(256)) * 8
    dataset.add_new(0x00660016, "OF", values)
    dataset.add_new(0x00661004, "OB", values)
    path = tmp_path / "a.dcm"
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
    dataset.save_as(path, enforce_file_format=True, implicit_vr=False, little_endian=False)
    viewer = dicomweb(*add(path))
    floats = np.frombuffer(values, ">f4").astype("<f4").tobytes()
    for tag, expected in (("00660016", floats), ("00661004", values)):
        response = viewer.get(f"{path_of(dataset)}/bulkdata/{tag}", "application/octet-stream")
        assert response.content == expected


def test_pictures(shown, series):
    path = path_of(pydicom.dcmread(series[0]))
    for end, accept, kind in [
        ("rendered", None, "JPEG"),
        ("rendered", "image/png", "PNG"),
        ("frames/1/rendered", "image/*", "JPEG"),
    ]:
        response = shown.get(f"{path}/{end}", accept)
        assert response.headers["content-type"] == f"image/{kind.lower()}"
        assert response.headers["cache-control"] == "no-store"
        picture = Image.open(io.BytesIO(response.content))
        assert (picture.format, picture.size) == (kind, (64, 64))

    def png(**parameters):
        response = shown.get(f"{path}/rendered", "image/png", **parameters)
        return Image.open(io.BytesIO(response.content))

    assert png(viewport="32,100").size == (32, 32)
    assert set(np.unique(np.asarray(png(window="-500,1,linear")))) == {0, 255}
    assert np.array_equal(np.asarray(png(window="40,400,linear-exact")).shape, (64, 64))
    best, worst = (
        len(shown.get(f"{path}/rendered", quality=each).content) for each in ("100", "1")
    )
    assert worst < best


NOT_SHOWN = [
    ("window", "40,400"),
    ("window", "40,0,linear"),
    ("window", "40,400,sigmoid"),
    ("viewport", "0,1"),
    ("viewport", "100000,1"),
    ("quality", "0"),
    ("quality", "101"),
]


def test_pictures_that_cannot_be_made(shown, series):
    path = f"{path_of(pydicom.dcmread(series[0]))}/rendered"
    for parameter, value in NOT_SHOWN:
        values = refused(shown.get(path, **{parameter: value}), 400, "QueryInvalid")
        assert values == {"parameter": parameter, "value": value}


def test_a_picture_of_what_is_not_a_picture(shown, add, dicomweb, sample, series):
    path = f"{path_of(pydicom.dcmread(series[0]))}/rendered"
    refused(shown.get(path, "image/gif"), 406, "NotAcceptable")
    values = refused(shown.get(path, annotation="patient"), 400, "QueryInvalid")
    assert values == {"parameter": "annotation"}
    name = "SC_rgb_rle_2frame.dcm"
    viewer = dicomweb(*add(sample(name), allow_burned_in=True))
    path = path_of(pydicom.dcmread(SAMPLES / name))
    assert refused(viewer.get(f"{path}/rendered"), 406, "NotAcceptable") == {"frames": 2}
    values = refused(viewer.get(f"{path}/frames/1,2/rendered"), 400, "QueryInvalid")
    assert values == {"frames": 2}
    assert viewer.get(f"{path}/frames/2/rendered").status_code == 200

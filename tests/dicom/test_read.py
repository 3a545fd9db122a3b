"""A header is read from whole files only, and bad files give the error that names why."""

from __future__ import annotations

import io
import os
import warnings
from contextlib import suppress
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radledger.dicom import limits
from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.digest import image_digest
from radledger.dicom.errors import (
    BurnedInAnnotation,
    DicomError,
    DicomTooLarge,
    ImageChanged,
    MalformedDicom,
    NestedTooDeep,
    NotDicom,
    PixelsUnreadable,
    TruncatedDicom,
    UnsafePath,
    UnsupportedTransferSyntax,
)
from radledger.dicom.profiles import OPTIONS, Profile
from radledger.dicom.read import read_header
from tests.dicom.files import deflated, image, nested, part10, sample, samples, save

EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.mark.parametrize(
    ("name", "modality", "syntax", "frames"),
    [
        ("CT_small.dcm", "CT", "1.2.840.10008.1.2.1", 1),
        ("MR_small_implicit.dcm", "MR", "1.2.840.10008.1.2", 1),
        ("MR_small_bigendian.dcm", "MR", "1.2.840.10008.1.2.2", 1),
        ("image_dfl.dcm", "OT", "1.2.840.10008.1.2.1.99", 1),
        ("rtdose_rle.dcm", "RTDOSE", "1.2.840.10008.1.2.5", 15),
        ("examples_ybr_color.dcm", "US", "1.2.840.10008.1.2.4.50", 30),
        ("JPGExtended.dcm", "NM", "1.2.840.10008.1.2.4.51", 1),
        ("SC_rgb_jpeg_gdcm.dcm", "OT", "1.2.840.10008.1.2.4.70", 1),
        ("MR_small_jpeg_ls_lossless.dcm", "MR", "1.2.840.10008.1.2.4.80", 1),
        ("GDCMJ2K_TextGBR.dcm", "", "1.2.840.10008.1.2.4.90", 1),
        ("693_J2KI.dcm", "CT", "1.2.840.10008.1.2.4.91", 1),
        ("liver_expb_1frame.dcm", "SEG", "1.2.840.10008.1.2.2", 1),
        ("test-SR.dcm", "SR", "1.2.840.10008.1.2.1", 0),
        ("rtstruct.dcm", "RTSTRUCT", "1.2.840.10008.1.2", 0),
        ("waveform_ecg.dcm", "ECG", "1.2.840.10008.1.2.1", 0),
    ],
)
def test_reads_every_kind_of_file(name: str, modality: str, syntax: str, frames: int) -> None:
    header = read_header(sample(name))
    assert (header.modality, header.transfer_syntax, header.frames) == (modality, syntax, frames)
    assert header.size == sample(name).stat().st_size
    assert "PixelData" not in header.dataset


def test_a_file_of_the_wheel_is_read_or_refused_by_name_and_never_warns() -> None:
    read, refused = 0, set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in samples():
            try:
                read_header(path)
                read += 1
            except DicomError as error:
                refused.add(error.name)
    assert read > 90
    assert refused == {"NotDicom", "TruncatedDicom", "MalformedDicom"}


def test_identifiers(tmp_path: Path) -> None:
    header = read_header(save(image(InstanceNumber="7"), tmp_path / "a.dcm"))
    assert (header.study, header.series, header.sop_instance) == ("1.2.3", "1.2.3.1", "1.2.3.4")
    assert header.instance_number == 7
    assert header.pixels is not None
    assert (header.pixels.rows, header.pixels.columns, header.pixels.bits_stored) == (4, 4, 12)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_implicit.dcm"])
def test_a_file_without_preamble_or_meta_is_read_where_its_content_is_sure(
    name: str, tmp_path: Path
) -> None:
    data = sample(name).read_bytes()
    whole = read_header(sample(name))
    bare = tmp_path / "bare.dcm"

    bare.write_bytes(data[132:])  # file meta information, no preamble
    assert read_header(bare).transfer_syntax == whole.transfer_syntax

    length = int.from_bytes(data[140:144], "little")
    bare.write_bytes(data[144 + length :])  # the data set alone
    read = read_header(bare)
    assert (read.transfer_syntax, read.sop_instance) == (whole.transfer_syntax, whole.sop_instance)


def test_a_bare_data_set_of_an_unknown_class_is_not_surely_dicom(tmp_path: Path) -> None:
    data = save(image(SOPClassUID="1.2.3.4.5.6"), tmp_path / "a.dcm").read_bytes()
    length = int.from_bytes(data[140:144], "little")
    (tmp_path / "bare.dcm").write_bytes(data[144 + length :])
    assert read_header(tmp_path / "a.dcm").sop_class == "1.2.3.4.5.6"
    with pytest.raises(NotDicom) as refusal:
        read_header(tmp_path / "bare.dcm")
    assert refusal.value.values == {"sop_class": "1.2.3.4.5.6"}


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(200), b"PK\x03\x04", b"\x08", bytes(500)]
)
def test_other_files_are_not_dicom(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(NotDicom):
        read_header(path)


def test_a_dicomdir_is_refused() -> None:
    with pytest.raises(NotDicom, match="DICOMDIR"):
        read_header(sample("DICOMDIR-implicit"))


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_RLE.dcm", "image_dfl.dcm", "test-SR.dcm"]
)
def test_no_truncation_passes(name: str, tmp_path: Path) -> None:
    data = sample(name).read_bytes()
    whole = image_digest(sample(name))
    path = tmp_path / "cut.dcm"
    step = max(1, len(data) // 150)
    ends = sorted({*range(0, len(data), step), *range(300), *range(len(data) - 150, len(data))})
    for end in ends:
        path.write_bytes(data[:end])
        try:
            read_header(path)
        except (TruncatedDicom, NotDicom, MalformedDicom):
            continue
        # what may be cut off unnoticed is padding after the image
        assert image_digest(path) == whole, f"accepted {end} of {len(data)} bytes"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_gives_a_dicom_error_or_a_header(data: st.DataObject, tmp_path: Path) -> None:
    name = data.draw(
        st.sampled_from(["MR_small_RLE.dcm", "rtplan.dcm", "test-SR.dcm", "image_dfl.dcm"])
    )
    content = bytearray(sample(name).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.dcm"
    path.write_bytes(content)
    try:
        header = read_header(path)
    except DicomError:
        return
    assert header.sop_instance
    with suppress(MalformedDicom, PixelsUnreadable):
        assert len(image_digest(path)) == 32
    with suppress(MalformedDicom, BurnedInAnnotation, ImageChanged, PixelsUnreadable):
        done = deidentify_file(path, io.BytesIO(), Profile.parse(*OPTIONS), bytes(32))
        assert done.size > 0


def test_native_pixels_must_be_all_there(tmp_path: Path) -> None:
    whole = image()
    read_header(save(whole, tmp_path / "whole.dcm"))
    whole.Rows = 5
    with pytest.raises(TruncatedDicom) as refusal:
        read_header(save(whole, tmp_path / "short.dcm"))
    assert refusal.value.values == {"size": 32, "needed": 40}


def test_every_frame_must_be_there(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(sample("rtdose_rle.dcm"))
    dataset.NumberOfFrames = 16
    with pytest.raises(TruncatedDicom) as refusal:
        read_header(save(dataset, tmp_path / "short.dcm"))
    assert refusal.value.values == {"fragments": 15, "frames": 16}


def test_an_image_without_pixels_is_truncated(tmp_path: Path) -> None:
    dataset = image()
    del dataset.PixelData
    with pytest.raises(TruncatedDicom) as refusal:
        read_header(save(dataset, tmp_path / "a.dcm"))
    assert refusal.value.values["missing"] == "PixelData"


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"])
def test_identifiers_are_required(keyword: str, tmp_path: Path) -> None:
    data = save(image(), tmp_path / "a.dcm").read_bytes()
    read_header(tmp_path / "a.dcm")
    value = {"SOPInstanceUID": b"1.2.3.4\0", "SeriesInstanceUID": b"1.2.3.1\0"}.get(
        keyword, b"1.2.3\0"
    )
    at = data.rindex(value)
    (tmp_path / "b.dcm").write_bytes(data[:at] + b"x" * len(value) + data[at + len(value) :])
    with pytest.raises(MalformedDicom) as refusal:
        read_header(tmp_path / "b.dcm")
    assert refusal.value.values == {"attribute": keyword, "value": "x" * len(value)}


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("Rows", 0), ("BitsAllocated", 4096), ("SamplesPerPixel", 9), ("BitsStored", 17)],
)
def test_impossible_pixel_attributes(keyword: str, value: int, tmp_path: Path) -> None:
    with pytest.raises(MalformedDicom) as refusal:
        read_header(save(image(**{keyword: value}), tmp_path / "a.dcm"))
    assert refusal.value.values["attribute"] == keyword
    assert refusal.value.values["value"] == value


def test_an_unknown_transfer_syntax(tmp_path: Path) -> None:
    data = save(image(), tmp_path / "a.dcm").read_bytes()
    at = data.index(b"\x02\0\0\0UL")
    length = 12 + int.from_bytes(data[at + 8 : at + 12], "little")
    (tmp_path / "b.dcm").write_bytes(part10(data[at + length :], "1.2.840.10008.1.2.4.999"))
    with pytest.raises(UnsupportedTransferSyntax) as refusal:
        read_header(tmp_path / "b.dcm")
    assert refusal.value.values == {"transfer_syntax": "1.2.840.10008.1.2.4.999"}


@pytest.mark.parametrize("letters", [b"UL", b"FD"])
def test_a_transfer_syntax_that_cannot_be_read(letters: bytes, tmp_path: Path) -> None:
    data = sample("rtplan.dcm").read_bytes()
    assert read_header(sample("rtplan.dcm")).transfer_syntax == "1.2.840.10008.1.2"
    (tmp_path / "a.dcm").write_bytes(data.replace(b"\2\0\x10\0UI", b"\2\0\x10\0" + letters))
    with pytest.raises(MalformedDicom) as refusal:
        read_header(tmp_path / "a.dcm")
    assert refusal.value.values["attribute"] == "TransferSyntaxUID"


def test_encapsulated_pixels_under_a_native_transfer_syntax(tmp_path: Path) -> None:
    data = sample("MR_small_RLE.dcm").read_bytes()
    at = data.index(b"1.2.840.10008.1.2.5\0")
    (tmp_path / "a.dcm").write_bytes(data[:at] + b"1.2.840.10008.1.2.1\0" + data[at + 20 :])
    with pytest.raises(MalformedDicom) as refusal:
        read_header(tmp_path / "a.dcm")
    assert refusal.value.values == {"transfer_syntax": EXPLICIT, "encapsulated": True}


def test_an_element_that_stands_twice(tmp_path: Path) -> None:
    name = b"\x10\0\x10\0PN\x02\0A "
    (tmp_path / "a.dcm").write_bytes(part10(name + name, EXPLICIT))
    with pytest.raises(MalformedDicom, match="twice") as refusal:
        read_header(tmp_path / "a.dcm")
    assert refusal.value.values["tag"] == "(0010,0010)"


def test_elements_after_the_pixels_cannot_hide_others(tmp_path: Path) -> None:
    data = save(image(), tmp_path / "a.dcm").read_bytes()
    (tmp_path / "b.dcm").write_bytes(data + b"\x08\0\x80\0LO\x02\0A ")
    with pytest.raises(MalformedDicom, match="after it"):
        read_header(tmp_path / "b.dcm")


@pytest.mark.parametrize("delimited", [True, False])
def test_nesting_is_bounded(delimited: bool, tmp_path: Path) -> None:
    head = b"\x08\0\x16\0UI\x02\x001\0"
    path = tmp_path / "deep.dcm"
    path.write_bytes(part10(head + nested(limits.MAX_DEPTH, delimited=delimited), EXPLICIT))
    with pytest.raises(MalformedDicom):  # deep enough to be read, then found not to be an image
        read_header(path)
    path.write_bytes(part10(head + nested(2000, delimited=delimited), EXPLICIT))
    with pytest.raises(NestedTooDeep) as refusal:
        read_header(path)
    assert refusal.value.values["limit"] == limits.MAX_DEPTH


def test_a_deflated_bomb_stops_at_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radledger.dicom.source.MAX_INFLATED_BYTES", 1 << 20)
    path = tmp_path / "bomb.dcm"
    path.write_bytes(deflated(bytes(64 << 20)))
    assert path.stat().st_size < 100_000
    with pytest.raises(DicomTooLarge) as refusal:
        read_header(path)
    assert refusal.value.values == {"limit": 1 << 20}


def test_the_header_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(image(), tmp_path / "a.dcm")
    monkeypatch.setattr("radledger.dicom.source.MAX_HEADER_BYTES", 100)
    with pytest.raises(DicomTooLarge) as refusal:
        read_header(path)
    assert refusal.value.values["limit"] == 100
    assert refusal.value.values["elements"] < 40


def test_the_number_of_elements_is_bounded(tmp_path: Path) -> None:
    items = b"\xfe\xff\0\xe0\0\0\0\0" * (limits.MAX_ELEMENTS + 1)
    sequence = b"\x08\0\x40\x11SQ\0\0" + len(items).to_bytes(4, "little") + items
    (tmp_path / "a.dcm").write_bytes(part10(sequence, EXPLICIT))
    with pytest.raises(DicomTooLarge) as refusal:
        read_header(tmp_path / "a.dcm")
    assert refusal.value.values["limit"] == limits.MAX_ELEMENTS


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnsafePath) as refusal:
        read_header(tmp_path / "pipe")
    assert refusal.value.values["reason"] == "not an ordinary file"
    with pytest.raises(UnsafePath):
        read_header(tmp_path)
    with pytest.raises(UnsafePath):
        read_header(tmp_path / "nothing")

"""Nothing of the patient is left, everything else still fits together."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.config import disable_value_validation
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from radledger.dicom import deidentify as deidentification
from radledger.dicom.deidentify import DeidentifiedInstance, deidentify_file
from radledger.dicom.digest import file_digest, image_digest
from radledger.dicom.errors import BurnedInAnnotation, DicomError, TruncatedDicom
from radledger.dicom.profiles import OPTIONS, Profile
from radledger.dicom.pseudonyms import Pseudonyms
from radledger.dicom.read import read_header
from radledger.dicom.vocabulary import clean
from radledger.errors import UsageError
from tests.dicom.files import image, sample, samples, save

KEY = b"a secret of the custodian".ljust(32)
BASIC = Profile.parse("basic")
ALL = Profile.parse(*OPTIONS)


def deidentified(dataset: Dataset | Path, profile: Profile = BASIC, key: bytes = KEY) -> Dataset:
    path = Path(dataset) if isinstance(dataset, Path) else save(dataset, SCRATCH / "in.dcm")
    deidentify_file(path, SCRATCH / "out.dcm", profile, key, allow_burned_in=True)
    return pydicom.dcmread(SCRATCH / "out.dcm")


@pytest.fixture(autouse=True)
def _scratch(tmp_path: Path) -> Iterator[None]:
    global SCRATCH
    SCRATCH = tmp_path
    with disable_value_validation():
        yield


SCRATCH = Path()
UNDECODABLE = "JPEG2000-embedded-sequence-delimiter.dcm"  # its size holds the delimiter


@pytest.mark.parametrize("profile", [BASIC, ALL], ids=["basic", "all"])
def test_every_file_of_the_wheel(profile: Profile, tmp_path: Path) -> None:
    done = 0
    for path in samples():
        try:
            before = read_header(path)
        except DicomError:
            continue
        if path.name == UNDECODABLE:
            continue
        target = tmp_path / "out.dcm"
        result = deidentify_file(path, target, profile, KEY, allow_burned_in=True)
        after = read_header(target)
        assert (after.study, after.series, after.sop_instance) == (
            result.study,
            result.series,
            result.sop_instance,
        )
        assert after.dataset.file_meta.MediaStorageSOPInstanceUID == result.sop_instance
        assert after.transfer_syntax == before.transfer_syntax == result.transfer_syntax
        assert target.read_bytes()[:128] == bytes(128)
        assert (result.size, result.file_digest) == (after.size, file_digest(target))
        assert not [element for element in after.dataset.iterall() if element.tag.is_private]
        if before.pixels is not None:
            assert image_digest(target) == image_digest(path), path.name
        done += 1
    assert done > 90


def test_what_earlier_files_left_in_memory_changes_nothing(tmp_path: Path) -> None:
    """Elements are decided once for all files of a patient, so each file must come out as if
    it were the first."""
    paths = [path for path in samples() if _readable(path) and path.name != UNDECODABLE]
    for character_set in ("ISO_IR 100", "GB18030"):
        dataset = image(SpecificCharacterSet=character_set, PatientName="Same")
        # a Chinese character and "axial", or two values, the second of which is "axial"
        value = b"\x81\\axial "
        dataset[0x0008103E] = RawDataElement(
            BaseTag(0x0008103E), "LO", len(value), value, 0, False, True
        )
        paths.append(save(dataset, tmp_path / f"{character_set}.dcm"))
    alone = {}
    for path in paths:
        deidentification._deidentifier.cache_clear()
        alone[path] = deidentify_file(path, io.BytesIO(), ALL, KEY, allow_burned_in=True)
    for path in (*paths, *reversed(paths)):
        done = deidentify_file(path, io.BytesIO(), ALL, KEY, allow_burned_in=True)
        assert done == alone[path], path.name


def _readable(path: Path) -> bool:
    try:
        read_header(path)
    except DicomError:
        return False
    return True


@pytest.mark.parametrize(
    "mine",
    [
        "1.2.840.10008.5.1.4.1.1.2.20240301101112.4711",
        "1.2.840.10008.1.4.1.1.4711",
        "1.2.840.10008.6.1.20240301",
        "1.2.840.10008.4711",
    ],
)
def test_a_uid_under_the_standards_root_that_is_not_registered_is_replaced(mine: str) -> None:
    keywords = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
    dataset = image(**{keyword: f"{mine}.{n}" for n, keyword in enumerate(keywords)})
    reference = Dataset()
    reference.ReferencedSOPClassUID = reference.ReferencedSOPInstanceUID = f"{mine}.2"
    dataset.ReferencedImageSequence = [reference]
    dataset.DeviceUID = mine
    done = deidentified(dataset)
    assert len({done[keyword].value for keyword in keywords}) == 4
    assert done.ReferencedImageSequence[0].ReferencedSOPInstanceUID == done.SOPInstanceUID
    assert not any(value.startswith(mine) for value in _uids(done))


def test_uids_that_the_standard_registers_stay() -> None:
    item = Dataset()
    item.ContextUID, item.ReferencedSOPClassUID = "1.2.840.10008.6.1.1004", "1.2.840.10008.1.3.10"
    registered = {"FrameOfReferenceUID": "1.2.840.10008.1.4.1.1", "ReferencedImageSequence": [item]}
    done = deidentified(image(**registered))
    assert done.FrameOfReferenceUID == "1.2.840.10008.1.4.1.1"
    assert done.ReferencedImageSequence[0].ContextUID == "1.2.840.10008.6.1.1004"
    assert done.ReferencedImageSequence[0].ReferencedSOPClassUID == "1.2.840.10008.1.3.10"


@pytest.mark.parametrize("private", ["1.3.12.2.1107.5.9.1", "1.2.840.10008.5.1.4.1.1.2.20240301"])
def test_a_class_that_is_not_registered_is_replaced_in_the_whole_file(private: str) -> None:
    dataset = image(SOPClassUID=private)
    path = save(dataset, SCRATCH / "in.dcm")
    result = deidentify_file(path, SCRATCH / "out.dcm", BASIC, KEY, allow_burned_in=True)
    done = pydicom.dcmread(SCRATCH / "out.dcm")
    assert done.SOPClassUID == done.file_meta.MediaStorageSOPClassUID == result.sop_class
    assert private.encode() not in (SCRATCH / "out.dcm").read_bytes()


def test_a_class_that_is_newer_than_the_dictionary_stays() -> None:
    newer = "1.2.840.10008.5.1.4.1.1.999.1"
    assert deidentified(image(SOPClassUID=newer)).SOPClassUID == newer


def _uids(dataset: Dataset) -> list[str]:
    return [str(element.value) for element in dataset.iterall() if element.VR == "UI"]


def test_what_was_done_is_said_in_the_file() -> None:
    dataset = deidentified(sample("CT_small.dcm"), ALL)
    assert dataset.PatientIdentityRemoved == "YES"
    assert [code.CodeValue for code in dataset.DeidentificationMethodCodeSequence] == [
        "113100",
        "113105",
        "113107",
        "113108",
        "113109",
    ]
    assert dataset.LongitudinalTemporalInformationModified == "MODIFIED"
    basic = deidentified(sample("CT_small.dcm"))
    assert [code.CodeValue for code in basic.DeidentificationMethodCodeSequence] == ["113100"]
    assert basic.LongitudinalTemporalInformationModified == "REMOVED"


def test_references_between_instances_hold() -> None:
    first, second = image(SOPInstanceUID="1.2.3.10"), image(SOPInstanceUID="1.2.3.11")
    reference = Dataset()
    reference.ReferencedSOPClassUID = first.SOPClassUID
    reference.ReferencedSOPInstanceUID = first.SOPInstanceUID
    second.SourceImageSequence = [reference]
    for dataset in (first, second):
        dataset.FrameOfReferenceUID = "1.2.3.99"
    one, two = deidentified(first), deidentified(second)
    assert two.SourceImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert two.SourceImageSequence[0].ReferencedSOPClassUID == first.SOPClassUID
    assert one.SOPInstanceUID != two.SOPInstanceUID
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert one[keyword].value == two[keyword].value != first[keyword].value
    other = deidentified(first, key=b"another secret".ljust(32))
    for keyword in ("StudyInstanceUID", "SOPInstanceUID", "PatientID", "FrameOfReferenceUID"):
        assert other[keyword].value != one[keyword].value


def test_descriptors_are_cleaned_by_words_that_are_known() -> None:
    dataset = image(SeriesDescription="AX T1 BRAIN post MILLER 4711", StudyDescription="Müller")
    cleaned = deidentified(dataset, Profile.parse("clean-descriptors"))
    assert cleaned.SeriesDescription == "T1 BRAIN post"
    assert "StudyDescription" not in cleaned
    basic = deidentified(dataset)
    assert "SeriesDescription" not in basic


@given(st.text())
def test_cleaning_keeps_whole_words_only_and_is_stable(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert all(word in text for word in once.split())


def test_device_and_patient_are_retained_on_request() -> None:
    dataset = image(
        DeviceSerialNumber="SN-1",
        StationName="CT1",
        PatientSex="F",
        PatientAge="095Y",
        PatientWeight="71",
        PatientSize="1.7",
    )
    basic = deidentified(dataset)
    assert basic.DeviceSerialNumber == "REMOVED"
    assert basic.PatientSex == ""
    assert "PatientWeight" not in basic
    device = deidentified(dataset, Profile.parse("retain-device-identity"))
    assert (device.DeviceSerialNumber, device.StationName) == ("SN-1", "CT1")
    patient = deidentified(dataset, Profile.parse("basic+retain-patient-characteristics"))
    assert (patient.PatientSex, patient.PatientWeight, patient.PatientAge) == ("F", 71, "090Y")


def test_the_content_of_a_report_is_replaced_by_one_item() -> None:
    report = deidentified(sample("test-SR.dcm"))
    [item] = report.ContentSequence
    assert (item.ValueType, item.TextValue) == ("TEXT", "REMOVED")


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_what_stands_around_the_pixels_is_dropped(syntax: str, tmp_path: Path) -> None:
    dataset = image()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData += bytes(12)
    dataset.add_new(0xFFFCFFFC, "OB", b"canary in padding ")
    path = save(dataset, tmp_path / "in.dcm")
    deidentify_file(path, tmp_path / "out.dcm", BASIC, KEY)
    assert b"canary" not in (tmp_path / "out.dcm").read_bytes()
    assert len(pydicom.dcmread(tmp_path / "out.dcm").PixelData) == 32
    assert image_digest(tmp_path / "out.dcm") == image_digest(path)


@pytest.mark.parametrize("vr", ["OV", "OB", "UN"])
def test_offsets_of_frames_go_with_the_lengths_that_they_had(vr: str, tmp_path: Path) -> None:
    """Frames are found by them, and are shorter in the copy, which has no comments."""
    dataset = pydicom.dcmread(sample("SC_rgb_jpeg_gdcm.dcm"))
    [frame] = generate_frames(dataset.PixelData, number_of_frames=1)
    comments = [
        struct.pack(">HH", 0xFFFE, size + 2) + b"\xff\xd8\xff\xe0canary".ljust(size)
        for size in (10, 18)
    ]
    frames = [frame[:2] + each + frame[2:] for each in comments]
    # The second fragment of a frame begins as a frame does.
    dataset.PixelData = encapsulate(
        [part for each in frames for part in (each[:6], each[6:])], has_bot=False
    )
    dataset.NumberOfFrames = 2
    dataset.EncapsulatedPixelDataValueTotalLength = sum(map(len, frames))
    offsets = struct.pack("<QQ", 0, len(frames[0]) + 16)
    dataset.add_new("ExtendedOffsetTable", vr, offsets)
    dataset.add_new("ExtendedOffsetTableLengths", vr, struct.pack("<QQ", *map(len, frames)))
    path = save(dataset, tmp_path / "in.dcm")
    copy = deidentified(path)
    assert [each.keyword for each in copy if each.tag.group == 0x7FE0] == ["PixelData"]
    assert b"canary" not in copy.PixelData
    assert image_digest(SCRATCH / "out.dcm") == image_digest(path)
    assert list(generate_frames(copy.PixelData, number_of_frames=2)) == 2 * [frame]


def test_text_under_a_wrong_value_representation_does_not_pass(tmp_path: Path) -> None:
    dataset = image()
    dataset.add_new(0x00204000, "OB", b"canary comment")
    dataset.add_new(0x00080070, "OW", b"canary maker")
    dataset.add_new(0x00181030, "UN", b"canary name ")
    dataset.add_new(0x00201208, "LO", "canary number")
    save(dataset, tmp_path / "in.dcm")
    assert (tmp_path / "in.dcm").read_bytes().count(b"canary") == 4
    deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", BASIC, KEY)
    assert b"canary" not in (tmp_path / "out.dcm").read_bytes()


def test_a_number_of_either_sign_may_be_stated_as_unknown(tmp_path: Path) -> None:
    dataset = image(PixelRepresentation=1, PixelPaddingValue=-32768)
    dataset["PixelPaddingValue"].VR = "SS"
    path = save(dataset, tmp_path / "in.dcm")
    stated = b"\x28\0\x20\1UN\0\0\2\0\0\0\0\x80"
    written = path.read_bytes().replace(b"\x28\0\x20\1SS\2\0\0\x80", stated)
    assert stated in written
    path.write_bytes(written)
    done = deidentified(path)
    assert done.get_item(0x00280120).value == b"\0\x80"


@pytest.mark.parametrize(
    ("attributes", "risk"),
    [
        ({"BurnedInAnnotation": "YES"}, "Burned In Annotation is YES"),
        ({"Modality": "US"}, "modality US"),
        (
            {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
            "secondary capture, ultrasound or visible light",
        ),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "image type SCREEN SAVE"),
    ],
)
def test_burned_in_risk_is_refused_unless_allowed(
    attributes: dict[str, object], risk: str, tmp_path: Path
) -> None:
    path = save(image(**attributes), tmp_path / "in.dcm")
    with pytest.raises(BurnedInAnnotation) as refusal:
        deidentify_file(path, tmp_path / "out.dcm", BASIC, KEY)
    assert refusal.value.values["risk"] == risk
    assert [entry.name for entry in tmp_path.iterdir()] == ["in.dcm"]
    allowed = deidentify_file(path, tmp_path / "out.dcm", BASIC, KEY, allow_burned_in=True)
    assert allowed.burned_in_risk == risk
    stated = pydicom.dcmread(tmp_path / "out.dcm").PatientIdentityRemoved
    assert stated == ("NO" if "BurnedInAnnotation" in attributes else "YES")


def test_an_image_that_says_it_has_no_annotation_passes(tmp_path: Path) -> None:
    path = save(image(Modality="US", BurnedInAnnotation="NO"), tmp_path / "in.dcm")
    assert deidentify_file(path, io.BytesIO(), BASIC, KEY).burned_in_risk is None


def test_a_stream_gets_the_same_bytes_as_a_file(tmp_path: Path) -> None:
    stream = io.BytesIO()
    result: DeidentifiedInstance = deidentify_file(sample("CT_small.dcm"), stream, BASIC, KEY)
    deidentify_file(sample("CT_small.dcm"), tmp_path / "out.dcm", BASIC, KEY)
    assert stream.getvalue() == (tmp_path / "out.dcm").read_bytes()
    assert result.file_digest == file_digest(tmp_path / "out.dcm")


def test_nothing_is_left_behind_when_the_file_is_bad(tmp_path: Path) -> None:
    (tmp_path / "in.dcm").write_bytes(sample("CT_small.dcm").read_bytes()[:20_000])
    with pytest.raises(TruncatedDicom):
        deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", BASIC, KEY)
    assert [entry.name for entry in tmp_path.iterdir()] == ["in.dcm"]


def test_profiles_are_parsed_by_name() -> None:
    assert Profile.parse().name == "basic"
    assert Profile.parse("retain-device-identity+clean-descriptors", "basic").options == (
        "basic",
        "clean-descriptors",
        "retain-device-identity",
    )
    with pytest.raises(UsageError) as refusal:
        Profile.parse("basic", "retain-everything")
    assert refusal.value.values == {"profile": "retain-everything", "profiles": list(OPTIONS)}


def test_a_short_key_is_refused() -> None:
    with pytest.raises(UsageError) as refusal:
        Pseudonyms(b"short")
    assert refusal.value.values == {"length": 5, "least": 16}


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="needs dcmtk: dcmdump, on PATH")
@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_expb.dcm",
        "image_dfl.dcm",
        "test-SR.dcm",
        "rtdose.dcm",
        "JPEG2000.dcm",
    ],
)
def test_dcmtk_reads_the_result(name: str, tmp_path: Path) -> None:
    deidentify_file(sample(name), tmp_path / "out.dcm", ALL, KEY, allow_burned_in=True)
    dump = subprocess.run(
        ["dcmdump", "+L", str(tmp_path / "out.dcm")], capture_output=True, check=True, text=True
    )
    assert "W:" not in dump.stderr
    assert "E:" not in dump.stderr
    assert "(0012,0062) CS [YES]" in dump.stdout

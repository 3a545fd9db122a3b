"""A text of its own in every attribute, at every depth: none may come out again."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path

import pydicom
import pytest
from dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c import ALL_TAGS
from pydicom.config import disable_value_validation
from pydicom.datadict import (
    dictionary_has_tag,
    dictionary_VR,
    keyword_for_tag,
    tag_for_keyword,
)
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.errors import ImageChanged
from radledger.dicom.profiles import OPTIONS, Profile
from tests.dicom.files import image, sample, save

KEY = b"a secret of the custodian".ljust(32)


@pytest.fixture(autouse=True)
def _any_value() -> Iterator[None]:
    with disable_value_validation():
        yield


# What a profile is meant to retain: spelled out here, so that a longer list in the code fails.
TECHNICAL = {
    "Manufacturer",
    "ManufacturerModelName",
    "SoftwareVersions",
    "ConvolutionKernel",
    "SequenceName",
    "ReceiveCoilName",
    "TransmitCoilName",
    "RescaleType",
}
CLASSES = {
    "SOPClassUID",
    "ReferencedSOPClassUID",
    "RelatedGeneralSOPClassUID",
    "OriginalSpecializedSOPClassUID",
}
DEVICE = {
    "CassetteID",
    "DetectorID",
    "DeviceDescription",
    "DeviceLabel",
    "DeviceSerialNumber",
    "DeviceUID",
    "GantryID",
    "GeneratorID",
    "HardcopyCreationDeviceID",
    "LensMake",
    "LensModel",
    "LensSerialNumber",
    "LensSpecification",
    "ManufacturerDeviceClassUID",
    "ManufacturerDeviceIdentifier",
    "ModifyingDeviceID",
    "ModifyingSystem",
    "PerformedStationName",
    "PlateID",
    "ScheduledProcedureStepLocation",
    "ScheduledStationName",
    "ScheduledStudyLocation",
    "SecondaryCaptureDeviceID",
    "SourceManufacturer",
    "SourceSerialNumber",
    "StationName",
    "TreatmentMachineName",
    "UniqueDeviceIdentifier",
    "XRayDetectorID",
    "XRayDetectorLabel",
    "XRaySourceID",
}
DEVICE_DATES = {
    "BeamHoldTransitionDateTime",
    "CalibrationDate",
    "CalibrationDateTime",
    "DateOfInstallation",
    "DateOfLastCalibration",
    "DateOfLastDetectorCalibration",
    "DateOfManufacture",
    "DateTimeOfLastCalibration",
}
CHARACTERISTICS = {
    "EthnicGroup",
    "PatientSex",
    "PatientSexNeutered",
    "PregnancyStatus",
    "SmokingStatus",
}

# On these the pixels depend: a file is refused if the text in them cannot stay.
OF_THE_IMAGE = {
    "CodeValue",
    "CodingSchemeDesignator",
    "DoseType",
    "DoseUnits",
    "FrameLaterality",
    "ImageLaterality",
    "Laterality",
    "Modality",
    "PatientOrientation",
    "PatientPosition",
    "PhotometricInterpretation",
    "PixelIntensityRelationship",
    "PresentationLUTShape",
    "SegmentationType",
    "Units",
    "ViewPosition",
}
IMAGE_SEQUENCES = {
    "SegmentSequence",
    "SegmentedPropertyCategoryCodeSequence",
    "SegmentedPropertyTypeCodeSequence",
}

TEXT_VRS = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
DATE_VRS = {"DA", "DT"}


class Canaries:
    """Puts a value of its own into every attribute that can hold text, and finds those left."""

    def __init__(self) -> None:
        self.numbers, self.dates = count(1), count(1)
        self.placed: dict[str, str] = {}

    def fill(self, dataset: Dataset, *, of_image: bool = True) -> None:
        for element in list(dataset):
            if element.VR == "SQ":
                for item in element.value or ():
                    self.fill(item, of_image=of_image and element.keyword in IMAGE_SEQUENCES)
            elif element.keyword != "SpecificCharacterSet" and not (
                of_image and element.keyword in OF_THE_IMAGE
            ):
                self.put(dataset, int(element.tag), element.VR)

    def put(self, dataset: Dataset, tag: int, vr: str) -> None:
        if (value := self.value(vr)) is not None:
            self.placed[value] = keyword_for_tag(tag) or f"{tag:08x}"
            dataset[tag] = DataElement(tag, vr, value)

    def value(self, vr: str) -> str | None:
        number = next(self.numbers)
        if vr in TEXT_VRS:
            return f"canary{number:06d}"
        if vr in DATE_VRS:
            # further apart than dates are ever moved, so that none becomes another
            days = 3659 * next(self.dates)
            return date.fromordinal(date(1600, 1, 1).toordinal() + days).strftime("%Y%m%d")
        if vr == "UI":
            return f"1.2.999.{number:06d}"
        return None

    def left(self, data: bytes) -> set[str]:
        pattern = rb"canary\d{6}|1\.2\.999\.\d{6}|(?<!\d)\d{8}(?!\d)"
        found = {match.decode() for match in re.findall(pattern, data)}
        return {self.placed[value] for value in found if value in self.placed}


def crowded(path: Path, canaries: Canaries) -> Dataset:
    """The file with canaries in every attribute it has and in all that the standard's table has."""
    dataset = pydicom.dcmread(path)
    canaries.fill(dataset)
    for place in (dataset, nested_item(dataset)):
        for entry in ALL_TAGS:
            tag = entry[0] << 16 | entry[1]
            if len(entry) == 2 and dictionary_has_tag(tag) and 0x0008 <= entry[0] < 0x7FE0:
                canaries.put(place, tag, dictionary_VR(tag))
        block = place.private_block(0x0019, "canary creator", create=True)
        block.add_new(1, "LO", canaries.value("LO"))
        inner = Dataset()
        canaries.put(inner, 0x00100010, "PN")
        block.add_new(2, "SQ", [inner])
        for tag, vr in ((0x60000022, "LO"), (0x60001500, "LO"), (0x50000022, "LO")):
            canaries.put(place, tag, vr)
        place.add_new(0x60003000, "OW", b"canary999999")
        place.add_new(0x50003000, "OW", b"canary999998")
        place.add_new(0x00080059, "LO", canaries.value("LO"))  # no attribute of the standard
    canaries.placed |= {"canary999999": "OverlayData", "canary999998": "CurveData"}
    for keyword in CLASSES & set(dataset.dir()) | {"SOPClassUID"}:
        setattr(dataset, keyword, pydicom.dcmread(path, stop_before_pixels=True).SOPClassUID)
    return dataset


def nested_item(dataset: Dataset) -> Dataset:
    """An item three sequences deep, in sequences that every profile keeps."""
    levels = [Dataset() for _ in range(3)]
    dataset.ReferencedImageSequence = [levels[0]]
    levels[0].PurposeOfReferenceCodeSequence = [levels[1]]
    levels[1].SharedFunctionalGroupsSequence = [levels[2]]
    return levels[2]


PROFILES = [
    (["basic"], set()),
    (["clean-descriptors"], set()),
    (["retain-longitudinal-modified-dates"], set()),
    (["retain-device-identity"], DEVICE | DEVICE_DATES),
    (["retain-patient-characteristics"], CHARACTERISTICS),
    (list(OPTIONS), DEVICE | CHARACTERISTICS),
]


@pytest.mark.parametrize(("names", "retained"), PROFILES)
@pytest.mark.parametrize(
    "file",
    [
        "CT_small.dcm",
        "MR_small_implicit.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_RLE.dcm",
        "JPEG2000.dcm",
        "image_dfl.dcm",
        "liver_1frame.dcm",
        "rtplan.dcm",
        "test-SR.dcm",
        "waveform_ecg.dcm",
        "examples_palette.dcm",
        "chrH31.dcm",
    ],
)
def test_no_canary_survives(
    file: str, names: list[str], retained: set[str], tmp_path: Path
) -> None:
    canaries = Canaries()
    dataset = crowded(sample(file), canaries)
    dataset.preamble = b"canary000000".ljust(128, b"\0")
    dataset.file_meta.SourceApplicationEntityTitle = canaries.value("AE")
    dataset.file_meta.PrivateInformationCreatorUID = canaries.value("UI")
    dataset.file_meta.PrivateInformation = b"canary000000"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    save(dataset, tmp_path / "in.dcm")
    assert len(canaries.placed) > 700
    planted = canaries.left(plain(tmp_path / "in.dcm"))
    assert {"PatientName", "StudyDate", "SOPInstanceUID", "OverlayData"} <= planted

    deidentify_file(
        tmp_path / "in.dcm",
        tmp_path / "out.dcm",
        Profile.parse(*names),
        KEY,
        allow_burned_in=True,
    )
    data = plain(tmp_path / "out.dcm")
    assert canaries.left(data) <= TECHNICAL | CLASSES | retained
    assert b"canary000000" not in data
    assert b"canary creator" not in data


def plain(path: Path) -> bytes:
    """A file's bytes, inflated where it is deflated."""
    data = path.read_bytes()
    if b"1.2.840.10008.1.2.1.99" in data[:600]:
        end = 144 + int.from_bytes(data[140:144], "little")
        return data[:end] + zlib.decompress(data[end:], -zlib.MAX_WBITS)
    return data


@pytest.mark.parametrize("keyword", sorted(OF_THE_IMAGE - {"CodeValue", "CodingSchemeDesignator"}))
def test_a_canary_on_which_the_pixels_depend_refuses_the_file(keyword: str, tmp_path: Path) -> None:
    canaries = Canaries()
    dataset = image()
    canaries.put(dataset, tag_for_keyword(keyword) or 0, dictionary_VR(keyword))
    with pytest.raises(ImageChanged) as refusal:
        deidentify_file(
            save(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm", Profile.parse(*OPTIONS), KEY
        )
    assert refusal.value.values == {"attribute": keyword}
    assert not (tmp_path / "out.dcm").exists()


def test_a_private_code_on_which_the_pixels_depend_is_removed(tmp_path: Path) -> None:
    unit = Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "canary", "99LOCAL", "canary"
    mapping = Dataset()
    mapping.MeasurementUnitsCodeSequence = [unit]
    path = save(image(RealWorldValueMappingSequence=[mapping]), tmp_path / "in.dcm")
    deidentify_file(path, tmp_path / "out.dcm", Profile.parse("basic"), KEY)
    copy = pydicom.dcmread(tmp_path / "out.dcm")
    [left] = copy.RealWorldValueMappingSequence[0].MeasurementUnitsCodeSequence
    assert (left.CodeValue, left.CodingSchemeDesignator) == ("REMOVED", "99RADLEDGER")
    assert b"canary" not in (tmp_path / "out.dcm").read_bytes()

"""The profiles against rows of PS3.15 Table E.1-1, edition 2026c, and what an action does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_has_tag
from pydicom.dataset import Dataset

from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.profiles import OPTIONS, Action, Profile
from tests.dicom.files import image, save

KEY = b"a secret of the custodian".ljust(32)

# tag, Basic Prof., Rtn. Dev. Id. Opt., Rtn. Pat. Chars. Opt., Rtn. Long. Modif. Dates Opt.,
# Clean Desc. Opt., name: as the standard prints them, where each column says something
TABLE = """\
(0008,0018) U     - - - -  SOP Instance UID
(0008,0020) Z     - - C -  Study Date
(0008,0032) X/Z   - - C -  Acquisition Time
(0008,0054) X     C - - -  Retrieve AE Title
(0008,0055) X     C - - -  Station AE Title
(0008,0080) X/Z/D - - - -  Institution Name
(0008,0201) X     - - C -  Timezone Offset From UTC
(0008,1000) X     C - - -  Network ID
(0008,1010) X/Z/D K - - -  Station Name
(0008,1030) X     - - - C  Study Description
(0008,1084) X     - - - C  Admitting Diagnoses Code Sequence
(0008,1301) X     - - - C  Principal Diagnosis Code Sequence
(0008,1302) X     - - - C  Primary Diagnosis Code Sequence
(0008,1303) X     - - - C  Secondary Diagnoses Code Sequence
(0008,1304) X     - - - C  Histological Diagnoses Code Sequence
(0010,0010) Z     - - - -  Patient's Name
(0010,0016) X     - - - C  Pronoun Comment
(0010,0030) Z     - - - -  Patient's Birth Date
(0010,0042) X     - C - C  Sex Parameters for Clinical Use Category Comment
(0010,0043) X     - K - -  Sex Parameters for Clinical Use Category Sequence
(0010,0045) X     - - - C  Gender Identity Comment
(0010,0046) X     - K - -  Sex Parameters for Clinical Use Category Code Sequence
(0010,0047) X     - K - -  Sex Parameters for Clinical Use Category Reference
(0010,1030) X     - K - -  Patient's Weight
(0010,2000) X     - - - C  Medical Alerts
(0010,2110) X     - C - C  Allergies
(0010,2162) X     - K - -  Ethnic Groups
(0010,2180) X     - - - C  Occupation
(0014,407C) X     K - C -  Calibration Time
(0014,407E) X     K - C -  Calibration Date
(0016,002B) X     - - - C  Maker Note
(0016,004B) X     - - - C  Device Setting Description
(0016,0077) X     - - - -  GPS Time Stamp
(0018,1000) X/Z/D K - - -  Device Serial Number
(0018,1002) U     K - - -  Device UID
(0018,1200) X     K - C -  Date of Last Calibration
(0018,1201) X     K - C -  Time of Last Calibration
(0018,1202) X     K - C -  DateTime of Last Calibration
(0018,1203) Z     K - C -  Calibration DateTime
(0018,1204) X     K - C -  Date of Manufacture
(0018,1205) X     K - C -  Date of Installation
(0018,700C) X/D   K - C -  Date of Last Detector Calibration
(0018,700E) X/D   K - C -  Time of Last Detector Calibration
(0018,9373) X     K - - -  X-Ray Detector Label
(0020,3406) X     - - - -  Modified Image Description
(0028,4000) X     - - - -  Image Presentation Comments
(0032,1020) X     K - - -  Scheduled Study Location
(0032,1021) X     C - - -  Scheduled Study Location AE Title
(0032,1030) X     - - - C  Reason for Study
(0032,1033) X     - - - C  Requesting Service
(0032,1066) X     - - - C  Reason for Visit
(0032,1067) X     - - - C  Reason for Visit Code Sequence
(0034,0007) D     - - C -  Frame Origin Timestamp
(0038,0050) X     - C - -  Special Needs
(0038,0500) X     - C - C  Patient State
(0040,0001) X     C - - -  Scheduled Station AE Title
(0040,0011) X     K - - -  Scheduled Procedure Step Location
(0040,0012) X     - C - -  Pre-Medication
(0040,0241) X     C - - -  Performed Station AE Title
(0040,0275) X     - - - C  Request Attributes Sequence
(0040,0280) X     - - - C  Comments on the Performed Procedure Step
(0040,0310) X     - - - C  Comments on Radiation Dose
(0040,1002) X     - - - C  Reason for the Requested Procedure
(0040,100A) X     - - - C  Reason for Requested Procedure Code Sequence
(0040,2001) X     - - - C  Reason for the Imaging Service Request
(0040,3001) X     - - - -  Confidentiality Constraint on Patient Data Description
(0040,4025) X     K - - -  Scheduled Station Name Code Sequence
(0040,4027) X     K - - -  Scheduled Station Geographic Location Code Sequence
(0040,4028) X     K - - -  Performed Station Name Code Sequence
(0040,4030) X     K - - -  Performed Station Geographic Location Code Sequence
(0040,A034) X     - - C -  Effective Start DateTime
(0040,A035) X     - - C -  Effective Stop DateTime
(0040,B034) X     - - C -  Annotation DateTime
(0040,B036) X     - - C -  Segment Definition DateTime
(0040,B03B) X     - - - C  Montage Name
(0040,B03F) X     - - - C  Montage Channel Label
(0050,0020) X     K - - -  Device Description
(0070,0006) D     - - - C  Unformatted Text Value
(0072,005E) D     C - - -  Selector AE Value
(0072,005F) D     - K - -  Selector AS Value
(0072,0066) D     - - - C  Selector LO Value
(0072,0068) D     - - - C  Selector LT Value
(0072,006C) D     - - - C  Selector SH Value
(0072,006E) D     - - - C  Selector ST Value
(0072,0070) D     - - - C  Selector UT Value
(0074,1234) X     C - - -  Receiving AE
(0074,1236) X     C - - -  Requesting AE
(0400,0310) X     - - C -  Certified Timestamp
(0400,0563) D     K - - -  Modifying System
(0400,0565) D     - - - C  Reason for the Attribute Modification
(2100,0070) X     C - - -  Originator
(2100,0140) D     C - - -  Destination AE
(2200,0002) X/Z   - - - C  Label Text
(3002,0121) X     - - - C  Position Acquisition Template Name
(3006,0004) X     - - - C  Structure Set Name
(3006,0026) Z     - - - C  ROI Name
(300A,0003) X     - - - C  RT Plan Name
(300A,000B) X     - - - C  Treatment Sites
(300C,0127) D     K - C -  Beam Hold Transition DateTime
(3010,002D) D     K - - -  Device Label
(3010,0036) X     - - - C  Entity Name
(3010,0043) Z     K - - -  Manufacturer's Device Identifier
(3010,005A) Z     - - - C  RT Physician Intent Narrative
(3010,005C) Z     - - - C  Reason for Superseding
(3010,0077) X/D   - - - C  Treatment Site
(3010,0081) Z     - - - C  Prescription Notes Sequence
(4000,4000) X     - - - -  Text Comments
(4008,010B) X     - - - C  Interpretation Text
(4008,0300) X     - - - C  Impressions
"""
COLUMNS = (
    "retain-device-identity",
    "retain-patient-characteristics",
    "retain-longitudinal-modified-dates",
    "clean-descriptors",
)
ROWS = [
    re.fullmatch(r"\((\w+),(\w+)\) +(\S+) +(.) (.) (.) (.)  .+", line)
    for line in TABLE.splitlines()
]

BASIC = {
    "X": Action.REMOVE,
    "Z": Action.EMPTY,
    "D": Action.DUMMY,
    "U": Action.UID,
    "Z/D": Action.DUMMY,
    "X/Z": Action.EMPTY,
    "X/D": Action.DUMMY,
    "X/Z/D": Action.DUMMY,
}


@pytest.fixture(autouse=True)
def _any_value() -> Iterator[None]:
    with disable_value_validation():
        yield


@pytest.mark.parametrize("option", COLUMNS)
def test_each_row_is_the_standards(option: str) -> None:
    basic, actions = Profile.parse().actions, Profile.parse(option).actions
    for row in ROWS:
        assert row is not None
        group, element, prof, *codes = row.groups()
        tag = int(group + element, 16)
        assert basic[tag] is BASIC[prof], row[0]
        code = codes[COLUMNS.index(option)]
        if code == "-":
            expected = BASIC[prof]
        elif code == "K":
            expected = Action.KEEP
        elif option == "retain-longitudinal-modified-dates":
            # attributes that pydicom's dictionary has not got are removed, whatever their action
            expected = Action.DATE if dictionary_has_tag(tag) else BASIC[prof]
        else:
            expected = Action.CLEAN
        assert actions[tag] is expected, row[0]


@pytest.mark.parametrize(
    ("option", "kept", "cleaned"),
    [
        ("retain-device-identity", 48, 11),
        ("retain-patient-characteristics", 14, 5),
        ("clean-descriptors", 0, 140),
    ],
)
def test_an_option_changes_as_many_rows_as_the_standard(
    option: str, kept: int, cleaned: int
) -> None:
    basic, actions = Profile.parse().actions, Profile.parse(option).actions
    changed = [actions[tag] for tag in actions if actions[tag] is not basic[tag]]
    assert (changed.count(Action.KEEP), changed.count(Action.CLEAN)) == (kept, cleaned)
    assert len(changed) == kept + cleaned


def test_all_dates_that_the_standard_modifies_are_moved() -> None:
    basic = Profile.parse().actions
    actions = Profile.parse("retain-longitudinal-modified-dates").actions
    changed = [tag for tag in actions if actions[tag] is not basic[tag]]
    # newer than pydicom 3.0's dictionary
    newer = (0x0040A034, 0x0040A035, 0x0040B034, 0x0040B036)
    assert len(changed) == 169 - sum(not dictionary_has_tag(tag) for tag in newer)
    assert {actions[tag] for tag in changed} == {Action.DATE}


def test_what_one_option_keeps_and_another_cleans_is_cleaned() -> None:
    actions = Profile.parse(*OPTIONS).actions
    assert actions[0x00181200] is Action.DATE  # Date of Last Calibration: K and C
    assert actions[0x00380500] is Action.CLEAN  # Patient State: C and C


def deidentified(tmp_path: Path, option: str, **attributes: object) -> Dataset:
    save(image(**attributes), tmp_path / "in.dcm")
    deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", Profile.parse(option), KEY)
    return pydicom.dcmread(tmp_path / "out.dcm")


def test_what_cannot_be_cleaned_goes_as_by_the_basic_profile(tmp_path: Path) -> None:
    done = deidentified(
        tmp_path,
        "clean-descriptors",
        SeriesDescription="Miller",  # X
        ROIName="Miller",  # Z
        AcquisitionFieldOfViewLabel="Miller",  # D
        SelectorLOValue=["Miller", "brain"],  # D
        MakerNote=b"Miller",  # X, and no text
        ReasonForTheAttributeModification="COERCE",  # D
    )
    assert "SeriesDescription" not in done
    assert done.ROIName == ""
    assert done.AcquisitionFieldOfViewLabel == "REMOVED"
    assert done.SelectorLOValue == ["", "brain"]
    assert "MakerNote" not in done
    assert done.ReasonForTheAttributeModification == "REMOVED"


def test_sequences_are_cleaned_item_by_item(tmp_path: Path) -> None:
    item = Dataset()
    item.RequestedProcedureDescription = "CT brain for Mr Miller"
    item.RequestedProcedureID = "Miller"
    done = deidentified(tmp_path, "clean-descriptors", RequestAttributesSequence=[item])
    [cleaned] = done.RequestAttributesSequence
    assert cleaned.RequestedProcedureDescription == "CT brain Mr"
    assert "Miller" not in str(cleaned)
    basic = deidentified(tmp_path, "basic", RequestAttributesSequence=[item])
    assert "RequestAttributesSequence" not in basic


def test_device_identity_keeps_uids_and_calibration_and_cleans_titles(tmp_path: Path) -> None:
    given = {
        "DeviceUID": "1.2.3.77",
        "DateOfLastCalibration": "20240115",
        "DeviceLabel": "tube 2",
        "StationAETitle": "ST_MARYS_CT",  # X
        "RequestingAE": "ST_MARYS",  # X
    }
    done = deidentified(tmp_path, "retain-device-identity", **given)
    assert (done.DeviceUID, done.DeviceLabel) == ("1.2.3.77", "tube 2")
    assert done.DateOfLastCalibration == "20240115"
    assert done.StationAETitle == "CT"
    assert "RequestingAE" not in done
    basic = deidentified(tmp_path, "basic", **given)
    assert basic.DeviceUID.startswith("2.25.")
    assert basic.DeviceLabel == "REMOVED"
    moved = deidentified(
        tmp_path, "retain-device-identity+retain-longitudinal-modified-dates", **given
    )
    assert moved.DateOfLastCalibration not in ("", "20240115")


def test_modified_dates_keep_the_offset_and_drop_what_cannot_be_moved(tmp_path: Path) -> None:
    given = {
        "TimezoneOffsetFromUTC": "+0130",
        "CertifiedTimestamp": b"20240115",  # X
        "GPSTimeStamp": "20240115101112",  # X, and not in the column
        "SeriesDate": "no date",  # X/D
        "SeriesTime": "101112",
    }
    done = deidentified(tmp_path, "retain-longitudinal-modified-dates", **given)
    assert (done.TimezoneOffsetFromUTC, done.SeriesTime) == ("+0130", "101112")
    assert "CertifiedTimestamp" not in done
    assert "GPSTimeStamp" not in done
    assert done.SeriesDate == "19000101"
    basic = deidentified(tmp_path, "basic", **given)
    assert "TimezoneOffsetFromUTC" not in basic
    odd = deidentified(
        tmp_path, "retain-longitudinal-modified-dates", TimezoneOffsetFromUTC="Miller"
    )
    assert "TimezoneOffsetFromUTC" not in odd


def test_an_age_above_89_is_not_kept_wherever_it_stands(tmp_path: Path) -> None:
    done = deidentified(
        tmp_path, "retain-patient-characteristics", PatientAge="041Y", SelectorASValue="093Y"
    )
    assert (done.PatientAge, done.SelectorASValue) == ("041Y", "090Y")

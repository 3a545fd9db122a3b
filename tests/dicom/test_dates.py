"""Dates of one patient move by one number of days, and none stays as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.config import disable_value_validation
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset

from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.moments import as_written, moved, offset
from radledger.dicom.profiles import OPTIONS, Profile
from radledger.dicom.pseudonyms import Pseudonyms
from tests.dicom.files import image, save

KEY = b"a secret of the custodian".ljust(32)
LONGITUDINAL = Profile.parse("retain-longitudinal-modified-dates")
ALL = Profile.parse(*OPTIONS)
MOMENTS = {
    tag: entry[0]
    for tag, entry in sorted(DicomDictionary.items())
    if entry[0] in ("DA", "DT", "TM") and tag >> 16 >= 8
}
DUMMIES = {"", "19000101", "19000101000000", "000000"}


@pytest.fixture(autouse=True)
def _any_value() -> Iterator[None]:
    with disable_value_validation():
        yield


def deidentified(dataset: Dataset, folder: Path, profile: Profile = LONGITUDINAL) -> Dataset:
    path = save(dataset, folder / "in.dcm")
    deidentify_file(path, folder / "out.dcm", profile, KEY)
    return pydicom.dcmread(folder / "out.dcm")


def days_of(dataset: Dataset, folder: Path) -> int:
    """By how many days the dates of a data set's patient move."""
    dataset.StudyDate = "20240115"
    done = deidentified(dataset, folder)
    return (date(2024, 1, 15) - date.fromisoformat(done.StudyDate)).days


def test_dates_of_one_patient_keep_their_distance(tmp_path: Path) -> None:
    def study(day: str, patient: str) -> date:
        dataset = image(StudyDate=day, StudyTime="101112", PatientID=patient)
        dataset.AcquisitionDateTime = f"{day}101112.5+0100"
        done = deidentified(dataset, tmp_path)
        assert done.StudyTime == "101112"
        assert done.AcquisitionDateTime == f"{done.StudyDate}101112.5+0100"
        assert not done.get("PatientBirthDate")
        return date.fromisoformat(done.StudyDate)

    first, later = study("20240115", "4711"), study("20240301", "4711")
    assert (later - first).days == 46
    assert first != date(2024, 1, 15)
    assert study("20240115", "4712") != first
    assert deidentified(image(StudyDate="20240115"), tmp_path, Profile.parse()).StudyDate == ""


@given(st.dates(date(1850, 1, 1)), st.text(max_size=20))
def test_a_moved_date_is_an_earlier_one(day: date, patient: str) -> None:
    days = Pseudonyms(KEY).days(patient)
    assert 1 <= days <= 3652
    earlier = moved("DA", days)(day.strftime("%Y%m%d"))
    assert (day - date.fromisoformat(earlier)).days == days


@pytest.mark.parametrize(
    ("vr", "value", "after"),
    [
        ("DA", "20240301", "20240229"),
        ("DA", "2024.03.01", "20240229"),
        ("DA", "20240301-20240302", "20240229-20240301"),
        ("DT", "20240301", "20240229"),
        ("DT", "20240301101112.123456-0500", "20240229101112.123456-0500"),
        ("DT", "2024030110+1400", "2024022910+1400"),
        ("DT", "20240301-20240302", "20240229-20240301"),
        ("DT", "2024030110+0100-2024030211+0100", "2024022910+0100-2024030111+0100"),
        ("TM", "101112.5", "101112.5"),
        ("TM", "235960", "235960"),
        ("TM", "10", "10"),
        ("TM", "10:11:12", "10:11:12"),
        ("TM", "101112-111213.5", "101112-111213.5"),
    ],
)
def test_what_is_written_as_its_vr_demands_is_moved_or_kept(
    vr: str, value: str, after: str
) -> None:
    assert moved(vr, 1)(value) == after


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        *[("DA", value) for value in ("", "2024", "20241399", "MILLER", "00010101", "2024-01-15")],
        ("DA", "20240301 20240302"),
        ("DA", "2024030120240302"),
        ("DA", "20240301-"),
        ("DA", "-20240301"),
        ("DA", "20240301-2024"),
        ("DA", "20230229"),
        ("DA", "2024030\u0661"),  # a digit, and none of ASCII
        ("DT", "20240301101112.20240301"),
        ("DT", "20240301-2024"),
        ("DT", "20240301+2024"),
        ("DT", "20240301 101112"),
        ("DT", "2024030120240301"),
        ("DT", "202403"),
        ("TM", "20240301"),
        ("TM", "20240301101112"),
        ("TM", "2024.03.01"),
        ("TM", "2024-03"),
        ("TM", "2024-0301"),
        ("TM", "101112.20240301"),
        ("TM", "2024:03:01"),
        ("TM", "MILLER"),
        ("TM", "101112\n20240301"),
    ],
)
def test_what_is_written_otherwise_becomes_empty(vr: str, value: str) -> None:
    assert moved(vr, 1000)(value) == ""


@pytest.mark.parametrize("value", ["+0100", "-1200", "+1400"])
def test_offsets_stay(value: str) -> None:
    assert offset(value) == value


@pytest.mark.parametrize("value", ["-2024", "+1500", "-1300", "0100", "+01", "+0160", "2024"])
def test_what_is_not_an_offset_goes(value: str) -> None:
    assert offset(value) == ""


def test_the_date_of_a_public_version_is_not_moved(tmp_path: Path) -> None:
    """It is public: beside the moved one it would reveal by how many days all were moved."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "10200004", "SCT", "Liver"
    item.ContextGroupVersion = "20020904000000"
    [left] = deidentified(image(AnatomicRegionSequence=[item]), tmp_path).AnatomicRegionSequence
    assert left.ContextGroupVersion == "19000101000000"


def test_a_kept_date_of_a_device_is_a_date(tmp_path: Path) -> None:
    device = Profile.parse("retain-device-identity")
    dates = {"DateOfLastCalibration": ["20240301", "Miller"], "CalibrationTime": "20240301"}
    done = deidentified(image(**dates), tmp_path, device)
    assert list(done.DateOfLastCalibration) == ["20240301", ""]
    assert done.CalibrationTime == ""


def value(random: Random) -> str:
    """True dates, written in one way or another, alone or with something around them."""
    day, other = (date(2000, 1, 1) + timedelta(random.randrange(12_000)) for _ in range(2))
    written = random.choice(
        [
            f"{day:%Y%m%d}",
            f"{day:%Y.%m.%d}",
            f"{day:%Y-%m-%d}",
            f"{day:%Y%m%d%H%M%S}",
            f"{day:%Y%m%d}-{other:%Y%m%d}",
            f"{day:%Y%m%d}\\{other:%Y%m%d}",
            f"101112\\{day:%Y%m%d}",
            f"101112.{day:%Y%m%d}",
            f"{other:%Y%m%d}101112.{day:%Y%m%d}",
            f"{day:%Y%m%d}101112+0100",
            f"{day:%Y%m%d}101112.5-0500\\{other:%Y%m%d}10",
        ]
    )
    around = ["".join(random.choices("0123456789 .:-+/TZMiler^", k=n)) for n in (0, 0, 1, 2, 8)]
    return random.choice(around) + written + random.choice(around)


@pytest.mark.parametrize("profile", [LONGITUDINAL, ALL], ids=["dates", "all"])
@pytest.mark.parametrize("seed", range(12))
def test_no_true_date_is_left_in_any_date_or_time(
    seed: int, profile: Profile, tmp_path: Path
) -> None:
    """Each seed gives all attributes that may hold a date or a time another value."""
    random, days = Random(seed), days_of(image(), tmp_path)
    given_values = {tag: value(random).split("\\") for tag in MOMENTS}
    dataset, nested = image(), Dataset()
    for part in (dataset, nested):
        for tag, values in given_values.items():
            part.add_new(tag, MOMENTS[tag], values)
    dataset.SourceImageSequence = [nested]
    done = deidentified(dataset, tmp_path, profile)
    looked_at = stayed_or_moved = 0
    for part in (done, done.SourceImageSequence[0]):
        for tag in MOMENTS.keys() & part.keys():
            left = part[tag].value
            several = not isinstance(left, str | None)
            for each, original in zip(left if several else [left], given_values[tag], strict=False):
                assert (each or "") in _allowed(MOMENTS[tag], original.strip(" \0"), days)
                looked_at += 1
                stayed_or_moved += (each or "") not in DUMMIES
    assert looked_at > 200
    assert stayed_or_moved > 20


def _allowed(vr: str, value: str, days: int) -> set[str]:
    """What may become of a value: nothing, a dummy, and what it is with all its dates moved."""
    if vr == "TM":
        # hours, minutes and seconds, be they the letters of a date
        return DUMMIES | ({value} if as_written("TM")(value) else set())
    iso = re.fullmatch(r"(\d{4})\.?(\d\d)\.?(\d\d)(.*)", value)
    if not iso:
        return DUMMIES
    rest = re.sub(r"\d{8}", lambda found: _earlier(found[0], days), iso[4])
    return DUMMIES | {_earlier("".join(iso.groups()[:3]), days) + rest}


def _earlier(day: str, days: int) -> str:
    try:
        return (date.fromisoformat(day) - timedelta(days=days)).isoformat().replace("-", "")
    except (ValueError, OverflowError):
        return "no date"

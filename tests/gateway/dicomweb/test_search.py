"""A search finds what the token permits and what matches, and nothing else."""

from __future__ import annotations

import pydicom
import pytest

from radledger.dicom.synthetic import make_ct_series
from radledger.gateway.dicomweb import matching
from tests.gateway.conftest import URL, refused
from tests.gateway.dicomweb.conftest import SAMPLES, path_of
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

STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"


@pytest.fixture
def ct(series):
    return pydicom.dcmread(series[0])


@pytest.fixture
def several(add, dicomweb, series, sample):
    """A viewer that is shown a CT series, an MR image, and a radiotherapy plan."""
    return dicomweb(*add(*series), *add(sample("MR_small.dcm")), *add(sample("rtplan.dcm")))


MR = pydicom.dcmread(SAMPLES / "MR_small.dcm", stop_before_pixels=True)
PLAN = pydicom.dcmread(SAMPLES / "rtplan.dcm", stop_before_pixels=True)


def test_all_studies_series_and_instances_are_found(several, ct, series):
    of_all = [ct.StudyInstanceUID, MR.StudyInstanceUID, PLAN.StudyInstanceUID]
    assert several.found("/studies", STUDY) == of_all
    assert several.found("/studies", "00201206") == [1, 1, 1]
    assert several.found("/studies", "00201208") == [3, 1, 1]
    assert several.found("/studies", "00080061") == ["CT", "MR", "RTPLAN"]
    assert several.found("/series", SERIES) == [each.SeriesInstanceUID for each in (ct, MR, PLAN)]
    assert several.found("/series", STUDY) == of_all
    assert several.found("/series", "00201209") == [3, 1, 1]
    uids = [pydicom.dcmread(file).SOPInstanceUID for file in series]
    assert several.found("/instances", INSTANCE) == [*uids, MR.SOPInstanceUID, PLAN.SOPInstanceUID]
    assert several.found(f"{path_of(ct, 'study')}/series", SERIES) == [ct.SeriesInstanceUID]
    for level in ("study", "series"):
        assert several.found(f"{path_of(ct, level)}/instances", INSTANCE) == uids


def test_a_series_of_several_image_sets_is_one(add, dicomweb, tmp_path):
    series = make_ct_series(tmp_path / "of two visits", 3, size=64, seed=2)
    ct = pydicom.dcmread(series[0])
    first, second = *add(*series[:2]), *add(series[2], visit="another")
    viewer = dicomweb(first, second)
    uids = [pydicom.dcmread(file).SOPInstanceUID for file in series]
    assert viewer.found("/studies", "00201208") == [3]
    assert viewer.found("/studies", "00201206") == [1]
    assert viewer.found("/series", "00201209") == [3]
    assert viewer.found("/instances", INSTANCE) == uids
    contents = [content for _, content in viewer.parts(path_of(ct, "study"))]
    assert contents == [file.read_bytes() for file in series]
    only = dicomweb(second)
    assert only.found("/instances", INSTANCE) == uids[2:]
    assert only.found("/studies", "00201208") == [1]
    refused(only.get(path_of(ct)), 404, "ResourceUnknown")


def test_a_row_says_what_the_standard_requires(shown, ct):
    (row,) = shown.json("/studies")
    assert row["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": str(ct.PatientName)}]}
    assert row["00100020"]["Value"] == [ct.PatientID]
    assert row["00080020"]["Value"] == [ct.StudyDate]
    assert row["00080005"]["Value"] == ["ISO_IR 192"]
    assert row["00080056"]["Value"] == ["ONLINE"]
    assert row["00081190"] == {"vr": "UR", "Value": [f"{URL}/dicom-web{path_of(ct, 'study')}"]}
    assert "00080018" not in row
    assert list(row) == sorted(row)
    (row,) = shown.json("/series", limit=1)
    assert row["00081190"]["Value"] == [f"{URL}/dicom-web{path_of(ct, 'series')}"]
    (row,) = shown.json("/instances", limit=1)
    assert row["00081190"]["Value"] == [f"{URL}/dicom-web{path_of(ct)}"]
    assert row["00280010"]["Value"] == [64]
    assert row["00280008"] == {"vr": "IS"}


def test_fields_are_included_that_are_asked_for(shown, ct):
    (row,) = shown.json("/studies", includefield="ManufacturerModelName,00100010,SOPInstanceUID")
    assert row["00081090"]["Value"] == [ct.ManufacturerModelName]
    assert "00080018" not in row
    (row,) = shown.json(f"{path_of(ct, 'study')}/series")
    assert "00100010" not in row
    (row,) = shown.json(f"{path_of(ct, 'study')}/series", includefield="all")
    assert row["00100010"]["Value"]
    assert shown.json("/instances", includefield="00180050")[0]["00180050"]["Value"] == [2.5]


def matches(ct):
    """Parameters of a search for studies, and whether they match the CT series."""
    day, name = ct.StudyDate, str(ct.PatientName)
    return [
        ({"StudyInstanceUID": ct.StudyInstanceUID}, True),
        ({STUDY: f"1.2.3,{ct.StudyInstanceUID}"}, True),
        ({STUDY: f"1.2.3\\{ct.StudyInstanceUID}"}, True),
        ({STUDY: "1.2.3"}, False),
        ({"PatientName": name}, True),
        ({"PatientName": name.lower()}, True),
        ({"PatientName": f"{name[:3]}*"}, True),
        ({"PatientName": f"?{name[1:]}^"}, True),
        ({"PatientName": name[:3]}, False),
        ({"PatientName": ""}, True),
        ({"PatientName": ".*"}, False),
        ({"PatientName": "[a-zA-Z]*"}, False),
        ({"PatientName": "*a" * 2_000}, False),
        ({"PatientID": ct.PatientID, "PatientName": name}, True),
        ({"PatientID": ct.PatientID, "PatientName": "x"}, False),
        ({"00100020": ct.PatientID.lower()}, False),
        ({"StudyDate": day}, True),
        ({"StudyDate": f"{day}-{day}"}, True),
        ({"StudyDate": f"-{day}"}, True),
        ({"StudyDate": f"{day}-"}, True),
        ({"StudyDate": "19000101-19001231"}, False),
        ({"StudyDate": "29000101-"}, False),
        ({"StudyTime": "09"}, True),
        ({"StudyTime": "092653"}, True),
        ({"StudyTime": "0926-0926"}, True),
        ({"StudyTime": "0927-"}, False),
        ({"ModalitiesInStudy": "MR,CT"}, True),
        ({"ModalitiesInStudy": "US"}, False),
        ({"AccessionNumber": "*"}, True),
        ({"limit": "0"}, False),
        ({"limit": "1", "offset": "0"}, True),
    ]


def test_studies_match_as_the_standard_says(shown, ct):
    for parameters, found in matches(ct):
        assert bool(shown.json("/studies", **parameters)) is found, parameters


def test_series_and_instances_match(several, ct, series):
    last = pydicom.dcmread(series[2])
    assert several.found("/series", SERIES, Modality="MR") == [MR.SeriesInstanceUID]
    assert several.found("/series", SERIES, PatientID=ct.PatientID) == [ct.SeriesInstanceUID]
    assert several.found("/series", SERIES, SeriesNumber=str(ct.SeriesNumber), Modality="CT") == [
        ct.SeriesInstanceUID
    ]
    assert several.found("/instances", INSTANCE, InstanceNumber="3", Modality="CT") == [
        last.SOPInstanceUID
    ]
    assert several.found("/instances", INSTANCE, SOPClassUID=PLAN.SOPClassUID) == [
        PLAN.SOPInstanceUID
    ]
    assert several.found("/instances", INSTANCE, Rows="64.0", Modality="CT", offset="2") == [
        last.SOPInstanceUID
    ]
    assert several.json(f"{path_of(MR, 'study')}/instances", Modality="CT") == []


def test_an_answer_has_a_page_at_most_and_says_that_there_is_more(several, monkeypatch):
    more = '299 gateway "There are additional results that can be requested"'
    for asked, found, said in (({"limit": 5}, 5, None), ({"limit": 4}, 4, more), ({}, 5, None)):
        response = several.get("/instances", **asked)
        assert len(response.json()) == found
        assert response.headers.get("warning") == said
    monkeypatch.setattr(matching, "_PAGE", 2)
    for asked in ({}, {"limit": 2}, {"limit": 1000}, {"limit": 1000, "offset": 1}):
        response = several.get("/instances", **asked)
        assert len(response.json()) == 2
        assert response.headers["warning"] == more
    last = several.get("/instances", offset=4)
    assert (len(last.json()), "warning" in last.headers) == (1, False)
    fuzzy = several.get("/instances", fuzzymatching="true").headers["warning"]
    assert fuzzy.startswith("299 gateway")
    assert fuzzy.endswith(more)


def test_pages_are_of_the_same_order(several):
    everything = several.found("/instances", INSTANCE)
    pages = [several.found("/instances", INSTANCE, limit=2, offset=at) for at in (0, 2, 4, 6)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [uid for page in pages for uid in page] == everything


INVALID = [
    ("PatientNme", "x"),
    ("SeriesDescription", "x"),
    ("PixelData", "x"),
    ("00081140.00081155", "1.2.3"),
    ("1234", "x"),
]
INVALID_VALUES = [
    ("StudyDate", "yesterday"),
    ("StudyDate", "20240101-20240102-20240103"),
    ("StudyTime", "noon"),
    ("limit", "-1"),
    ("limit", "many"),
    ("offset", "1" * 10),
    ("fuzzymatching", "maybe"),
]


def test_what_cannot_be_matched_is_refused_and_not_left_out(shown, ct):
    for name, value in INVALID:
        values = refused(shown.get("/studies", **{name: value}), 400, "QueryInvalid")
        assert values == {"parameter": name}
    for name, value in INVALID_VALUES:
        values = refused(shown.get("/studies", **{name: value}), 400, "QueryInvalid")
        assert values == {"parameter": name, "value": value}
    values = refused(shown.get("/instances", Rows="many"), 400, "QueryInvalid")
    assert values == {"parameter": "Rows", "value": "many"}
    values = refused(shown.get("/studies", includefield="all,Nothing"), 400, "QueryInvalid")
    assert values == {"parameter": "Nothing"}
    twice = f"/studies?PatientID={ct.PatientID}&00100020=other"
    assert refused(shown.get(twice), 400, "QueryInvalid") == {"parameter": "00100020"}
    refused(shown.get("/studies", "application/dicom+xml"), 406, "NotAcceptable")
    assert shown.get("/studies", "application/json").status_code == 200


def test_names_are_matched_literally_and_the_answer_says_so(shown):
    response = shown.get("/studies", fuzzymatching="true")
    assert response.headers["warning"].startswith("299 ")
    assert "warning" not in shown.get("/studies", fuzzymatching="false").headers

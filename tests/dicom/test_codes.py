"""Codes of public schemes stay, and nothing else in the place of codes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts

from radledger.dicom.coding import _SCHEMES, is_public_code
from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.profiles import OPTIONS, Profile
from radledger.dicom.units import is_unit
from tests.dicom.files import image, save

KEY = b"a secret of the custodian".ljust(32)
PUBLIC = {
    "ACR": "28.6",
    "BARI": "28A",
    "BI": "II.D.1",
    "C4": "71250",
    "CTV3": "X30Pm",
    "DC": "creator",
    "DCM": "CT",
    "DCMUID": "1.2.840.10008.5.1.4.1.1.2",
    "FMA": "7195",
    "HPC": "G0279",
    "I10": "R97.20",
    "I10C": "S72.001A",
    "I10P": "B020ZZZ",
    "I11": "2C25.Z",
    "I9C": "87.41",
    "IBSI": "KLMA",
    "ICDO3": "8070/3",
    "ISO3166_1": "DE",
    "ITIS_TSN": "180276",
    "LN": "24627-2",
    "MA": "0000168",
    "MDC": "2:1",
    "MSH": "D009010",
    "NCIt": "C9440",
    "NDC": "0407-2707-03",
    "NEU": "286",
    "PUBCHEM_CID": "4624",
    "RADELEMENT": "RDE118",
    "RADLEX": "RID49480",
    "RFC5646": "en-US",
    "RXNORM": "236987",
    "SCPECG": "5.6.3-9-1",
    "SCT": "10200004",
    "SNM3": "T-62000",
    "SRT": "P5-0905A",
    "UBERON": "0002107",
    "UCUM": "Bq/ml",
    "UMLS": "C0051482",
    "UNS": "N06625",
}
UNITS = """
    {SUVbw}g/ml g/ml{SUVbw} cm2/ml{SUVbsa} ml/100ml/s ml/[100]ml/s ml/min/100g ml/min/ml
    10*-6.mm2/s 10-6.mm2/s mm[Hg] kPa /min 1/min dB {counts} {counts}/s mGy.cm mm2/s [hnsf'U] Bq/ml
    % 1 um 10*23/ml {ratio} [degF] mL/min/{1.73_m2} mg/(24.h) /100{WBCs}
""".split()  # noqa: SIM905 - a list of words reads best as words


@pytest.fixture(autouse=True)
def _any_value() -> Iterator[None]:
    with disable_value_validation():
        yield


def code(value: str, scheme: str, meaning: str, **more: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    for keyword, text in more.items():
        setattr(item, keyword, text)
    return item


def deidentified(tmp_path: Path, option: str = "basic", **attributes: object) -> Dataset:
    path = save(image(**attributes), tmp_path / "in.dcm")
    deidentify_file(path, tmp_path / "out.dcm", Profile.parse(option), KEY)
    return pydicom.dcmread(tmp_path / "out.dcm")


def code_of(item: Dataset) -> tuple[str, str, str]:
    return item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning


def test_codes_of_public_schemes_stay_without_their_free_text(tmp_path: Path) -> None:
    done = deidentified(
        tmp_path,
        AnatomicRegionSequence=[
            code("10200004", "SCT", "Liver"),
            code("10200004", "SCT", "Liver of Mr Miller"),
            code("MILLER", "99LOCAL", "Miller"),
            code("MILLER", "SCT", "Liver"),
            code("1", "BARI", "", CodingSchemeVersion="Miller"),
        ],
    )
    assert [code_of(item) for item in done.AnatomicRegionSequence] == [
        ("10200004", "SCT", "Liver"),
        ("10200004", "SCT", "10200004"),
        ("REMOVED", "99RADLEDGER", "REMOVED"),
        ("REMOVED", "99RADLEDGER", "REMOVED"),
        ("1", "BARI", "1"),
    ]


@pytest.mark.parametrize("scheme", PUBLIC)
def test_a_code_of_each_public_scheme_stays_and_a_name_does_not(scheme: str) -> None:
    assert is_public_code(scheme, PUBLIC[scheme])
    for name in ("MILLER", "Miller^Anna", "anna", "19500101-MILLER", "Anna Miller", ""):
        assert not is_public_code(scheme, name)


def test_all_codes_that_the_standard_uses_are_public() -> None:
    for scheme, named in concepts.items():
        assert scheme in _SCHEMES
        for value in {value for values in named.values() for value in values if value}:
            assert is_public_code(scheme, value), (scheme, value)


@pytest.mark.parametrize("unit", UNITS)
def test_units_stay(unit: str, tmp_path: Path) -> None:
    mapping = Dataset()
    mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = 1.0, 0.0
    mapping.MeasurementUnitsCodeSequence = [code(unit, "UCUM", unit)]
    done = deidentified(tmp_path, RealWorldValueMappingSequence=[mapping])
    [left] = done.RealWorldValueMappingSequence[0].MeasurementUnitsCodeSequence
    assert (left.CodeValue, left.CodingSchemeDesignator) == (unit, "UCUM")


@pytest.mark.parametrize(
    "text",
    [
        "Doe Jane 4711",
        "{Miller}",
        "g/ml{Miller}",
        "{19500101}",
        "19500101",
        "4711",
        "1950.01.01",
        "mm19500101",
        "10*19500101",
        "{}",
        "{counts",
        "Miller",
        "m" * 65,
        "µg/ml",
    ],
)
def test_what_is_not_a_unit_goes(text: str) -> None:
    assert not is_unit(text)


def test_the_examples_that_ucum_publishes_are_units() -> None:
    table = files("ucumvert").joinpath("vendor", "ucum_examples.tsv").read_text("utf-8")
    units = [row[1] for row in csv.reader(table.splitlines(), delimiter="\t") if row[0].isdigit()]
    assert len(units) > 800
    # "Torr" is not a unit of UCUM; the others are dates
    assert {unit for unit in units if not is_unit(unit)} == {"Torr", "{mm/dd/yyyy}", "{yyyy}"}


@given(st.text(), st.sampled_from(sorted(_SCHEMES)))
def test_a_unit_says_little_beside_what_the_grammar_knows(text: str, scheme: str) -> None:
    if is_public_code(scheme, text):
        assert text.isascii()
    if is_unit(text):
        assert all(len(number) <= 7 for number in re.findall("[0-9]+", text))


def test_no_code_is_put_where_none_was(tmp_path: Path) -> None:
    empty = deidentified(tmp_path, CodeValue="", CodingSchemeDesignator="DCM", CodeMeaning="")
    assert not empty.get("CodeValue")
    private = deidentified(tmp_path, CodingSchemeDesignator="MILLER", CodeMeaning="Miller")
    assert not [keyword for keyword in private.dir() if keyword.startswith("Cod")]
    alone = deidentified(tmp_path, AnatomicRegionSequence=[Dataset()])
    assert list(alone.AnatomicRegionSequence[0]) == []


def test_a_code_without_a_scheme_says_nothing(tmp_path: Path) -> None:
    item = Dataset()
    item.CodeValue, item.CodeMeaning = "MILLER", "Miller"
    done = deidentified(
        tmp_path, CodeValue="MILLER", CodeMeaning="Miller", AnatomicRegionSequence=[item]
    )
    assert code_of(done.AnatomicRegionSequence[0]) == ("REMOVED", "99RADLEDGER", "REMOVED")
    assert b"iller" not in (tmp_path / "out.dcm").read_bytes()
    assert b"MILLER" not in (tmp_path / "out.dcm").read_bytes()


@pytest.mark.parametrize("option", ["basic", "+".join(OPTIONS)])
def test_coding_schemes_are_named_as_a_whole_or_not_at_all(option: str, tmp_path: Path) -> None:
    def scheme(designator: str, uid: str, **more: str) -> Dataset:
        item = Dataset()
        item.CodingSchemeDesignator, item.CodingSchemeUID = designator, uid
        for keyword, value in more.items():
            setattr(item, keyword, value)
        return item

    done = deidentified(
        tmp_path,
        option,
        CodingSchemeIdentificationSequence=[
            scheme("SCT", "2.16.840.1.113883.6.96", CodingSchemeName="Miller"),
            scheme("DCM", "1.2.840.10008.2.16.4"),
            scheme("LN", "1.2.3.4711"),
            scheme("99MILLER", "1.2.3.4711", CodingSchemeResponsibleOrganization="Miller"),
        ],
    )
    assert [
        (item.CodingSchemeDesignator, item.get("CodingSchemeUID"))
        for item in done.CodingSchemeIdentificationSequence
    ] == [("SCT", "2.16.840.1.113883.6.96"), ("DCM", "1.2.840.10008.2.16.4"), ("LN", None)]
    assert b"iller" not in (tmp_path / "out.dcm").read_bytes()


@pytest.mark.parametrize(
    ("version", "kept"),
    [("1.4", True), ("01", True), ("2017", True), ("20240301", False), ("24.03.01", False)],
)
def test_the_version_of_a_scheme_is_not_a_date(version: str, kept: bool, tmp_path: Path) -> None:
    purpose = code("121320", "DCM", "", CodingSchemeVersion=version)
    [left] = deidentified(
        tmp_path, PurposeOfReferenceCodeSequence=[purpose]
    ).PurposeOfReferenceCodeSequence
    assert left.CodeValue == "121320"
    assert left.get("CodingSchemeVersion") == (version if kept else None)

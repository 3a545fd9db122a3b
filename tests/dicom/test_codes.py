"""Codes of public schemes stay, nothing else that stands where codes do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts

from radledger.dicom.coding import _SCHEMES, is_public_code
from radledger.dicom.deidentify import deidentify_file
from radledger.dicom.profiles import OPTIONS, Profile
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


def told(item: Dataset) -> tuple[str, str, str]:
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
    assert [told(item) for item in done.AnatomicRegionSequence] == [
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
    assert told(done.AnatomicRegionSequence[0]) == ("REMOVED", "99RADLEDGER", "REMOVED")
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

"""The list from Patient IDs to patients: read again when it changes, and refused with its line."""

from __future__ import annotations

import pytest

from radledger.pacs.errors import InvalidPatientList, InvalidTitle
from radledger.pacs.patients import PatientList
from radledger.pacs.peer import require_title
from radledger.pacs.settings import Settings


@pytest.fixture
def listed(tmp_path):
    file = tmp_path / "patients.csv"

    def write(text):
        file.write_text(text)
        return PatientList(file, str.upper)

    return write


def test_patients_are_found_by_id_and_issuer(listed):
    patients = listed("issuer,patient_id,patient\nEAST,1,ann\n,1,bob\nWEST, 2 ,cat\n,3,bob\n\n")
    assert patients.find("1", "EAST") == "ANN"
    assert patients.find("1", "WEST") == "BOB"
    assert patients.find("1", "") == "BOB"
    assert patients.find("2", "WEST") == "CAT"
    assert patients.find("2", "") is None
    assert patients.find("3", "EAST") == "BOB"
    assert patients.find("", "") is None


def test_list_is_read_again_when_it_was_written_to(listed, tmp_path):
    patients = listed("patient_id,patient\n1,ann\n")
    assert patients.find("2", "") is None
    listed("patient_id,patient\n1,ann\n2,bob\n")
    assert patients.find("2", "") == "BOB"
    (tmp_path / "patients.csv").write_text("nonsense\n")
    for _ in range(2):
        with pytest.raises(InvalidPatientList, match="line 1"):
            patients.find("2", "")
    (tmp_path / "patients.csv").unlink()
    with pytest.raises(InvalidPatientList, match="cannot be read: No such file"):
        patients.find("2", "")
    listed("patient_id,patient\n2,cat\n")
    assert patients.find("2", "") == "CAT"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("patient_id\n1\n", 1),
        ("patient_id,patient,course\n1,ann,x\n", 1),
        ("patient_id,patient\n1,ann\n2\n", 3),
        ("patient_id,patient\n1,ann\n,bob\n", 3),
        ("patient_id,patient\n1,ann,bob\n", 2),
        ("patient_id,patient\n1,ann\n1,bob\n", 3),
        ('patient_id,patient\n"1"x,ann\n', 2),
    ],
)
def test_lists_that_cannot_be_understood(listed, text, line):
    with pytest.raises(InvalidPatientList) as refused:
        listed(text)
    assert refused.value.values["line"] == line


def test_list_that_is_not_text(listed, tmp_path):
    (tmp_path / "patients.csv").write_bytes(b"patient_id,patient\n1,\xff\n")
    with pytest.raises(InvalidPatientList, match="UTF-8"):
        PatientList(tmp_path / "patients.csv", str)


@pytest.mark.parametrize("title", ["", " ", "A" * 17, "A\\B", "A\n", "Ä"])
def test_titles_that_are_none(title):
    with pytest.raises(InvalidTitle) as refused:
        Settings("RADLEDGER", [title])
    assert refused.value.values == {"title": title}


@pytest.mark.parametrize("title", ["A", "A" * 16, "CT 1", "[x]~^"])
def test_titles(title):
    assert require_title(title) == title

"""``radledger image add --list``: the images of many patients, and the account of what was left."""

from __future__ import annotations

import json

import pytest

from radledger.dicom.synthetic import make_ct_series
from tests.dicom.files import image, save


@pytest.fixture
def archive(tmp_path):
    """Two patients' folders, one with something else in it, and a folder with nothing to add."""
    for name, seed in (("one", 11), ("two", 12)):
        make_ct_series(tmp_path / name, 3, size=16, seed=seed)
    (tmp_path / "one" / "notes.txt").write_text("not DICOM")
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "empty.dcm").touch()
    return tmp_path


@pytest.fixture
def listed(archive):
    """Write a list, and give the arguments that add it."""

    def write(*lines, header="path,patient,visit,course"):
        file = archive / "archive.csv"
        file.write_text("\n".join([header, *lines]) + "\n", "utf-8")
        return ("image", "add", "--list", file, "--as", "hospital")

    return write


def reasons(file):
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return {line["path"].rsplit("/", 1)[1]: (line["reason"], line["image_id"]) for line in lines}


def test_a_list(home, cli, plain_cli, listed, addresses, archive, tmp_path):
    stranger = addresses["stranger"]
    arguments = listed("one,patient,first,", f"two,{stranger},,chemotherapy", "three,patient,,")
    report = tmp_path / "left.jsonl"
    outcome = cli(*arguments, "--workers", "1", "--report", report)
    assert (outcome.code, outcome.err) == (0, "")
    added = [each for each in outcome.objects if each["image_id"]]
    assert [(each["instances"], each["added"]) for each in added] == [(3, True), (3, True)]
    assert {each["tx"] for each in added} == {added[0]["tx"]}
    (nothing,) = [each for each in outcome.objects if not each["image_id"]]
    assert [each["reason"] for each in nothing["skipped"]] == ["empty"]
    assert reasons(report) == {
        "notes.txt": ("the file does not begin as a DICOM file does; leave it out", None),
        "empty.dcm": ("empty", None),
    }
    whose = {each["patient"]: each for each in cli("image", "list").objects[1:]}
    assert whose.keys() == {addresses["patient"], stranger}
    assert int(whose[stranger]["course"], 16)

    # The same again adds nothing, and tells people the totals.
    told = plain_cli(*arguments)
    assert (told.code, told.err) == (0, "")
    totals = dict(line.split(maxsplit=1) for line in told.out.splitlines()[:4])
    assert totals == {"image_sets": "2", "added": "0", "instances": "6", "skipped": "2"}
    assert "files 1  reason empty" in told.out
    assert len(cli("image", "list").objects) == 3


def test_what_was_not_taken_is_reported_of_paths_too(home, cli, archive, tmp_path):
    report = tmp_path / "left.jsonl"
    paths = ("image", "add", archive / "one", "--patient", "patient", "--as", "hospital")
    outcome = cli(*paths, "--report", report).object
    assert [each["path"].rsplit("/", 1)[1] for each in outcome["skipped"]] == ["notes.txt"]
    assert reasons(report).keys() == {"notes.txt"}
    nothing = cli("image", "add", archive / "three", *paths[3:], "--report", report)
    assert nothing.refused("NothingToAdd")
    assert reasons(report) == {"empty.dcm": ("empty", None)}


def test_files_of_two_patients_are_added_only_if_that_is_stated(home, cli, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number in ("1", "2"):
        own = {"PatientID": number, "SOPInstanceUID": f"1.2.3.{number}"}
        save(image(**own), folder / f"{number}.dcm")
    add = ("image", "add", folder, "--patient", "patient", "--as", "hospital")
    [left_out] = cli(*add).refused("NothingToAdd")["skipped"]
    assert "--mixed-patient-ids" in left_out["reason"]
    assert len(cli("image", "list").objects) == 1  # what the home had
    assert cli(*add, "--mixed-patient-ids").object["instances"] == 2


def test_what_to_add_has_to_be_said_once(home, cli, listed, study):
    listed("one,patient,,")
    for arguments in (
        (),
        (study,),
        ("--patient", "patient"),
        (study, "--list", "archive.csv"),
        ("--patient", "patient", "--list", "archive.csv"),
    ):
        assert (
            cli("image", "add", *arguments, "--as", "hospital").refused("WhatToAddUnclear", 2) == {}
        )


@pytest.mark.parametrize(
    ("header", "line", "number"),
    [
        ("file,patient", "one,patient", 1),
        ("path,patient,sex", "one,patient,F", 1),
        ("path,patient", "one", 2),
        ("path,patient", "one,patient,visit", 2),
        ("path,patient", "one,nobody", 2),
        ("path,patient", "one,0x12", 2),
        ("path,patient", '"one,patient', 2),
    ],
)
def test_a_list_that_cannot_be_understood_adds_nothing(home, cli, listed, header, line, number):
    arguments = listed("two,patient" + "," * header.count(",patient,"), line, header=header)
    refused = cli(*arguments).refused("ArchiveInvalid", 2)
    assert refused["line"] in (number, number + 1)
    assert len(cli("image", "list").objects) == 1


@pytest.mark.parametrize(("header", "line"), [("file,patient", "one,alice"), ("path,patient", "x")])
def test_what_a_list_looks_like_is_said_where_it_is_none(home, cli, listed, header, line):
    outcome = cli(*listed(line, header=header))
    outcome.refused("ArchiveInvalid", 2)
    assert "first line is path,patient or path,patient,visit,course" in outcome.object["message"]


def test_a_list_that_is_not_there(home, cli):
    missing = cli("image", "add", "--list", "missing.csv", "--as", "hospital")
    assert missing.refused("InvalidFile", 2) == {"path": "missing.csv"}


def test_a_cluster_needs_a_journal_that_it_reaches(home, cli, study):
    add = ("image", "add", study, "--patient", "patient", "--as", "hospital")
    assert cli(*add, "--scheduler", "tcp://127.0.0.1:9").refused("ClusterUnusable", 2) == {}
    assert cli(*add, "--journal", "mysql://x").refused("InvalidJournalUrl", 2) == {
        "journal": "mysql://x"
    }
    assert cli(*add, "--journal", "postgresql://x@127.0.0.1:9/x").refused("JournalUnavailable")
    assert cli(*add, "--workers", "0").code == 2

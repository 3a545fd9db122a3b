"""A patient is who the custodian says: one pseudonym, one shift of dates, no other's files."""

from __future__ import annotations

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radledger.imaging.errors import NothingToAdd
from radledger.imaging.journal.identifiers import MIXED, identifiers_of, mixed, spelled
from radledger.imaging.journal.journal import Journal
from radledger.imaging.model import Addition
from tests.dicom.files import image, save

DATES = "basic+retain-longitudinal-modified-dates"


@pytest.fixture
def files(tmp_path):
    """Write files of one series, each with attributes of its own; gives their folder."""

    def write(name, *each, **common):
        folder = tmp_path / name
        folder.mkdir()
        for number, attributes in enumerate(each, 1):
            own = {"SOPInstanceUID": f"1.2.3.1.{sum(name.encode())}.{number}"}
            own |= {"StudyDate": "20240301", "InstanceNumber": str(number)}
            save(image(**(own | common | attributes)), folder / f"{number}.dcm")
        return folder

    return write


@pytest.fixture
def read(images, who, encryption_keys, tmp_path):
    """The data sets of an image set, as the patient fetches them."""

    def fetch(image_id):
        folder = tmp_path / image_id
        key = encryption_keys["patient"]
        secret = images.own_secret(image_id, reader=who.patient.address, private_key=key)
        images.fetch(image_id, folder, secret=secret)
        return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]

    return fetch


def identity_of(datasets):
    """Who the patient is, in which study and when, of some data sets."""
    return {(str(d.PatientName), d.PatientID, d.StudyInstanceUID, d.StudyDate) for d in datasets}


SPELLINGS = (
    {"PatientID": "MRN0001"},
    {"PatientID": "MRN0001", "IssuerOfPatientID": "HOSPITAL A"},
    {"PatientID": ""},
    {"PatientID": " mrn-0001"},
    {"PatientID": "MRN0001^^^HOSPITAL A"},
)


def test_one_patient_has_one_pseudonym_and_one_shift(add, files, read):
    (one,) = add(files("one", *SPELLINGS), profile=DATES)
    assert (one.instances, one.skipped) == (5, ())
    ((name, identifier, _, day),) = identity_of(read(one.image_id))
    assert name == identifier
    assert name.startswith("RL-")
    assert day not in ("20240301", "")
    # another study, in which the patient has another number, and under another profile
    other = files("other", {"PatientID": "X9"}, StudyInstanceUID="1.2.4", SeriesInstanceUID="1.2.5")
    for profile in (DATES, DATES + "+clean-descriptors"):
        (result,) = add(other, profile=profile)
        ((again, _, _, then),) = identity_of(read(result.image_id))
        assert (again, then) == (name, day)


def test_other_patients_and_custodians_have_other_pseudonyms(add, images, files, who):
    folder = files("one", {"PatientID": "1"})
    names = set()
    for patient in (who.patient, who.researcher):
        (result,) = images.add([folder], patient.address, custodian=who.hospital)
        names.add(images.contents(result.image_id).instances[0].sop_instance)
    assert len(names) == 2


def test_a_deidentified_version_has_the_patients_pseudonym(add, images, files, read, who):
    (kept,) = add(files("kept", *SPELLINGS), keep_identity=True)
    derived = images.deidentify(kept.image_id, DATES, custodian=who.hospital)
    other = {"PatientID": "X9", "StudyInstanceUID": "1.2.4", "SeriesInstanceUID": "1.2.5"}
    (direct,) = add(files("direct", other), profile=DATES)
    ((name, _, _, day),) = identity_of(read(derived.image_id))
    ((same, _, _, then),) = identity_of(read(direct.image_id))
    assert (name, day) == (same, then)


@pytest.mark.parametrize("options", [{"keep_identity": True}, {"profile": DATES}])
@pytest.mark.parametrize(
    "second",
    [
        {"PatientID": "MRN0002"},
        {"PatientID": "MRN0002", "SeriesInstanceUID": "1.2.3.9"},
        {"PatientID": "MRN0002", "StudyInstanceUID": "1.2.9"},
    ],
    ids=["one series", "one study", "one series in two studies"],
)
def test_files_of_two_patients_are_refused(
    add, images, files, stored_files, second, options, tmp_path
):
    folder = files("mixed", {"PatientID": "MRN0001"}, second)
    with pytest.raises(NothingToAdd) as refusal:
        add(folder, **options)
    assert {each["reason"] for each in refusal.value.values["skipped"]} == {MIXED}
    assert stored_files() == []
    assert images.list() == []
    # without the other patient's file, nothing of the refusal is left
    (folder / "2.dcm").unlink()
    (result,) = add(folder, **options)
    assert result.instances == 1


def test_files_of_two_patients_are_taken_when_that_is_stated(add, files, read):
    folder = files("mixed", {"PatientID": "MRN0001"}, {"PatientID": "MRN0002"})
    (result,) = add(folder, profile=DATES, mixed_patient_ids=True)
    assert result.instances == 2
    assert len(identity_of(read(result.image_id))) == 1
    # it was stated of this study, and of these Patient IDs
    (more,) = add(files("more", {"PatientID": "MRN0002"}), profile=DATES)
    assert more.instances == 1
    with pytest.raises(NothingToAdd):
        add(files("third", {"PatientID": "MRN0003"}), profile=DATES)


def test_a_later_file_of_another_patient_is_refused_and_the_set_stays(add, images, files):
    (first,) = add(files("first", {"PatientID": "MRN0001"}))
    later = files("later", {"PatientID": "MRN0002"})
    for options in ({}, {"keep_identity": True}, {"profile": DATES}):
        with pytest.raises(NothingToAdd) as refusal:
            add(later, **options)
        assert [each["reason"] for each in refusal.value.values["skipped"]] == [MIXED]
    assert [each.image_id for each in images.list()] == [first.image_id]
    (more,) = add(files("more", {"PatientID": "mrn 0001"}))
    assert more.added


def test_in_a_list_only_what_is_mixed_is_left_out(images, files, who):
    bad = files("mixed", {"PatientID": "1"}, {"PatientID": "2"})
    good = files("good", {"PatientID": "1"}, StudyInstanceUID="1.2.4", SeriesInstanceUID="1.2.5")
    lots = [Addition((folder,), who.patient.address) for folder in (bad, good)]
    done = list(images.add_all(lots, custodian=who.hospital))
    assert [len(each.results) for each in done] == [0, 1]
    ((left_out,),) = [each.skipped for each in done if each.skipped]
    assert (left_out.path.rpartition("/")[0], left_out.reason) == (str(bad), MIXED)


def test_patients_of_their_own_are_not_mixed(images, files, who):
    """The same study under two patients is for the custodian to know; their files do not meet."""
    one = files("one", {"PatientID": "1"})
    two = files("two", {"PatientID": "2"})
    for folder, patient in ((one, who.patient), (two, who.researcher)):
        (result,) = images.add([folder], patient.address, custodian=who.hospital)
        assert result.added


def test_erasure_forgets_the_patient_id(add, images, files, who):
    (first,) = add(files("first", {"PatientID": "MRN0001"}))
    images.erase(first.image_id, custodian=who.hospital)
    (second,) = add(files("second", {"PatientID": "MRN0002"}))
    assert second.added


def test_a_journal_that_is_older_gets_the_table(add, images, files, home):
    add(files("first", {"PatientID": "1"}))
    (path,) = home.rglob("journal.sqlite3")
    journal = Journal(path)
    # As a journal was before it had a version.
    for table in ("identifiers", "alembic_version"):
        journal._database.connection.exec_driver_sql(f"DROP TABLE {table}")
    journal.close()
    Journal(path).discard_mixed([1])


@pytest.mark.parametrize("each_journal", ["sqlite", "postgresql"], indirect=True)
def test_a_journal_discards_what_is_mixed(each_journal, tmp_path):
    from tests.imaging.test_journal import HOME, NONE, PURPOSE, add, row

    journal = Journal(each_journal or tmp_path / "journal.sqlite3", HOME)
    key = journal.pseudonym_key(PURPOSE)
    sets = [
        journal.open_set(PURPOSE, NONE, NONE, "1.2", series, "CT", HOME.public_key).set_id
        for series in ("1.3", "1.4", "1.5")
    ]
    for number, (set_id, study, patient_id) in enumerate(
        zip(sets, ("1.2", "1.2", "1.9"), ("1", "2", "2"), strict=True)
    ):
        journal.storing([f"cid {number}"], "adding")
        units = (study, f"series {number}")
        journal.add_files([row(set_id, number)], identifiers_of(key, set_id, units, patient_id))
    journal.discard_mixed([sets[0]])
    assert [each.set_id for each in journal.sets(sets)] == [sets[2]]
    assert sorted(journal.garbage()) == ["cid 0", "cid 1"]
    assert not add(journal, row(sets[0], 9))


@given(st.text(max_size=12))
def test_spelling_is_stable(patient_id):
    once = spelled(patient_id)
    assert spelled(once) == once == spelled(f" {patient_id.upper()}") or "ß" in patient_id.lower()


@pytest.mark.parametrize(("one", "other"), [("MRN1", "MRN01"), ("1", "10"), ("A1", "B1")])
def test_other_numbers_are_other_patients(one, other):
    assert spelled(one) != spelled(other)


def test_only_open_sets_are_refused():
    stated = [(1, "confirmed", b"study", b"one"), (1, "confirmed", b"study", b"two")]
    assert mixed(stated) == set()
    assert mixed([*stated, (2, "open", b"study", b"two")]) == set()
    assert mixed([*stated, (2, "open", b"study", b"three")]) == {2}
    assert mixed([(2, "open", b"study", b"one"), (3, "open", b"other", b"two")]) == set()

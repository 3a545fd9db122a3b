"""What a home has of an instance, a series or a study, by the UID."""

from __future__ import annotations

import pydicom
import pytest
from sqlalchemy import update

from radledger.imaging.custody import Custody
from radledger.imaging.errors import JournalAltered
from radledger.imaging.journal.journal import Journal
from radledger.imaging.journal.tables import sets


@pytest.fixture
def journal(each_journal):
    return each_journal


@pytest.fixture
def custody(ledger, store, home, journal):
    return Custody(ledger, store, home, journal)


def test_instances_are_kept_from_anchoring_to_erasure(
    custody, add, series, images, who, monkeypatch
):
    header = pydicom.dcmread(next(series.iterdir()))
    assert custody.classes(header.SOPInstanceUID) == set()
    add(series)  # de-identified: other instances
    assert custody.classes(header.SOPInstanceUID) == set()

    def lost(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "confirm", lost)
        with pytest.raises(KeyboardInterrupt):
            add(series, keep_identity=True)
    assert custody.classes(header.SOPInstanceUID) == set()  # not known to be on the chain
    (added,) = add(series, keep_identity=True)
    assert custody.classes(header.SOPInstanceUID) == {header.SOPClassUID}
    assert custody.classes(header.StudyInstanceUID) == set()

    images.erase(added.image_id, custodian=who.hospital)
    assert custody.classes(header.SOPInstanceUID) == set()


def test_image_sets_are_found_by_what_they_hold(custody, add, series, images, who, monkeypatch):
    header = pydicom.dcmread(next(series.iterdir()))
    uids = {
        "study": header.StudyInstanceUID,
        "series": header.SeriesInstanceUID,
        "instance": header.SOPInstanceUID,
    }

    def found():
        return [custody.holding(level, uid) for level, uid in uids.items()]

    add(series)  # de-identified: it has other UIDs
    assert found() == [[], [], []]

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "seal", interrupted)
        with pytest.raises(KeyboardInterrupt):
            add(series, keep_identity=True)
    assert found() == [[None]] * 3
    (added,) = add(series, keep_identity=True)
    assert found() == [[added.image_id]] * 3
    (other,) = images.add(  # for a patient's other address
        [series], who.stranger.address, custodian=who.hospital, keep_identity=True
    )
    assert found() == [[added.image_id, other.image_id]] * 3
    assert custody.holding("series", header.StudyInstanceUID) == []

    images.erase(added.image_id, custodian=who.hospital)
    assert found() == [[other.image_id]] * 3
    assert custody.holding("study", "") == []


def test_what_another_program_wrote_of_a_set_is_refused(custody, add, series):
    (added,) = add(series, keep_identity=True)
    journal = custody._home.journal
    with journal._write() as write:
        write(update(sets).values(study="1.2.3"))
    with pytest.raises(JournalAltered) as error:
        custody.holding("study", "1.2.3")
    assert error.value.values == {"image": added.image_id}


def test_image_sets_and_kinds_that_a_home_holds(custody, add, series, sample, images, who):
    hospital = who.hospital.address
    assert (custody.image_sets(hospital), custody.kinds(hospital)) == ([], [])
    (mr,) = add(sample("MR_small_RLE.dcm"), keep_identity=True)
    (ct,) = add(series)
    patient = who.patient.address
    assert custody.image_sets(hospital) == [(mr.image_id, patient), (ct.image_id, patient)]
    study = images.contents(ct.image_id).study
    assert custody.image_sets(hospital, [study, "1.2.3"]) == [(ct.image_id, patient)]
    assert custody.image_sets(hospital, ["1.2.3"]) == []
    kinds = [
        ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"),
        ("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.2.5"),
    ]
    assert custody.kinds(hospital) == kinds
    assert custody.image_sets(who.clinic.address) == []
    images.erase(mr.image_id, custodian=who.hospital)
    assert custody.image_sets(hospital) == [(ct.image_id, patient)]
    assert custody.kinds(hospital) == kinds[:1]

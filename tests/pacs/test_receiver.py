"""Instances arrive by dcmtk and by pynetdicom, and only from and for whom they may."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from radledger.errors import DatabaseUnavailable
from radledger.pacs.errors import PacsNotListening
from radledger.pacs.settings import Settings
from tests.pacs.conftest import PATIENT

CT = "1.2.840.10008.5.1.4.1.1.2"
SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"


def held(inbox, study):
    """SOP instances and transfer syntaxes that are held of a study."""
    return {
        dataset.SOPInstanceUID: dataset.file_meta.TransferSyntaxUID
        for path in inbox.files(PATIENT, study)
        for dataset in [pydicom.dcmread(path)]
    }


@pytest.fixture
def offered(association, listening):
    """An association for CT images with a receiver."""

    @contextmanager
    def offered(**options):
        with listening(**options) as port, association(port, (CT, ExplicitVRLittleEndian)) as found:
            assert found.is_established
            yield found

    return offered


def test_dcmtk_is_answered(listening, dcmtk):
    with listening() as port:
        echoed = dcmtk("echoscu", port)
    assert echoed.code == 0, echoed.said
    assert "Received Echo Response (Success)" in echoed.said


def test_dcmtk_stores_a_study_twice(listening, dcmtk, study, header, inbox, under_way):
    with listening() as port:
        for _ in range(2):
            stored = dcmtk("storescu", port, *study)
            assert stored.code == 0, stored.said
            assert stored.said.count("Received Store Response (Success)") == len(study)
    uids = {pydicom.dcmread(path).SOPInstanceUID for path in study}
    syntaxes = held(inbox, header.StudyInstanceUID)
    assert syntaxes == dict.fromkeys(uids, ExplicitVRLittleEndian)
    assert list(under_way.iterdir()) == []


def test_data_set_is_held_as_it_was_sent(listening, dcmtk, study, header, inbox):
    def data_set(path):
        dataset = pydicom.dcmread(path)
        content = path.read_bytes()
        start = 132 + 12 + dataset.file_meta.FileMetaInformationGroupLength
        return hashlib.sha256(content[start:]).hexdigest()

    with listening() as port:
        assert dcmtk("storescu", port, study[0]).code == 0
    (path,) = inbox.files(PATIENT, header.StudyInstanceUID)
    assert data_set(path) == data_set(study[0])


@pytest.mark.parametrize(
    ("sample", "option"),
    [
        ("MR_small_RLE.dcm", "-xr"),
        ("JPEG2000.dcm", "-xw"),
        ("rtplan.dcm", "-xi"),
        ("examples_rgb_color.dcm", "-xe"),
        ("MR_small_bigendian.dcm", "-xb"),
    ],
)
def test_other_objects_keep_their_encoding(listening, dcmtk, inbox, patient_list, sample, option):
    original = pydicom.dcmread(SAMPLES / sample)
    patient_list.write_text(f"patient_id,patient\n{original.PatientID},{PATIENT}\n")
    with listening() as port:
        stored = dcmtk("storescu", port, option, SAMPLES / sample)
    assert stored.code == 0, stored.said
    assert held(inbox, original.StudyInstanceUID) == {
        original.SOPInstanceUID: original.file_meta.TransferSyntaxUID
    }


def test_titles_decide_who_may_associate(listening, dcmtk, study):
    with listening() as port:
        for options, reason in (
            ({"title": "OTHER"}, "Called AE Title Not Recognized"),
            ({"calling": ["-aet", "STRANGER"]}, "Calling AE Title Not Recognized"),
        ):
            calling = options.pop("calling", [])
            for program, files in (("echoscu", []), ("storescu", study)):
                refused = dcmtk(program, port, *calling, *files, **options)
                assert refused.code != 0
                assert reason in refused.said


def test_unknown_class_is_not_accepted(listening, association):
    private = "1.2.826.0.1.3680043.8.498.1"
    with listening() as port:
        contexts = [(private, ExplicitVRLittleEndian), (CT, ExplicitVRLittleEndian)]
        with association(port, *contexts) as found:
            assert [each.abstract_syntax for each in found.accepted_contexts] == [CT]
        with association(port, contexts[0]) as found:
            assert not found.is_established


@pytest.mark.parametrize("patient_id", ["UNKNOWN", ""])
def test_patient_who_is_not_listed_is_refused(offered, header, inbox, under_way, patient_id):
    header = copied(header)
    header.PatientID = patient_id
    with offered() as association:
        status = association.send_c_store(header)
    assert status.Status == 0x0124
    assert status.ErrorComment == "the Patient ID is not in the receiver's list"
    assert inbox.studies() == []
    assert list(under_way.iterdir()) == []


def test_other_content_of_an_instance_that_is_held_is_refused(offered, header, inbox):
    other = copied(header)
    other.InstanceNumber = 99
    with offered() as association:
        assert association.send_c_store(header).Status == 0x0000
        status = association.send_c_store(other)
        assert association.send_c_store(header).Status == 0x0000
    assert status.Status == 0x0111
    (study,) = inbox.studies()
    assert study.instances == 1


def test_instance_other_than_the_request_names(offered, header, inbox, monkeypatch):
    from pynetdicom.dimse_primitives import C_STORE

    send = C_STORE.AffectedSOPInstanceUID.fset
    changed = property(
        C_STORE.AffectedSOPInstanceUID.fget, lambda self, value: send(self, "1.2.3.4")
    )
    with offered() as association:
        monkeypatch.setattr(C_STORE, "AffectedSOPInstanceUID", changed)
        status = association.send_c_store(header)
    assert status.Status == 0xA900
    assert inbox.studies() == []


@pytest.mark.parametrize("missing", ["StudyInstanceUID", "SeriesInstanceUID", "PixelData"])
def test_object_that_is_not_whole_is_refused(offered, header, inbox, missing):
    header = copied(header)
    delattr(header, missing)
    with offered() as association:
        status = association.send_c_store(header)
        assert status.Status == 0xC000
        assert 0 < len(status.ErrorComment) <= 64
    assert inbox.studies() == []


@pytest.mark.parametrize("error", [DatabaseUnavailable("no"), OSError(28, "disk full")])
def test_nothing_is_acknowledged_that_cannot_be_held(
    offered, header, inbox, under_way, monkeypatch, error
):
    def hold(path, held):
        raise error

    with monkeypatch.context() as patch, offered() as association:
        patch.setattr(inbox, "hold", hold)
        assert association.send_c_store(header).Status == 0xA700
    assert list(under_way.iterdir()) == []
    with offered() as association:
        assert association.send_c_store(header).Status == 0x0000


def test_list_that_was_broken_meanwhile(offered, header, patient_list, caplog):
    good = patient_list.read_text()
    with offered() as association:
        patient_list.write_text("nonsense\n")
        assert association.send_c_store(header).Status == 0xA700
        assert "line 1" in caplog.text
        patient_list.write_text(good)
        assert association.send_c_store(header).Status == 0x0000


def test_as_many_associations_as_are_allowed(listening, association):
    with listening(associations=2) as port:
        with association(port, (CT,)), association(port, (CT,)) as second:
            assert second.is_established
            with association(port, (CT,)) as third:
                assert third.is_rejected
        # One that has ended makes room, as soon as its thread has.
        while True:
            with association(port, (CT,)) as later:
                if later.is_established:
                    break


def test_address_that_is_taken(listening):
    from radledger.pacs.receiver import Receiver

    with listening() as port:
        other = Receiver(None, Path(), None, Settings("RADLEDGER", ["A"]))
        with pytest.raises(PacsNotListening) as refused, other.listening("127.0.0.1", port):
            pass
    assert refused.value.values == {"host": "127.0.0.1", "port": port}


def copied(dataset: Dataset) -> Dataset:
    """A data set that a test may change."""
    return pydicom.dcmread(dataset.filename)

"""C-FIND answers with what the chain permits to the workstation's reader, and nothing else."""

from __future__ import annotations

import pydicom
import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

from radledger.chain.errors import ConnectionFailed
from radledger.consent import Terms
from radledger.gateway.permissions import Permissions
from tests.dcmtk import program
from tests.gateway.dicomweb.conftest import CARE, SAMPLES
from tests.pacs.retrieval.conftest import FIND, TITLE, identifier, read_by

MR = pydicom.dcmread(SAMPLES / "MR_small.dcm", stop_before_pixels=True)
PATIENT_FIND = FIND.replace(".2.2.", ".2.1.")
SUCCESS, NOT_AUTHORIZED, IDENTIFIER, UNABLE = 0x0000, 0x0124, 0xA900, 0xC000
ALL = {"StudyInstanceUID": "", "PatientID": "", "PatientName": ""}


@pytest.fixture
def ct(series):
    return pydicom.dcmread(series[0])


@pytest.fixture
def both(add, series, sample):
    """A CT study, and an MR study."""
    return [*add(*series), *add(sample("MR_small.dcm"))]


def test_each_level(both, granted, serving, ask, ct, series):
    with serving() as port, ask(port) as asking:
        keys = {"NumberOfStudyRelatedInstances": "", "ModalitiesInStudy": "", "StudyDate": ""}
        studies, status = asking.find(**ALL, **keys)
        assert status.Status == SUCCESS
        assert [each.StudyInstanceUID for each in studies] == [
            ct.StudyInstanceUID,
            MR.StudyInstanceUID,
        ]
        first = studies[0]
        assert (first.PatientID, first.PatientName) == (ct.PatientID, ct.PatientName)
        assert (first.NumberOfStudyRelatedInstances, first.ModalitiesInStudy) == (3, "CT")
        assert (first.StudyDate, first.RetrieveAETitle) == (ct.StudyDate, TITLE)
        assert (first.QueryRetrieveLevel, first.SpecificCharacterSet) == ("STUDY", "ISO_IR 192")

        of_study = {"StudyInstanceUID": ct.StudyInstanceUID}
        (found,), _ = asking.find("SERIES", **of_study, SeriesInstanceUID="", Modality="")
        assert (found.SeriesInstanceUID, found.Modality) == (ct.SeriesInstanceUID, "CT")
        images, _ = asking.find("IMAGE", **of_study, SOPInstanceUID="", InstanceNumber="")
        assert {each.SOPInstanceUID for each in images} == {
            pydicom.dcmread(path).SOPInstanceUID for path in series
        }
        patients, _ = asking.find("PATIENT", PATIENT_FIND, PatientID="", PatientBirthDate="")
        assert [each.PatientID for each in patients] == [ct.PatientID, MR.PatientID]


def test_what_matches(add, sample, granted, serving, ask):
    add(sample("MR_small.dcm"))
    with serving() as port, ask(port) as asking:
        for keys, found in (
            ({"PatientID": MR.PatientID}, 1),
            ({"PatientID": "4*R*"}, 1),
            ({"PatientID": "none"}, 0),
            ({"PatientName": "compressedsamples^mr1"}, 1),
            ({"StudyDate": "20040101-20041231"}, 1),
            ({"StudyInstanceUID": [MR.StudyInstanceUID, "1.2.3"]}, 1),
            ({"ModalitiesInStudy": "MR"}, 1),
            ({"ModalitiesInStudy": "US"}, 0),
        ):
            matches, status = asking.find(**{**ALL, **keys})
            assert (len(matches), status.Status) == (found, SUCCESS), keys


def test_what_is_not_permitted_is_not_found(
    both, consents, patient_with_ether, serving, ask, reader, who, ct, home
):
    with serving() as port, ask(port) as asking:
        assert asking.find(**ALL)[0] == []
        consents.grant(reader.address, CARE, scope=both[0].image_id).send(who.patient)
        (only,), _ = asking.find(**ALL)
        assert only.StudyInstanceUID == ct.StudyInstanceUID
        for uid in (MR.StudyInstanceUID, "1.2.3"):
            matches, status = asking.find(StudyInstanceUID=uid)
            assert (matches, status.Status) == ([], SUCCESS)
        consents.revoke(reader.address, scope=both[0].image_id).send(who.patient)
        assert asking.find(**ALL)[0] == []
    assert read_by(home) == []  # who finds has not read


def test_the_chain_is_asked_about_what_may_be_permitted_alone(
    both, consents, patient_with_ether, serving, ask, reader, who, ct, monkeypatch
):
    asked = []
    permit = Permissions.permit

    def counted(self, account, reader, image_id, use):
        asked.append(image_id)
        return permit(self, account, reader, image_id, use)

    with serving() as port, ask(port) as asking:
        monkeypatch.setattr(Permissions, "permit", counted)
        assert asking.find(**ALL)[0] == []
        assert asked == []  # no patient has granted anything
        consents.grant(reader.address, CARE).send(who.patient)
        assert len(asking.find(**ALL)[0]) == 2
        assert set(asked) == {each.image_id for each in both}
        asked.clear()
        assert len(asking.find(StudyInstanceUID=ct.StudyInstanceUID)[0]) == 1
        assert set(asked) == {both[0].image_id}
        many = ["1.2.3", *(f"1.2.{number}" for number in range(600)), ct.StudyInstanceUID]
        assert len(asking.find(StudyInstanceUID=many)[0]) == 1


def test_a_grant_for_another_use_lets_nothing_be_found(
    both, consents, patient_with_ether, serving, ask, reader, who
):
    consents.grant(reader.address, Terms(("GRU",))).send(who.patient)
    with serving() as port, ask(port) as asking:
        assert asking.find(**ALL)[0] == []


def test_erased_image_sets_are_not_found(both, granted, serving, ask, home, who, ct):
    with serving() as port, ask(port) as asking:
        assert len(asking.find(**ALL)[0]) == 2
        home.images.erase(both[1].image_id, custodian=who.hospital)
        assert [each.StudyInstanceUID for each in asking.find(**ALL)[0]] == [ct.StudyInstanceUID]


def test_keys_that_are_not_supported_are_said(both, granted, serving, ask):
    with serving() as port, ask(port) as asking:
        association = asking.association
        wanted = identifier("STUDY", **ALL, InstitutionName="East")
        statuses = [status.Status for status, _ in association.send_c_find(wanted, FIND)]
        assert statuses == [0xFF01, 0xFF01, SUCCESS]
        wanted = identifier("STUDY", **ALL, InstitutionName="")
        wanted.RequestAttributesSequence = []
        wanted.add_new(0x00090010, "LO", "PRIVATE")
        statuses = [status.Status for status, _ in association.send_c_find(wanted, FIND)]
        assert statuses == [0xFF00, 0xFF00, SUCCESS]


def test_every_attribute_can_be_asked_for(add, sample, granted, serving, ask):
    add(sample("MR_small.dcm"))
    tags = [tag for tag in DicomDictionary if tag >> 16 not in (0, 2, 0xFFFE)]
    names = {f"{tag:08X}": {"vr": dictionary_VR(tag).split(" ")[0]} for tag in tags}
    with serving() as port, ask(port) as asking:
        for level in ("STUDY", "IMAGE"):
            wanted = Dataset.from_json(names)
            wanted.QueryRetrieveLevel = level
            wanted.StudyInstanceUID = MR.StudyInstanceUID
            *found, (last, _) = asking.association.send_c_find(wanted, FIND)
            assert last.Status == SUCCESS
            assert [status.Status for status, _ in found] == [0xFF00] * len(found)
            matches = [answer for _, answer in found]
            (match,) = matches
            assert match.PatientName == MR.PatientName
            assert len(match) > 4000
            assert not match.PixelData


def test_identifiers_that_are_none(both, granted, serving, ask):
    with serving() as port, ask(port) as asking:
        for level in ("", "FRAME", "PATIENT"):
            assert asking.find(level)[1].Status == IDENTIFIER
        with disable_value_validation():
            _, status = asking.find(StudyDate="yesterday")
        assert status.Status == IDENTIFIER
        assert "date" in status.ErrorComment
        assert asking.find(**ALL)[1].Status == SUCCESS


def test_chain_that_cannot_be_reached_lets_nothing_be_found(
    both, granted, serving, ask, monkeypatch
):
    def unreachable(*arguments):
        raise ConnectionFailed("no node answers")

    with serving() as port, ask(port) as asking:
        assert len(asking.find(**ALL)[0]) == 2
        monkeypatch.setattr(Permissions, "present", unreachable)
        matches, status = asking.find(**ALL)
    assert (matches, status.Status) == ([], UNABLE)


def test_only_workstations_of_the_list_are_answered(both, granted, serving, station, ask):
    elsewhere = station("ELSEWHERE", host="192.0.2.1")
    nowhere = station("NOWHERE", host="pacs.invalid")
    with serving(station(), elsewhere, nowhere) as port:
        for title in ("STRANGER", "ELSEWHERE", "NOWHERE"):
            with ask(port, title) as asking:
                assert asking.association.is_rejected
        with ask(port) as asking:
            assert len(asking.find(**ALL)[0]) == 2


def test_nothing_is_stored_here(both, granted, serving, ask, ct):
    with (
        serving() as port,
        ask(port) as asking,
        pytest.raises(ValueError, match="presentation context"),
    ):
        asking.association.send_c_store(ct)


def test_dcmtk_finds(both, granted, serving, dcmtk, ct):
    program("findscu")
    keys = ("QueryRetrieveLevel=STUDY", "StudyInstanceUID", "PatientName")
    options = ["-S", "-aet", "READER", *(each for key in keys for each in ("-k", key))]
    with serving() as port:
        found = dcmtk("findscu", port, *options)
        assert found.code == 0, found.said
        assert found.said.count("(Pending)") == 2
        assert ct.StudyInstanceUID in found.said
        refused = dcmtk("findscu", port, *options[:1], "-aet", "STRANGER", *options[3:])
    assert refused.code != 0
    assert "Calling AE Title Not Recognized" in refused.said

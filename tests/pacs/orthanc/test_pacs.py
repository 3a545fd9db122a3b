"""Images go to Orthanc and come from it, re-encoded or not, as the chain permits."""

from __future__ import annotations

import io

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, JPEGLosslessSV1

from radledger.pacs.peer import Peer

ORTHANC = "ORTHANC"


@pytest.fixture
def ct(series):
    return pydicom.dcmread(series[0])


@pytest.fixture
def send():
    """Send files to an Orthanc."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from radledger.pacs.sender import send_files

    def send(pacs, *files):
        assert send_files(files, Peer(ORTHANC, "127.0.0.1", pacs.dicom), "RADLEDGER") == []

    return send


def saved(contents, folder):
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / f"{number}.dcm").write_bytes(content)
    return sorted(folder.iterdir())


def syntaxes(paths):
    return {pydicom.dcmread(path).file_meta.TransferSyntaxUID for path in paths}


@pytest.mark.parametrize(
    ("settings", "syntax"),
    [({}, ExplicitVRLittleEndian), ({"IngestTranscoding": JPEGLosslessSV1}, JPEGLosslessSV1)],
)
def test_what_orthanc_keeps_of_an_image_set_is_the_same_image(
    orthanc, send, add, home, series, tmp_path, settings, syntax
):
    (image_set,) = add(*series)
    with orthanc(**settings) as pacs:
        send(pacs, *series)
        kept = saved(pacs.instances(), tmp_path / "kept")
    assert syntaxes(kept) == {syntax}
    verdicts = [each.verdict for each in home.images.verify(image_set.image_id, kept)]
    assert verdicts == ["reencoded"] * len(series)
    dataset = pydicom.dcmread(kept[0])
    if syntax == JPEGLosslessSV1:
        dataset.decompress(generate_instance_uid=False)
    dataset.PixelData = b"\1\0" + dataset.PixelData[2:]
    dataset.save_as(kept[0], enforce_file_format=True)
    (changed,) = home.images.verify(image_set.image_id, kept[:1])
    assert changed.verdict == "changed"


@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "SC_rgb_jpeg_dcmtk.dcm"])
def test_what_orthanc_decompressed_of_a_lossy_file_is_the_same_image(
    orthanc, send, add, home, sample, tmp_path, name
):
    path = sample(name)
    (image_set,) = add(path, allow_burned_in=True)
    with orthanc(IngestTranscoding=ExplicitVRLittleEndian) as pacs:
        send(pacs, path)
        kept = saved(pacs.instances(), tmp_path / "kept")
    assert syntaxes(kept) == {ExplicitVRLittleEndian}
    (found,) = home.images.verify(image_set.image_id, kept)
    assert (found.verdict, found.reason[:12]) == ("reencoded", "decompressed")
    dataset = pydicom.dcmread(kept[0])
    half = len(dataset.PixelData) // 4 * 2
    dataset.PixelData = dataset.PixelData[half:] + dataset.PixelData[:half]
    dataset.save_as(kept[0], enforce_file_format=True)
    (found,) = home.images.verify(image_set.image_id, kept)
    assert found.verdict == "changed"


def test_what_orthanc_re_encoded_and_sent_is_anchored_and_the_modality_has_the_same_image(
    orthanc, send, add, home, series, ct, listening, patient_list, inbox
):
    patient = "0x00000000000000000000000000000000000000A1"
    patient_list.write_text(f"patient_id,patient\n{ct.PatientID},{patient}\n")
    with (
        orthanc(IngestTranscoding=JPEGLosslessSV1) as pacs,
        listening(allowed=(ORTHANC,)) as port,
    ):
        pacs.know(port)
        send(pacs, *series)
        answer = pacs.store()
        assert (answer.status_code, answer.json()["FailedInstancesCount"]) == (200, 0)
        received = inbox.files(patient, ct.StudyInstanceUID)
        assert syntaxes(received) == {JPEGLosslessSV1}
        patient_list.write_text("patient_id,patient\n")
        assert pacs.store().status_code != 200
    (image_set,) = add(*received)
    verdicts = {each.verdict for each in home.images.verify(image_set.image_id, series)}
    assert verdicts == {"reencoded"}


def test_orthanc_finds_and_retrieves_what_the_chain_permits(
    orthanc, add, consents, granted, serving, station, series, ct, sample, reader, who
):
    add(*series)
    with orthanc() as pacs, serving(station(ORTHANC, pacs.dicom)) as port:
        pacs.know(port)
        query, (found,) = pacs.query(StudyInstanceUID="", PatientID="", PatientName="")
        assert found["StudyInstanceUID"] == ct.StudyInstanceUID
        assert found["PatientName"] == str(ct.PatientName)
        assert pacs.retrieve(query).status_code == 200
        instances = [pydicom.dcmread(io.BytesIO(each)) for each in pacs.instances()]
        uids = {pydicom.dcmread(path).SOPInstanceUID for path in series}
        assert {each.SOPInstanceUID for each in instances} == uids
        add(sample("MR_small.dcm"))
        query, found = pacs.query(StudyInstanceUID="")
        assert len(found) == 2
        consents.revoke(reader.address).send(who.patient)
        assert pacs.query(StudyInstanceUID="")[1] == []
        assert pacs.retrieve(query).status_code != 200
        assert len(pacs.instances()) == len(series)


def test_orthanc_that_is_not_in_the_list(orthanc, add, granted, serving, station, series):
    add(*series)
    with orthanc() as pacs, serving(station("OTHER", pacs.dicom)) as port:
        pacs.know(port)
        with pytest.raises(Exception, match="500"):
            pacs.query(StudyInstanceUID="")

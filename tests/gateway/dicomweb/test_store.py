"""Instances by STOW-RS: of whom the custodian allows, held on the disk, and then anchored."""

from __future__ import annotations

import queue
import threading

import httpx
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from dicomweb_client.session_utils import create_session
from fastapi.testclient import TestClient

from radledger.dicom.synthetic import make_ct_series
from radledger.gateway import Gateway, create_application
from radledger.gateway.dicomweb import store as stow
from radledger.gateway.errors import GATEWAY
from radledger.httpapi.server import serving
from radledger.pacs.inbox import Inbox, inbox_folder
from radledger.pacs.patients import PatientList
from radledger.pacs.storing import InboxStore
from tests.gateway.conftest import URL, Http, refused
from tests.gateway.dicomweb.conftest import SAMPLES

TYPE = 'multipart/related; type="application/dicom"; boundary=b'
STORED, FAILED, OTHERS = "00081199", "00081198", "0008119A"
UID, REASON = "00081155", "00081197"


@pytest.fixture
def study(tmp_path):
    return make_ct_series(tmp_path / "study", 2, size=32)


@pytest.fixture
def closed():
    """What became of studies that were closed."""
    return queue.Queue()


@pytest.fixture
def store(home, study, tmp_path, who, closed):
    """The inbox of the custodian's home, for the radiologist."""
    patients = tmp_path / "patients.csv"
    name = pydicom.dcmread(study[0]).PatientID
    patients.write_text(f"patient_id,patient\n{name},{who.patient.address}\n")

    def add(addition):
        (added,) = home.images.add_all(
            [addition], custodian=who.hospital, keep_identity=True, workers=1
        )
        return added

    return InboxStore(
        home.home,
        home.ledger.deployment,
        PatientList(patients, str),
        [who.radiologist.address],
        add,
        quiet=0,
        closed=closed.put,
    )


@pytest.fixture
def stowing(home, store, who):
    """A gateway that takes instances."""
    gateway = Gateway(home, who.hospital, URL, store=store)
    yield gateway
    gateway.close()


@pytest.fixture
def http(stowing):
    application = create_application(stowing)
    return Http(TestClient(application, URL, raise_server_exceptions=False))


@pytest.fixture
def send(http, who):
    """Send parts as the radiologist."""
    session = http.sign_in(who.radiologist)

    def sent(*contents, path="/studies", headers=session, media_type=TYPE, **others):
        head = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
        body = b"".join(head + each + b"\r\n" for each in contents) + b"--b--"
        headers = {"Content-Type": media_type, **headers, **others}
        return http.client.post(f"/dicom-web{path}", content=body, headers=headers)

    return sent


@pytest.fixture
def held(home):
    """The files that the inbox holds."""

    def files():
        inbox = Inbox(inbox_folder(home.home, home.ledger.deployment))
        found = [
            path.read_bytes()
            for each in inbox.studies()
            for path in inbox.files(each.patient, each.study)
        ]
        inbox.close()
        return found

    return files


def uids(answer, sequence):
    return [item[UID]["Value"][0] for item in answer.get(sequence, {"Value": []})["Value"]]


def test_instances_are_held_when_they_are_acknowledged(send, study, held, home):
    contents = [file.read_bytes() for file in study]
    response = send(*contents)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/dicom+json"
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    instances = [pydicom.dcmread(file) for file in study]
    assert uids(answer, STORED) == [each.SOPInstanceUID for each in instances]
    assert answer[STORED]["Value"][0]["00081150"]["Value"] == [instances[0].SOPClassUID]
    assert FAILED not in answer
    assert sorted(held()) == sorted(contents)
    folder = inbox_folder(home.home, home.ledger.deployment)
    assert list((folder / "storing").iterdir()) == []
    assert send(contents[0]).status_code == 200  # again: it is held already
    assert sorted(held()) == sorted(contents)


def test_each_instance_that_is_refused_has_its_reason(send, study, held):
    first = study[0].read_bytes()
    changed = first[:-1] + bytes([first[-1] ^ 1])
    other = (SAMPLES / "MR_small.dcm").read_bytes()
    response = send(first, changed, other, first[:-100], b"text", b"")
    assert response.status_code == 202
    answer = response.json()
    uid = pydicom.dcmread(study[0]).SOPInstanceUID
    assert uids(answer, STORED) == [uid]
    assert uids(answer, FAILED) == [uid, pydicom.dcmread(SAMPLES / "MR_small.dcm").SOPInstanceUID]
    # Another one with its UID is held; the Patient ID is not in the list.
    assert [each[REASON] for each in answer[FAILED]["Value"]] == [
        {"vr": "US", "Value": [0x0111]},
        {"vr": "US", "Value": [0x0124]},
    ]
    assert [each[REASON]["Value"] for each in answer[OTHERS]["Value"]] == [[0xC000]] * 3
    assert held() == [first]


def test_when_none_is_taken_the_status_says_so(send, held, study):
    response = send((SAMPLES / "MR_small.dcm").read_bytes())
    assert (response.status_code, STORED in response.json()) == (409, False)
    of_other = send(study[0].read_bytes(), path="/studies/1.2.3")
    assert of_other.status_code == 409
    assert of_other.json()[FAILED]["Value"][0][REASON]["Value"] == [0xA900]
    assert held() == []
    uid = pydicom.dcmread(study[0]).StudyInstanceUID
    assert send(study[0].read_bytes(), path=f"/studies/{uid}").status_code == 200


def test_who_is_not_allowed_adds_nothing(http, send, study, held, who):
    content = study[0].read_bytes()
    values = refused(send(content, headers=http.sign_in(who.clinician)), 403, "StoringNotAllowed")
    assert values == {"account": who.clinician.address}
    refused(send(content, headers={}), 401, "SignInRequired")
    refused(send(content, headers={"Authorization": "Bearer x"}), 401, "SignInRequired")
    assert held() == []


def test_a_gateway_without_an_inbox_takes_nothing(home, study, who):
    gateway = Gateway(home, who.hospital, URL)
    http = Http(TestClient(create_application(gateway), URL))
    headers = http.sign_in(who.radiologist) | {"Content-Type": TYPE}
    response = http.client.post("/dicom-web/studies", content=b"--b--", headers=headers)
    refused(response, 403, "StoringNotAllowed")
    gateway.close()


def test_bodies_that_are_not_of_instances_are_refused(send, http, study, held, monkeypatch):
    content = study[0].read_bytes()
    for media_type in ("application/dicom", "multipart/form-data; boundary=b", "", "é"):
        values = refused(
            send(content, media_type=media_type.encode()), 415, "MediaTypeNotSupported"
        )
        assert set(values) == {"media_type"}
    json = 'multipart/related; type="application/dicom+json"; boundary=b'
    refused(send(content, media_type=json), 415, "MediaTypeNotSupported")
    for media_type in ("multipart/related", 'multipart/related; boundary=""', TYPE + "x" * 90):
        refused(send(content, media_type=media_type), 400, "BodyMalformed")
    refused(send(content, media_type=TYPE + "x"), 400, "BodyMalformed")
    refused(send(), 400, "BodyMalformed")
    refused(send(content, accept="text/html"), 406, "NotAcceptable")
    monkeypatch.setattr(stow, "_storing", threading.BoundedSemaphore(1))
    stow._storing.acquire()
    assert refused(send(content), 503, "GatewayBusy") == {"most": 4}
    assert held() == []


def test_a_body_that_is_too_large_is_refused(http, stowing, study, held, who, monkeypatch):
    monkeypatch.setattr(stow, "LARGEST_BODY", 4096)
    small = Http(TestClient(create_application(stowing), URL, raise_server_exceptions=False))
    body = b"--b\r\n\r\n" + study[0].read_bytes() * 10 + b"\r\n--b--"
    headers = http.sign_in(who.radiologist) | {"Content-Type": TYPE}
    refused(small.client.post("/dicom-web/studies", content=body, headers=headers), 413)
    assert held() == []


def test_a_full_disk_is_an_instances_own_failure(send, study, held, store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "receiving", full)
    response = send(study[0].read_bytes())
    assert response.status_code == 409
    assert response.json()[OTHERS]["Value"] == [{REASON: {"vr": "US", "Value": [0xA700]}}]
    assert held() == []


def test_the_study_becomes_an_image_set_of_the_patient(home, store, study, who, closed, held):
    """By a client of others, over a socket."""

    def create(address):
        return create_application(Gateway(home, who.hospital, address, store=store))

    with serving(GATEWAY, create) as address:
        http = Http(httpx.Client(base_url=address))
        session = create_session()
        session.headers.update(http.sign_in(who.radiologist))
        client = DICOMwebClient(f"{address}/dicom-web", session=session)
        answer = client.store_instances([pydicom.dcmread(file) for file in study])
        assert len(answer.ReferencedSOPSequence) == 2
        http.client.close()
        (image_set,) = closed.get(timeout=240).image_sets
    record = home.images.show(image_set.image_id)
    assert record.image_set.patient == who.patient.address
    assert record.instances == 2
    assert held() == []

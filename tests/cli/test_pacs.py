"""``radledger pacs``: what a modality sends becomes image sets of the hospital."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from queue import Queue

import pydicom
import pytest

from radledger.dicom.synthetic import make_ct_series
from radledger.pacs.commitment import PUSH_INSTANCE, PUSH_MODEL
from radledger.pacs.inbox import Held, Inbox, inbox_folder
from tests.cli.conftest import running
from tests.dcmtk import program


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """A study that was not added before."""
    return sorted(make_ct_series(tmp_path_factory.mktemp("sent"), 3, size=32, seed=7))


@pytest.fixture
def patients(tmp_path, sent):
    file = tmp_path / "patients.csv"
    file.write_text(f"patient_id,patient\n{pydicom.dcmread(sent[0]).PatientID},patient\n")
    return file


@pytest.fixture
def receiving(home, patients):
    """Run ``radledger pacs receive``; gives what it says and its process."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")

    def receiving(*options):
        receive = ("receive", "--patients", patients, "--allow", "STORESCU")
        return running("pacs", *receive, "--home", home, "--as", "hospital", *options)

    return receiving


def store(started, files):
    """Have dcmtk send files."""
    where = ["-aec", started["title"], started["host"], str(started["port"])]
    subprocess.run([program("storescu"), *where, *map(str, files)], check=True, timeout=60)


def test_study_that_was_sent_is_anchored_after_a_quiet_time(
    receiving, sent, ok, cli, addresses, tmp_path
):
    with receiving("--quiet", "1s", "--keep-identity") as (started, process):
        assert started["custodian"] == addresses["hospital"]
        store(started, sent)
        closed = json.loads(process.stdout.readline())
        assert (closed["patient"], closed["left_out"]) == (addresses["patient"], [])
        assert closed["study"] == pydicom.dcmread(sent[0]).StudyInstanceUID
        (image_set,) = closed["image_sets"]
        assert image_set["instances"] == len(sent)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=240) == 0
        assert process.stderr.read() == ""
    own = ("--as", "hospital")
    shown = ok("image", "show", image_set["image_id"])
    assert (shown["custodian"], shown["patient"]) == (addresses["hospital"], addresses["patient"])
    fetched = ok("image", "fetch", image_set["image_id"], "--to", tmp_path / "fetched", *own)
    uids = {pydicom.dcmread(each["path"]).SOPInstanceUID for each in fetched["files"]}
    assert uids == {pydicom.dcmread(path).SOPInstanceUID for path in sent}
    assert cli("pacs", "list").objects == []


def test_modality_learns_that_its_study_is_kept(receiving, sent, modality, cli):
    from pynetdicom import AE

    uids = [pydicom.dcmread(path).SOPInstanceUID for path in sent]
    peer, told = modality
    options = ("--keep-identity", "--quiet", "1d", "--commit-to", peer, "--allow", "MODALITY")
    with receiving(*options) as (started, process):
        store(started, sent)
        entity = AE("MODALITY")
        entity.add_requested_context(PUSH_MODEL)
        request = pydicom.Dataset()
        request.TransactionUID = "1.9"
        request.ReferencedSOPSequence = [reference(each) for each in (*uids, "1.2.3")]
        association = entity.associate(started["host"], started["port"], ae_title=started["title"])
        status, _ = association.send_n_action(request, 1, PUSH_MODEL, PUSH_INSTANCE)
        association.release()
        assert status.Status == 0x0000
        closed = json.loads(process.stdout.readline())
        assert closed["image_sets"][0]["instances"] == len(sent)
        kind, event = told.get(timeout=240)
    assert (kind, event.TransactionUID) == (2, "1.9")
    assert [each.ReferencedSOPInstanceUID for each in event.ReferencedSOPSequence] == uids
    failed = [
        (each.ReferencedSOPInstanceUID, each.FailureReason) for each in event.FailedSOPSequence
    ]
    assert failed == [("1.2.3", 0x0112)]


def reference(sop_instance):
    reference = pydicom.Dataset()
    reference.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    reference.ReferencedSOPInstanceUID = sop_instance
    return reference


@pytest.fixture
def modality():
    """A modality that waits for answers: as a peer, and its answers."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from pynetdicom import AE, evt

    told = Queue()

    def report(event):
        told.put((event.event_type, event.event_information))
        return 0x0000, None

    entity = AE("MODALITY")
    entity.add_supported_context(PUSH_MODEL, scu_role=False, scp_role=True)
    handlers = [(evt.EVT_N_EVENT_REPORT, report)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    yield f"MODALITY@127.0.0.1:{server.server_address[1]}", told
    server.shutdown()


def test_what_was_acknowledged_outlives_a_crash_and_is_closed_on_request(
    receiving, sent, ok, addresses
):
    with receiving() as (started, process):
        store(started, sent)
        process.kill()
        process.wait()
    listed = ok("pacs", "list")
    study = pydicom.dcmread(sent[0]).StudyInstanceUID
    assert (listed["patient"], listed["study"]) == (addresses["patient"], study)
    assert (listed["instances"], listed["left_out"]) == (len(sent), [])
    with receiving() as (_, process):
        assert ok("pacs", "close", study) == {"study": study, "closed": True}
        closed = json.loads(process.stdout.readline())
    assert [each["instances"] for each in closed["image_sets"]] == [len(sent)]


def test_two_receivers_in_one_home(receiving, cli, patients):
    with receiving():
        receive = ("pacs", "receive", "--patients", patients, "--allow", "A", "--port", "0")
        cli(*receive, "--as", "hospital").refused("HomeBusy")


def test_what_is_left_out_is_listed_and_discarded(home, ok, cli, plain_cli, addresses):
    folder = inbox_folder(home, deployment_of(home))
    inbox = Inbox(folder)
    for number in (1, 2):
        file = folder / "file"
        file.write_bytes(b"content")
        inbox.hold(file, Held(addresses["patient"], "1.2", f"1.2.{number}", 1_700_000_000.5))
    inbox.leave_out(dict.fromkeys(inbox.files(addresses["patient"], "1.2"), "burned in"))
    inbox.close()
    assert ok("pacs", "list") == {
        "patient": addresses["patient"],
        "study": "1.2",
        "instances": 2,
        "size": 14,
        "left_out": [{"files": 2, "reason": "burned in"}],
        "received_at": 1_700_000_000,
    }
    assert "2023-11-14 22:13:20 UTC" in plain_cli("pacs", "list").out
    assert cli("pacs", "close", "1.3").refused("StudyNotHeld") == {"study": "1.3"}
    assert ok("pacs", "discard", "1.2") == {"study": "1.2", "discarded": 2}
    assert cli("pacs", "list").objects == []
    assert cli("pacs", "discard", "1.2").refused("StudyNotHeld") == {"study": "1.2"}


def test_what_cannot_be_received_is_refused_before_anything_listens(home, cli, patients, tmp_path):
    receive = ("pacs", "receive", "--port", "0", "--patients")
    allowed = (*receive, patients, "--allow", "A")
    assert cli(*receive, patients, "--as", "hospital").code == 2
    cli(*allowed).refused("AccountNotNamed", 2)
    cli(*allowed, "--as", "radiologist").refused("ParticipantLacksRole")
    refused = cli(*receive, patients, "--allow", "A\\B", "--as", "hospital")
    assert refused.refused("InvalidTitle", 2) == {"title": "A\\B"}
    cli(*allowed, "--certificate", patients, "--as", "hospital").refused("TlsIncomplete", 2)
    tls = ("--certificate", patients, "--key", patients)
    cli(*allowed, *tls, "--as", "hospital").refused("InvalidTls", 2)
    peer = ("--commit-to", "PACS@127.0.0.1:104")
    cli(*allowed, *peer, "--as", "hospital").refused("CommitmentImpossible", 2)
    peer = ("--commit-to", "nonsense", "--keep-identity")
    cli(*allowed, *peer, "--as", "hospital").refused("InvalidPeer", 2)
    unknown = tmp_path / "unknown.csv"
    unknown.write_text("patient_id,patient\n1,not-an-account\n")
    refused = cli(*receive, unknown, "--allow", "A", "--as", "hospital")
    assert refused.refused("InvalidPatientList", 2) == {"file": str(unknown), "line": 2}


def test_address_that_is_taken(home, cli, patients):
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        receive = ("pacs", "receive", "--patients", patients, "--allow", "A", "--port", port)
        refused = cli(*receive, "--as", "hospital").refused("PacsNotListening")
        assert refused == {"host": "127.0.0.1", "port": port}


def test_without_the_package_that_speaks_the_protocol(home, cli, patients, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    for module in ("receiver", "bounds"):
        monkeypatch.delitem(sys.modules, f"radledger.pacs.{module}", raising=False)
    receive = ("pacs", "receive", "--patients", patients, "--allow", "A", "--port", "0")
    refused = cli(*receive, "--as", "hospital")
    assert refused.refused("PacsNotInstalled", 2) == {"missing": "pynetdicom"}
    assert "radledger[pacs]" in refused.object["message"]


def deployment_of(home):
    from radledger.cli.session import Session

    return Session(home=home).recorded_deployment()


@pytest.fixture
def pacs(receiving, image, ok, patients, tmp_path):
    """A peer that takes the image set, which is this project's own receiver."""
    fetched = ok("image", "fetch", image, "--to", tmp_path / "first", "--as", "hospital")
    patient_id = pydicom.dcmread(fetched["files"][0]["path"]).PatientID
    patients.write_text(f"patient_id,patient\n{patient_id},patient\n")
    with receiving("--allow", "READER") as (started, _):
        yield f"{started['title']}@{started['host']}:{started['port']}"


def test_reader_sends_an_image_set_as_the_chain_permits(
    pacs, image, ok, cli, signed, home, addresses
):
    send = ("pacs", "send", image, "--to", pacs, "--title", "READER", "--as", "radiologist")
    cli(*send).refused("PurposeNotNamed", 2)
    cli(*send, "--purpose", "CC").refused("ConsentNotPermittedNeverGranted")
    assert cli("pacs", "list").objects == []
    signed("consent", "grant", "radiologist", "--purpose", "CC")
    sent = ok(*send, "--purpose", "CC")
    assert sent.pop("block_age") >= 0
    assert sent == {"image_id": image, "peer": pacs, "instances": 2}
    assert ok("pacs", "list")["instances"] == 2
    assert not list((home / "pacs").glob("*/sending"))
    log = cli("access-log", image).objects
    readers = [each["reader"] for each in log if each["event"] == "released"]
    assert readers == [addresses["hospital"], addresses["radiologist"]]


def test_peer_that_does_not_take_the_image_set(pacs, image, cli, patients, home):
    send = ("pacs", "send", image, "--to", pacs, "--as", "hospital")
    assert cli(*send).refused("PeerRefused") == {"peer": pacs, "title": "RADLEDGER"}
    patients.write_text("patient_id,patient\n")
    values = cli(*send, "--title", "READER").refused("InstancesNotSent")
    assert (values["image"], values["peer"], values["sent"]) == (image, pacs, 0)
    assert [sorted(each) for each in values["not_sent"]] == [["file", "reason"]] * 2
    assert not list((home / "pacs").glob("*/sending"))


def test_where_an_image_set_cannot_be_sent(image, cli, patients):
    send = ("pacs", "send", image, "--as", "hospital", "--to")
    assert cli(*send, "nonsense").refused("InvalidPeer", 2) == {"peer": "nonsense"}
    peer = "PACS@127.0.0.1:104"
    cli(*send, peer, "--title", "A\\B").refused("InvalidTitle", 2)
    cli(*send, peer, "--peers", patients).refused("InvalidTls", 2)
    for incomplete in (("--certificate", patients), ("--key", patients)):
        cli(*send, peer, *incomplete).refused("TlsIncomplete", 2)
    cli(*send, peer, "--key", patients, "--certificate", patients).refused("TlsIncomplete", 2)


def test_sending_without_the_package_that_speaks_the_protocol(image, cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    for module in ("sender", "streaming"):
        monkeypatch.delitem(sys.modules, f"radledger.pacs.{module}", raising=False)
    refused = cli("pacs", "send", image, "--to", "PACS@127.0.0.1:104", "--as", "hospital")
    assert refused.refused("PacsNotInstalled", 2) == {"missing": "pynetdicom"}


@pytest.fixture
def workstations(tmp_path):
    file = tmp_path / "workstations.csv"
    file.write_text("title,host,port,account,purpose\nREADING,127.0.0.1,104,radiologist,CC\n")
    return file


def test_workstation_finds_and_retrieves_as_the_chain_permits(
    home, workstations, image, signed, cli, addresses, tmp_path
):
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "-k", "PatientID")
    serve = ("serve", "--workstations", workstations)
    with running("pacs", *serve, "--home", home, "--as", "hospital") as (started, process):
        assert started["custodian"] == addresses["hospital"]
        where = ["-aet", "READING", "-aec", started["title"], started["host"], str(started["port"])]

        def asked(name, *options):
            done = subprocess.run(
                [program(name), "-v", "-S", *options, *where],
                capture_output=True,
                text=True,
                timeout=60,
            )
            return done.stdout + done.stderr

        assert "(Pending)" not in asked("findscu", *keys)
        signed("consent", "grant", "radiologist", "--purpose", "CC")
        while "(Pending)" not in (found := asked("findscu", *keys)):
            pass  # a look at the chain's head counts for a quarter of a second
        assert found.count("(Pending)") == 1
        (uid,) = (line.split("[")[1].split("]")[0] for line in found.splitlines() if "UI [" in line)
        study = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}")
        folder = tmp_path / "retrieved"
        folder.mkdir()
        said = asked("getscu", "+B", "-od", str(folder), *study)
        assert len(list(folder.iterdir())) == 2, said
        cli(*("pacs", *serve, "--port", "0", "--as", "hospital")).refused("HomeBusy")
        signed("consent", "revoke", "radiologist")
        while "(Pending)" in asked("findscu", *keys):
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=240) == 0
        assert process.stderr.read() == ""
    readers = [each["reader"] for each in cli("access-log", image).objects if "reader" in each]
    assert addresses["radiologist"] in readers


def test_what_cannot_be_served_is_refused(home, cli, workstations, tmp_path, monkeypatch):
    serve = ("pacs", "serve", "--port", "0", "--workstations")
    cli(*serve, workstations).refused("AccountNotNamed", 2)
    unknown = tmp_path / "unknown.csv"
    unknown.write_text("title,host,port,account,purpose\nA,127.0.0.1,104,nobody-here,CC\n")
    refused = cli(*serve, unknown, "--as", "hospital").refused("InvalidWorkstationList", 2)
    assert refused == {"file": str(unknown), "line": 2}
    cli(*serve, workstations, "--title", "A\\B", "--as", "hospital").refused("InvalidTitle", 2)
    cli(*serve, workstations, "--key", workstations, "--as", "hospital").refused("TlsIncomplete", 2)
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    for module in ("server", "listening", "bounds", "retrieving"):
        monkeypatch.delitem(sys.modules, f"radledger.pacs.{module}", raising=False)
    refused = cli(*serve, workstations, "--as", "hospital").refused("PacsNotInstalled", 2)
    assert refused == {"missing": "pynetdicom"}

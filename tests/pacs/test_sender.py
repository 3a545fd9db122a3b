"""Files are sent as they are, and what a peer does not take is said."""

from __future__ import annotations

import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from radledger.pacs.errors import InvalidPeer, InvalidTitle, PeerRefused, PeerUnreachable
from radledger.pacs.peer import Peer
from tests.dcmtk import program
from tests.pacs.conftest import PATIENT, TITLE

CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"
LEFT_OUT = "the peer does not accept its storage class in its transfer syntax"


@pytest.fixture
def send():
    """Send files to a port of this machine."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from radledger.pacs.sender import send_files

    def send(port, *files, title="STORESCU", called=TITLE, tls=None):
        return send_files(files, Peer(called, "127.0.0.1", port), title, tls)

    return send


@pytest.fixture
def storescp(tmp_path, association):
    """dcmtk's own receiver; gives its port and the folder in which it stores."""
    receiver = program("storescp")

    @contextmanager
    def storescp(*options):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        folder = tmp_path / "stored"
        folder.mkdir()
        command = [receiver, *options, "-od", str(folder), str(port)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        try:
            while True:  # until it listens
                assert process.poll() is None, process.stderr.read()
                with association(port, (VERIFICATION,)) as found:
                    if found.is_established:
                        break
            yield port, folder
        finally:
            process.kill()
            process.communicate()

    return storescp


@pytest.fixture
def peer():
    """A peer that answers as a test says."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from pynetdicom import AE, evt

    @contextmanager
    def peer(answer):
        entity = AE(TITLE)
        entity.add_supported_context(CT, ExplicitVRLittleEndian)
        handlers = [(evt.EVT_C_STORE, answer)]
        server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()

    return peer


def data_set(path):
    """The bytes of a file after its file meta information."""
    length = pydicom.dcmread(path).file_meta.FileMetaInformationGroupLength
    return path.read_bytes()[144 + length :]


def test_dcmtk_receives_what_was_in_the_files(storescp, send, study):
    files = [*study, SAMPLES / "MR_small_RLE.dcm", SAMPLES / "JPEG2000.dcm"]
    with storescp("+xa", "+B") as (port, folder):
        assert send(port, *files) == []
        stored = {data_set(path) for path in folder.iterdir()}
    assert stored == {data_set(path) for path in files}


def test_what_dcmtk_does_not_accept(storescp, send, study):
    with storescp() as (port, folder):
        (left_out,) = send(port, SAMPLES / "MR_small_RLE.dcm", *study)
        assert len(list(folder.iterdir())) == len(study)
        (alone,) = send(port, SAMPLES / "MR_small_RLE.dcm")
    assert (left_out.file, left_out.reason) == ("MR_small_RLE.dcm", LEFT_OUT)
    assert alone == left_out


def test_the_receiver_takes_it(listening, send, study, header, inbox):
    with listening() as port:
        assert send(port, *study) == []
    held = {data_set(path) for path in inbox.files(PATIENT, header.StudyInstanceUID)}
    assert held == {data_set(path) for path in study}


def test_files_that_have_no_meta_information(listening, send, study):
    plain = [SAMPLES / "no_meta.dcm", SAMPLES / "meta_missing_tsyntax.dcm"]
    with listening() as port:
        not_sent = send(port, *plain, *study)
    assert [each.file for each in not_sent] == [path.name for path in plain]
    assert all("file meta information" in each.reason for each in not_sent)


@pytest.mark.parametrize(
    ("status", "taken"), [(0x0000, True), (0xB000, True), (0xA700, False), (0x0124, False)]
)
def test_statuses_of_a_peer(peer, send, study, status, taken):
    with peer(lambda event: status) as port:
        not_sent = send(port, *study)
    assert len(not_sent) == (0 if taken else len(study))
    assert {each.reason for each in not_sent} <= {f"the peer refused it with status {status:04X}"}


def test_comment_of_a_peer_is_shown_on_one_line(peer, send, study):
    from pydicom.dataset import Dataset

    def full(event):
        answer = Dataset()
        answer.Status, answer.ErrorComment = 0xA700, "no\x1b[31mspace"
        return answer

    with peer(full) as port:
        (not_sent,) = send(port, study[0])
    assert not_sent.reason.startswith("the peer refused it with status A700: no")
    assert "\x1b" not in not_sent.reason


def test_peer_that_ends_the_association(peer, send, study):
    def abort(event):
        event.assoc.abort()
        return 0x0000

    with peer(abort) as port, pytest.raises(PeerUnreachable, match="send all again"):
        send(port, *study)


def test_peer_that_rejects_the_title(listening, send, study):
    with listening() as port, pytest.raises(PeerRefused) as refused:
        send(port, *study, title="STRANGER")
    assert refused.value.values == {"peer": f"{TITLE}@127.0.0.1:{port}", "title": "STRANGER"}


def test_where_no_peer_is(send, study):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(PeerUnreachable) as refused:
        send(port, *study)
    assert refused.value.values == {"peer": f"{TITLE}@127.0.0.1:{port}"}


def test_host_that_is_not_known(study):
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from radledger.pacs.sender import send_files

    with pytest.raises(PeerUnreachable):
        send_files(study, Peer(TITLE, "pacs.invalid", 104), "STORESCU")


def test_peers_by_name_and_by_address(listening, study):
    from radledger.pacs.sender import send_files

    with listening() as port:
        assert send_files(study, Peer(TITLE, "localhost", port), "STORESCU") == []


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("PACS@host:104", Peer("PACS", "host", 104)),
        ("CT 1@10.0.0.1:11112", Peer("CT 1", "10.0.0.1", 11112)),
        ("PACS@[::1]:104", Peer("PACS", "::1", 104)),
    ],
)
def test_peers(text, peer):
    assert Peer.parse(text) == peer
    assert str(peer) == text


@pytest.mark.parametrize(
    "text", ["", "PACS", "host:104", "PACS@host", "PACS@host:0", "PACS@host:65536", "A@::1:104"]
)
def test_peers_that_are_none(text):
    with pytest.raises(InvalidPeer) as refused:
        Peer.parse(text)
    assert refused.value.values == {"peer": text}


def test_peer_with_a_title_that_is_none():
    with pytest.raises(InvalidTitle):
        Peer.parse("A\\B@host:104")

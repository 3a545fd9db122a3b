"""Connections that are slow, too large, malformed or unencrypted take nothing from others."""

from __future__ import annotations

import os
import socket
import struct
import threading
from contextlib import contextmanager, suppress
from io import BytesIO

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from tests.pacs.conftest import TITLE

CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
REQUEST, DATA, ABORT = 1, 4, 7


@contextmanager
def connection(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        yield connection


def closed(connection):
    """Wait until the receiver has closed a connection; gives what it sent before."""
    received = b""
    while True:
        try:
            piece = connection.recv(4096)
        except ConnectionResetError:
            return received
        if not piece:
            return received
        received += piece


def pdu(kind, content=b"", length=None):
    """A protocol data unit (PS3.8 section 9.3)."""
    return struct.pack(">BBI", kind, 0, len(content) if length is None else length) + content


def item(kind, content):
    return struct.pack(">BBH", kind, 0, len(content)) + content


def request(called=TITLE, calling="PYNETDICOM", contexts=((1, CT),)):
    """An A-ASSOCIATE-RQ."""
    titles = called.ljust(16).encode() + calling.ljust(16).encode()
    content = b"\0\1\0\0" + titles + bytes(32) + item(0x10, b"1.2.840.10008.3.1.1.1")
    for number, syntax in contexts:
        transfer = item(0x40, str(ExplicitVRLittleEndian).encode())
        content += item(0x20, bytes([number, 0, 0, 0]) + item(0x30, syntax.encode()) + transfer)
    user = item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3.4")
    return pdu(REQUEST, content + item(0x50, user))


def fragment(content, control):
    """A P-DATA-TF with one fragment of the first presentation context."""
    return pdu(DATA, struct.pack(">IBB", len(content) + 2, 1, control) + content)


def command(sop_instance="1.2.3"):
    """The command of a C-STORE with a data set."""
    from pynetdicom.dimse_messages import C_STORE_RQ
    from pynetdicom.dimse_primitives import C_STORE
    from pynetdicom.dsutils import encode

    primitive = C_STORE()
    primitive.MessageID, primitive.Priority = 1, 2
    primitive.AffectedSOPClassUID, primitive.AffectedSOPInstanceUID = CT, sop_instance
    primitive.DataSet = BytesIO(b"\0")
    message = C_STORE_RQ()
    message.primitive_to_message(primitive)
    return encode(message.command_set, True, True)


@contextmanager
def associated(port):
    with connection(port) as found:
        found.sendall(request())
        kind, _, length = struct.unpack(">BBI", exactly(found, 6))
        assert kind == 2
        exactly(found, length)
        yield found


def is_closed_while(connection, piece):
    """Send 10,000 pieces; whether the receiver has closed the connection before."""
    with suppress(OSError):
        for _ in range(10_000):
            connection.sendall(piece)
        return False
    return True


def exactly(connection, size):
    received = b""
    while len(received) < size:
        received += connection.recv(size - len(received))
    return received


@pytest.fixture(autouse=True)
def no_thread_fails(monkeypatch):
    """No thread of pynetdicom ends with an error."""
    failed = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    yield
    assert [str(each.exc_value) for each in failed] == []


@pytest.fixture
def still_serves(association):
    """That a receiver still answers others."""

    def check(port):
        with association(port, (VERIFICATION,)) as found:
            assert found.is_established
            assert found.send_c_echo().Status == 0x0000

    return check


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\1", id="a part of a header"),
        pytest.param(pdu(REQUEST, b"\0\1", length=1000), id="a part of a request"),
        pytest.param(pdu(DATA, b"\0", length=1000), id="a part of data"),
    ],
)
def test_connection_that_waits_is_closed(listening, still_serves, sent):
    with listening(pdu_seconds=0.2, idle_seconds=0.5) as port, connection(port) as slow:
        slow.sendall(sent)
        closed(slow)
        still_serves(port)


def test_association_that_is_silent_is_ended(listening, still_serves):
    with listening(idle_seconds=0.2) as port, associated(port) as silent:
        assert closed(silent)[:1] == bytes([ABORT])
        still_serves(port)


@pytest.mark.parametrize("length", [(1 << 20) + 1, (1 << 32) - 1])
def test_pdu_that_announces_too_much_is_not_read(listening, still_serves, length):
    with listening() as port:
        for kind in (REQUEST, DATA):
            with connection(port) as large:
                large.sendall(pdu(kind, length=length))
                closed(large)
        still_serves(port)


def test_instance_that_is_too_large_is_not_written(listening, still_serves, inbox, under_way):
    with listening(message_bytes=100_000) as port, associated(port) as large:
        large.sendall(fragment(command(), 3))
        assert is_closed_while(large, fragment(bytes(10_000), 0))
        assert sum(path.stat().st_size for path in under_way.iterdir()) < 300_000
        still_serves(port)
    assert inbox.studies() == []


def test_command_that_does_not_end_is_not_held_in_memory(listening, still_serves):
    with listening(memory_bytes=100_000) as port, associated(port) as large:
        assert is_closed_while(large, fragment(bytes(10_000), 1))
        still_serves(port)


def test_instance_that_takes_too_long_is_ended(listening, still_serves, inbox):
    with listening(message_seconds=0) as port, associated(port) as slow:
        slow.sendall(fragment(command(), 3))
        slow.sendall(fragment(bytes(10), 0))
        slow.sendall(fragment(bytes(10), 0))
        closed(slow)
        still_serves(port)
    assert inbox.studies() == []


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", id="HTTP"),
        pytest.param(b"\x16\x03\1\0\5hello", id="TLS"),
        pytest.param(pdu(REQUEST, b""), id="an empty request"),
        pytest.param(pdu(REQUEST, bytes(100)), id="a request of zeros"),
        pytest.param(request()[:-4] + b"\xff" * 4, id="a request with a wrong item"),
        pytest.param(fragment(b"", 3), id="data before a request"),
        pytest.param(pdu(DATA, b"\0\0\0\0"), id="a fragment without a context"),
        pytest.param(pdu(9, b"abc"), id="an unknown PDU"),
    ],
)
def test_what_is_not_the_protocol_ends_its_connection(listening, still_serves, sent):
    with listening(pdu_seconds=0.2, idle_seconds=0.5) as port:
        with connection(port) as hostile:
            hostile.sendall(sent)
            closed(hostile)
        still_serves(port)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(request(), id="a second request"),
        pytest.param(pdu(DATA, struct.pack(">I", 1000) + b"\1\3"), id="a fragment that is longer"),
        pytest.param(pdu(DATA, struct.pack(">IB", 1, 1)), id="a fragment without a header"),
        pytest.param(fragment(b"\xff" * 40, 3), id="a command of nonsense"),
        pytest.param(fragment(b"abc", 2), id="a data set without a command"),
        pytest.param(pdu(DATA, struct.pack(">IBB", 2, 99, 3)), id="an unknown context"),
    ],
)
def test_nonsense_within_an_association(listening, still_serves, sent, inbox):
    with listening(idle_seconds=20) as port:
        with associated(port) as hostile:
            hostile.sendall(sent)
            assert closed(hostile)[:1] == bytes([ABORT])
        still_serves(port)
    assert inbox.studies() == []


def test_path_in_an_instance_uid_names_no_file(listening, study, inbox, under_way, tmp_path):
    content = study[0].read_bytes()
    start = 144 + pydicom.dcmread(study[0]).file_meta.FileMetaInformationGroupLength
    before = {path for path in tmp_path.rglob("*") if "inbox" not in path.parts}
    with listening(idle_seconds=0.5) as port, associated(port) as hostile:
        hostile.sendall(fragment(command("../../1.2.3"), 3))
        hostile.sendall(fragment(content[start:], 2))
        closed(hostile)
    assert {path for path in tmp_path.rglob("*") if "inbox" not in path.parts} == before
    assert inbox.studies() == []


def test_more_connections_than_there_is_room_for(listening, association):
    with listening(associations=1) as port:
        waiting = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(20)]
        try:
            assert closed(waiting[-1]) == b""
        finally:
            for each in waiting:
                each.close()
        while True:  # those that ended make room
            with association(port, (VERIFICATION,)) as found:
                if found.is_established:
                    break


def test_what_a_connection_that_broke_has_left_is_removed(
    inbox, under_way, patient_list, monkeypatch
):
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from radledger.pacs.receiver import Receiver
    from radledger.pacs.settings import Settings

    receiver = Receiver(inbox, under_way, patient_list, Settings(TITLE, ["A"]))
    for name, age in (("old", 3700), ("new", 10)):
        file = under_way / name
        file.write_bytes(b"part")
        written = file.stat().st_mtime - age
        os.utime(file, (written, written))
    receiver.remove_abandoned()
    assert [path.name for path in under_way.iterdir()] == ["new"]


def test_nothing_of_a_data_set_is_logged(listening, association, study, caplog):
    caplog.set_level(0)
    dataset = pydicom.dcmread(study[0])
    with listening() as port, association(port, (CT, ExplicitVRLittleEndian)) as found:
        assert found.send_c_store(dataset).Status == 0x0000
        dataset.PatientID = "SECRET"
        assert found.send_c_store(dataset).Status == 0x0124
    assert "SECRET" not in caplog.text
    assert str(dataset.PatientName) not in caplog.text
    assert dataset.StudyInstanceUID not in caplog.text

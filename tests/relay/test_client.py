"""What answers in a relayer's place: its answers need not end, nor be a relayer's."""

from __future__ import annotations

import gzip
import itertools

import pytest

from radledger.relay import client
from radledger.relay.client import RelayClient
from radledger.relay.errors import RelayUnreachable
from tests.chain.answering import AnsweringNode

DOCUMENT = {"kind": "grant"}


@pytest.fixture
def server():
    server = AnsweringNode()
    yield server
    server.shutdown()
    server.server_close()


def refused(server):
    """What the client says of the server."""
    with pytest.raises(RelayUnreachable) as error:
        RelayClient(server.endpoint).submit(DOCUMENT)
    assert error.value.values["relay"] == server.endpoint
    return error.value.message


@pytest.mark.parametrize("headers", [{}, {"Content-Length": str(1 << 50)}], ids=["", "length"])
@pytest.mark.parametrize("status", [200, 301, 422, 500])
def test_an_answer_without_end_is_not_read_to_its_end(server, status, headers):
    pieces = itertools.repeat(b" " * 65_536)
    server.answer = lambda asked: (status, {"Location": "/", **headers}, pieces)
    assert "answers with more than 1,048,576 bytes, as no relayer does" in refused(server)
    assert server.sent < 32 << 20  # what the system holds of a connection comes to that


def test_an_answer_that_trickles_is_not_waited_for(server, monkeypatch):
    server.answer = lambda asked: (200, {}, itertools.repeat(b" "))
    monkeypatch.setattr(client, "_now", itertools.count(step=20).__next__)
    assert "sends its answer for more than 30 s" in refused(server)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"null", b"[]", b"{}", b"[" * 100_000, gzip.compress(bytes(1 << 24))],
    ids=["nothing", "no text", "null", "a list", "an object", "deep", "compressed"],
)
def test_what_no_relayer_answers(server, body):
    server.always(200, body, Content_Encoding="gzip" if body[:2] == b"\x1f\x8b" else "identity")
    assert "no relayer answers at" in refused(server)

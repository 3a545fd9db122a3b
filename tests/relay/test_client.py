"""What answers in a relayer's place: its answers need not end, nor be a relayer's."""

from __future__ import annotations

import gzip
import itertools
import json

import pytest

from radledger.relay.client import RelayClient
from radledger.relay.errors import QueueFull, RelayUnreachable
from tests.chain.answering import AnsweringNode
from tests.trickling import PARTS, trickling

__all__ = ["trickling"]

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


@pytest.mark.parametrize("part", PARTS)
def test_an_answer_that_trickles_is_not_waited_for(trickling, part):
    trickling.part = part
    with pytest.raises(RelayUnreachable, match="sends its answer for more than 60 s"):
        RelayClient(f"http://127.0.0.1:{trickling.port}").submit(DOCUMENT)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"null", b"[]", b"{}", b"[" * 100_000, gzip.compress(bytes(1 << 24))],
    ids=["nothing", "no text", "null", "a list", "an object", "deep", "compressed"],
)
def test_what_no_relayer_answers(server, body):
    server.always(200, body, Content_Encoding="gzip" if body[:2] == b"\x1f\x8b" else "identity")
    assert "no relayer answers at" in refused(server)


@pytest.mark.parametrize(
    "problem",
    [{}, {"message": "Not Found"}, {"detail": None}, {"detail": ["?"], "error": "QueueFull"}],
    ids=["nothing", "of another kind", "no sentence", "a list"],
)
def test_an_error_that_is_not_a_relayers(server, problem):
    server.always(404, json.dumps(problem).encode())
    assert "no relayer answers at" in refused(server)


def test_an_error_that_is_a_relayers(server):
    problem = {"detail": "two wait; try again soon", "error": "QueueFull", "values": {"waiting": 2}}
    server.always(503, json.dumps(problem).encode())
    with pytest.raises(QueueFull, match="two wait; try again soon") as error:
        RelayClient(server.endpoint).submit(DOCUMENT)
    assert error.value.values == {"waiting": 2}

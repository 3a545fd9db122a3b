"""Connections that do not say what they want, or not to the end, are dropped."""

from __future__ import annotations

import socket
from http.client import HTTPResponse
from urllib.parse import urlsplit

import httpx
import pytest

from radledger.httpapi import arrival
from radledger.relay.server import serving
from radledger.relay.service import Relayer
from radledger.relay.tickets import Limits

HEADERS = b"POST /documents HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\n"


@pytest.fixture
def relayer(ledger, journaled, people, tmp_path):
    return Relayer(journaled(ledger), people["hospital"], tmp_path, Limits(10**9, 10**9, 10))


@pytest.fixture
def address(relayer):
    with serving(relayer) as url:
        yield urlsplit(url).hostname, urlsplit(url).port


def status(connection):
    """Read one answer to its end; its status."""
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def closed(connection):
    """What arrives until the other side ends the connection."""
    received = b""
    try:
        while part := connection.recv(4096):
            received += part
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"P",
        HEADERS,
        HEADERS + b"Content-Length: 60000\r\n\r\n{",
        HEADERS + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
    ids=["nothing", "one byte", "half the headers", "half the body", "a first chunk"],
)
def test_a_request_that_does_not_arrive(address, monkeypatch, sent):
    monkeypatch.setattr(arrival, "SECONDS", 0.05)
    with socket.create_connection(address, timeout=120) as connection:
        connection.sendall(sent)
        assert closed(connection) == b""


def test_a_second_request_that_does_not_arrive(address, monkeypatch):
    with socket.create_connection(address, timeout=120) as connection:
        connection.sendall(b"GET /nowhere HTTP/1.1\r\nHost: relay\r\n\r\n")
        assert status(connection) == 404
        monkeypatch.setattr(arrival, "SECONDS", 0.05)
        connection.sendall(HEADERS)
        assert closed(connection) == b""


def test_requests_that_arrive_in_pieces_are_answered(address):
    body = b'{"kind": "radledger.consent"}'
    with socket.create_connection(address, timeout=120) as connection:
        for piece in (HEADERS, b"Content-Length: %d\r\n\r\n" % len(body), body[:5], body[5:]):
            connection.sendall(piece)
        assert status(connection) == 422
        # Two at once, of which the second is incomplete until the first is answered.
        get = b"GET /nowhere HTTP/1.1\r\nHost: relay\r\n\r\n"
        connection.sendall(get + get[:9])
        assert status(connection) == 404
        connection.sendall(get[9:])
        assert status(connection) == 404


def test_connections_beyond_the_limit_are_refused(address, monkeypatch):
    monkeypatch.setattr(arrival, "SECONDS", 600.0)
    held = [socket.create_connection(address, timeout=120) for _ in range(512)]
    try:
        answer = httpx.get(f"http://{address[0]}:{address[1]}/health", timeout=120)
        assert answer.status_code == 503
    finally:
        for connection in held:
            connection.close()

"""Requests that take too long to arrive, and answers that are not read, end their connections."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from radledger.gateway.errors import GATEWAY
from radledger.httpapi import arrival
from radledger.httpapi.arrival import RATE, SECONDS, TimedProtocol
from radledger.httpapi.server import serving


class Loop:
    """Time, and what is to be called when, as a test sets it."""

    def __init__(self):
        self.now, self.later = 0.0, None

    def time(self):
        return self.now

    def call_later(self, seconds, call):
        self.later = self.now + seconds, call
        return SimpleNamespace(cancel=lambda: None)

    def run(self):
        self.now, call = self.later
        self.later = None
        call()


@pytest.fixture
def arriving():
    """A protocol for which a request has begun to arrive."""
    protocol = TimedProtocol.__new__(TimedProtocol)
    aborted = []
    protocol.loop, protocol.flow = Loop(), SimpleNamespace(read_paused=False)
    protocol.transport = SimpleNamespace(abort=lambda: aborted.append(protocol.loop.now))
    protocol._begin()
    return SimpleNamespace(protocol=protocol, loop=protocol.loop, aborted=aborted)


def test_a_request_that_brings_nothing_is_dropped(arriving):
    arriving.loop.run()
    assert arriving.aborted == [SECONDS]


def test_a_large_request_may_take_as_long_as_its_size_allows(arriving):
    arriving.protocol._received = 5 * RATE
    arriving.loop.run()
    assert arriving.aborted == []
    arriving.loop.run()
    assert arriving.aborted == [SECONDS + 5]


def test_a_request_that_is_not_read_here_is_waited_for(arriving):
    arriving.protocol.flow.read_paused = True
    for _ in range(3):
        arriving.loop.run()
    assert arriving.aborted == []
    arriving.protocol.flow.read_paused = False
    arriving.loop.run()
    assert arriving.aborted == [4 * SECONDS]


def test_an_answer_that_is_not_read_ends(monkeypatch):
    monkeypatch.setattr(arrival, "UNREAD_SECONDS", 0.05)
    ended = threading.Event()

    async def endless():
        try:
            while True:
                await asyncio.sleep(0)  # as files and frames are made in other threads
                yield b"\0" * 65_536
        finally:
            ended.set()

    def create(address):
        application = FastAPI()
        application.get("/")(lambda: StreamingResponse(endless()))
        return application

    with (
        serving(GATEWAY, create) as url,
        socket.create_connection(
            (urlsplit(url).hostname, urlsplit(url).port), timeout=240
        ) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ended.wait(timeout=240)

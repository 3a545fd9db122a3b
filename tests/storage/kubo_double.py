"""A double of a Kubo daemon, which answers as a test says."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from radledger.storage import MemoryStore, Storage
from radledger.storage.kubo import KuboStore

__all__ = [
    "CID",
    "CONTENT",
    "Answer",
    "FakeDaemon",
    "Handler",
    "all_uses",
    "daemon",
    "impatient",
    "sending",
    "store",
]

CONTENT = b"pixels" * 100_000
CID = MemoryStore().put(io.BytesIO(CONTENT)).cid

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeDaemon

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while (length := int(self.rfile.readline(), 16)) or self.rfile.readline() != b"\r\n":
                self.rfile.read(length + 2)
        self.close_connection = True
        self.server.answer(self)

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        length = {} if "Transfer_Encoding" in headers else {"Content_Length": str(len(body))}
        for name, value in {**length, "Connection": "close", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def line(self, value: object) -> None:
        """One line of a chunked answer, which None ends."""
        data = b"" if value is None else json.dumps(value).encode() + b"\n"
        with contextlib.suppress(OSError):  # the client may have disconnected
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

    def stall(self) -> None:
        """Say nothing more until the test is over."""
        self.server.over.wait()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name upstream)
        pass


class FakeDaemon(ThreadingHTTPServer):
    """An HTTP server on a port of the system's choice that answers as the test says."""

    answer: Answer

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.over = threading.Event()

    @property
    def address(self) -> str:
        return f"/ip4/127.0.0.1/tcp/{self.server_port}"


@pytest.fixture
def daemon() -> Iterator[FakeDaemon]:
    server = FakeDaemon()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def store(daemon: FakeDaemon) -> Iterator[KuboStore]:
    kubo = KuboStore(daemon.address, timeout=240)
    yield kubo
    kubo.close()


@pytest.fixture
def impatient(daemon: FakeDaemon) -> Iterator[KuboStore]:
    """A store for a daemon that keeps silent."""
    kubo = KuboStore(daemon.address, timeout=0.1)
    yield kubo
    kubo.close()


def all_uses(store: Storage) -> list[Callable[[], object]]:
    return [
        lambda: store.put(io.BytesIO(CONTENT)),
        lambda: store.get(CID),
        lambda: store.pin(CID),
        lambda: store.unpin(CID),
        lambda: store.stat(CID),
        store.collect,
    ]


def sending(body: bytes, **headers: str) -> Answer:
    """Has the content, and sends this for it."""

    def answer(request: Handler) -> None:
        if "/cat?" in request.path:
            request.send(body, **headers)
        else:
            request.send(b"{}", Content_Type="application/json")

    return answer

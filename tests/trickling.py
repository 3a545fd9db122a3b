"""A server that sends its answer byte by byte, and the clock that its client looks at."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator

import pytest

from radledger.transport import deadline

__all__ = ["PARTS", "Trickling", "trickling"]

_OK = b"HTTP/1.1 200 OK\r\n"
_JSON = b"Content-Type: application/json\r\n"
_CHUNKED = _OK + _JSON + b"Transfer-Encoding: chunked\r\n\r\n"
_EMPTY = _OK + _JSON + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
_SPACES = 500

# What comes at once, what comes slowly, again and again, and what would come then.
PARTS = {
    "status line": (b"HTTP/1.1 200 ", b"O", b"K\r\nContent-Length: 2\r\n\r\n{}"),
    "header": (_OK + _JSON + b"X-Header: ", b"x", b"\r\nContent-Length: 2\r\n\r\n{}"),
    "headers": (_OK + _JSON, b"X: y\r\n", b"Content-Length: 2\r\n\r\n{}"),
    "interim answers": (
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        _OK + b"Content-Length: 2\r\n\r\n{}",
    ),
    "body": (_OK + _JSON + b"Content-Length: %d\r\n\r\n" % (_SPACES + 2), b" ", b"{}"),
    "chunk": (_CHUNKED + b"2;", b"x", b"\r\n{}\r\n0\r\n\r\n"),
    "chunks": (_CHUNKED, b"1\r\n \r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    "trailers": (_CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n", b"\r\n"),
}


class Trickling(socketserver.ThreadingTCPServer):
    """A server on a port of the system's choice.

    Attributes
    ----------
    part
        Which of `PARTS` comes slowly.
    at
        Of answers to requests in whose address this stands; others are an empty object, at once.
    """

    daemon_threads = True
    part: str
    at = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.looks = threading.Semaphore(0)
        self._now = 0.0

    @property
    def port(self) -> int:
        """The port."""
        return int(self.server_address[1])

    def clock(self) -> float:
        """A clock on which 20 seconds pass between two looks."""
        self._now += 20
        self.looks.release()
        return self._now


class _Handler(socketserver.StreamRequestHandler):
    server: Trickling
    disable_nagle_algorithm = True

    def handle(self) -> None:
        address = self._request()
        first, slow, last = PARTS[self.server.part]
        if self.server.at not in address:
            self.wfile.write(_EMPTY)
            return
        with contextlib.suppress(OSError):  # the client has disconnected
            self.wfile.write(first)
            for _ in range(_SPACES):
                # Once the client has looked at the clock, it is about to wait for this.
                self.server.looks.acquire(timeout=0.02)
                self.wfile.write(slow)
            self.wfile.write(last)

    def _request(self) -> str:
        """The address that is asked for, once all of the request has come."""
        address = self.rfile.readline().decode()
        length, chunked = 0, False
        while (line := self.rfile.readline().lower()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name == b"content-length" else length
            chunked = chunked or name == b"transfer-encoding"
        self.rfile.read(length)
        while chunked and self.rfile.readline() not in (b"0\r\n", b""):
            pass
        return address


@pytest.fixture
def trickling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trickling]:
    """Such a server, whose clock is that of all deadlines."""
    server = Trickling()
    monkeypatch.setattr(deadline, "_now", server.clock)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()

"""Sessions of requests whose answers are held to a deadline."""

from __future__ import annotations

import io
from functools import partial
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from radledger.transport.deadline import received, remaining

if TYPE_CHECKING:
    from socket import socket

    import requests

__all__ = ["hold_to_deadlines"]


def hold_to_deadlines(session: requests.Session) -> None:
    """Make a session check the deadline before each read, of headers as well as of bodies."""
    for adapter in set(session.adapters.values()):
        connect = adapter.get_connection_with_tls_context  # type: ignore[attr-defined]
        adapter.get_connection_with_tls_context = partial(  # type: ignore[attr-defined]
            _held_to_deadlines, connect
        )


def _held_to_deadlines(connect: Any, *arguments: Any, **named: Any) -> Any:
    """A pool of connections, be they direct or by way of a proxy."""
    pool = connect(*arguments, **named)
    kind = pool.ConnectionCls
    if kind.response_class is not _Response:
        pool.ConnectionCls = type(kind.__name__, (kind,), {"response_class": _Response})
    return pool


class _Response(HTTPResponse):
    """Reads its status line, headers and body from a `_Reader`."""

    def __init__(self, sock: socket, *arguments: Any, **named: Any) -> None:
        super().__init__(_Readable(sock), *arguments, **named)  # type: ignore[arg-type]


class _Readable:
    """As much of a socket as a response needs."""

    def __init__(self, sock: socket) -> None:
        self._sock = sock

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock))


class _Reader(io.RawIOBase):
    """What comes out of a socket, for as long as the deadline allows."""

    def __init__(self, sock: socket) -> None:
        self._sock = sock
        self._timeout = sock.gettimeout()
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(remaining(self._timeout))
        size: int | None = self._raw.readinto(buffer)
        received(size or 0)
        return size

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()

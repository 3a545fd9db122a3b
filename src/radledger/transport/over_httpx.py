"""Clients of httpx whose answers are held to a deadline."""

from __future__ import annotations

import ssl
from typing import Any

import httpcore
import httpx

from radledger.transport.deadline import received, remaining, sent

__all__ = ["hold_to_deadlines"]


def hold_to_deadlines(client: httpx.Client) -> None:
    """Make a client check the deadline before each read, of headers as well as of bodies."""
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = _Backend()


class _Backend(httpcore.SyncBackend):
    """Opens connections, direct ones and those to a proxy."""

    def connect_tcp(self, *arguments: Any, **named: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*arguments, **named))


class _Stream(httpcore.NetworkStream):
    """What comes out of a connection, for as long as the deadline allows."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            timeout = remaining(timeout)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from None
        data = self._stream.read(max_bytes, timeout)
        received(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)
        sent()

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

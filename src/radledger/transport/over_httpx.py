"""Clients of httpx whose answers are held to a deadline."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import httpcore
import httpx

from radledger.transport.deadline import received, remaining, sent

__all__ = ["hold_to_deadlines"]


def hold_to_deadlines(
    client: httpx.Client, address_of: Callable[[str, int], str] | None = None
) -> None:
    """Make a client check the deadline before each read, of headers as well as of bodies.

    Parameters
    ----------
    client
        The client.
    address_of
        Gives the address to connect to for a host and port, or refuses with `OSError`; default:
        the system's.
    """
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = _Backend(address_of)


class _Backend(httpcore.SyncBackend):
    """Opens connections, direct ones and those to a proxy."""

    def __init__(self, address_of: Callable[[str, int], str] | None = None) -> None:
        self._address_of = address_of

    def connect_tcp(
        self, host: str, port: int, *arguments: Any, **named: Any
    ) -> httpcore.NetworkStream:
        if self._address_of is not None:
            try:
                host = self._address_of(host, port)
            except OSError as error:
                raise httpcore.ConnectError(str(error)) from None
        return _Stream(super().connect_tcp(host, port, *arguments, **named))


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

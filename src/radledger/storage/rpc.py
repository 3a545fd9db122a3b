"""ipfshttpclient and httpx with answers of bounded length, held to the deadline around them.

ipfshttpclient reads each answer into memory as a whole, and a daemon that was taken over sends
without end, or byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import httpx
import ipfshttpclient
import requests
from ipfshttpclient.http import ClientSync
from urllib3.exceptions import HTTPError, ReadTimeoutError

from radledger.transport import over_requests

__all__ = ["LONGEST_ANSWER", "TIMEOUTS", "connect", "lines", "read", "url"]

LONGEST_ANSWER = 1 << 20
"""Bytes of an answer that is not a content; a hundred pins have 10 kB, a thousand peers 100 kB."""
_PIECE = 1 << 16

TIMEOUTS = (
    ipfshttpclient.exceptions.TimeoutError,
    requests.Timeout,  # ipfshttpclient lets it through
    httpx.TimeoutException,
)
"""What is raised where nothing comes in time."""


def connect(address: str, timeout: tuple[float, float]) -> ipfshttpclient.Client:
    """A client of a daemon's RPC API.

    Parameters
    ----------
    address
        Multiaddr of the API.
    timeout
        Seconds to connect, and to wait for each next piece of an answer.

    Raises
    ------
    ipfshttpclient.exceptions.AddressError, ValueError
        If `address` is not such a multiaddr.
    """
    client = ipfshttpclient.Client(address, timeout=timeout)
    client._client = _BoundedClient(address, ipfshttpclient.DEFAULT_BASE, timeout=timeout)
    return client


def url(address: str) -> str:
    """URL of a multiaddr over TCP; a ``ValueError`` for any other.

    Examples
    --------
    >>> url("/ip6/::1/tcp/5001")
    'http://[::1]:5001'
    """
    _, _, host, _, port, *scheme = address.rstrip("/").split("/")
    return f"{scheme[0] if scheme else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def read(response: httpx.Response) -> str:
    """The text of an answer that httpx streams; raises ``httpx.DecodingError`` for a long one."""
    body = b"".join(islice(response.iter_raw(_PIECE), LONGEST_ANSWER // _PIECE + 1))
    if len(body) > LONGEST_ANSWER:
        raise httpx.DecodingError(_too_long())
    return body.decode("utf-8", "replace")


def lines(response: httpx.Response) -> Iterator[str]:
    """The lines of an answer that httpx streams; raises ``httpx.DecodingError`` for a long one."""
    rest = b""
    for piece in response.iter_raw():  # as they come: who reads waits for each line
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
        if len(rest) > LONGEST_ANSWER:
            raise httpx.DecodingError(_too_long())
    if rest:
        yield rest.decode("utf-8", "replace")


class _BoundedClient(ClientSync):  # type: ignore[misc]
    """The requests of ipfshttpclient."""

    def _make_session(self) -> Any:
        session = super()._make_session()
        # Kubo redirects no request, and requests would read the whole body of a redirection.
        session.get_redirect_target = lambda response: None
        over_requests.hold_to_deadlines(session)
        return session

    def _do_raise_for_status(self, response: Any) -> None:
        # Called once for each answer, before its body is read.
        response.iter_content = partial(_limited, response.raw)
        super()._do_raise_for_status(response)


def _limited(raw: Any, **_: Any) -> Iterator[bytes]:
    """The pieces of an answer, of which urllib3 itself reads a chunk's length without bound."""
    size = 0
    try:
        while piece := raw.read1(_PIECE, decode_content=True):
            size += len(piece)
            if size > LONGEST_ANSWER:
                raise ipfshttpclient.exceptions.ProtocolError(ValueError(_too_long()))
            yield piece
    except ReadTimeoutError as error:
        raise requests.ReadTimeout(error) from error
    except HTTPError as error:
        raise requests.ConnectionError(error) from error


def _too_long() -> str:
    return f"its answer has more than {LONGEST_ANSWER} bytes"

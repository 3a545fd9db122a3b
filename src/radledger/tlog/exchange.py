"""One exchange over HTTP with a log's server or a witness, which ends and is not too long."""

from __future__ import annotations

from radledger.endpoints import is_loopback
from radledger.transport import Deadline, within

__all__ = ["Unanswered", "exchange"]

_SECONDS = 10.0  # for all of an answer; a further one for each MiB
_PACE = 1 << 20


class Unanswered(Exception):
    """No usable answer came; why."""


def exchange(url: str, most: int, content: bytes | None = None) -> tuple[int, bytes]:
    """The status and the body of an answer to GET, or to POST if there is content.

    Parameters
    ----------
    url
        The address.
    most
        Bytes that the body may have.
    content
        What is posted.

    Raises
    ------
    Unanswered
        If the server cannot be reached, or its answer takes too long or has more bytes.
    """
    import httpx

    from radledger.transport import over_httpx

    # Its size says how much is read, as that of a compressed answer does not.
    headers = {"Accept-Encoding": "identity"}
    method, body = "GET" if content is None else "POST", bytearray()
    try:
        with httpx.Client(
            headers=headers, timeout=_SECONDS, trust_env=not is_loopback(url)
        ) as client:
            over_httpx.hold_to_deadlines(client)
            with (
                within(Deadline(_SECONDS, pace=_PACE)),
                client.stream(method, url, content=content) as response,
            ):
                for piece in response.iter_raw():
                    body += piece
                    if len(body) > most:
                        raise Unanswered(f"it answers with more than {most:,} bytes")
                return response.status_code, bytes(body)
    # An ImportError is of a proxy that cannot be used.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:
        raise Unanswered(f"it cannot be reached: {type(error).__name__}") from None

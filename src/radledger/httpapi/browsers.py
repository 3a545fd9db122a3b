"""What a service says to browsers: which names and pages are answered, and what they may do.

A page of any site can have a browser send requests to any address, this machine's included.

References
----------
.. [1] Fetch, https://fetch.spec.whatwg.org/
.. [2] RFC 6454, The Web Origin Concept
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware

from radledger.httpapi.problems import problem
from radledger.texts import quoted

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["KnownHost", "KnownOrigins", "SafeHeaders", "origin_of"]

_PORTS = {"http": 80, "https": 443}
_PREFLIGHT_COUNTS = 600  # seconds
_SAFE = {
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def origin_of(url: str) -> str:
    """The origin of a URL, as browsers write it.

    Examples
    --------
    >>> origin_of("https://Gateway.example:443/path"), origin_of("http://127.0.0.1:8091")
    ('https://gateway.example', 'http://127.0.0.1:8091')
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    named = f"{parts.scheme}://[{host}]" if ":" in host else f"{parts.scheme}://{host}"
    return named if parts.port in (None, _PORTS.get(parts.scheme)) else f"{named}:{parts.port}"


class KnownHost:
    """Refuse requests for another host name: a page of that name may resolve to this address.

    Parameters
    ----------
    app
        What is asked.
    url
        The address of the service; ports are not compared, since a proxy may change them.
    """

    def __init__(self, app: ASGIApp, url: str) -> None:
        self._app = app
        host = urlsplit(url).hostname or ""
        self._host = f"[{host}]" if ":" in host else host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            named = Headers(scope=scope).get("host", "")
            if _without_port(named).lower() != self._host:
                detail = (
                    f"the request is for the host {quoted(named)}, and this is {self._host}; ask "
                    "for that name"
                )
                refusal = problem(400, detail, "HostUnknown", {"host": named[:255]})
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class KnownOrigins:
    """Refuse requests of pages elsewhere; some may read the answers below a path (CORS).

    Those send no cookies: they may use `GET` with the headers ``Accept`` and ``Authorization``.

    Parameters
    ----------
    app
        What is asked.
    own
        The origin of the service.
    others
        Origins whose pages may ask, below `below` alone.
    below
        The path, with a slash at its end.
    """

    def __init__(self, app: ASGIApp, own: str, others: Collection[str], below: str) -> None:
        self._app, self._own, self._below = app, own, below
        self._others = frozenset(others)
        self._shared = CORSMiddleware(
            app,
            allow_origins=sorted(self._others),
            allow_methods=("GET",),
            allow_headers=("Accept", "Authorization"),
            max_age=_PREFLIGHT_COUNTS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http":
            # No browser lets a page set this header.
            origin = Headers(scope=scope).get("origin")
            if origin in self._others and scope["path"].startswith(self._below):
                app = self._shared
            elif origin not in (None, self._own):
                detail = (
                    f"pages of {quoted(origin)} may not ask for this; the service's operator says "
                    "which may"
                )
                app = problem(403, detail, "OriginNotAllowed", {"origin": origin[:255]})
        await app(scope, receive, send)


class SafeHeaders:
    """Add to each answer what keeps pages from framing it, sniffing it or naming it elsewhere.

    A header that an answer has already is left as it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SAFE.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and (port.isascii() and port.isdigit()) else host

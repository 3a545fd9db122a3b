"""HTTP/1.1 for uvicorn in which a request has to arrive within a time.

uvicorn ends connections that are idle between two requests, but waits without limit for the first
one and for the rest of one that has begun: a thousand connections that say nothing would use up
the descriptors of the process.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["SECONDS", "TimedProtocol"]

SECONDS = 10.0
"""From the connection, or the first byte of a later request, to the last byte of the request."""


class TimedProtocol(H11Protocol):
    """Drops a connection whose request does not arrive within :data:`SECONDS`."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait with the connection."""
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request; the wait ends with the last one."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Continue with a request of which a part arrived together with the one before."""
        super().on_response_complete()
        self._look()

    def _look(self) -> None:
        state: Any = self.conn.their_state
        begun = state is h11.IDLE and bool(self.conn.trailing_data[0])
        if begun or state is h11.SEND_BODY:
            self._begin()
        else:
            self._end()

    def _begin(self) -> None:
        if self._limit is None:
            self._limit = self.loop.call_later(SECONDS, self.transport.abort)

    def _end(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

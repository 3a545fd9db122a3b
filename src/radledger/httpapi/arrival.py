"""HTTP/1.1 for uvicorn in which requests have to arrive, and answers to be taken, within a time.

uvicorn ends connections that are idle between two requests, but waits without limit for the first
one, for the rest of one that has begun, and for a client that does not read its answer: a thousand
connections that say nothing would use up the descriptors of the process.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["RATE", "SECONDS", "UNREAD_SECONDS", "TimedProtocol"]

SECONDS = 10.0
"""From the connection, or the first byte of a later request, to the last byte of the request."""
RATE = 64 * 1024
"""A request may take a second more for so many bytes of it."""
UNREAD_SECONDS = 30.0
"""For a client to take what waits for it, some ten thousand bytes."""


class TimedProtocol(H11Protocol):
    """Drops a connection whose request does not arrive, or whose answer is not taken, in time."""

    _limit: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _begun = _received = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the waits with the connection."""
        self._end()
        self._taken()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request; the wait ends with the last one."""
        self._received += len(data)
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Continue with a request of which a part arrived together with the one before."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """Begin to wait for the client to read."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on, as the client has read."""
        self._taken()
        super().resume_writing()

    def _look(self) -> None:
        state: Any = self.conn.their_state
        begun = state is h11.IDLE and bool(self.conn.trailing_data[0])
        if begun or state is h11.SEND_BODY:
            self._begin()
        else:
            self._end()

    def _begin(self) -> None:
        if self._limit is None:
            self._begun, self._received = self.loop.time(), 0.0
            self._limit = self.loop.call_later(SECONDS, self._late)

    def _late(self) -> None:
        """Drop the connection, unless its request comes fast enough, or is not read here."""
        left = self._begun + SECONDS + self._received / RATE - self.loop.time()
        if self.flow.read_paused:
            left = max(left, SECONDS)
        if left > 0:
            self._limit = self.loop.call_later(left, self._late)
        else:
            self.transport.abort()

    def _end(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _taken(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

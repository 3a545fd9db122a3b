"""A deadline for all of an answer.

The time-outs of HTTP libraries are for one read: a server that sends a byte now and then, of the
status line, a header or a chunk's length, meets none of them.  The sessions and clients of this
package look at the deadline of the block that they are used in before each read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Deadline", "received", "remaining", "sent", "within"]

_now = time.monotonic


class Deadline:
    """When an answer has to be there.

    Parameters
    ----------
    seconds
        How long it may take from now on, or since the last piece of the request was sent by httpx.
    pace
        Bytes that buy one second more, for contents of any size; by default none do.

    Attributes
    ----------
    seconds
        As given.
    """

    def __init__(self, seconds: float, *, pace: int | None = None) -> None:
        self.seconds = seconds
        self._pace = pace
        self.restart()

    @property
    def left(self) -> float:
        """Seconds that are left; negative once it has passed."""
        return self._end - _now()

    @property
    def passed(self) -> bool:
        """Whether nothing is left."""
        return self.left <= 0

    def restart(self) -> None:
        """Begin again, as there was progress."""
        self._end = _now() + self.seconds

    def extend(self, size: int) -> None:
        """Allow for so many bytes that came."""
        if self._pace is not None:
            self._end += size / self._pace


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def within(deadline: Deadline) -> Iterator[Deadline]:
    """Hold all reads of this block to a deadline."""
    token = _current.set(deadline)
    try:
        yield deadline
    finally:
        _current.reset(token)


def remaining(timeout: float | None) -> float | None:
    """How long the next read may take, of which the library's time-out is given.

    Raises
    ------
    TimeoutError
        If the deadline has passed.
    """
    deadline = _current.get()
    if deadline is None:
        return timeout
    left = deadline.left
    if left <= 0:
        raise TimeoutError("the answer comes too slowly")
    return left if timeout is None else min(timeout, left)


def received(size: int) -> None:
    """Note that so many bytes came."""
    if deadline := _current.get():
        deadline.extend(size)


def sent() -> None:
    """Note that a piece of a request was sent: an upload may take any time."""
    if deadline := _current.get():
        deadline.restart()

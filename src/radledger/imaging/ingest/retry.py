"""Wait for a server that became unavailable; fail at once if it never answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from radledger.chain.errors import ConnectionFailed
from radledger.imaging.errors import JournalUnavailable
from radledger.storage.errors import StorageUnavailable

__all__ = ["AWAY", "Retry"]

AWAY: tuple[type[Exception], ...] = (StorageUnavailable, JournalUnavailable, ConnectionFailed)
"""A store, journal or chain that may be back in a minute."""

_LOG = logging.getLogger(__name__)
_SECONDS = 300.0
_FIRST, _LONGEST = 0.5, 15.0

T = TypeVar("T")


class Retry:
    """Retries for five minutes since the last success; without any success, none."""

    def __init__(self) -> None:
        self._until = 0.0
        self._pause = _FIRST

    def succeeded(self) -> None:
        """Record a success."""
        self._until = time.monotonic() + _SECONDS
        self._pause = _FIRST

    def wait(self, error: Exception) -> None:
        """Sleep, longer each time.

        Raises
        ------
        Exception
            The error, if nothing ever succeeded, or not for too long.
        """
        if time.monotonic() > self._until:
            raise error
        if self._pause == _FIRST:
            _LOG.warning("%s; waiting for it, five minutes at most", error)
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, _LONGEST)

    def insist(self, work: Callable[[], T]) -> T:
        """Repeat an operation until it succeeds."""
        while True:
            try:
                result = work()
            except AWAY as error:
                self.wait(error)
            else:
                self.succeeded()
                return result

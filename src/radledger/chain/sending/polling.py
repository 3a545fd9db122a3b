"""How often to look whether something has happened."""

from __future__ import annotations

import time
from collections.abc import Iterator

__all__ = ["polls"]


def polls(seconds: float, *, first: float, slowest: float) -> Iterator[float]:
    """Seconds to sleep before each next look, until the time is over.

    Parameters
    ----------
    seconds
        How long to look at most.
    first, slowest
        The first delay, and the longest; each is half as long again as the one before.
    """
    deadline = time.monotonic() + seconds
    delay = first
    while time.monotonic() < deadline:
        yield delay
        delay = min(delay * 1.5, slowest)

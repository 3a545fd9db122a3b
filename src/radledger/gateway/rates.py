"""How often an account, or the holder of a token, may ask."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from radledger.gateway.errors import RateExceeded

__all__ = ["Rate"]


class Rate:
    """So often a second in the long run, and a burst at once, for each of any number.

    The generic cell rate algorithm: of each there is the time up to which its requests are due.
    Who has not asked for a while takes no memory.

    Parameters
    ----------
    per_second, burst
        The rate, and how many requests may come at once.
    clock
        Seconds.

    Examples
    --------
    >>> rate = Rate(1, burst=2, clock=lambda: 0.0)
    >>> rate.require("reader"), rate.require("reader")
    (None, None)
    >>> rate.require("reader")
    Traceback (most recent call last):
    radledger.gateway.errors.RateExceeded: more than 1 requests a second; wait a second
    """

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._due: OrderedDict[str, float] = OrderedDict()  # who asked last is last
        self._lock = threading.Lock()

    def require(self, who: str, requests: int = 1) -> None:
        """Refuse requests that come too often; those that are refused do not count.

        Raises
        ------
        RateExceeded
            If they do.
        """
        with self._lock:
            now = self._clock()
            due = max(self._due.get(who, now), now) + requests / self._per_second
            if due - now > self._burst / self._per_second:
                raise RateExceeded(
                    f"more than {self._per_second:g} requests a second; wait a second",
                    per_second=self._per_second,
                )
            self._due[who] = due
            self._due.move_to_end(who)
            while self._due and self._due[oldest := next(iter(self._due))] <= now:
                del self._due[oldest]

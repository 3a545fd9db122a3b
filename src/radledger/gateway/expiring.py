"""What is kept in memory for a time."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from radledger.gateway.errors import GatewayBusy

__all__ = ["Expiring"]

_MOST = 50_000
_Kept = TypeVar("_Kept")


class Expiring(Generic[_Kept]):
    """Things by a name, each until a time; all that is added lasts as long as the rest.

    Parameters
    ----------
    full
        What a refusal says where there are as many as there may be, such as "accounts have signed
        in".
    """

    def __init__(self, full: str) -> None:
        self._full = full
        self._entries: dict[str, tuple[_Kept, int]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, kept: _Kept, now: int, end: int) -> bool:
        """Add an entry; false if it is there already.

        Raises
        ------
        GatewayBusy
            If there is no room for it.
        """
        with self._lock:
            # The oldest are first.
            while (oldest := next(iter(self._entries), None)) is not None:
                if self._entries[oldest][1] > now:
                    break
                del self._entries[oldest]
            if name in self._entries:
                return False
            if len(self._entries) >= _MOST:
                raise GatewayBusy(f"{_MOST:,} {self._full}; try again in some minutes", most=_MOST)
            self._entries[name] = (kept, end)
            return True

    def get(self, name: str, now: int) -> _Kept | None:
        """What has that name and has not ended."""
        return _current(self._entries.get(name), now)

    def take(self, name: str, now: int) -> _Kept | None:
        """As `get`, once: another thread that asks at the same time has nothing."""
        with self._lock:
            return _current(self._entries.pop(name, None), now)


def _current(entry: tuple[_Kept, int] | None, now: int) -> _Kept | None:
    return entry[0] if entry is not None and now < entry[1] else None

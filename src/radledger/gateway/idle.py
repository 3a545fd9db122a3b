"""Closes image sets that no viewer has asked for in a while, so that their secrets leave memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from radledger.gateway.periodic import Periodic

__all__ = ["IdleCloser"]

_INTERVAL = 60.0  # seconds


class IdleCloser(Periodic):
    """Closes what is not used, each minute.

    Parameters
    ----------
    idle
        Gives the ids of image sets that are open and not used.
    forget
        Called with each.
    """

    def __init__(self, idle: Callable[[], Iterable[str]], forget: Callable[[str], None]) -> None:
        super().__init__("idle-closer", _INTERVAL)
        self._idle = idle
        self._forget = forget

    def look(self) -> None:
        """Close what is idle now."""
        for image_id in self._idle():
            self._forget(image_id)

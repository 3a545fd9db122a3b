"""Closes image sets that no viewer has asked for in a while, so that their secrets leave memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

__all__ = ["IdleCloser"]

_INTERVAL = 60.0  # seconds


class IdleCloser:
    """Looks each minute, in a thread of its own.

    Parameters
    ----------
    idle
        Gives the ids of image sets that are open and not used.
    forget
        Called with each.
    """

    def __init__(self, idle: Callable[[], Iterable[str]], forget: Callable[[str], None]) -> None:
        self._idle = idle
        self._forget = forget
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="idle-closer", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Close what is idle now."""
        for image_id in self._idle():
            self._forget(image_id)

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL):
            self.look()

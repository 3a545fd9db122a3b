"""What is done again and again while a gateway runs."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

__all__ = ["Periodic"]


class Periodic(ABC):
    """Looks for something again and again, in a thread of its own.

    Parameters
    ----------
    name
        Of the thread.
    interval
        Seconds before each look.
    """

    def __init__(self, name: str, interval: float) -> None:
        self._interval = interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def look(self) -> None:
        """Look once, and do what there is to do."""

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop, once a look under way has ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            self.look()

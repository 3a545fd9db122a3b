"""Looks for erasures in each block, so that the gateway forgets what was erased."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = ["ErasureWatcher"]

_INTERVAL = 0.5  # seconds; shorter than a block
_OVERLAP = 64
"""Blocks that are looked at again: a branch may be left, and its erasure come in another block."""
_log = logging.getLogger(__name__)


class ErasureWatcher:
    """Reports each erased image set, in a thread of its own, from the present block on.

    A set that was erased before is not opened any more.  While the chain cannot be reached nothing
    is shown either; what was missed is reported afterwards.

    Parameters
    ----------
    ledger
        The connected chain.
    forget
        Called with the id of each image set that was erased, perhaps several times.
    """

    def __init__(self, ledger: Ledger, forget: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._forget = forget
        self._seen: int | None = None
        self._failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="erasure-watcher", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop, once a look under way has ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Report what was erased since the last look, if there is a new block."""
        try:
            head = self._ledger.block_number()
            if head != self._seen:
                # The first look goes back as well: a set may have been opened before it.
                seen = head if self._seen is None else min(self._seen, head)
                self._report(max(0, seen - _OVERLAP), head)
                self._seen = head
        except Exception as error:  # whatever it is, the next look has what this one missed
            if not self._failing:
                _log.error("erasures cannot be looked for: %s", error)
            self._failing = True
        else:
            self._failing = False

    def _report(self, first: int, last: int) -> None:
        decoder = self._ledger.decoder("ImageRegistry")
        for _, logs in self._ledger.logs("ImageRegistry", ["ImageErased"], first, last):
            for log in logs:
                _, _, arguments = decoder.decode(log)
                self._forget(arguments["image"])

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL):
            self.look()

"""Looks for erasures in each block, so that the gateway forgets what was erased."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from radledger.gateway.periodic import Periodic

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = ["ErasureWatcher"]

_INTERVAL = 0.5  # seconds; shorter than a block
_OVERLAP = 64
"""Blocks that are looked at again: a branch may be left, and its erasure come in another block."""
_log = logging.getLogger(__name__)


class ErasureWatcher(Periodic):
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
        super().__init__("erasure-watcher", _INTERVAL)
        self._ledger = ledger
        self._forget = forget
        self._seen: int | None = None
        self._failing = False

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

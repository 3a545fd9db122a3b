"""Publishes the log of receipts while a gateway runs."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radledger.access.receipt_log import ReceiptLog

__all__ = ["LogPublisher"]

_INTERVAL, _LONGEST = 1.0, 60.0  # seconds between publications, and after several that failed
_log = logging.getLogger(__name__)


class LogPublisher:
    """Publishes a log each second, in a thread of its own, once a log has been begun.

    Where witnesses cannot be asked it tries again, less and less often; receipts wait meanwhile.

    Parameters
    ----------
    receipt_log
        The log of the gateway's home.
    """

    def __init__(self, receipt_log: ReceiptLog) -> None:
        self._receipt_log = receipt_log
        self._pause = _INTERVAL
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-publisher", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def close(self) -> None:
        """Stop, once a publication under way has ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def publish(self) -> float:
        """Publish what is new, if there is a log; seconds until the next time."""
        if not self._receipt_log.exists:
            return _INTERVAL
        try:
            self._receipt_log.publish()
        except Exception as error:  # whatever it is, receipts wait and the next try has them
            if self._pause == _INTERVAL:
                _log.error("the log of receipts is not published: %s", error)
            self._pause = min(2 * self._pause, _LONGEST)
        else:
            if self._pause != _INTERVAL:
                _log.warning("the log of receipts is published again")
            self._pause = _INTERVAL
        return self._pause

    def _run(self) -> None:
        while not self._stopping.wait(self.publish()):
            pass

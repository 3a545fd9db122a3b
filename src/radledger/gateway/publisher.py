"""Publishes the log of receipts while a gateway runs, and keeps it on the chain."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from radledger.access.anchoring import INTERVAL, LogAnchoring

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access.receipt_log import ReceiptLog
    from radledger.chain.ledger import Ledger

__all__ = ["LogAnchorer", "LogPublisher"]

_INTERVAL, _LONGEST = 1.0, 60.0  # seconds between publications, and after several that failed
_PATIENCE = 10.0
_log = logging.getLogger(__name__)


class _Repeated(ABC):
    """Does something again and again, in a thread of its own; after failures less and less often.

    Parameters
    ----------
    name
        Of the thread.
    interval, longest
        Seconds between two times, and after several that failed.
    done
        What it does, as a log of this process has it: "the log of receipts is …".
    """

    def __init__(self, name: str, interval: float, longest: float, done: str) -> None:
        self._interval, self._longest = interval, longest
        self._done = done
        self._pause = interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def _do(self) -> None:
        """Do it once."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop, once what is under way has ended; a transaction is not waited for long."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def once(self) -> float:
        """Do it once; seconds until the next time."""
        try:
            self._do()
        except Exception as error:  # whatever it is, receipts wait and the next try has them
            if self._pause == self._interval:
                _log.error("the log of receipts is not %s: %s", self._done, error)
            self._pause = min(2 * self._pause, self._longest)
        else:
            if self._pause != self._interval:
                _log.warning("the log of receipts is %s again", self._done)
            self._pause = self._interval
        return self._pause

    def _run(self) -> None:
        while not self._stopping.wait(self.once()):
            pass


class LogPublisher(_Repeated):
    """Publishes a log each second, once it has been begun.

    Where witnesses cannot be asked it tries again, less and less often; receipts wait meanwhile.

    Parameters
    ----------
    receipt_log
        The log of the gateway's home.
    anchorer
        What keeps it on the chain meanwhile.
    """

    def __init__(self, receipt_log: ReceiptLog, anchorer: LogAnchorer | None = None) -> None:
        super().__init__("log-publisher", _INTERVAL, _LONGEST, "published")
        self._receipt_log = receipt_log
        self._anchorer = anchorer

    def start(self) -> None:
        """Begin."""
        super().start()
        if self._anchorer is not None:
            self._anchorer.start()

    def close(self) -> None:
        """Stop, once what is under way has ended; a transaction is not waited for long."""
        super().close()
        if self._anchorer is not None:
            self._anchorer.close()

    def _do(self) -> None:
        if self._receipt_log.exists:
            self._receipt_log.publish()


class LogAnchorer(_Repeated):
    """Anchors a log on the chain every ten minutes, if it has grown.

    Parameters
    ----------
    ledger
        The connected chain.
    receipt_log
        The log of the gateway's home.
    institution
        Whose log it is.
    recorder
        Its recorder, which pays.
    """

    def __init__(
        self, ledger: Ledger, receipt_log: ReceiptLog, institution: str, recorder: LocalAccount
    ) -> None:
        super().__init__("log-anchorer", INTERVAL, INTERVAL, "anchored")
        self._receipt_log = receipt_log
        self._anchoring = LogAnchoring(ledger, receipt_log)
        self._institution = institution
        self._recorder = recorder

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        receipt_log: ReceiptLog,
        institution: str,
        recorder: LocalAccount | None,
    ) -> LogAnchorer | None:
        """The one of a recorder; none without a recorder."""
        return None if recorder is None else cls(ledger, receipt_log, institution, recorder)

    def _do(self) -> None:
        if self._receipt_log.exists and self._anchoring.is_behind(self._institution):
            self._anchoring.anchor(self._institution).send(self._recorder)

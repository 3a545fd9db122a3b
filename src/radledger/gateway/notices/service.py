"""Notices of a gateway: set by patients, made for each reading, and sent meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from radledger.gateway.errors import NoticesExceeded
from radledger.gateway.notices.delivery import NotDelivered
from radledger.gateway.notices.store import Channel, Notice, NoticeStore, Settings
from radledger.gateway.periodic import Periodic
from radledger.imaging.errors import ImageUnknown

if TYPE_CHECKING:
    from pathlib import Path

    from radledger.access.book import ReceiptBook
    from radledger.gateway.notices.delivery import Delivery
    from radledger.imaging.model import ImageRecord

__all__ = ["Notices"]

_INTERVAL = 1.0  # seconds between looks at the book
_BATCH = 1000
_MOST_AT_ONCE = 50
_PAUSES = (60, 300, 1800, 7200, 21_600)
"""Seconds until each further attempt; after the last a notice is dropped."""
_log = logging.getLogger(__name__)


class Notices(Periodic):
    """Follows the book of receipts, in a thread of its own: no release waits for a notice.

    What was not sent when the gateway stopped is sent when it runs again.  Readings of one reader's
    moment, such as of several image sets, give a patient one notice.

    Parameters
    ----------
    path
        The database of settings and notices.
    receipts
        The book.
    show
        Gives the record of an image set, as ``Images.show`` does.
    custodian
        Whose image sets.
    delivery
        What sends.
    now
        Gives Unix time.
    """

    def __init__(
        self,
        path: Path,
        receipts: ReceiptBook,
        show: Callable[[str], ImageRecord],
        custodian: str,
        delivery: Delivery,
        now: Callable[[], float],
    ) -> None:
        super().__init__("notices", _INTERVAL)
        self._store = NoticeStore(path)
        self._receipts = receipts
        self._show = show
        self._custodian = custodian
        self._delivery = delivery
        self._now = now
        self._patients: dict[str, str | None] = {}
        self._failing = False
        if self._store.position() is None:
            self._store.follow(receipts.last(), (), int(now()))

    def close(self) -> None:
        """Stop, once a notice that is being sent is; and close the database."""
        super().close()
        self._store.close()

    # --- patients -------------------------------------------------------------------------------

    def settings(self, patient: str) -> Settings | None:
        """What a patient has set; none without notices."""
        return self._store.settings(patient)

    def set(self, patient: str, channel: Channel, target: str) -> Settings:
        """Send a patient's notices there from now on, first one that says so.

        Raises
        ------
        DestinationInvalid, MailNotSent
            If none can be sent there.
        NoticesExceeded
            If they were changed too often today.
        """
        destination = self._delivery.require(channel, target)
        if not self._store.set(patient, destination, int(self._now())):
            raise NoticesExceeded(
                "notices were changed too often, or too many were sent today; try again tomorrow",
                patient=patient,
            )
        settings = self._store.settings(patient)
        return settings or Settings(destination, 0, 0)

    def end(self, patient: str) -> None:
        """Send a patient no further notices."""
        self._store.end(patient, int(self._now()))

    # --- the thread -----------------------------------------------------------------------------

    def look(self) -> None:
        """Make notices for what is new in the book, and send what is due."""
        try:
            self.follow()
            self.send()
        except Exception as error:  # whatever it is, the next look goes on from here
            if not self._failing:
                _log.error("notices are not sent: %s", error)
            self._failing = True
        else:
            self._failing = False

    def follow(self) -> None:
        """Make notices for what was released since the last look."""
        wanted, position = self._store.patients(), self._store.position() or 0
        last = self._receipts.last()
        # In a book that was restored from a backup, the numbers after its last come again.
        if position > last or not wanted:
            if position != last:
                self._store.follow(last, (), int(self._now()))
            return
        while position < last:
            batch = self._receipts.since(position, _BATCH)
            # Each reader once: a receipt is for one image set, a reading may be of several.
            read = {
                (patient, signed.receipt.reader)
                for _, _, signed in batch
                if (patient := self._patient(signed.receipt.image_id)) and patient in wanted
            }
            position = batch[-1][0]
            self._store.follow(position, sorted(each for each, _ in read), int(self._now()))

    def send(self) -> None:
        """Send what is due; to a destination that fails, nothing more until its next time."""
        failing: set[str] = set()
        for notice in self._store.due(int(self._now()), _MOST_AT_ONCE):
            if self._stopping.is_set():
                return
            if notice.destination.target in failing:
                continue
            try:
                self._delivery.send(notice, int(self._now()))
            except NotDelivered as error:
                _log.info("a notice by %s waits: %s", notice.destination.channel, error)
                failing.add(notice.destination.target)
                self._store.failed(notice, self._next(notice))
            else:
                self._store.sent(notice)

    def _next(self, notice: Notice) -> int | None:
        if notice.attempts >= len(_PAUSES):
            return None
        return int(self._now()) + _PAUSES[notice.attempts]

    def _patient(self, image_id: str) -> str | None:
        """Whose image set it is; none if it is not one of this custodian and chain."""
        if image_id not in self._patients:
            try:
                image_set = self._show(image_id).image_set
            except ImageUnknown:
                self._patients[image_id] = None
            else:
                own = image_set.custodian == self._custodian
                self._patients[image_id] = image_set.patient if own else None
        return self._patients[image_id]

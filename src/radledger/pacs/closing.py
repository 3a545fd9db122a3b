"""From studies in the inbox to image sets on the chain.

A study is closed when nothing of it arrived for a while, or on request.  Its files leave the inbox
once their image sets are on the chain; after a crash in between they are added again, which adds
nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.errors import RadLedgerError
from radledger.imaging.model import Added, Addition
from radledger.texts import visible

if TYPE_CHECKING:
    from radledger.imaging.model import AddResult
    from radledger.pacs.inbox import Inbox

__all__ = ["ClosedStudy", "LeftOut", "StudyCloser"]

_LOGGER = logging.getLogger(__name__)
_RETRY = 60.0


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many files were left out for one reason."""

    files: int
    reason: str


@dataclass(frozen=True, slots=True)
class ClosedStudy:
    """What became of a study.

    Attributes
    ----------
    patient, study
        Whose, and its UID.
    image_sets
        Those that its files are in.
    left_out
        What stays in the inbox.
    """

    patient: str
    study: str
    image_sets: Sequence[AddResult]
    left_out: Sequence[LeftOut]


class StudyCloser:
    """Adds the studies of an inbox.

    Parameters
    ----------
    inbox
        What was received.
    add
        Adds the files of one study, as :meth:`.Images.add_all` does.
    quiet
        Seconds without a further instance after which a study is closed.
    clock
        Unix time.
    """

    def __init__(
        self,
        inbox: Inbox,
        add: Callable[[Addition], Added],
        quiet: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inbox = inbox
        self._add = add
        self._quiet = quiet
        self._clock = clock
        self._not_before: dict[tuple[str, str], float] = {}

    def close_due(self) -> Iterator[ClosedStudy]:
        """Add what is due.

        A study that cannot be added now, as the chain or the store is unavailable, is warned of
        and tried again after a minute.
        """
        now = self._clock()
        for patient, study in self._inbox.due(now - self._quiet):
            if self._not_before.get((patient, study), now) > now:
                continue
            self._not_before.pop((patient, study), None)
            try:
                yield self._close(patient, study)
            except (RadLedgerError, OSError) as error:
                self._not_before[patient, study] = now + _RETRY
                reason = visible(str(error))
                _LOGGER.warning(f"study {study} is not added yet, and tried again: {reason}")

    def _close(self, patient: str, study: str) -> ClosedStudy:
        files = {path.name: path for path in self._inbox.files(patient, study)}
        added = self._add(Addition(tuple(files.values()), patient))
        skipped = [*added.skipped, *(each for result in added.results for each in result.skipped)]
        # files of an earlier run that the store lost are named by their UIDs
        reasons = {
            files[name]: each.reason for each in skipped if (name := Path(each.path).name) in files
        }
        self._inbox.leave_out(reasons)
        self._inbox.release(path for path in files.values() if path not in reasons)
        counted = {each: list(reasons.values()).count(each) for each in sorted({*reasons.values()})}
        left_out = [LeftOut(count, reason) for reason, count in counted.items()]
        return ClosedStudy(patient, study, added.results, left_out)

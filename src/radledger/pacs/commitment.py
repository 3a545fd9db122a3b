"""Storage commitment: a later answer to the question which instances are kept (PS3.4 annex J).

An instance is committed when it is in an image set on the chain, as it was sent.  The answer waits
while one of the instances is still in the inbox.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from radledger.errors import RadLedgerError
from radledger.pacs.inbox import Inbox
from radledger.pacs.peer import Peer
from radledger.texts import visible

__all__ = ["PUSH_INSTANCE", "PUSH_MODEL", "Committer", "Instance", "Outcome"]

_LOGGER = logging.getLogger(__name__)
PUSH_MODEL, PUSH_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
_RETRY = 60.0
_LONGEST = 7 * 86_400.0

# PS3.3 section C.14.1.1
PROCESSING_FAILURE = 0x0110
NO_SUCH_INSTANCE = 0x0112
CLASS_CONFLICT = 0x0119


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance that is asked about."""

    sop_class: str
    sop_instance: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one request.

    Attributes
    ----------
    transaction
        Its Transaction UID.
    committed
        Instances that are kept.
    failed
        Those that are not, each with a Failure Reason.
    """

    transaction: str
    committed: Sequence[Instance]
    failed: Mapping[Instance, int]


class Committer:
    """Answers requests for storage commitment.

    Parameters
    ----------
    inbox
        Where requests are kept until they are answered.
    peers
        Who may ask, by AE title, and where the answer goes.
    kept
        Storage classes of an instance that is kept, see :meth:`.Custody.classes`.
    report
        Sends an answer to a peer.
    clock
        Unix time.
    """

    def __init__(
        self,
        inbox: Inbox,
        peers: Iterable[Peer],
        kept: Callable[[str], set[str]],
        report: Callable[[Outcome, Peer], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inbox = inbox
        self._peers = {peer.title: peer for peer in peers}
        self._kept = kept
        self._report = report
        self._clock = clock
        self._not_before: dict[tuple[str, str], float] = {}

    def accept(self, title: str, transaction: str, instances: Sequence[Instance]) -> bool:
        """Keep a request, and have the studies of its instances closed now.

        Returns
        -------
        bool
            Whether its sender may ask.
        """
        if title not in self._peers:
            return False
        asked = json.dumps([[each.sop_class, each.sop_instance] for each in instances])
        self._inbox.ask(title, transaction, asked, self._clock())
        self._inbox.close_studies_of([each.sop_instance for each in instances])
        return True

    def report_due(self) -> None:
        """Answer the requests of which no instance is under way.

        A peer that does not take its answer is tried again each minute for a week, with a warning.
        """
        now = self._clock()
        for title, transaction, asked, since in self._inbox.asked():
            request = title, transaction
            if now - since > _LONGEST or title not in self._peers:
                self._inbox.answered(title, transaction)
                continue
            if self._not_before.get(request, now) > now:
                continue
            outcome = self._outcome(transaction, [Instance(*each) for each in json.loads(asked)])
            if outcome is None:
                continue
            self._not_before.pop(request, None)
            try:
                self._report(outcome, self._peers[title])
            except RadLedgerError as error:
                self._not_before[request] = now + _RETRY
                reason = visible(error.message)
                _LOGGER.warning(f"{title} does not take the answer to its request: {reason}")
            else:
                self._inbox.answered(title, transaction)

    def _outcome(self, transaction: str, instances: Sequence[Instance]) -> Outcome | None:
        """The answer; nothing while it is not known."""
        states = self._inbox.states([each.sop_instance for each in instances])
        if "waits" in states.values():
            return None
        committed, failed = [], {}
        for each in instances:
            classes = self._kept(each.sop_instance)
            if each.sop_instance in states:  # what is kept has other content
                failed[each] = PROCESSING_FAILURE
            elif each.sop_class in classes:
                committed.append(each)
            elif classes:
                failed[each] = CLASS_CONFLICT
            else:
                failed[each] = NO_SUCH_INSTANCE
        return Outcome(transaction, committed, failed)

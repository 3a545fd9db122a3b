"""The roots that an institution anchored, and what they prove of its receipts."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from radledger.access.acknowledgements import CONTRACT
from radledger.access.bindings import AccessLedger as Constants
from radledger.access.days import day_of, from_number
from radledger.access.ids import parse_digest
from radledger.crypto.merkle import verify

if TYPE_CHECKING:
    from radledger.access.model import Proof
    from radledger.chain.events import Event
    from radledger.chain.ledger import Ledger

__all__ = ["Proven", "Roots"]


class Proven(StrEnum):
    """What the chain shows of a receipt."""

    ANCHORED = "anchored"
    """It is under the root of its day."""
    PENDING = "pending"
    """Its day has no root, and can still get one."""
    MISSING = "missing"
    """Its day has no root, and no longer gets one."""
    UNPROVEN = "unproven"
    """Its day has a root, and nothing shows that the receipt is under it."""
    NOT_RECORDED = "not recorded"
    """Its institution had no recorder on that day."""


class Roots:
    """What one institution anchored until now.

    Parameters
    ----------
    ledger
        The connected chain.
    institution
        Whose roots.
    """

    def __init__(self, ledger: Ledger, institution: str) -> None:
        self._ledger = ledger
        self._institution = institution
        self._today = day_of(ledger.now())

    @cached_property
    def by_day(self) -> dict[date, str]:
        """The root of each day, as it was anchored last, however long ago."""
        return {
            from_number(event.args["day"]): event.args["root"]
            for event in self._events("AccessDayAnchored")
        }

    def proven(self, receipt: bytes, day: date, proof: Proof | None) -> Proven:
        """What the chain shows of a receipt of this digest and day, with its proof."""
        if (root := self.by_day.get(day)) is not None:
            holds = proof is not None and _holds(proof, receipt, self._institution, day, root)
            return Proven.ANCHORED if holds else Proven.UNPROVEN
        if not any(first <= day <= last for first, last in self._recorded):
            return Proven.NOT_RECORDED
        return Proven.MISSING if day < self._open else Proven.PENDING

    def lacking(self) -> tuple[date, ...]:
        """The days on which the institution had a recorder, and of which no root comes any more."""
        days = {
            first + timedelta(days=number)
            for first, last in self._recorded
            for number in range((min(last, self._open - timedelta(days=1)) - first).days + 1)
        }
        return tuple(sorted(days - self.by_day.keys()))

    @cached_property
    def _open(self) -> date:
        """The first day whose root can still be anchored."""
        return self._today - timedelta(days=Constants.OPEN_DAYS)

    @cached_property
    def _recorded(self) -> list[tuple[date, date]]:
        """From when until when each recorder was appointed."""
        appointed: dict[str, date] = {}
        dismissed: dict[str, date] = {}
        for event in self._events("AccessRecorderAppointed", "AccessRecorderDismissed"):
            if event.name == "AccessRecorderAppointed":
                appointed[event.args["recorder"]] = day_of(event.timestamp)
            else:
                # The last day for which it acknowledges is the one after its dismissal.
                last = from_number(event.args["lastDay"]) - timedelta(days=1)
                dismissed[event.args["recorder"]] = last
        return [
            (first, dismissed.get(recorder, self._today)) for recorder, first in appointed.items()
        ]

    def _events(self, *names: str) -> list[Event]:
        if CONTRACT not in self._ledger.deployment.contracts:
            return []
        return self._ledger.events(CONTRACT, *names, institution=self._institution)


def _holds(proof: Proof, receipt: bytes, institution: str, day: date, root: str) -> bool:
    if (proof.institution, proof.day, proof.root) != (institution, day, root):
        return False
    if parse_digest(proof.receipt) != receipt:
        return False
    return verify(parse_digest(root), receipt, list(map(parse_digest, proof.siblings)))

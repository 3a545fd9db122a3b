"""The state of ``AccessLedger``: recorders, roots of days, checkpoints of logs, and demands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger.access.bindings import AccessLedger, RootState
from radledger.access.days import from_number
from radledger.access.model import Demand, DemandState, LogAnchor, Root
from radledger.area.fold import Fold, View

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["AccessState"]

_CONTRACT = "AccessLedger"
_RING = 64
_KEPT, _KEPT_OF_LOG = 28, 27
_NOTHING = "0x" + "00" * _KEPT


@dataclass
class _Demand:
    demanded: Event
    answered: Event | None = None

    def is_omitted(self, now: int) -> bool:
        return self.answered is None and now > int(self.demanded.args["due"])

    def record(self, now: int) -> Demand:
        args, answered = self.demanded.args, self.answered
        open_or_omitted = DemandState.OMITTED if self.is_omitted(now) else DemandState.OPEN
        return Demand(
            demand_id=args["demand"],
            receipt=args["receipt"],
            institution=args["institution"],
            day=from_number(args["day"]),
            demanded_at=self.demanded.timestamp,
            due_at=args["due"],
            answered_at=answered.timestamp if answered else None,
            state=DemandState.ANSWERED if answered else open_or_omitted,
        )


class AccessState(Fold):
    """Recorders, roots and demands, in the order of the chain.

    Examples
    --------
    >>> AccessState.of([]).demands(now=0)
    []
    """

    def __init__(self) -> None:
        self._last_days: dict[tuple[str, str], int] = {}
        self._roots: dict[tuple[str, int], Event] = {}
        self._slots: dict[tuple[str, int], int] = {}
        self._demands: dict[str, _Demand] = {}
        self._log_anchors: list[LogAnchor] = []

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        args = event.args
        match event.name:
            case "AccessRecorderAppointed":
                key = (args["institution"], args["recorder"])
                self._last_days[key] = AccessLedger.NO_END
            case "AccessRecorderDismissed":
                self._last_days[args["institution"], args["recorder"]] = args["lastDay"]
            case "AccessDayAnchored":
                institution, day = args["institution"], args["day"]
                self._roots[institution, day] = event
                self._slots[institution, day % _RING] = day
            case "AccessLogAnchored":
                self._log_anchors.append(_log_anchor(event))
            case "AccessDemanded":
                self._demands[args["demand"]] = _Demand(event)
            case "AccessAnswered":
                if args["demand"] in self._demands:
                    self._demands[args["demand"]].answered = event

    def recorders(self) -> list[tuple[str, str]]:
        """Institutions and the keys that record for them now."""
        return [key for key, last in self._last_days.items() if last == AccessLedger.NO_END]

    def roots(self) -> list[Root]:
        """The root of each day, as it was anchored last."""
        return [
            Root(
                institution=institution,
                day=from_number(day),
                root=event.args["root"],
                anchored_at=event.timestamp,
                transaction=event.transaction,
            )
            for (institution, day), event in self._roots.items()
        ]

    def log_anchors(self) -> tuple[LogAnchor, ...]:
        """Each checkpoint of a log."""
        return tuple(self._log_anchors)

    def logs(self) -> tuple[LogAnchor, ...]:
        """The last checkpoint of each log."""
        return tuple({(each.institution, each.log): each for each in self._log_anchors}.values())

    def demands(self, now: int) -> list[Demand]:
        """Each demand, and what became of it until a Unix time."""
        return [demand.record(now) for demand in self._demands.values()]

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for pair, last_day in self._last_days.items():
            yield View(_CONTRACT, "lastDayOf", pair, (last_day,))
        for day in self._roots:
            yield View(_CONTRACT, "rootOf", day, self._root_of(*day))
        for last in self.logs():
            answers = (last.size, last.root[: 2 + 2 * _KEPT_OF_LOG])
            yield View(_CONTRACT, "logOf", (last.institution, last.log), answers)
        for id_, demand in self._demands.items():
            answered_at = demand.answered.timestamp if demand.answered else 0
            kept = {"due": demand.demanded.args["due"], "answeredAt": answered_at}
            yield View(_CONTRACT, "demandOf", (id_,), (kept,))
            yield View(_CONTRACT, "isOmitted", (id_,), (demand.is_omitted(now),))

    def _root_of(self, institution: str, day: int) -> tuple[int, str]:
        if self._slots[institution, day % _RING] != day:
            return RootState.OVERWRITTEN.number, _NOTHING
        root: str = self._roots[institution, day].args["root"]
        return RootState.ANCHORED.number, root[: 2 + 2 * _KEPT]


def _log_anchor(event: Event) -> LogAnchor:
    return LogAnchor(
        **event.args,
        block=event.block,
        anchored_at=event.timestamp,
        transaction=event.transaction,
    )

"""Contributions to data sets, with the events by which each began and ceased to count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, or_, select

from radledger.research import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

__all__ = ["Contribution", "contributions"]

_Place = tuple[int, int]
_AFTER = {"withdrawn": "withdrawn", "suspended": "suspended", "resumed": "counted"}


@dataclass(slots=True)
class Contribution:
    """A contribution and its state after each change; places are ``(block, log index)``.

    What is suspended is withdrawn from ``ends_at`` on (Unix time), with no event that says so.
    """

    dataset: str
    contribution_class: str
    item: str
    beneficiary: str
    weight: int
    states: list[tuple[_Place, str]]
    ends_at: int | None = None

    @property
    def made(self) -> _Place:
        """Where it was made."""
        return self.states[0][0]

    @property
    def state(self) -> str:
        """``counted``, ``suspended`` or ``withdrawn``, after the last change."""
        return self.states[-1][1]

    def counted_at(self, place: _Place) -> bool:
        """Whether it counted there."""
        before = [state for since, state in self.states if since < place]
        return before[-1:] == ["counted"]

    def earned(self, payout: Mapping[str, Any]) -> bool:
        """Whether a payout may be for it: to its beneficiary, in its class, and later."""
        return (
            self.dataset == payout["dataset"]
            and self.contribution_class == payout["class"]
            and self.beneficiary == payout["beneficiary"]
            and self.made < (payout["block"], payout["log_index"])
        )


def contributions(connection: Connection, condition: ColumnElement[bool]) -> list[Contribution]:
    """Contributions of which a condition on their table holds, in the order of the chain."""
    table = tables.contributions
    made = and_(condition, table.c.change == "made")
    changed = and_(
        table.c.change.in_(_AFTER),
        table.c.item.in_(select(table.c.item).where(made)),
    )
    wanted = select(table).where(or_(made, changed)).order_by(table.c.block, table.c.log_index)
    found: defaultdict[tuple[str, str], list[Contribution]] = defaultdict(list)
    for row in connection.execute(wanted).mappings():
        of_item = found[row["dataset"], row["item"]]
        place = (row["block"], row["log_index"])
        if row["change"] == "made":
            of_item += _made(row, place)
            continue
        for each in of_item:
            if _is_of(row, each) and each.state != "withdrawn":
                each.states.append((place, _AFTER[row["change"]]))
                each.ends_at = row["ends_at"]
    return sorted(chain.from_iterable(found.values()), key=lambda each: each.made)


def _made(row: RowMapping, place: _Place) -> Iterator[Contribution]:
    """What was contributed: an image set is one contribution of data and one of custody."""
    earners = (row["beneficiary"], row["custodian"])
    for name, beneficiary in zip(_classes(row), earners, strict=False):
        states = [(place, "counted")]
        yield Contribution(row["dataset"], name, row["item"], beneficiary, row["weight"], states)


def _is_of(row: RowMapping, contribution: Contribution) -> bool:
    """Whether a change is one of a contribution; an image set's names no beneficiary."""
    return contribution.contribution_class in _classes(row) and row["beneficiary"] in (
        None,
        contribution.beneficiary,
    )


def _classes(row: RowMapping) -> tuple[str, ...]:
    return ("data", "custody") if row["class"] is None else (row["class"],)

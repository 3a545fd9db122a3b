"""Contributions to data sets, each with the place where it was made and where it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, select

from radledger.index import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Contribution", "contributions"]

_Place = tuple[int, int]
_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Contribution:
    """A contribution, and when it counted: places are ``(block, log index)``."""

    dataset: str
    contribution_class: str
    item: str
    beneficiary: str
    weight: int
    made: _Place
    withdrawn: _Place | None

    def counted_at(self, place: _Place) -> bool:
        """Whether it counted there."""
        return self.made < place and (self.withdrawn is None or place < self.withdrawn)

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
    wanted = (
        select(table)
        .where(condition, table.c.change.in_(["made", "withdrawn"]))
        .order_by(table.c.block, table.c.log_index)
    )
    made: dict[_Key, Mapping[str, Any]] = {}
    withdrawn: dict[_Key, _Place] = {}
    for row in connection.execute(wanted).mappings():
        key = (row["dataset"], row["class"], row["item"], row["beneficiary"])
        if row["change"] == "made":
            made[key] = dict(row)
        else:
            withdrawn[key] = (row["block"], row["log_index"])
    return [
        Contribution(*key, row["weight"], (row["block"], row["log_index"]), withdrawn.get(key))
        for key, row in made.items()
    ]

"""Receipts in lineages: which of them were demanded, and whether they were shown.

What a receipt was for is not on the chain, so it is not linked to an image set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, or_

from radledger.access import tables
from radledger.area.lineage import Kind, parts

if TYPE_CHECKING:
    from radledger.area.lineage import Walk

__all__ = ["KINDS", "PROV_RELATIONS", "begin", "consequences", "origins"]

_Row = Mapping[str, Any]

KINDS = {
    "receipt": Kind("#e6e2cf", "Receipt", activity="recording", agent="institution"),
    "demand": Kind("#f2d9c9", "Demand", activity="demand", agent="institution"),
}
PROV_RELATIONS: Mapping[str, str] = {}


def begin(walk: Walk, id_: str, rest: str) -> str | None:
    """Go both ways from a receipt that is on the chain, or from a demand."""
    demands, recorded = tables.receipt_demands, tables.recorded_receipts
    found = rest or walk.rows(demands, or_(demands.c.demand == id_, demands.c.receipt == id_))
    if rest or not (found or walk.rows(recorded, recorded.c.receipt == id_)):
        return None
    walk.both_ways({id_})
    return id_


def origins(walk: Walk, ids: set[str]) -> set[str]:
    """Add receipts and demands, and return the receipts that were demanded."""
    recorded, demands = tables.recorded_receipts.c, tables.receipt_demands.c
    found = set()
    for some in parts(ids):
        for row in walk.rows(tables.recorded_receipts, recorded.receipt.in_(some)):
            _add_receipt(walk, row)
        for row in _demands(walk, or_(demands.demand.in_(some), demands.receipt.in_(some))):
            if row["demand"] in ids:
                _add_demand(walk, row)
                found.add(row["receipt"])
            else:
                walk.add(row["receipt"], "receipt", {"institution": row["institution"]})
    return found


def consequences(walk: Walk, ids: set[str]) -> set[str]:
    """Add and return the demands for these receipts."""
    demands = tables.receipt_demands.c
    found = set()
    for some in parts(ids):
        for row in _demands(walk, demands.receipt.in_(some)):
            _add_demand(walk, row)
            found.add(row["demand"])
    return found


def _demands(walk: Walk, condition: ColumnElement[bool]) -> list[_Row]:
    """Demands, each with its answer."""
    found = walk.rows(tables.receipt_demands, condition)
    answers = tables.receipt_answers
    answered = {
        row["demand"]: row["timestamp"]
        for some in parts(row["demand"] for row in found)
        for row in walk.rows(answers, answers.c.demand.in_(some))
    }
    return [{**row, "answered_at": answered.get(row["demand"])} for row in found]


def _add_receipt(walk: Walk, row: _Row) -> None:
    names = ("institution", "signer")
    walk.add(
        row["receipt"], "receipt", {name: row[name] for name in names if row[name] is not None}, row
    )


def _add_demand(walk: Walk, row: _Row) -> None:
    """Add a demand, and link it to its receipt."""
    told = {"institution": row["institution"], "day": row["day"], "due_at": row["due"]}
    if row["answered_at"] is not None:
        told["answered_at"] = row["answered_at"]
    walk.add(row["demand"], "demand", told, row)
    walk.link(row["receipt"], row["demand"], "demanded by", {})

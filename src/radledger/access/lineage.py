"""Receipts in lineages: which of them were demanded, and whether they were shown.

A receipt is named ``DIGEST/receipt``.  What it was for is not on the chain, so it is not linked to
an image set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radledger.access import tables
from radledger.area.lineage import Kind, parts

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from radledger.area.lineage import Walk

__all__ = ["KINDS", "PROV_RELATIONS", "begin", "consequences", "origins"]

_RECEIPT = "receipt"
_Row = Mapping[str, Any]

KINDS = {
    "receipt": Kind("#e6e2cf", "Receipt", activity="recording", agent="institution"),
    "demand": Kind("#f2d9c9", "Demand", activity="demand", agent="institution"),
}
PROV_RELATIONS: Mapping[str, str] = {}


def begin(walk: Walk, id_: str, rest: str) -> str | None:
    """Go both ways from a receipt that is on the chain, or from a demand."""
    demands, recorded = tables.receipt_demands, tables.recorded_receipts
    if rest == _RECEIPT:
        known = demands.c.receipt == id_, recorded.c.receipt == id_
        if not (walk.rows(demands, known[0]) or walk.rows(recorded, known[1])):
            return None
        id_ = _node_of(id_)
    elif rest or not walk.rows(demands, demands.c.demand == id_):
        return None
    walk.both_ways({id_})
    return id_


def origins(walk: Walk, ids: set[str]) -> set[str]:
    """Add receipts and demands, and return the receipts that were demanded."""
    recorded, demands = tables.recorded_receipts, tables.receipt_demands
    receipts = _receipts(ids)
    for some in parts(receipts):
        for row in walk.rows(recorded, recorded.c.receipt.in_(some)):
            _add_receipt(walk, row)
        for row in walk.rows(demands, demands.c.receipt.in_(some)):
            walk.add(_node_of(row["receipt"]), "receipt", {"institution": row["institution"]})
    found = set()
    for some in parts(ids):
        for row in _demands(walk, demands.c.demand.in_(some)):
            _add_demand(walk, row)
            found.add(_node_of(row["receipt"]))
    return found


def consequences(walk: Walk, ids: set[str]) -> set[str]:
    """Add and return the demands for these receipts."""
    demands = tables.receipt_demands
    found = set()
    for some in parts(_receipts(ids)):
        for row in _demands(walk, demands.c.receipt.in_(some)):
            _add_demand(walk, row)
            found.add(row["demand"])
    return found


def _node_of(receipt: str) -> str:
    """Not by its digest alone: a recorder chooses that, and could take the id of an image."""
    return f"{receipt}/{_RECEIPT}"


def _receipts(ids: set[str]) -> set[str]:
    """The digests of the receipts among these ids."""
    return {id_.removesuffix(f"/{_RECEIPT}") for id_ in ids if id_.endswith(f"/{_RECEIPT}")}


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
    told = {name: row[name] for name in names if row[name] is not None}
    walk.add(_node_of(row["receipt"]), "receipt", told, row)


def _add_demand(walk: Walk, row: _Row) -> None:
    """Add a demand, and link it to its receipt."""
    told = {"institution": row["institution"], "day": row["day"], "due_at": row["due"]}
    if row["answered_at"] is not None:
        told["answered_at"] = row["answered_at"]
    walk.add(row["demand"], "demand", told, row)
    walk.link(_node_of(row["receipt"]), row["demand"], "demanded by", {})

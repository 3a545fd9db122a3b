"""Image sets in lineages: what they were made of, and what was made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_

from radledger.area.lineage import Kind, parts
from radledger.imaging import tables

if TYPE_CHECKING:
    from sqlalchemy import Column

    from radledger.area.lineage import Node, Walk

__all__ = ["KINDS", "PROV_RELATIONS", "begin", "consequences", "origins"]

_STATES = {"erased": "erased", "disowned": "disowned", "acknowledged": "anchored"}


def _label(node: Node) -> str:
    return f"{node.details.get('kind', '')} image set".strip()


KINDS = {
    "image set": Kind("#bcd6ee", "ImageSet", activity="anchoring", agent="custodian", label=_label)
}
PROV_RELATIONS = {"became": "derivation"}


def begin(walk: Walk, id_: str, rest: str) -> str | None:
    """Go both ways from an image set."""
    if rest or not walk.rows(tables.images, tables.images.c.image == id_):
        return None
    walk.both_ways({id_})
    return id_


def origins(walk: Walk, ids: set[str]) -> set[str]:
    """Add image sets, and return what they were made of."""
    parents = set()
    for row in _images(walk, tables.images.c.image, ids):
        _add(walk, row)
        if row["parent"] is not None:
            _add_derivation(walk, row)
            parents.add(row["parent"])
    return parents


def consequences(walk: Walk, ids: set[str]) -> set[str]:
    """Add and return the image sets that were made of these."""
    children = _images(walk, tables.images.c.parent, ids)
    for row in children:
        _add(walk, row)
        _add_derivation(walk, row)
    return {row["image"] for row in children}


def _add(walk: Walk, row: Mapping[str, Any]) -> None:
    names = ("kind", "state", "custodian", "patient", "instances")
    walk.add(row["image"], "image set", {name: row[name] for name in names}, row)


def _add_derivation(walk: Walk, row: Mapping[str, Any]) -> None:
    walk.link(row["parent"], row["image"], "became", {"kind": row["kind"]})


def _images(walk: Walk, column: Column[Any], ids: set[str]) -> list[Mapping[str, Any]]:
    """Image sets of which a column is one of these, each with its state."""
    found = [row for some in parts(ids) for row in walk.rows(tables.images, column.in_(some))]
    versions = tables.versions.c
    # In the order of the chain, so that the last counts; nothing comes after an erasure.
    states = {
        row["image"]: _STATES[row["change"]]
        for some in parts(row["image"] for row in found)
        for row in walk.rows(
            tables.versions, and_(versions.image.in_(some), versions.change.in_(_STATES))
        )
    }
    return [{**row, "state": states.get(row["image"], "anchored")} for row in found]

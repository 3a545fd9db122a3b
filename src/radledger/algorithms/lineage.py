"""Algorithms in lineages: what versions were trained on and came from, and what they were run on.

A data set's version is named by its id in lineages, ``DATASET/NUMBER``; research adds it.
Executions that were recorded by a root are named by their event, ``TRANSACTION/LOG INDEX``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, or_, select, tuple_

from radledger.algorithms import tables
from radledger.area.lineage import Kind, parts
from radledger.area.tables import events, mentions

if TYPE_CHECKING:
    from radledger.area.lineage import Node, Walk

__all__ = ["KINDS", "PROV_RELATIONS", "begin", "consequences", "origins"]

_Row = Mapping[str, Any]


def _version_label(node: Node) -> str:
    return f"algorithm version {node.details['label']}"


def _batch_label(node: Node) -> str:
    return f"{node.details['count']} executions"


KINDS = {
    "algorithm": Kind("#cfe8e4", "Algorithm", activity="registration", agent="institution"),
    "algorithm version": Kind(
        "#e0f2ee",
        "AlgorithmVersion",
        activity="publication",
        agent="institution",
        label=_version_label,
    ),
    "execution": Kind("#ead9ea", "Execution", activity="execution", agent="operator"),
    "executions": Kind(
        "#f3e9f3", "Executions", activity="execution", agent="operator", label=_batch_label
    ),
}
PROV_RELATIONS = {
    "published as": "specialization",
    "trained": "derivation",
    "refined to": "derivation",
    "used in": "derivation",
}


def begin(walk: Walk, id_: str, rest: str) -> str | None:
    """Go both ways from an algorithm, a version, an execution, its output, or a root of more."""
    if rest:
        return _begin_batches(walk, _batches_named(walk, {f"{id_}/{rest}"}))
    registered = walk.rows(tables.algorithms, tables.algorithms.c.algorithm == id_)
    for row in registered[:1]:
        _add_algorithm(walk, id_, row["institution"])
    versions, executions = tables.algorithm_versions.c, tables.executions.c
    found = walk.rows(
        tables.algorithm_versions, or_(versions.version == id_, versions.algorithm == id_)
    )
    if registered or found:
        walk.both_ways({row["version"] for row in found})
        return id_
    batches = walk.rows(tables.execution_batches, tables.execution_batches.c.root == id_)
    if batches:
        return _begin_batches(walk, batches)
    named = or_(executions.execution == id_, executions.output == id_)
    ids = {row["execution"] for row in walk.rows(tables.executions, named)}
    walk.both_ways(ids)
    return min(ids, default=None)


def origins(walk: Walk, ids: set[str]) -> set[str]:
    """Add versions and executions, and return what they came from."""
    found = set()
    for some in parts(ids):
        for row in _versions(walk, tables.algorithm_versions.c.version.in_(some)):
            _add_version(walk, row)
            found |= _link_version(walk, row)
        for row in walk.rows(tables.executions, tables.executions.c.execution.in_(some)):
            _add_execution(walk, row, row["images"])
            found |= {row["version"], *row["images"]}
    for row in _batches_named(walk, ids):
        _add_batch(walk, row)
        found.add(row["version"])
    return found


def consequences(walk: Walk, ids: set[str]) -> set[str]:
    """Add what was trained on these ids, refined from them or executed with them."""
    found = set()
    for some in parts(ids):
        versions = tables.algorithm_versions.c
        for row in _versions(walk, or_(versions.trained_on.in_(some), versions.parent.in_(some))):
            _add_version(walk, row)
            _link_version(walk, row, among=ids)
            found.add(row["version"])
        for row in _executions(walk, some):
            _add_versions(walk, {row["version"]})
            _add_execution(walk, row, ids.intersection(row["images"]))
            found.add(row["execution"])
        of_them = tables.execution_batches.c.version.in_(some)
        for row in walk.rows(tables.execution_batches, of_them):
            _add_batch(walk, row)
            found.add(_batch_id(row))
    return found


def _versions(walk: Walk, condition: ColumnElement[bool]) -> list[_Row]:
    """Versions, each with its state."""
    found = walk.rows(tables.algorithm_versions, condition)
    recalls = tables.algorithm_recalls
    recalled = {
        row["version"]
        for some in parts(row["version"] for row in found)
        for row in walk.rows(recalls, recalls.c.version.in_(some))
    }
    states = {True: "recalled", False: "published"}
    return [{**row, "state": states[row["version"] in recalled]} for row in found]


def _executions(walk: Walk, ids: list[str]) -> list[_Row]:
    """Executions of these versions, or on these image sets, which their events mention."""
    table, mention = tables.executions, mentions.c
    mentioned = select(mention.block, mention.log_index).where(mention.term.in_(ids))
    found = [
        *walk.rows(table, table.c.version.in_(ids)),
        *walk.rows(table, tuple_(table.c.block, table.c.log_index).in_(mentioned)),
    ]
    known = set(ids)
    return [row for row in found if row["version"] in known or known.intersection(row["images"])]


def _add_versions(walk: Walk, ids: set[str]) -> None:
    for row in _versions(walk, tables.algorithm_versions.c.version.in_(ids)):
        _add_version(walk, row)


def _add_version(walk: Walk, row: _Row) -> None:
    """Add a version and its algorithm."""
    names = ("label", "state", "institution", "digest", "trained_on", "conditions")
    stated = {name: row[name] for name in names if row[name] is not None}
    developers = ", ".join(row["developers"])
    walk.add(row["version"], "algorithm version", {**stated, "developers": developers}, row)
    _add_algorithm(walk, row["algorithm"], row["institution"])
    walk.link(row["algorithm"], row["version"], "published as", {"version": row["label"]})


def _link_version(walk: Walk, row: _Row, among: set[str] | None = None) -> set[str]:
    """Link a version to what it came from, or to what of that is among some ids."""
    relations = {row["trained_on"]: "trained", row["parent"]: "refined to"}
    origins = {origin for origin in relations if origin and (among is None or origin in among)}
    for origin in origins:
        walk.link(origin, row["version"], relations[origin], {})
    return origins


def _add_algorithm(walk: Walk, id_: str, institution: str) -> None:
    """Add an algorithm as it was registered last, if it was."""
    *_, row = [None, *walk.rows(tables.algorithms, tables.algorithms.c.algorithm == id_)]
    names = ("name", "family") if row else ()
    told = {name: row[name] for name in names if row and row[name] is not None}
    walk.add(id_, "algorithm", {**told, "institution": institution}, row)


def _add_execution(walk: Walk, row: _Row, inputs: Iterable[str]) -> None:
    names = ("operator", "output", "purposes", "fulfilled")
    walk.add(row["execution"], "execution", {name: row[name] for name in names}, row)
    walk.link(row["version"], row["execution"], "executed as", {})
    for image in inputs:
        walk.link(image, row["execution"], "used in", {})


def _begin_batches(walk: Walk, batches: Sequence[_Row]) -> str | None:
    ids = [_batch_id(row) for row in batches]
    walk.both_ways(set(ids))
    return ids[0] if ids else None


def _batches_named(walk: Walk, ids: set[str]) -> list[_Row]:
    """The batches that have these ids."""
    transactions = {id_.partition("/")[0] for id_ in ids if "/" in id_}
    return [
        row
        for some in parts(transactions)
        for row in walk.rows(tables.execution_batches, events.c.transaction.in_(some))
        if _batch_id(row) in ids
    ]


def _batch_id(row: _Row) -> str:
    """Its place on the chain: an operator can state any root, such as another's or an image id."""
    return f"{row['transaction']}/{row['log_index']}"


def _add_batch(walk: Walk, row: _Row) -> None:
    id_ = _batch_id(row)
    names = ("operator", "count", "root")
    walk.add(id_, "executions", {name: row[name] for name in names}, row)
    walk.link(row["version"], id_, "executed as", {})

"""Data sets in lineages: contributions, frozen versions and payouts.

What merely shares a data set with something is not part of its lineage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, or_

from radledger.area.lineage import Kind, parts
from radledger.area.tables import events
from radledger.research import tables
from radledger.research.contributed import Contribution, contributions

if TYPE_CHECKING:
    from radledger.area.lineage import Node, Walk

__all__ = ["KINDS", "PROV_RELATIONS", "begin", "consequences", "origins"]


def _version_label(node: Node) -> str:
    return "version " + node.id.partition("/")[2]


def _payout_label(node: Node) -> str:
    return f"payout {node.details['amount']}"


KINDS = {
    "work": Kind("#d9d2e9", "Work"),
    "data set": Kind("#f6d8ae", "DataSet", activity="creation", agent="curator"),
    "version": Kind(
        "#f9ecc9", "DataSetVersion", activity="freezing", collection=True, label=_version_label
    ),
    "payout": Kind("#c9e4ca", "Payout", activity="claim", agent="beneficiary", label=_payout_label),
}
_OF_IMAGES = ("data", "custody")
PROV_RELATIONS = {"frozen as": "specialization", "is part of": "membership"}


def begin(walk: Walk, id_: str, rest: str) -> str | None:
    """Go both ways from a data set, a version (or its root), a payout or a work."""
    if walk.rows(tables.datasets, tables.datasets.c.dataset == id_):
        if not rest:
            return _from_dataset(walk, id_)
        frozen = tables.dataset_versions.c
        chosen = and_(frozen.dataset == id_, frozen.version == _whole(rest))
        return _from_versions(walk, walk.rows(tables.dataset_versions, chosen))
    of_root = tables.dataset_versions.c.root == id_
    if not rest and (versions := walk.rows(tables.dataset_versions, of_root)):
        return _from_versions(walk, versions)
    if payouts := _payouts_in(walk, id_, rest):
        return _from_payouts(walk, payouts)
    if rest or not walk.rows(tables.contributions, tables.contributions.c.item == id_):
        return None
    walk.both_ways({id_})
    return id_


def origins(walk: Walk, ids: set[str]) -> set[str]:
    """Add works and versions, and return what is part of these; works have no origin here."""
    _add_works(walk, ids)
    return _add_frozen(walk, _frozen(walk, ids))


def _add_works(walk: Walk, ids: set[str]) -> None:
    table = tables.contributions.c
    for some in parts(ids):
        of_works = and_(
            table.item.in_(some), table["class"].is_not(None), table.custodian.is_(None)
        )
        for row in walk.rows(tables.contributions, of_works):
            if row["change"] == "made":
                walk.add(row["item"], "work", {})


def consequences(walk: Walk, ids: set[str]) -> set[str]:
    """Add data sets that the ids were contributed to, versions with them, payouts for them."""
    made: list[Contribution] = []
    for some in parts(ids):
        made += contributions(walk.connection, tables.contributions.c.item.in_(some))
    made = [each for each in made if not _names_an_image(walk, each)]
    datasets = {each.dataset for each in made}
    _add_datasets(walk, datasets)
    _add_contributions(walk, made)
    found = set()
    for some in parts(datasets):
        versions = walk.rows(tables.dataset_versions, tables.dataset_versions.c.dataset.in_(some))
        found |= _add_versions(walk, versions, made, only_with_members=True)
        claims = _claims(walk, tables.payouts.c.dataset.in_(some))
        _add_payouts(
            walk,
            [each for each in claims if any(contribution.earned(each) for contribution in made)],
        )
    return found


def _names_an_image(walk: Walk, contribution: Contribution) -> bool:
    """Whether a work has the id of an image set; its curator is free to choose it."""
    node = walk.nodes.get(contribution.item)
    of_image = contribution.contribution_class in _OF_IMAGES
    return node is not None and node.kind == "image set" and not of_image


def _from_dataset(walk: Walk, dataset: str) -> str:
    _add_datasets(walk, {dataset})
    made = contributions(walk.connection, tables.contributions.c.dataset == dataset)
    walk.origins({each.item for each in made})
    _add_contributions(walk, made)
    frozen = walk.rows(tables.dataset_versions, tables.dataset_versions.c.dataset == dataset)
    walk.consequences(_add_versions(walk, frozen, made))
    _add_payouts(walk, _claims(walk, tables.payouts.c.dataset == dataset))
    return dataset


def _from_versions(walk: Walk, versions: Sequence[Mapping[str, Any]]) -> str | None:
    if not versions:
        return None
    walk.both_ways({_version_id(version) for version in versions})
    return _version_id(versions[0])


def _from_payouts(walk: Walk, payouts: Sequence[Mapping[str, Any]]) -> str:
    for payout in payouts:
        _add_datasets(walk, {payout["dataset"]})
        table = tables.contributions.c
        earner = payout["beneficiary"]
        own = and_(
            table.dataset == payout["dataset"],
            or_(table.beneficiary == earner, table.custodian == earner),
        )
        earning = [each for each in contributions(walk.connection, own) if each.earned(payout)]
        walk.origins({each.item for each in earning})
        _add_contributions(walk, earning)
    _add_payouts(walk, payouts)
    return _payout_id(payouts[0])


def _frozen(walk: Walk, ids: set[str]) -> list[Mapping[str, Any]]:
    """The versions of data sets among some ids."""
    frozen = tables.dataset_versions
    datasets = {id_.partition("/")[0] for id_ in ids if "/" in id_}
    rows = [
        row for some in parts(datasets) for row in walk.rows(frozen, frozen.c.dataset.in_(some))
    ]
    return [row for row in rows if _version_id(row) in ids]


def _add_frozen(walk: Walk, versions: Sequence[Mapping[str, Any]]) -> set[str]:
    """Add versions with their data sets and what is part of them, and return the latter."""
    datasets = {version["dataset"] for version in versions}
    _add_datasets(walk, datasets)
    made: list[Contribution] = []
    for some in parts(datasets):
        made += contributions(walk.connection, tables.contributions.c.dataset.in_(some))
    members = [
        each
        for each in made
        if any(v["dataset"] == each.dataset and each.counted_at(_place(v)) for v in versions)
    ]
    _add_contributions(walk, members)
    _add_versions(walk, versions, members)
    return {each.item for each in members}


def _add_datasets(walk: Walk, datasets: set[str]) -> None:
    for some in parts(datasets):
        for row in walk.rows(tables.datasets, tables.datasets.c.dataset.in_(some)):
            names = ("institution", "curator", "purposes", "rule", "vault")
            walk.add(row["dataset"], "data set", {name: row[name] for name in names}, row)


def _add_contributions(walk: Walk, made: Iterable[Contribution]) -> None:
    for each in made:
        details = {
            "class": each.contribution_class,
            "beneficiary": each.beneficiary,
            "weight": each.weight,
            "state": each.state,
        }
        if each.ends_at is not None:
            details["ends_at"] = each.ends_at
        walk.link(each.item, each.dataset, "contributed to", details, each.contribution_class)


def _add_versions(
    walk: Walk,
    versions: Iterable[Mapping[str, Any]],
    made: Sequence[Contribution],
    *,
    only_with_members: bool = False,
) -> set[str]:
    """Add versions with their links, and return their ids."""
    added = set()
    for row in versions:
        members = [
            each.item
            for each in made
            if each.dataset == row["dataset"] and each.counted_at(_place(row))
        ]
        if only_with_members and not members:
            continue
        id_ = _version_id(row)
        added.add(id_)
        details = {"root": row["root"], "contributions": row["contributions"]}
        walk.add(id_, "version", details, row)
        walk.link(row["dataset"], id_, "frozen as", {"version": row["version"]})
        for item in dict.fromkeys(members):
            walk.link(item, id_, "is part of", {})
    return added


def _add_payouts(walk: Walk, payouts: Iterable[Mapping[str, Any]]) -> None:
    for row in payouts:
        id_ = _payout_id(row)
        names = ("class", "beneficiary", "recipient", "amount")
        walk.add(id_, "payout", {name: row[name] for name in names}, row)
        walk.link(row["dataset"], id_, "paid", {"class": row["class"]})


def _claims(walk: Walk, condition: ColumnElement[bool]) -> list[Mapping[str, Any]]:
    return walk.rows(tables.payouts, and_(condition, tables.payouts.c.change == "claimed"))


def _payouts_in(walk: Walk, transaction: str, log_index: str) -> list[Mapping[str, Any]]:
    in_it = events.c.transaction == transaction
    if log_index:
        in_it = and_(in_it, tables.payouts.c.log_index == _whole(log_index))
    return _claims(walk, in_it)


def _version_id(row: Mapping[str, Any]) -> str:
    return f"{row['dataset']}/{row['version']}"


def _payout_id(row: Mapping[str, Any]) -> str:
    return f"{row['transaction']}/{row['log_index']}"


def _place(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["block"], row["log_index"]


def _whole(text: str) -> int:
    """A number in an id; -1, which nothing has, for what is none."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1

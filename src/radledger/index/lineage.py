"""Where something came from and what became of it: image, version, data set, payout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, or_, select

from radledger.index import tables
from radledger.index.contributed import Contribution, contributions
from radledger.index.errors import NoIdOrAddress, NothingKnown
from radledger.index.history import readable

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

__all__ = ["Lineage", "Link", "Node", "lineage"]

_AT_ONCE = 500
_STATES = {"erased": "erased", "disowned": "disowned", "acknowledged": "anchored"}
_ID = re.compile(r"0x[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Node:
    """Something in a lineage.

    Attributes
    ----------
    id
        Of an image set, work or data set its id; of a version ``DATASET/NUMBER``; of a payout
        ``TRANSACTION/LOG INDEX``.
    kind
        ``image set``, ``work``, ``data set``, ``version`` or ``payout``.
    details
        What else is known of it.
    """

    id: str
    kind: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """How one thing led to another.

    Attributes
    ----------
    source, target
        Ids of nodes, the cause first.
    relation
        ``became`` (a version of an image set), ``contributed to`` (a data set), ``is part of`` (a
        frozen version), ``frozen as``, or ``paid``.
    details
        What else is known of it, such as the class of a contribution.
    """

    source: str
    target: str
    relation: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Lineage:
    """All that something came from and all that came from it.

    What merely shares an origin or a data set with it is not part of it.
    """

    start: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]


def lineage(connection: Connection, term: str) -> Lineage:
    """The lineage of an image set, a work, a data set, a version or a payout, both ways.

    Parameters
    ----------
    connection
        To the index.
    term
        An id as :class:`Node` has it, in lower case; of a version also its root, of a payout also
        its transaction.

    Raises
    ------
    NoIdOrAddress
        If it is not an id.
    NothingKnown
        If there is nothing of that id.
    """
    walk = _Walk(connection)
    start = walk.begin(term)
    return Lineage(start, tuple(walk.nodes.values()), tuple(walk.links.values()))


@dataclass
class _Walk:
    connection: Connection
    nodes: dict[str, Node] = field(default_factory=dict)
    links: dict[tuple[str, str, str, str], Link] = field(default_factory=dict)

    def begin(self, term: str) -> str:
        """Go both ways from whatever ``term`` is; returns the id of its node."""
        id_, _, number = term.partition("/")
        if not _ID.fullmatch(id_):
            raise NoIdOrAddress(
                f"{term!r} is not an id; give 0x and 64 hexadecimal digits, copied whole, and of a "
                "version or payout what follows them",
                text=term,
            )
        if self._rows(tables.datasets, tables.datasets.c.dataset == id_):
            frozen = tables.dataset_versions.c
            if not number:
                return self._from_dataset(id_)
            chosen = and_(frozen.dataset == id_, frozen.version == _whole(number))
            return self._from_versions(self._rows(tables.dataset_versions, chosen), term)
        of_root = tables.dataset_versions.c.root == term
        if versions := self._rows(tables.dataset_versions, of_root):
            return self._from_versions(versions, term)
        if payouts := self._payouts_in(id_, number):
            return self._from_payouts(payouts)
        if number or not self._exists(id_):
            raise NothingKnown(
                f"the index has no image set, data set, version or payout {term}; see that it was "
                "copied whole and that this is its network",
                term=term,
            )
        self._origins({id_})
        self._consequences(self._derived({id_}))
        return id_

    # ------------------------------------------------------------------- from the things in it

    def _from_dataset(self, dataset: str) -> str:
        self._add_datasets({dataset})
        made = contributions(self.connection, tables.contributions.c.dataset == dataset)
        self._origins({each.item for each in made})
        self._add_contributions(made)
        frozen = self._rows(tables.dataset_versions, tables.dataset_versions.c.dataset == dataset)
        self._add_versions(frozen, made)
        self._add_payouts(self._claims(tables.payouts.c.dataset == dataset))
        return dataset

    def _from_versions(self, versions: Sequence[Mapping[str, Any]], term: str) -> str:
        if not versions:
            raise NothingKnown(f"no version {term} has been frozen", term=term)
        datasets = {version["dataset"] for version in versions}
        self._add_datasets(datasets)
        made = contributions(self.connection, tables.contributions.c.dataset.in_(datasets))
        members = [each for each in made if any(each.counted_at(_place(v)) for v in versions)]
        self._origins({each.item for each in members})
        self._add_contributions(members)
        self._add_versions(versions, members)
        return _version_id(versions[0])

    def _from_payouts(self, payouts: Sequence[Mapping[str, Any]]) -> str:
        for payout in payouts:
            self._add_datasets({payout["dataset"]})
            table = tables.contributions.c
            earner = payout["beneficiary"]
            own = and_(
                table.dataset == payout["dataset"],
                or_(table.beneficiary == earner, table.custodian == earner),
            )
            earning = [each for each in contributions(self.connection, own) if each.earned(payout)]
            self._origins({each.item for each in earning})
            self._add_contributions(earning)
        self._add_payouts(payouts)
        return _payout_id(payouts[0])

    def _consequences(self, items: set[str]) -> None:
        """Data sets that the items were contributed to, versions with them, payouts for them."""
        made: list[Contribution] = []
        for some in _parts(items):
            made += contributions(self.connection, tables.contributions.c.item.in_(some))
        datasets = {each.dataset for each in made}
        self._add_datasets(datasets)
        self._add_contributions(made)
        for some in _parts(datasets):
            versions = self._rows(
                tables.dataset_versions, tables.dataset_versions.c.dataset.in_(some)
            )
            self._add_versions(versions, made, only_with_members=True)
            claims = self._claims(tables.payouts.c.dataset.in_(some))
            self._add_payouts(
                [each for each in claims if any(contribution.earned(each) for contribution in made)]
            )

    # ------------------------------------------------------------------------- between images

    def _origins(self, items: set[str]) -> None:
        """The items, and all image sets that they were made of."""
        seen = set(items)
        while items:
            parents = set()
            known = self._images(tables.images.c.image, items)
            for row in known:
                self._add_image(row)
                if row["parent"] is not None:
                    self._add_derivation(row)
                    parents.add(row["parent"])
            for work in sorted(items - {row["image"] for row in known}):
                self.nodes.setdefault(work, Node(work, "work", {}))
            items = parents - seen
            seen |= parents

    def _derived(self, items: set[str]) -> set[str]:
        """The items, and all image sets that were made of them."""
        found = set(items)
        while items:
            children = self._images(tables.images.c.parent, items)
            for row in children:
                self._add_image(row)
                self._add_derivation(row)
            items = {row["image"] for row in children} - found
            found |= items
        return found

    # ------------------------------------------------------------------------------- additions

    def _add_image(self, row: Mapping[str, Any]) -> None:
        names = ("kind", "state", "custodian", "patient", "instances")
        self._add(row["image"], "image set", {name: row[name] for name in names}, row)

    def _add_derivation(self, row: Mapping[str, Any]) -> None:
        self._link(row["parent"], row["image"], "became", {"kind": row["kind"]})

    def _add_datasets(self, datasets: set[str]) -> None:
        for some in _parts(datasets):
            for row in self._rows(tables.datasets, tables.datasets.c.dataset.in_(some)):
                names = ("institution", "curator", "purposes", "rule", "vault")
                details = {name: row[name] for name in names}
                self._add(row["dataset"], "data set", details, row)

    def _add_contributions(self, made: Iterable[Contribution]) -> None:
        for each in made:
            details = {
                "class": each.contribution_class,
                "beneficiary": each.beneficiary,
                "weight": each.weight,
                "state": each.state,
            }
            if each.ends_at is not None:
                details["ends_at"] = each.ends_at
            self._link(each.item, each.dataset, "contributed to", details, each.contribution_class)

    def _add_versions(
        self,
        versions: Iterable[Mapping[str, Any]],
        made: Sequence[Contribution],
        *,
        only_with_members: bool = False,
    ) -> None:
        for row in versions:
            members = [
                each.item
                for each in made
                if each.dataset == row["dataset"] and each.counted_at(_place(row))
            ]
            if only_with_members and not members:
                continue
            id_ = _version_id(row)
            details = {"root": row["root"], "contributions": row["contributions"]}
            self._add(id_, "version", details, row)
            self._link(row["dataset"], id_, "frozen as", {"version": row["version"]})
            for item in dict.fromkeys(members):
                self._link(item, id_, "is part of", {})

    def _add_payouts(self, payouts: Iterable[Mapping[str, Any]]) -> None:
        for row in payouts:
            id_ = _payout_id(row)
            details = {name: row[name] for name in ("class", "beneficiary", "recipient", "amount")}
            self._add(id_, "payout", details, row)
            self._link(row["dataset"], id_, "paid", {"class": row["class"]})

    def _add(self, id_: str, kind: str, details: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        when = {"timestamp": row["timestamp"], "transaction": row["transaction"]}
        self.nodes.setdefault(id_, Node(id_, kind, readable({**details, **when})))

    def _link(
        self, source: str, target: str, relation: str, details: Mapping[str, Any], part: str = ""
    ) -> None:
        link = Link(source, target, relation, readable(dict(details)))
        self.links.setdefault((source, target, relation, part), link)

    # ------------------------------------------------------------------------------- questions

    def _rows(self, table: Table, condition: ColumnElement[bool]) -> list[Mapping[str, Any]]:
        """Rows with the time and transaction of their events, in the order of the chain."""
        event = tables.events.c
        there = and_(table.c.block == event.block, table.c.log_index == event.log_index)
        wanted = (
            select(table, event.timestamp, event.transaction)
            .select_from(table.join(tables.events, there))
            .where(condition)
            .order_by(table.c.block, table.c.log_index)
        )
        return [dict(row) for row in self.connection.execute(wanted).mappings()]

    def _images(self, column: Column[Any], ids: set[str]) -> list[Mapping[str, Any]]:
        """Image sets of which a column is one of these, each with its state."""
        found = [row for some in _parts(ids) for row in self._rows(tables.images, column.in_(some))]
        versions = tables.versions.c
        # In the order of the chain, so that the last counts; nothing comes after an erasure.
        states = {
            row["image"]: _STATES[row["change"]]
            for some in _parts(row["image"] for row in found)
            for row in self._rows(
                tables.versions, and_(versions.image.in_(some), versions.change.in_(_STATES))
            )
        }
        return [{**row, "state": states.get(row["image"], "anchored")} for row in found]

    def _claims(self, condition: ColumnElement[bool]) -> list[Mapping[str, Any]]:
        return self._rows(tables.payouts, and_(condition, tables.payouts.c.change == "claimed"))

    def _payouts_in(self, transaction: str, log_index: str) -> list[Mapping[str, Any]]:
        in_it = tables.events.c.transaction == transaction
        if log_index:
            in_it = and_(in_it, tables.payouts.c.log_index == _whole(log_index))
        return self._claims(in_it)

    def _exists(self, item: str) -> bool:
        """Whether it is an image set, or a work that was contributed."""
        image, contributed = tables.images.c.image == item, tables.contributions.c.item == item
        wanted = or_(
            select(tables.images.c.block).where(image).exists(),
            select(tables.contributions.c.block).where(contributed).exists(),
        )
        return bool(self.connection.execute(select(wanted)).scalar_one())


def _parts(ids: Iterable[str]) -> Iterator[list[str]]:
    """Ids in lists that a database takes in one question."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def _version_id(row: Mapping[str, Any]) -> str:
    return f"{row['dataset']}/{row['version']}"


def _payout_id(row: Mapping[str, Any]) -> str:
    return f"{row['transaction']}/{row['log_index']}"


def _place(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["block"], row["log_index"]


def _whole(text: str) -> int:
    """A number in an id; -1, which nothing has, for what is none."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1

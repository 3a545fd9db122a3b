"""Where something came from and what became of it: what the areas' parts of a lineage share.

An area's ``lineage`` module is one :class:`Part`: it declares the kinds of things there are, and
goes one step back or forward from an id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import ColumnElement, and_, select

from radledger.area import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

__all__ = ["Kind", "Link", "Node", "Part", "Walk", "parts"]

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Node:
    """Something in a lineage.

    Attributes
    ----------
    id
        Of an image set, work, data set, algorithm, its version, an execution or a demand its id; of
        a version of a data set ``DATASET/NUMBER``; of a receipt ``DIGEST/receipt``; of a payout,
        and of executions that were recorded by a root, ``TRANSACTION/LOG INDEX``.
    kind
        What it is, such as ``image set``, ``data set`` or ``payout``.
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
        Such as ``became`` (a version of an image set) or ``contributed to`` (a data set).
    details
        What else is known of it, such as the class of a contribution.
    """

    source: str
    target: str
    relation: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of things in lineages.

    Attributes
    ----------
    colour
        In pictures, ``#rrggbb``.
    prov_type
        Its type in a PROV document, in the namespace ``radledger``.
    activity
        What recorded it there; none where nothing did.
    agent
        Which of its details names who recorded it.
    collection
        Whether it consists of others.
    label
        What a picture says of it beside its short id.
    """

    colour: str
    prov_type: str
    activity: str | None = None
    agent: str | None = None
    collection: bool = False
    label: Callable[[Node], str] | None = None


class Part(Protocol):
    """An area's part of lineages: its module."""

    KINDS: Mapping[str, Kind]
    """The kinds of things that it adds."""

    PROV_RELATIONS: Mapping[str, str]
    """Of the relations that are more than an influence, which relation of PROV-DM they are."""

    def begin(self, walk: Walk, id_: str, rest: str) -> str | None:
        """Go both ways from what an id names, and return the id of its node; None for others.

        ``rest`` is what follows a slash in the id.
        """

    def origins(self, walk: Walk, ids: set[str]) -> set[str]:
        """Add what has these ids, and return the ids of what it came from."""

    def consequences(self, walk: Walk, ids: set[str]) -> set[str]:
        """Add what came of these ids, and return the ids to go on from."""


_Step = Callable[[Part, "Walk", set[str]], set[str]]


@dataclass
class Walk:
    """A lineage under construction.

    Parameters
    ----------
    connection
        To the index.
    parts
        Of all areas that have one.
    """

    connection: Connection
    parts: Sequence[Part]
    nodes: dict[str, Node] = field(default_factory=dict)
    links: dict[tuple[str, str, str, str], Link] = field(default_factory=dict)

    def both_ways(self, ids: set[str]) -> None:
        """Add all that these ids came from and all that came of them."""
        self.origins(ids)
        self.consequences(ids)

    def origins(self, ids: set[str]) -> None:
        """Add these ids and all that they came from."""
        self._follow(ids, lambda part, walk, some: part.origins(walk, some))

    def consequences(self, ids: set[str]) -> None:
        """Add all that came of these ids."""
        self._follow(ids, lambda part, walk, some: part.consequences(walk, some))

    def _follow(self, ids: set[str], step: _Step) -> None:
        """Take every area's steps until there is nothing new."""
        found = set(ids)
        done: list[set[str]] = [set() for _ in self.parts]
        while any(found - of_part for of_part in done):
            for part, of_part in zip(self.parts, done, strict=True):
                new = found - of_part
                of_part |= new
                found |= step(part, self, new) if new else set()

    def add(
        self, id_: str, kind: str, details: Mapping[str, Any], row: Mapping[str, Any] | None = None
    ) -> None:
        """Add a node, with the time and transaction of a row of :meth:`rows`."""
        when = {name: row[name] for name in ("timestamp", "transaction")} if row else {}
        self.nodes.setdefault(id_, Node(id_, kind, {**details, **when}))

    def link(
        self, source: str, target: str, relation: str, details: Mapping[str, Any], part: str = ""
    ) -> None:
        """Add a link; ``part`` tells links of one relation between the same nodes apart."""
        link = Link(source, target, relation, dict(details))
        self.links.setdefault((source, target, relation, part), link)

    def rows(self, table: Table, condition: ColumnElement[bool]) -> list[Mapping[str, Any]]:
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


def parts(ids: Iterable[str]) -> Iterator[list[str]]:
    """Ids in lists that a database takes in one question."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]

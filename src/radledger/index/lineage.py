"""Lineages over all areas: where something came from and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from radledger.area.lineage import Kind, Link, Node, Part, Walk
from radledger.areas import AREAS
from radledger.index.errors import NoIdOrAddress, NothingKnown
from radledger.texts import digest_of, quoted

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Lineage", "Link", "Node", "kinds", "lineage", "prov_relations"]


@dataclass(frozen=True)
class Lineage:
    """All that something came from and all that came from it.

    What merely shares an origin or a data set with it is not part of it.
    """

    start: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]


def lineage(connection: Connection, term: str) -> Lineage:
    """The lineage of an id, in both directions.

    Parameters
    ----------
    connection
        To the index.
    term
        An id as :class:`~radledger.area.lineage.Node` has it, its digits in either case; of a
        version also its root, of a payout also its transaction, of an execution also its output,
        of executions that were recorded by a root also that.

    Raises
    ------
    NoIdOrAddress
        If it is not an id.
    NothingKnown
        If there is nothing of that id.
    """
    id_, _, rest = term.partition("/")
    if digest_of(id_) is None:
        raise NoIdOrAddress(
            f"{quoted(term)} is not an id of something with a lineage; give that of an image set, "
            "work, data set, algorithm or execution, 0x and 64 hexadecimal digits copied whole, "
            "and of a version or payout what follows them; what an account did is shown by "
            "`radledger history`",
            text=term,
        )
    id_, term = id_.lower(), term.lower()
    other = None
    for part in _parts():
        walk = Walk(connection, _parts())
        start = part.begin(walk, id_, rest)
        if start is None:
            continue
        found = Lineage(start, tuple(walk.nodes.values()), tuple(_whole_links(walk)))
        if start == term:
            return found
        # A root or an output is what its author says, which may be the id of something else.
        other = other or found
    if other is not None:
        return other
    raise NothingKnown(
        f"the index has nothing with the id {term} that has a lineage; see that it was copied "
        "whole and that this is its network",
        term=term,
    )


def _whole_links(walk: Walk) -> Iterator[Link]:
    """Links with both ends; a model may come from a data set of another chain."""
    for link in walk.links.values():
        if link.source in walk.nodes and link.target in walk.nodes:
            yield link


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind of nodes."""
    return {name: kind for part in _parts() for name, kind in part.KINDS.items()}


@cache
def prov_relations() -> Mapping[str, str]:
    """The relations of links that PROV-DM has, each by the word of the link."""
    return {name: term for part in _parts() for name, term in part.PROV_RELATIONS.items()}


@cache
def _parts() -> tuple[Part, ...]:
    modules: Any = [import_module(area.lineage) for area in AREAS if area.lineage]
    return tuple(modules)

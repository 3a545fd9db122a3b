"""From an event to the rows of the areas' tables that it becomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from radledger.area.declaration import load
from radledger.area.fold import NOBODY, NOTHING
from radledger.area.tables import MENTIONED
from radledger.areas import CONTRACTS
from radledger.chain import artifacts

if TYPE_CHECKING:
    from sqlalchemy import Table

    from radledger.area.tables import Maker
    from radledger.chain.events import Event

__all__ = ["mentioned_arguments", "mentions_of", "names_of", "rows_of"]

_NONE = {NOBODY, NOTHING}
_Path = tuple[str, ...]
_Row = tuple["Table", dict[str, Any]]


def rows_of(event: Event) -> Iterator[tuple[Table, dict[str, Any]]]:
    """The rows that an event becomes: none, one or two, each with its table."""
    make = _makers(event.contract).get(event.name)
    if make is None:
        return
    place = {"block": event.block, "log_index": event.log_index}
    for table, row in make(event.args):
        # Every row of a table has the same columns, so that many are written by one statement.
        yield table, {**_empty(table), **row, **place}


def mentions_of(event: Event, rows: Iterable[_Row]) -> list[dict[str, Any]]:
    """A row for each address and id that an event or its rows name, or that acted."""
    terms = {term for _, term in _terms(event, rows)} - _NONE
    place = {"block": event.block, "log_index": event.log_index}
    return [{"term": term, **place} for term in sorted(terms)]


def names_of(event: Event, term: str) -> tuple[str, ...]:
    """As what an event mentions an id or address: its arguments, ``who``, columns of its rows."""
    named = (name for name, found in _terms(event, rows_of(event)) if found == term)
    return tuple(dict.fromkeys(named))


def mentioned_arguments(contract: str, event: str) -> frozenset[str]:
    """The arguments of an event by which it is found in ``mentions``."""
    return frozenset(path[0] for path in _paths(contract)[event] if len(path) == 1)


def _terms(event: Event, rows: Iterable[_Row]) -> Iterator[tuple[str, str]]:
    """The ids and addresses that an event mentions, zero among them, each with its name.

    Their Solidity types alone decide what they are: the author of an event chooses what is in
    its texts and digests, such as the name of an attribute, and could write into the history of
    anything by them.
    """
    if event.who:
        yield "who", event.who
    for path in _paths(event.contract).get(event.name, ()):
        yield from ((path[-1], term) for term in _at(event.args, path))
    for table, row in rows:
        yield from ((name, row[name]) for name in _named(table) if row[name])


def _at(value: Any, path: _Path) -> Iterator[str]:
    """The values under a path of names, through lists and structs."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _at(each, path)
    elif path and isinstance(value, Mapping):
        yield from _at(value.get(path[0]), path[1:])
    elif isinstance(value, str):
        yield value


@cache
def _paths(contract: str) -> Mapping[str, tuple[_Path, ...]]:
    """Of each event of a contract, where its arguments have ids and addresses."""
    return {
        entry["name"]: tuple(_typed(entry["inputs"]))
        for entry in (artifacts.load(contract).abi if contract in CONTRACTS else ())
        if entry["type"] == "event"
    }


def _typed(parameters: Iterable[Mapping[str, Any]]) -> Iterator[_Path]:
    for each in parameters:
        type_, meaning = (str(each[name]).partition("[")[0] for name in ("type", "internalType"))
        if type_ == "tuple":
            yield from ((each["name"], *path) for path in _typed(each["components"]))
        elif type_ == "address" or meaning.endswith("Id"):
            yield (each["name"],)


@cache
def _makers(contract: str) -> Mapping[str, Maker]:
    declared = CONTRACTS.get(contract)
    makers: Mapping[str, Maker] = load(declared.rows) if declared and declared.rows else {}
    return makers


@cache
def _empty(table: Table) -> dict[str, Any]:
    return {column.name: None for column in table.columns}


@cache
def _named(table: Table) -> tuple[str, ...]:
    """The columns of a table with ids that the event itself does not have, or has untyped."""
    return tuple(column.name for column in table.columns if column.info.get(MENTIONED))

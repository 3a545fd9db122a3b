"""From an event to the rows of the areas' tables that it becomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from radledger.area.declaration import load
from radledger.area.fold import NOBODY, NOTHING
from radledger.areas import CONTRACTS

if TYPE_CHECKING:
    from sqlalchemy import Table

    from radledger.area.tables import Maker
    from radledger.chain.events import Event

__all__ = ["mentions_of", "rows_of"]


# Digits of an address and of 32 bytes, with the 0x before them.
_LENGTHS = (42, 66)
_NONE = {NOBODY, NOTHING}


def rows_of(event: Event) -> Iterator[tuple[Table, dict[str, Any]]]:
    """The rows that an event becomes: none, one or two, each with its table."""
    make = _makers(event.contract).get(event.name)
    if make is None:
        return
    place = {"block": event.block, "log_index": event.log_index}
    for table, row in make(event.args):
        # Every row of a table has the same columns, so that many are written by one statement.
        yield table, {**_empty(table), **row, **place}


def mentions_of(event: Event, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each address and 32-byte value that an event or its rows name, or that acted."""
    terms = {event.who, *_terms(event.args)}
    for row in rows:
        terms.update(_terms(row))
    place = {"block": event.block, "log_index": event.log_index}
    return [{"term": term, **place} for term in sorted(filter(None, terms - _NONE))]


def _terms(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) in _LENGTHS and value.startswith("0x"):
            yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _terms(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _terms(each)


@cache
def _makers(contract: str) -> Mapping[str, Maker]:
    declared = CONTRACTS.get(contract)
    makers: Mapping[str, Maker] = load(declared.rows) if declared and declared.rows else {}
    return makers


@cache
def _empty(table: Table) -> dict[str, Any]:
    return {column.name: None for column in table.columns}

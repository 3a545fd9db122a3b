"""Events out of the index, for the services that would otherwise ask the chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, select

from radledger.area.tables import events, mentions
from radledger.chain.events import Event, checksummed

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["find_events"]

_AT_ONCE = 500
_ADDRESS_LENGTH = 42


def find_events(
    connection: Connection,
    contract: str,
    names: Sequence[str],
    filters: Mapping[str, Any],
    first: int,
) -> list[Event]:
    """Events of a contract, oldest first, as :meth:`radledger.chain.ledger.Ledger.events`.

    Parameters
    ----------
    connection
        To the index.
    contract, names
        Whose, and which.
    filters
        Value, or list of values, that an argument must have.
    first
        The block to begin with.
    """
    accepted = {name: _values(given) for name, given in filters.items()}
    kind = and_(events.c.contract == contract, events.c.name.in_(names), events.c.block >= first)
    found: dict[tuple[int, int], Event] = {}
    for wanted in _selections(accepted):
        for row in connection.execute(wanted.where(kind)).mappings():
            if all(row["args"][name] in values for name, values in accepted.items()):
                found[row["block"], row["log_index"]] = Event(**row)
    return [event for _, event in sorted(found.items())]


def _selections(accepted: Mapping[str, set[Any]]) -> Iterator[Select[Any]]:
    """Selections that have at least the events with these values: by what they mention."""
    mentioned = next(
        (sorted(each) for each in accepted.values() if all(isinstance(v, str) for v in each)), None
    )
    if mentioned is None:
        yield select(events)
        return
    there = and_(mentions.c.block == events.c.block, mentions.c.log_index == events.c.log_index)
    joined = select(events).select_from(mentions.join(events, there))
    for start in range(0, len(mentioned), _AT_ONCE):
        yield joined.where(mentions.c.term.in_(mentioned[start : start + _AT_ONCE]))


def _values(given: Any) -> set[Any]:
    """The values of a filter, as events have them."""
    return {_value(each) for each in (given if isinstance(given, list | tuple) else [given])}


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return checksummed(value) if len(value) == _ADDRESS_LENGTH else value.lower()
    return value

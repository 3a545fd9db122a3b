"""Events from the index, for services that would otherwise ask the chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, select

from radledger.area.fold import NOBODY, NOTHING
from radledger.area.tables import events, mentions
from radledger.chain.events import Event, checksummed
from radledger.chain.logs import listed, topic_word
from radledger.index.rows import mentioned_arguments

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["find_events"]

_AT_ONCE = 500
# Digits of an address and of 32 bytes, with the 0x before them.
_ADDRESS_LENGTH, _ID_LENGTH = 42, 66


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
    # Compared as the chain compares them, in whatever form a filter gives them.
    accepted = {name: set(map(topic_word, listed(given))) for name, given in filters.items()}
    kind = and_(events.c.contract == contract, events.c.name.in_(names), events.c.block >= first)
    found: dict[tuple[int, int], Event] = {}
    # A filter is of the same argument of each event, so what holds of one holds of all.
    mentioned = mentioned_arguments(contract, names[0])
    for wanted in _selections([given for name, given in filters.items() if name in mentioned]):
        for row in connection.execute(wanted.where(kind)).mappings():
            if all(topic_word(row["args"][name]) in words for name, words in accepted.items()):
                found[row["block"], row["log_index"]] = Event(**row)
    return [event for _, event in sorted(found.items())]


def _selections(filters: Sequence[Any]) -> Iterator[Select[Any]]:
    """Selections that have at least the events with these values: by what they mention."""
    terms = [[_term(value) for value in listed(given)] for given in filters]
    mentioned = next((sorted(filter(None, each)) for each in terms if None not in each), None)
    if mentioned is None:
        yield select(events)
        return
    there = and_(mentions.c.block == events.c.block, mentions.c.log_index == events.c.log_index)
    joined = select(events).select_from(mentions.join(events, there))
    for start in range(0, len(mentioned), _AT_ONCE):
        yield joined.where(mentions.c.term.in_(mentioned[start : start + _AT_ONCE]))


def _term(value: Any) -> str | None:
    """An id or address as events mention it; None if they do not, as for zero."""
    text = "0x" + value.hex() if isinstance(value, bytes) else value
    if not isinstance(text, str) or len(text) not in (_ADDRESS_LENGTH, _ID_LENGTH):
        return None
    term = checksummed(text) if len(text) == _ADDRESS_LENGTH else text.lower()
    return None if term in (NOBODY, NOTHING) else term

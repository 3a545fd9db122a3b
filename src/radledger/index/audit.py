"""Compare index and chain: event by event, row by row, and view by view.

The events of the index are compared with the logs that the chain gives, the rows of its typed
tables with its events, and the state that its events add up to with what the contracts' views
answer at the block that the index has reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from radledger.area.fold import View, encoded
from radledger.chain import artifacts
from radledger.chain.events import Event, as_json
from radledger.chain.rpc import request_batch
from radledger.index import tables
from radledger.index.errors import ChainMoved
from radledger.index.replay import UNUSABLE, replay
from radledger.index.rows import mentions_of, rows_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping, Table
    from web3 import Web3

    from radledger.index.database import IndexDatabase, Position
    from radledger.index.source import ChainSource

__all__ = ["Audit", "Difference", "audit"]

_BLOCKS = 500
_CALLS = 250
_ABSENT = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between index and chain; None on the side that lacks it."""

    what: str
    index: Any
    chain: Any


@dataclass(frozen=True)
class Audit:
    """The result of an audit: what was compared up to a block, and all differences."""

    block: int
    compared_events: int
    compared_rows: int
    compared_views: int
    differences: tuple[Difference, ...]


def audit(database: IndexDatabase, source: ChainSource, web3: Web3) -> Audit:
    """Compare an index with the chain, at the block that it has reached.

    Raises
    ------
    ChainMoved
        If the chain is reorganised meanwhile; bring the index up to it and ask again.
    """
    position = database.position()
    found = _Comparison(database, source, web3, position)
    found.events()
    found.views()
    if source.hashes([position.number]).get(position.number) != position.hash:
        raise ChainMoved("the chain was reorganised during the audit; run it again")
    return Audit(
        position.number,
        found.compared["events"],
        found.compared["rows"],
        found.compared["views"],
        tuple(found.differences),
    )


class _Comparison:
    def __init__(
        self, database: IndexDatabase, source: ChainSource, web3: Web3, position: Position
    ) -> None:
        self._database, self._source = database, source
        self._web3, self._position = web3, position
        self.compared = {"events": 0, "rows": 0, "views": 0}
        self.differences: list[Difference] = []

    def events(self) -> None:
        """Events with logs, and rows with events, by ranges of blocks."""
        parent = ""
        last = self._position.number
        with self._database.reading() as connection:
            for first in range(self._source.start, last + 1, _BLOCKS):
                end = min(first + _BLOCKS - 1, last)
                blocks = self._source.read(first, end, parent)
                parent = blocks.hashes[end]
                indexed = list(_events(connection, first, end))
                self._compare("events", "event", _by_place(blocks.events), _by_place(indexed))
                expected = _rows_by_place(indexed)
                named = _terms_by_place(
                    connection.execute(_between(tables.mentions, first, end)).mappings()
                )
                names = {_place(event): _terms_of(event) for event in indexed}
                self._compare("rows", "mentions of event", names, named)
                for table in tables.typed:
                    present = {
                        (row["block"], row["log_index"]): dict(row)
                        for row in connection.execute(_between(table, first, end)).mappings()
                    }
                    what = f"row of {table.name} for event"
                    self._compare("rows", what, expected.get(table, {}), present)
            lying = select(tables.events).where(
                (tables.events.c.block < self._source.start) | (tables.events.c.block > last)
            )
            for event in map(_event, connection.execute(lying).mappings()):
                self.differences.append(
                    Difference(f"event {event.block}/{event.log_index}", _shown(event), _ABSENT)
                )

    def views(self) -> None:
        """Compare the answers of the views with the state that the events add up to."""
        number = hex(self._position.number)
        (header,) = request_batch(self._web3, [("eth_getBlockByNumber", [number, False])])
        if not isinstance(header, Mapping):
            raise ChainMoved(f"the node has no block {self._position.number} now; ask again")
        with self._database.reading() as connection:
            indexed = _events(connection, self._source.start, self._position.number)
            views = (
                view
                for view in replay(indexed, int(header["timestamp"], 16), self._unusable)
                if view.contract in self._source.contracts
            )
            try:
                while some := list(islice(views, _CALLS)):
                    self._compare_views(some, number)
            except UNUSABLE:
                if not self.differences:
                    raise
                what = "views, which the events of the index do not tell any more"
                self.differences.append(Difference(what, _ABSENT, _ABSENT))

    def _compare_views(self, views: Sequence[View], number: str) -> None:
        calls = [
            ("eth_call", [{"to": self._source.contracts[v.contract], "data": _encode(v)}, number])
            for v in views
        ]
        for view, answer in zip(views, request_batch(self._web3, calls), strict=True):
            self.compared["views"] += 1
            answers = _decode(view, answer) if isinstance(answer, str) else answer
            if answers != view.answers:
                arguments = ", ".join(map(str, view.arguments))
                what = f"{view.contract}.{view.function}({arguments})"
                self.differences.append(Difference(what, view.answers, answers))

    def _unusable(self, event: Event) -> None:
        what = f"event {event.block}/{event.log_index}, which cannot be replayed"
        self.differences.append(Difference(what, _shown(event), _ABSENT))

    def _compare(
        self,
        of: str,
        what: str,
        chain: Mapping[tuple[int, int], Any],
        index: Mapping[tuple[int, int], Any],
    ) -> None:
        self.compared[of] += len(index)
        for place in sorted(chain.keys() | index.keys()):
            ours, theirs = index.get(place), chain.get(place)
            if ours != theirs:
                block, log_index = place
                difference = _differing(ours, theirs)
                self.differences.append(Difference(f"{what} {block}/{log_index}", *difference))


def _differing(index: Any, chain: Any) -> tuple[Any, Any]:
    """The fields in which two records differ; all fields if one record is missing."""
    ours, theirs = _shown(index), _shown(chain)
    if ours is None or theirs is None:
        return ours, theirs
    names = [name for name in ours if ours[name] != theirs.get(name)]
    return {name: ours[name] for name in names}, {name: theirs.get(name) for name in names}


def _shown(record: Any) -> dict[str, Any] | None:
    if record is None or isinstance(record, dict):
        return record
    return {name: getattr(record, name) for name in record.__slots__}


def _between(table: Table, first: int, last: int) -> Any:
    place = (table.c.block, table.c.log_index)
    return select(table).where(table.c.block.between(first, last)).order_by(*place)


def _events(connection: Connection, first: int, last: int) -> Iterator[Event]:
    wanted = _between(tables.events, first, last).execution_options(yield_per=1_000)
    for row in connection.execute(wanted).mappings():
        yield _event(row)


def _event(row: RowMapping) -> Event:
    return Event(**row)


def _by_place(events: Iterable[Event]) -> dict[tuple[int, int], Event]:
    return {_place(event): event for event in events}


def _rows_by_place(
    events: Iterable[Event],
) -> dict[Table, dict[tuple[int, int], dict[str, Any]]]:
    rows: dict[Table, dict[tuple[int, int], dict[str, Any]]] = {}
    for event in events:
        for table, row in _rows_of(event):
            rows.setdefault(table, {})[event.block, event.log_index] = row
    return rows


def _rows_of(event: Event) -> list[tuple[Table, dict[str, Any]]]:
    """The rows that an event must have; none for an event that no contract emits."""
    try:
        return list(rows_of(event))
    except UNUSABLE:
        return []


def _place(event: Event) -> tuple[int, int]:
    return event.block, event.log_index


def _terms_of(event: Event) -> dict[str, Any]:
    """The mentions that an event must have."""
    return {"terms": sorted(each["term"] for each in mentions_of(event, _rows_of(event)))}


def _terms_by_place(rows: Iterable[RowMapping]) -> dict[tuple[int, int], dict[str, Any]]:
    """The recorded mentions of each event that has any."""
    terms: dict[tuple[int, int], dict[str, Any]] = {}
    for row in rows:
        place = (row["block"], row["log_index"])
        terms.setdefault(place, {"terms": []})["terms"].append(row["term"])
    for found in terms.values():
        found["terms"].sort()
    return terms


@cache
def _function(contract: str, name: str) -> tuple[str, list[str], list[str], list[dict[str, Any]]]:
    """Selector of a function, the types of its arguments and answers, and what its ABI says."""
    from eth_utils.abi import collapse_if_tuple, function_abi_to_4byte_selector

    (entry,) = [
        each
        for each in artifacts.load(contract).abi
        if each["type"] == "function" and each["name"] == name
    ]
    selector = function_abi_to_4byte_selector(entry).hex()  # type: ignore[arg-type]
    inputs = [collapse_if_tuple(each) for each in entry["inputs"]]
    outputs = [collapse_if_tuple(each) for each in entry["outputs"]]
    return selector, inputs, outputs, entry["outputs"]


def _encode(view: View) -> str:
    selector, types, _, _ = _function(view.contract, view.function)
    return "0x" + selector + encoded(types, view.arguments).hex()


def _decode(view: View, answer: str) -> tuple[Any, ...]:
    from eth_abi.abi import decode

    _, _, types, outputs = _function(view.contract, view.function)
    values = decode(types, bytes.fromhex(answer[2:]))
    return tuple(as_json(*each) for each in zip(outputs, values, strict=True))

"""Synchronise the index with the chain: forward by ranges of blocks, back on reorganisations."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from radledger.chain.errors import RequestFailed
from radledger.index.database import IndexDatabase, IndexMoved, Lacking, Position
from radledger.index.errors import ChainMoved, ReorganisationTooDeep
from radledger.index.source import ChainSource

__all__ = ["Progress", "Synced", "follow"]

_FIRST_BLOCKS, _MOST_BLOCKS = 100, 1_000
# A transaction for so many events costs the least time for each; memory is bounded by twice that.
_EVENTS = 10_000
_ATTEMPTS = 8

Progress = Callable[[int, int], None]
"""Called with the block that was reached, and the chain's head."""


@dataclass(frozen=True)
class Synced:
    """The position of the index after a synchronisation, and the work done.

    Attributes
    ----------
    block
        The last block in the index.
    added_blocks, added_events
        What was read from the chain.
    taken_back
        How many blocks of a branch that the chain has left were taken back.
    """

    block: int
    added_blocks: int
    added_events: int
    taken_back: int


def follow(
    database: IndexDatabase, source: ChainSource, progress: Progress | None = None
) -> Synced:
    """Bring the index up to the chain's head.

    Each range of blocks is one transaction, so whatever ends this at whatever moment, the index
    is whole, and the next run goes on from there.

    Raises
    ------
    ReorganisationTooDeep
        If the chain left a branch further back than headers are kept.
    ConnectionFailed, RequestFailed
        If the node does not answer, or refuses again and again.
    """
    added_blocks = added_events = taken_back = 0
    failures, span = 0, _FIRST_BLOCKS
    while True:
        try:
            position = database.position()
            common = _common(database, source, position)
            if common != position:
                database.take_back(position, common)
                taken_back += position.number - common.number
                position = common
            if (lacking := database.lacking()) is not None:
                position = _extended(database, source, position, lacking)
            head = source.head()
            while position.number < head:
                last = min(position.number + span, head)
                with _without_collector():
                    blocks = source.read(position.number + 1, last, position.hash)
                    position = database.append(position, blocks)
                added_blocks += len(blocks.hashes)
                added_events += len(blocks.events)
                failures, span = 0, _next(span, len(blocks.events))
                if progress is not None:
                    progress(position.number, head)
            return Synced(position.number, added_blocks, added_events, taken_back)
        except IndexMoved:
            continue  # what another process has added need not be read again
        except (ChainMoved, RequestFailed):
            failures += 1
            if failures == _ATTEMPTS:
                raise


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the cycle collector from going through a range's many objects, none of them in cycles.

    A quarter of the time is saved.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _next(span: int, events: int) -> int:
    """The number of blocks to request next, given the events in the last request."""
    if events > _EVENTS:
        return max(1, span // 2)
    return min(_MOST_BLOCKS, span * 2) if events < _EVENTS // 2 else span


def _extended(
    database: IndexDatabase, source: ChainSource, position: Position, lacking: Lacking
) -> Position:
    """Follow contracts that a newer release, or another participant, has deployed.

    What was read before they were known is read again from their first block on.
    """
    to = position
    if lacking.first <= position.number:
        before = lacking.first - 1
        hashes = source.hashes([before, position.number])
        if hashes.get(position.number) != position.hash:
            raise ChainMoved("the chain was reorganised meanwhile; ask again")
        to = Position(before, hashes[before])
    database.take_back(position, to, lacking)
    return to


def _common(database: IndexDatabase, source: ChainSource, position: Position) -> Position:
    """The last block that the index and the chain have in common."""
    if not position.hash:
        return position
    if source.hashes([position.number]).get(position.number) == position.hash:
        return position
    kept = database.kept()
    present = source.hashes(list(kept))
    for number, hash_ in kept.items():
        if present.get(number) == hash_:
            return Position(number, hash_)
    if source.start in kept:
        return Position(source.start - 1, "")
    raise ReorganisationTooDeep(
        f"the chain left the branch that the index followed more than {len(kept)} blocks ago; "
        "find out why, then run `radledger index rebuild`",
        block=position.number,
        kept=len(kept),
    )

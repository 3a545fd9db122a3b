"""Checkpoints of a log that a chain has: everyone sees the same ones, with the times of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from radledger.tlog.errors import LogForked, LogMisbehaved, LogShrunk
from radledger.tlog.tiles import TiledTree
from radledger.verify.form import Invalid
from radledger.verify.logged.tree import consistent

if TYPE_CHECKING:
    from radledger.tlog.sources import Source
    from radledger.verify.logged.notes import Checkpoint

__all__ = ["Anchor", "Anchors", "Compared", "anchor_before", "anchor_of", "compare"]


class Anchor(NamedTuple):
    """A checkpoint that a chain has: size and root of the tree, and the block's number and time."""

    size: int
    root: bytes
    block: int
    time: int


@dataclass(frozen=True, slots=True)
class Anchors:
    """What a chain has of a log.

    Attributes
    ----------
    checkpoints
        From the smallest to the largest, as the chain takes them in that order only.
    now
        The time of the chain's latest block.
    """

    checkpoints: Sequence[Anchor]
    now: int


@dataclass(frozen=True, slots=True)
class Compared:
    """What is remembered of the chain between checks of a log.

    Attributes
    ----------
    size
        Of the largest checkpoint there that the log's files were found to continue.
    waiting
        How many entries were seen that the chain did not have then, and when; None if there is no
        such entry.
    """

    size: int = 0
    waiting: tuple[int, int] | None = None


def compare(
    source: Source, seen: Checkpoint, anchors: Anchors, before: Compared
) -> tuple[Compared, int]:
    """Check that a log's files continue each checkpoint on the chain.

    Parameters
    ----------
    source
        The log's files.
    seen
        Its checkpoint, whose entries and tiles were checked.  It was read after the chain.
    anchors
        What the chain has.
    before
        What was remembered.

    Returns
    -------
    tuple
        What to remember, and for how many seconds entries that were seen were not on the chain.

    Raises
    ------
    LogForked
        If a checkpoint on the chain is of another history.
    LogShrunk
        If one has more entries than the log shows.
    """
    tree = TiledTree(source, seen.size)
    for anchor in anchors.checkpoints:
        # The last one again, as a chain may have left its branch.
        if anchor.size >= before.size:
            _require_continued(tree, anchor, seen)
    size = max((each.size for each in anchors.checkpoints), default=0)
    waiting, lag = before.waiting, 0
    if waiting is not None:
        covering = anchor_of(anchors.checkpoints, waiting[0] - 1)
        lag = max(0, (anchors.now if covering is None else covering.time) - waiting[1])
        waiting = waiting if covering is None else None
    if waiting is None and seen.size > size:
        waiting = (seen.size, anchors.now)
    return Compared(size, waiting), lag


def anchor_of(checkpoints: Sequence[Anchor], index: int) -> Anchor | None:
    """The first checkpoint on the chain that covers an entry."""
    return next((each for each in checkpoints if each.size > index), None)


def anchor_before(checkpoints: Sequence[Anchor], index: int) -> Anchor | None:
    """The last checkpoint on the chain that does not cover an entry, which came after it."""
    return next((each for each in reversed(checkpoints) if each.size <= index), None)


def _require_continued(tree: TiledTree, anchor: Anchor, seen: Checkpoint) -> None:
    if anchor.size > seen.size:
        what = f"shows {seen.size} entries, and had {anchor.size} in block {anchor.block}"
        raise _evidence(LogShrunk, what, anchor, seen)
    try:
        proof = tree.consistency(anchor.size)
        consistent(anchor.size, seen.size, anchor.root, seen.root, proof)
    except Invalid:
        what = f"does not continue the history in block {anchor.block} of the chain"
        raise _evidence(LogForked, what, anchor, seen) from None


def _evidence(
    kind: type[LogMisbehaved], what: str, anchor: Anchor, seen: Checkpoint
) -> LogMisbehaved:
    return kind(
        f"the log {seen.origin} {what}; keep its checkpoint as evidence and report it",
        log=seen.origin,
        block=anchor.block,
        size=anchor.size,
        root="0x" + anchor.root.hex(),
        now=seen.note,
    )

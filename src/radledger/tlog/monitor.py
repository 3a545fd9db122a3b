"""What watches a log of others: that it only grows, is whole, and is not dated back.

A monitor keeps the last checkpoint that it has checked.  Of each further one it checks who signed
and cosigned it, and that the entries which are new, after those before, give its root.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.files import locked, write_atomically
from radledger.tlog.anchors import Anchors, Compared, compare
from radledger.tlog.errors import (
    CheckpointInvalid,
    LogAltered,
    LogBackdated,
    LogForked,
    LogMisbehaved,
    LogShrunk,
    LogStale,
    LogUnreadable,
    MonitorUnusable,
)
from radledger.tlog.tiles import WIDTH, Range, TiledTree, tile_name
from radledger.verify.form import Invalid
from radledger.verify.logged.notes import Checkpoint, read_checkpoint
from radledger.verify.logged.tree import consistent, leaf_hash

if TYPE_CHECKING:
    from radledger.tlog.sources import Source
    from radledger.verify.logged.policy import Policy

__all__ = ["CURRENT", "Monitor", "Seen", "Sighting"]

CURRENT = 3600
"""Seconds for which a cosignature shows that a checkpoint is the log's latest."""
_CLOCKS = 300  # seconds by which a witness's clock may be ahead


@dataclass(frozen=True, slots=True)
class Sighting:
    """An entry that was looked for and found.

    Attributes
    ----------
    index
        Its place in the log.
    after, by
        Between which checks it was published, Unix time; `after` is None if it was there when this
        monitor first looked for it.
    """

    index: int
    after: int | None
    by: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What one check found.

    Attributes
    ----------
    checkpoint
        The log's checkpoint.
    added
        How many entries it has more than at the check before.
    witnesses
        When each witness cosigned it.
    found
        The entries that were looked for, as far as the log has them.
    missing
        Those that it does not have.
    lag
        For how many seconds entries that were seen were not on the chain.
    """

    checkpoint: Checkpoint
    added: int
    witnesses: dict[str, int]
    found: dict[bytes, Sighting]
    missing: tuple[bytes, ...]
    lag: int = 0


@dataclass
class _State:
    """What a monitor remembers between checks."""

    note: str
    seen_at: int
    subtrees: list[tuple[int, bytes]]
    witnesses: dict[str, tuple[int, int]] = field(default_factory=dict)
    found: dict[bytes, Sighting] = field(default_factory=dict)
    sought: set[bytes] = field(default_factory=set)
    compared: Compared = field(default_factory=Compared)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> _State:
        size, waiting = value["anchored"]
        waiting = None if waiting is None else (int(waiting[0]), int(waiting[1]))
        return cls(
            str(value["note"]),
            int(value["seen_at"]),
            [(int(size), bytes.fromhex(node)) for size, node in value["subtrees"]],
            {name: (int(time), int(size)) for name, (time, size) in value["witnesses"].items()},
            {bytes.fromhex(each): Sighting(*at) for each, at in value["found"].items()},
            {bytes.fromhex(each) for each in value["sought"]},
            Compared(int(size), waiting),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "note": self.note,
            "seen_at": self.seen_at,
            "subtrees": [(size, node.hex()) for size, node in self.subtrees],
            "witnesses": self.witnesses,
            "found": {each.hex(): (at.index, at.after, at.by) for each, at in self.found.items()},
            "sought": sorted(each.hex() for each in self.sought),
            "anchored": (self.compared.size, self.compared.waiting),
        }


class Monitor:
    """A monitor of one log, which remembers what it saw in a file.

    Parameters
    ----------
    source
        The log's files.
    policy
        Which log it is, and whose cosignatures are asked for.
    path
        Where it remembers; made at the first check.
    """

    def __init__(self, source: Source, policy: Policy, path: Path) -> None:
        self._source = source
        self._policy = policy
        self._path = path

    def check(
        self,
        now: int,
        sought: Collection[bytes] = (),
        *,
        current: int = CURRENT,
        anchors: Anchors | None = None,
    ) -> Seen:
        """Check the log's checkpoint and all that is new since the check before.

        Parameters
        ----------
        now
            The time, Unix.
        sought
            Entries to look for.  One that was not looked for before has all of the log read.
        current
            Seconds for which cosignatures count; what a log shows with older ones is stale.
        anchors
            What the chain has of the log, asked before this check; by default it is not compared.

        Raises
        ------
        CheckpointInvalid
            If the policy does not take the checkpoint.
        LogMisbehaved
            By a subclass, with the checkpoints that show it; what was seen before stays.
        LogUnreadable
            If a file of the log cannot be read.
        MonitorUnusable
            If what was remembered is not readable, or of another log.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._path.parent / f"{self._path.name}.lock"):
            state = self._remembered()
            checkpoint, times = self._accepted(self._source.read("checkpoint"))
            old = None if state is None else read_checkpoint(state.note.encode())
            if old is not None:
                self._require_same_log(old, checkpoint)
            state = state or _State("", 0, [])
            self._require_current(times, now, current, checkpoint)
            self._require_in_order(state, times, checkpoint)
            if old is not None and checkpoint.size < old.size:
                what = f"shows {checkpoint.size} entries and showed {old.size}"
                raise _evidence(LogShrunk, what, old, checkpoint)
            grown = self._grown(state, old, checkpoint, set(sought), now)
            added = checkpoint.size - (0 if old is None else old.size)
            for name, time in times.items():
                grown.witnesses[name] = (time, checkpoint.size)
            lag = 0
            if anchors is not None:
                grown.compared, lag = compare(self._source, checkpoint, anchors, state.compared)
            write_atomically(self._path, json.dumps(grown.to_json()) + "\n", private=True)
        found = {each: grown.found[each] for each in sought if each in grown.found}
        missing = tuple(each for each in sought if each not in found)
        return Seen(checkpoint, added, times, found, missing, lag)

    def compare(self, note: bytes) -> Checkpoint:
        """Check that a checkpoint from elsewhere is of the log that was seen here.

        It may come from a proof, from a witness, or from another monitor: if the log shows others
        another history, this is how it is found.

        Parameters
        ----------
        note
            The checkpoint, of at most as many entries as were seen here.

        Raises
        ------
        CheckpointInvalid
            If the policy does not take it.
        LogForked
            If it is of another history.
        LogUnreadable
            If tiles cannot be read, or it has more entries than were seen here: check first.
        """
        state = self._remembered()
        other, _ = self._accepted(note)
        seen = None if state is None else read_checkpoint(state.note.encode())
        if seen is None or other.size > seen.size:
            raise LogUnreadable(
                f"{0 if seen is None else seen.size} entries of the log were seen, and the "
                f"checkpoint has {other.size}; check the log first",
                size=other.size,
            )
        self._require_same_log(seen, other)
        if other.size and not self._is_consistent(other, seen):
            raise _evidence(LogForked, "showed another history to others", other, seen)
        return other

    # --- internal -------------------------------------------------------------------------------

    def _remembered(self) -> _State | None:
        try:
            return _State.from_json(json.loads(self._path.read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise MonitorUnusable(
                f"{self._path} is not what a monitor remembers; restore it from a backup, or move "
                "it and begin again, which forgets what the log showed before",
                path=str(self._path),
            ) from None

    def _accepted(self, note: bytes) -> tuple[Checkpoint, dict[str, int]]:
        """A checkpoint that the policy takes, and when witnesses cosigned it."""
        try:
            checkpoint = read_checkpoint(note)
            return checkpoint, self._policy.require(checkpoint)
        except Invalid as error:
            raise CheckpointInvalid(
                f"the log's checkpoint is not to be believed: {' '.join(error.args)}; ask its "
                "operator, and keep it",
                note=note[:4096].decode("utf-8", "replace"),
            ) from None

    def _require_same_log(self, old: Checkpoint, new: Checkpoint) -> None:
        if old.origin != new.origin:
            raise MonitorUnusable(
                f"{self._path} is of the log {old.origin}, and this is {new.origin}; remember each "
                "log in a file of its own",
                path=str(self._path),
                log=new.origin,
            )

    def _require_current(
        self, times: dict[str, int], now: int, current: int, checkpoint: Checkpoint
    ) -> None:
        ahead = {name: time for name, time in times.items() if time > now + _CLOCKS}
        recent = {name: time for name, time in times.items() if now - time <= current}
        if ahead or not self._policy.is_quorum(recent):
            why = "of the future" if ahead else f"of more than {current} s ago"
            raise _evidence(LogStale, f"shows cosignatures {why}", None, checkpoint)

    def _require_in_order(
        self, state: _State, times: dict[str, int], checkpoint: Checkpoint
    ) -> None:
        for name, time in times.items():
            known, size = state.witnesses.get(name, (0, 0))
            if checkpoint.size > size and time < known:
                what = (
                    f"shows {checkpoint.size} entries that {name} cosigned at {time}, and showed "
                    f"{size} that it cosigned at {known}"
                )
                old = read_checkpoint(state.note.encode())
                raise _evidence(LogBackdated, what, old, checkpoint)

    def _grown(
        self,
        state: _State,
        old: Checkpoint | None,
        new: Checkpoint,
        sought: set[bytes],
        now: int,
    ) -> _State:
        """What is remembered after a checkpoint whose entries give its root."""
        again = old is None or not sought <= state.sought
        tree = Range() if again else Range(state.subtrees)
        known = 0 if old is None else old.size
        found = dict(state.found)
        for index, entry in enumerate(self._entries(new, tree.size), tree.size):
            if index == known:
                self._require_root(tree, old, old, new)
            if entry in sought and entry not in found:
                after = state.seen_at if old is not None and index >= known else None
                found[entry] = Sighting(index, after, now)
            tree.append(leaf_hash(entry))
        if new.size == known:
            self._require_root(tree, old, old, new)
        self._require_root(tree, new, old, new)
        if TiledTree(self._source, new.size).root() != new.root:
            raise _evidence(LogAltered, "has tiles that do not give its root", old, new)
        return _State(
            new.note,
            now,
            tree.subtrees,
            dict(state.witnesses),
            found,
            state.sought | sought,
            state.compared,
        )

    def _entries(self, checkpoint: Checkpoint, start: int) -> Iterator[bytes]:
        """Entries from a number on, each as the tile beside its bundle has it."""
        for index in range(start // WIDTH, -(-checkpoint.size // WIDTH)):
            tree = TiledTree(self._source, checkpoint.size)
            entries = tree.bundle(index)
            if tree.hashes(0, index) != [leaf_hash(entry) for entry in entries]:
                what = f"has entries that are not those of its tile {tile_name(0, index)}"
                raise _evidence(LogAltered, what, None, checkpoint)
            yield from entries[max(0, start - WIDTH * index) :]

    def _require_root(
        self, tree: Range, of: Checkpoint | None, old: Checkpoint | None, new: Checkpoint
    ) -> None:
        """That entries give the root of a checkpoint; if not, why."""
        if of is None or tree.root == of.root:
            return
        if old is None or not old.size or self._is_consistent(old, new):
            raise _evidence(LogAltered, "has entries that do not give its root", old, new)
        what = "shows a history that does not continue the one before"
        raise _evidence(LogForked, what, old, new)

    def _is_consistent(self, old: Checkpoint, new: Checkpoint) -> bool:
        try:
            proof = TiledTree(self._source, new.size).consistency(old.size)
            consistent(old.size, new.size, old.root, new.root, proof)
        except Invalid:
            return False
        return True


def _evidence(
    kind: type[LogMisbehaved], what: str, old: Checkpoint | None, new: Checkpoint
) -> LogMisbehaved:
    values = {} if old is None else {"before": old.note}
    return kind(
        f"the log {new.origin} {what}; keep its checkpoints as evidence and report it",
        log=new.origin,
        **values,
        now=new.note,
    )

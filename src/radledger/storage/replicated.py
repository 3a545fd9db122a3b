"""One store made of several: each content is on as many of them as the policy asks for."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, TypeVar, cast

from radledger.errors import StorageError
from radledger.storage.cid import BUFFER, cid_of
from radledger.storage.errors import (
    ContentNotFound,
    StorageSilent,
    StorageUnavailable,
    TooFewCopies,
)
from radledger.storage.protocol import Holding, Stat, Storage, Stored, held_by, put_at_once

__all__ = ["ReplicatedStore"]

T = TypeVar("T")

_SPOOL_IN_MEMORY = 8 << 20
_LEFT_ALONE = 60.0


@dataclass(frozen=True)
class ReplicatedStore:
    """A :class:`~radledger.storage.Storage` on several nodes, of which some may be lost.

    Content goes to the first nodes that can be reached, as many as there are to be copies, and is
    read from any that has it undamaged.

    Attributes
    ----------
    nodes
        The stores by name; those before are used before.
    copies
        How many of them are to keep each content.

    Examples
    --------
    >>> import io
    >>> from radledger.storage import MemoryStore
    >>> store = ReplicatedStore({"here": MemoryStore(), "there": MemoryStore()}, copies=2)
    >>> cid = store.put(io.BytesIO(b"pixels")).cid
    >>> {name: each.value for name, each in store.holdings(cid).items()}
    {'here': 'pinned', 'there': 'pinned'}
    """

    nodes: Mapping[str, Storage]
    copies: int
    _silent: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def put(self, source: IO[bytes], cid: str | None = None) -> Stored:
        """Store a stream on as many nodes as there are to be copies; see :class:`Storage`.

        Raises
        ------
        TooFewCopies
            If fewer nodes can be reached; then no node keeps it that did not before.
        """
        with _rewindable(source) as stream:
            start = stream.tell()
            stored = _named(stream, cid)

            def give(node: Storage, _: Holding) -> None:
                stream.seek(start)
                node.put(stream, stored.cid)

            self._copy(stored.cid, self.holdings(stored.cid), give, all_or_none=True)
        return stored

    def put_all(self, contents: Iterable[tuple[IO[bytes], str]]) -> None:
        """Store several streams, each as `put` does; see :class:`Storage`."""
        put_at_once(self, contents)

    def get(self, cid: str, most: int | None = None) -> IO[bytes]:
        """Open a content, from a node that has it undamaged; see :class:`Storage`.

        Raises
        ------
        StorageUnavailable
            If no node that answers has it, and one that may have it does not answer.
        """
        found = self.holdings(cid)
        failures = []
        for name in _having(found) or _lacking(found)[:1]:
            # One that does not have it may get it from nodes of others.
            try:
                return self.nodes[name].get(cid, most)
            except StorageError as error:
                failures.append(error)
        if _having(found):
            raise failures[0]
        raise _nowhere(cid, found)

    def pin(self, cid: str, most: int | None = None) -> None:
        """Keep a content on as many nodes as there are to be copies; see :class:`Storage`.

        Raises
        ------
        TooFewCopies
            If fewer nodes can be reached; those that can keep it.
        StorageUnavailable
            If no node that answers has it, and one that may have it does not answer.
        """
        found = self.holdings(cid)
        enough = len(_having(found)) >= self.copies
        with nullcontext() if enough else self.get(cid, most) as content:

            def give(node: Storage, held: Holding) -> None:
                if held is Holding.CACHED or content is None:
                    node.pin(cid, most)
                else:
                    content.seek(0)
                    node.put(content)

            self._copy(cid, found, give, all_or_none=False)

    def unpin(self, cid: str) -> None:
        """Give a content up on every node; see :class:`Storage`."""
        self._on_all(lambda node: node.unpin(cid))

    def stat(self, cid: str) -> Stat:
        """Size of a content, and whether any node keeps it; see :class:`Storage`."""
        found = self.holdings(cid)
        having = _having(found)
        if not having:
            raise _nowhere(cid, found)
        return self.nodes[having[0]].stat(cid)

    def missing(self, cids: Collection[str]) -> set[str]:
        """Those that no node keeps; see :class:`Storage`.

        Raises
        ------
        StorageUnavailable
            If no node that answers keeps one, and another does not answer.
        """
        left, failures = set(cids), []
        for name in self.nodes:
            try:
                left = left and self._ask(name, partial(_missing, left))
            except StorageUnavailable as error:
                failures.append(error)
        if left and failures:
            raise failures[0]
        return left

    def collect(self) -> None:
        """Delete on every node what is not pinned there; see :class:`Storage`."""
        self._on_all(lambda node: node.collect())

    def holdings(self, cid: str) -> dict[str, Holding]:
        """What each node has of a content, by its name."""
        return {name: self._holding(name, cid) for name in self.nodes}

    def _holding(self, name: str, cid: str) -> Holding:
        try:
            return self._ask(name, lambda node: held_by(node, cid))
        except StorageUnavailable:
            return Holding.UNREACHABLE

    def _ask(self, name: str, act: Callable[[Storage], T]) -> T:
        """Ask a node; one that let its time-out pass is left alone for a minute."""
        if time.time() < self._silent.get(name, 0.0):
            raise StorageUnavailable(
                f"{name} gave no answer a moment ago; see whether it runs, and try again in a "
                "minute",
                node=name,
            )
        try:
            return act(self.nodes[name])
        except StorageSilent:
            self._silent[name] = time.time() + _LEFT_ALONE
            raise

    def _copy(
        self,
        cid: str,
        found: Mapping[str, Holding],
        give: Callable[[Storage, Holding], None],
        *,
        all_or_none: bool,
    ) -> None:
        """Have nodes keep a content that do not yet, until there are enough copies."""
        kept = [name for name, each in found.items() if each is Holding.PINNED]
        others = [name for name in (*_having(found), *_lacking(found)) if name not in kept]
        new: list[str] = []
        away = _away(found)
        try:
            if all_or_none and len(kept) + len(others) < self.copies:
                raise self._too_few(cid, kept, away)
            for name in others:
                if len(kept) + len(new) >= self.copies:
                    break
                try:
                    give(self.nodes[name], found[name])
                except StorageUnavailable:
                    away.append(name)  # it went away meanwhile
                    continue
                new.append(name)
            if len(kept) + len(new) < self.copies:
                raise self._too_few(cid, kept + new, away)
        except BaseException:
            for name in new if all_or_none else ():
                with suppress(StorageUnavailable):
                    self.nodes[name].unpin(cid)
            raise

    def _on_all(self, act: Callable[[Storage], None]) -> None:
        """Act on every node, and only then raise what one of them did."""
        failures = []
        for name in self.nodes:
            try:
                self._ask(name, act)
            except StorageUnavailable as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _too_few(self, cid: str, kept: list[str], away: list[str]) -> TooFewCopies:
        answering = ", ".join(name for name in self.nodes if name not in away) or "none"
        return TooFewCopies(
            f"too few nodes answer for {self.copies} copies of {cid}: {answering}; start "
            f"{', '.join(away)} and try again",
            cid=cid,
            copies=self.copies,
            kept=kept,
        )


def _missing(cids: Collection[str], node: Storage) -> set[str]:
    return node.missing(cids)


def _having(found: Mapping[str, Holding]) -> list[str]:
    return [name for name, each in found.items() if each in (Holding.PINNED, Holding.CACHED)]


def _lacking(found: Mapping[str, Holding]) -> list[str]:
    return [name for name, each in found.items() if each is Holding.MISSING]


def _away(found: Mapping[str, Holding]) -> list[str]:
    return [name for name, each in found.items() if each is Holding.UNREACHABLE]


def _nowhere(cid: str, found: Mapping[str, Holding]) -> StorageError:
    away = _away(found)
    values = {"cid": cid, "nodes": {name: each.value for name, each in found.items()}}
    if not away:
        return ContentNotFound(f"none of the nodes {', '.join(found)} has {cid}", **values)
    return StorageUnavailable(
        f"no node that answers has {cid}, and there is no answer from {', '.join(away)}; start "
        "what does not run",
        **values,
    )


@contextmanager
def _rewindable(source: IO[bytes]) -> Iterator[IO[bytes]]:
    """The stream itself, or what it holds in a temporary file, as it is read several times."""
    if source.seekable():
        yield source
        return
    with SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY) as spool:
        stream = cast(IO[bytes], spool)
        shutil.copyfileobj(source, stream, BUFFER)
        stream.seek(0)
        yield stream


def _named(stream: IO[bytes], cid: str | None) -> Stored:
    """CID and size of the rest of a stream: with them it is known who keeps it already."""
    start = stream.tell()
    if cid is None:
        cid = cid_of(stream)
    return Stored(cid, stream.seek(0, os.SEEK_END) - start)

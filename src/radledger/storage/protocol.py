"""What a store does; services know no more of it than this."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import IO, Protocol

from radledger.storage.cid import candidates
from radledger.storage.errors import ContentNotFound, StorageUnavailable

__all__ = [
    "Holding",
    "Stat",
    "Storage",
    "Stored",
    "get_by_digest",
    "held_by",
    "holding",
    "put_at_once",
]

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Stored:
    """What :meth:`Storage.put` stored: its CID and its size in bytes."""

    cid: str
    size: int


@dataclass(frozen=True, slots=True)
class Stat:
    """What a store has of a content: CID, size in bytes, and whether it is kept."""

    cid: str
    size: int
    pinned: bool


class Holding(Enum):
    """What one node has of a content."""

    PINNED = "pinned"
    """All of it, pinned."""
    CACHED = "cached"
    """All of it, until it is collected."""
    MISSING = "missing"
    """Nothing, or not all of it."""
    UNREACHABLE = "unreachable"
    """Unknown: the node does not answer."""


class Storage(Protocol):
    """A content-addressed store.

    Each method that takes a CID raises :class:`~radledger.storage.errors.InvalidCid` for what is
    not one.  Remote stores raise :class:`~radledger.storage.errors.StorageUnavailable` from any.
    """

    def put(self, source: IO[bytes], cid: str | None = None) -> Stored:
        """Store a whole stream and pin it; the same bytes again change nothing.

        Parameters
        ----------
        source
            The content.
        cid
            Its name, where the caller has found it already.  A store may take it on trust: a
            content is held to its name whenever it is read.
        """
        ...

    def put_all(self, contents: Iterable[tuple[IO[bytes], str]]) -> None:
        """Store several streams under the names that their caller has found, and pin them.

        It takes less time than one after the other.  All are kept when it returns; if it raises,
        some may be.
        """
        ...

    def get(self, cid: str, most: int | None = None) -> IO[bytes]:
        """Open a content: a seekable stream of which every byte was checked against ``cid``.

        Parameters
        ----------
        cid
            Its name.
        most
            How many bytes it can have at most, where the caller knows: no more are taken.

        Raises
        ------
        ContentNotFound
            If the store does not have it.
        ContentMismatch
            If what the store has or sends is something else, or is longer than `most`.
        """
        ...

    def pin(self, cid: str, most: int | None = None) -> None:
        """Keep a content through :meth:`collect`; pinning twice is pinning once.

        Parameters
        ----------
        cid
            Its name.
        most
            How many bytes it can have at most, where the caller knows: a store that gets it from
            others takes no more.

        Raises
        ------
        ContentNotFound
            If the store does not have it.
        ContentMismatch
            If it is longer than `most`; then it is not kept.
        """
        ...

    def unpin(self, cid: str) -> None:
        """Give a content up to :meth:`collect`; not an error if it is not pinned or not there."""
        ...

    def stat(self, cid: str) -> Stat:
        """Size and pin of a content.

        Raises
        ------
        ContentNotFound
            If the store does not have it.
        """
        ...

    def missing(self, cids: Collection[str]) -> set[str]:
        """Those of some contents that are not pinned, at the cost of few requests."""
        ...

    def collect(self) -> None:
        """Delete every content that is not pinned."""
        ...

    @property
    def copies(self) -> int:
        """On how many nodes each content is to lie."""
        ...

    def holdings(self, cid: str) -> dict[str, Holding]:
        """What each node has of a content, by the node's name."""
        ...


def holding(node: Storage, cid: str) -> Holding:
    """What a store of one node has of a content.

    Examples
    --------
    >>> import io
    >>> from radledger.storage import MemoryStore
    >>> node = MemoryStore()
    >>> cid = node.put(io.BytesIO(b"pixels")).cid
    >>> holding(node, cid).value, holding(MemoryStore(), cid).value
    ('pinned', 'missing')
    """
    try:
        return held_by(node, cid)
    except StorageUnavailable:
        return Holding.UNREACHABLE


def held_by(node: Storage, cid: str) -> Holding:
    """As :func:`holding`, of a node that must answer.

    Raises
    ------
    StorageUnavailable
        If it does not.
    """
    try:
        return Holding.PINNED if node.stat(cid).pinned else Holding.CACHED
    except ContentNotFound:
        return Holding.MISSING


def put_at_once(storage: Storage, contents: Iterable[tuple[IO[bytes], str]]) -> None:
    """``put_all`` of a store that has to be waited for: by several threads."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done in [pool.submit(storage.put, source, cid) for source, cid in contents]:
            done.result()


def get_by_digest(storage: Storage, digest: bytes, most: int | None = None) -> IO[bytes]:
    """Open a content of which only the 32-byte digest is known, as on the chain.

    `most` is that of :meth:`Storage.get`.

    Raises
    ------
    ContentNotFound
        If the store has neither of the CIDs that ``digest`` may stand for.
    ContentMismatch
        If what the store has or sends is something else.
    StorageUnavailable
        If a node that may have it cannot be reached.

    Examples
    --------
    >>> import io
    >>> from radledger.storage import MemoryStore, cid_digest
    >>> store = MemoryStore()
    >>> digest = cid_digest(store.put(io.BytesIO(b"manifest")).cid)
    >>> get_by_digest(store, digest).read()
    b'manifest'
    """
    large, small = candidates(digest)
    try:
        return storage.get(large, most)
    except (ContentNotFound, StorageUnavailable):  # an unavailable node might have had it
        return storage.get(small, most)

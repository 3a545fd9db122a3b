"""A store that forgets, for tests."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable
from typing import IO

from radledger.storage.cid import cid_digest, cid_of, too_long, verified
from radledger.storage.errors import ContentNotFound
from radledger.storage.protocol import Holding, Stat, Stored, holding

__all__ = ["MemoryStore"]


class MemoryStore:
    """A :class:`~radledger.storage.Storage` in memory; one process, small content.

    Attributes
    ----------
    contents
        Bytes by CID; a test may damage them.

    Examples
    --------
    >>> import io
    >>> store = MemoryStore()
    >>> stored = store.put(io.BytesIO(b"pixels"))
    >>> store.get(stored.cid).read()
    b'pixels'
    """

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self._pins: set[str] = set()

    def put(self, source: IO[bytes], cid: str | None = None) -> Stored:
        """Keep a stream and pin it; see :class:`Storage`."""
        content = source.read()
        cid = cid or cid_of(io.BytesIO(content))
        self.contents[cid] = content
        self._pins.add(cid)
        return Stored(cid, len(content))

    def put_all(self, contents: Iterable[tuple[IO[bytes], str]]) -> None:
        """Keep several streams; see :class:`Storage`."""
        for source, cid in contents:
            self.put(source, cid)

    def get(self, cid: str, most: int | None = None) -> IO[bytes]:
        """Open a content, verified first; see :class:`Storage`."""
        return verified(cid, [self._content(cid)], most)

    def pin(self, cid: str, most: int | None = None) -> None:
        """Keep a content; see :class:`Storage`."""
        if most is not None and len(self._content(cid)) > most:
            raise too_long(cid, most)
        self._content(cid)
        self._pins.add(cid)

    def unpin(self, cid: str) -> None:
        """Give a content up; see :class:`Storage`."""
        cid_digest(cid)
        self._pins.discard(cid)

    def stat(self, cid: str) -> Stat:
        """Size and pin of a content; see :class:`Storage`."""
        return Stat(cid, len(self._content(cid)), cid in self._pins)

    def missing(self, cids: Collection[str]) -> set[str]:
        """The contents that are not pinned; see :class:`Storage`."""
        return {cid for cid in cids if not self._keeps(cid)}

    @property
    def copies(self) -> int:
        """One; see :class:`Storage`."""
        return 1

    def holdings(self, cid: str) -> dict[str, Holding]:
        """What this node has of a content; see :class:`Storage`."""
        return {"store": holding(self, cid)}

    def collect(self) -> None:
        """Delete what is not pinned; see :class:`Storage`."""
        for cid in self.contents.keys() - self._pins:
            del self.contents[cid]

    def _keeps(self, cid: str) -> bool:
        cid_digest(cid)
        return cid in self._pins and cid in self.contents

    def _content(self, cid: str) -> bytes:
        cid_digest(cid)
        if cid not in self.contents:
            raise ContentNotFound(f"the store has no {cid}; put it first", cid=cid)
        return self.contents[cid]

"""A double of a node that can be away."""

from __future__ import annotations

from collections.abc import Collection
from typing import IO

from radledger.storage import MemoryStore, Stored
from radledger.storage.errors import StorageUnavailable


class Node(MemoryStore):
    """A store in memory that answers nothing while it is away."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False

    def put(self, source: IO[bytes], cid: str | None = None) -> Stored:
        self.answer()
        return super().put(source, cid)

    def unpin(self, cid: str) -> None:
        self.answer()
        super().unpin(cid)

    def missing(self, cids: Collection[str]) -> set[str]:
        self.answer()
        return super().missing(cids)

    def collect(self) -> None:
        self.answer()
        super().collect()

    def _content(self, cid: str) -> bytes:
        self.answer()
        return super()._content(cid)

    def answer(self) -> None:
        if self.away:
            raise StorageUnavailable("it is away", address="nowhere")

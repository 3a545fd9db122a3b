"""What contracts recorded, and the transactions in which they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Event", "Receipt"]


@dataclass(frozen=True)
class Event:
    """Something that a contract recorded.

    Attributes
    ----------
    contract, name
        Who emitted it, and its name in Solidity.
    args
        Its arguments by name, as web3 decodes them: bytes as bytes.
    block, log_index, transaction
        Where it stands: block number, position in the block, transaction hash as ``0x…``.
    timestamp
        Unix time of the block.
    """

    contract: str
    name: str
    args: Mapping[str, Any]
    block: int
    log_index: int
    transaction: str
    timestamp: int


@dataclass(frozen=True)
class Receipt:
    """A mined transaction: its hash as ``0x…``, where and when, its gas and its events."""

    transaction: str
    block: int
    timestamp: int
    gas_used: int
    events: tuple[Event, ...]

    def event(self, name: str) -> Event:
        """The first event called ``name``; raises `KeyError` if there is none."""
        for event in self.events:
            if event.name == name:
                return event
        raise KeyError(name)

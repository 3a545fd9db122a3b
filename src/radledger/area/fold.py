"""The state of a contract, rebuilt from its events, and what its views must answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["NOBODY", "NOTHING", "Fold", "View", "encoded", "hashed"]

NOBODY = "0x" + "00" * 20
"""The zero address, which stands for none."""

NOTHING = "0x" + "00" * 32
"""The digest of nothing."""


@dataclass(frozen=True, slots=True)
class View:
    """A view of a contract, its arguments, and each value that it must answer, as JSON has them."""

    contract: str
    function: str
    arguments: tuple[Any, ...]
    answers: tuple[Any, ...]


class Fold(ABC):
    """The state of one contract."""

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        """The state after these events, in whatever order they are given."""
        state = cls()
        for event in sorted(events, key=lambda event: (event.block, event.log_index)):
            state.apply(event)
        return state

    @abstractmethod
    def apply(self, event: Event) -> None:
        """Do what the contract did when it emitted this."""

    @abstractmethod
    def views(self, now: int) -> Iterator[View]:
        """What its views must answer at that time."""


def encoded(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """``abi.encode(values)``; digests and addresses given as ``0x…``."""
    from eth_abi.abi import encode

    raw = [
        bytes.fromhex(value[2:]) if type_ == "bytes32" else value
        for type_, value in zip(types, values, strict=True)
    ]
    return encode(types, raw)


def hashed(types: Sequence[str], values: Sequence[Any]) -> str:
    """``keccak256(abi.encode(values))``, as ``0x…``."""
    from eth_hash.auto import keccak

    return "0x" + keccak(encoded(types, values)).hex()

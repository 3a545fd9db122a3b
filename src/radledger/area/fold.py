"""What a rebuilt state says a contract's view must answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["NOBODY", "NOTHING", "State", "View", "encoded", "hashed"]

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


class State(Protocol):
    """The state of one contract."""

    def apply(self, event: Event) -> None:
        """Do what the contract did when it emitted this."""

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

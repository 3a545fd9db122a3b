"""What the contracts say at the latest block, asked of the node once in each block."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from radledger.chain.rpc import request

if TYPE_CHECKING:
    from radledger.chain.clock import Present
    from radledger.chain.ledger import ContractAt, Ledger

__all__ = ["LatestBlock", "Views"]

_Answer = TypeVar("_Answer")
_MOST_ANSWERS = 50_000  # of a chain that makes no block for hours


class Views(Protocol):
    """What answers the contracts' views: a ledger, or its latest block."""

    def call(self, contract: str | ContractAt, function: str, *args: Any) -> Any:
        """As :meth:`.Ledger.call`."""


@dataclass
class _Head:
    """The latest block, and what was answered by it."""

    asked_at: float
    hash: str
    number: int
    time: int
    answers: dict[Hashable, Any] = field(default_factory=dict)


class LatestBlock:
    """Answers of the contracts, which stay the same until there is another block.

    They are kept by the block's hash, so that those of a branch that was left do not count.  An
    answer may be of a later block than the one for which it is kept, never of an earlier one.

    Any number of threads may use it.

    Parameters
    ----------
    ledger
        The connected chain.

    Examples
    --------
    >>> latest = LatestBlock(ledger)                               # doctest: +SKIP
    >>> latest.present().block                                     # doctest: +SKIP
    7
    >>> latest.call("ParticipantRegistry", "isActive", hospital)   # doctest: +SKIP
    True
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._head: _Head | None = None
        self._looking = threading.Lock()

    def present(self, *, fresh: float = 0.0) -> Present:
        """What time it is, by the latest block and by this machine; answers are of it from now on.

        Parameters
        ----------
        fresh
            Seconds for which an earlier look at the chain's head counts; default: it is looked at.

        Raises
        ------
        ChainStale
            If the latest block is older than the network allows.
        ConnectionFailed
            If the chain cannot be reached.
        """
        with self._looking:
            head = self._head
            if head is None or time.monotonic() - head.asked_at >= fresh:
                head = self._head = self._looked_up(head)
        present = self._ledger.clock.present(head.number, head.time)
        present.require_current()
        return present

    def call(self, contract: str | ContractAt, function: str, *args: Any) -> Any:
        """Ask a view, as :meth:`.Ledger.call` does; what it refuses is asked again."""
        ask = partial(self._ledger.call, contract, function, *args)
        return self.once((contract, function, args), ask)

    def once(self, question: Hashable, ask: Callable[[], _Answer]) -> _Answer:
        """What was answered to a question at the block of the last `present`, or is now."""
        head = self._head
        if head is None:
            return ask()
        if question in (answers := head.answers):
            with suppress(KeyError):  # of another thread that has cleared them meanwhile
                return cast(_Answer, answers[question])
        answer = ask()
        if len(answers) >= _MOST_ANSWERS:
            answers.clear()
        # Kept for the block that was looked up before it was asked, not for a later one.
        answers[question] = answer
        return answer

    def _looked_up(self, known: _Head | None) -> _Head:
        now = time.monotonic()
        block = request(self._ledger.web3, "eth_getBlockByNumber", ["latest", False])
        if known is not None and known.hash == block["hash"]:
            known.asked_at = now
            return known
        return _Head(now, block["hash"], int(block["number"], 16), int(block["timestamp"], 16))

"""The present time: by the latest block and by this machine, and whether the chain is alive.

Contracts know only the time of their block.  While a chain makes no block, nothing expires on it,
and later revocations are not visible.  So expiry goes by the later of both clocks, and decisions
about access are refused if the latest block is too old.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from radledger.chain.errors import ChainStale

__all__ = ["STALE", "Clock", "Present"]

STALE = "stale chain"
"""The reason for refusing to answer from a block that is too old."""


@dataclass(frozen=True, slots=True)
class Clock:
    """This machine's clock, and how old a chain's latest block may be.

    Attributes
    ----------
    wall
        Unix time of this machine.
    max_block_age
        Seconds; infinite for a chain that makes blocks on demand.
    """

    wall: Callable[[], float] = time.time
    max_block_age: float = math.inf

    def present(self, block: int, block_time: int) -> Present:
        """The present, with a latest block of this number and Unix time."""
        return Present(block, block_time, int(self.wall()), self.max_block_age)


@dataclass(frozen=True, slots=True)
class Present:
    """The present, by the latest block and by this machine.

    Attributes
    ----------
    block, block_time
        Number and Unix time of the latest block.
    wall_time
        Unix time of this machine.
    max_block_age
        Seconds that the block may be old.

    Examples
    --------
    >>> present = Present(block=7, block_time=1_000, wall_time=1_070, max_block_age=60)
    >>> present.time, present.block_age, present.stale
    (1070, 70, True)
    >>> Present(block=7, block_time=1_000, wall_time=990, max_block_age=60).time
    1000
    """

    block: int
    block_time: int
    wall_time: int
    max_block_age: float

    @property
    def time(self) -> int:
        """Unix time: the later of both clocks."""
        return max(self.block_time, self.wall_time)

    @property
    def block_age(self) -> int:
        """Seconds since the latest block."""
        return max(0, self.wall_time - self.block_time)

    @property
    def stale(self) -> bool:
        """Whether the chain should have made a block since."""
        return self.block_age > self.max_block_age

    def require_current(self) -> None:
        """Refuse to continue if the latest block is too old.

        Raises
        ------
        ChainStale
            With the block's number and age.
        """
        if self.stale:
            raise ChainStale(
                f"{STALE}: the latest block, {self.block}, is {self.block_age} s old, and at most "
                f"{self.max_block_age:g} s are accepted; see which nodes make no blocks with "
                "`radledger network status`, and check the clock of this machine",
                reason=STALE,
                block=self.block,
                block_age=self.block_age,
                max_block_age=self.max_block_age,
            )

"""Make anvil mine what it leaves in its pool.

It makes a block when a transaction comes, and can miss one that comes while it makes a block: that
one waits for the next, which may never come [1]_.

References
----------
.. [1] https://github.com/foundry-rs/foundry/issues/10122
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from radledger.chain.errors import RequestFailed
from radledger.chain.rpc import request

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["Automine"]


class Automine:
    """Mining on request, if the node is an anvil that makes blocks on demand."""

    def __init__(self, web3: Web3) -> None:
        self._web3 = web3

    def catch_up(self) -> None:
        """Have a block made of what waits; does nothing on other nodes, or where blocks wait."""
        if self._is_anvil and request(self._web3, "anvil_getAutomine", []) is True:
            request(self._web3, "evm_mine", [])

    @cached_property
    def _is_anvil(self) -> bool:
        try:
            client = str(request(self._web3, "web3_clientVersion", []))
        except RequestFailed:
            return False
        return client.startswith("anvil/")

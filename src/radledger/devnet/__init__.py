"""A local chain with everything on it, for trying, demonstrating and developing.

:func:`up` starts Ganache or anvil, deploys the contracts and makes seven people who can act at
once; :func:`down` stops it, and :func:`status` tells how it is.  See
:mod:`radledger.devnet.people` for who they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radledger.devnet.network import Devnet, down, status, up

__all__ = ["Devnet", "down", "status", "up"]


def __getattr__(name: str) -> Any:
    """Import on first use: web3 costs a second."""
    if name in __all__:
        from radledger.devnet import network

        return getattr(network, name)
    raise AttributeError(name)

"""The nodes of a network: named, connected to, surveyed and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.chain.nodes.networks import Network

__all__ = ["Network"]

__getattr__ = lazily(
    __name__,
    {
        "networks": ("Network",),
    },
)

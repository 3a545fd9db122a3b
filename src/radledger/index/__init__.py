"""The chain's events in SQL: what happened to an image set or an address, and what became of it.

The index follows the chain; it decides nothing and can be rebuilt from the deployment block at any
time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.index.service import Index

__all__ = ["Index"]

__getattr__ = lazily(
    __name__,
    {
        "service": ("Index",),
    },
)

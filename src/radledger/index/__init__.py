"""The chain's events in SQL: history, lineage and audit of image sets and other ids.

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

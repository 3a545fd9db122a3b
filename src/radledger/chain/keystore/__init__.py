"""Private keys: in keystore files under a name, and as people keep and copy them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.chain.keystore.accounts import Keystore

__all__ = ["Keystore"]

__getattr__ = lazily(
    __name__,
    {
        "accounts": ("Keystore",),
    },
)

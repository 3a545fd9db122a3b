"""Merkle trees, file encryption and key wrapping.

* :mod:`radledger.crypto.merkle`: what the chain holds of an image set, one root
* :mod:`radledger.crypto.envelope`: one age identity for each image set encrypts its files
* :mod:`radledger.crypto.seekable`: any part of such a file, without what is before it
* :mod:`radledger.crypto.keys`: that identity, wrapped to each reader's registered key
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.crypto.keys import (
        Kem,
        PrivateKey,
        PublicKey,
        Wrapped,
        new_private_key,
        public_key,
    )
    from radledger.crypto.merkle import Leaf, MerkleTree

__all__ = [
    "Kem",
    "Leaf",
    "MerkleTree",
    "PrivateKey",
    "PublicKey",
    "Wrapped",
    "new_private_key",
    "public_key",
]

__getattr__ = lazily(
    __name__,
    {
        "keys": ("Kem", "PrivateKey", "PublicKey", "Wrapped", "new_private_key", "public_key"),
        "merkle": ("Leaf", "MerkleTree"),
    },
)

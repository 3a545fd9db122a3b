"""Merkle trees, file encryption and key wrapping.

* :mod:`radledger.crypto.merkle`: what the chain holds of an image set, one root
* :mod:`radledger.crypto.envelope`: one age identity for each image set encrypts its files
* :mod:`radledger.crypto.keys`: that identity, wrapped to each reader's registered key
"""

from __future__ import annotations

__all__: list[str] = []

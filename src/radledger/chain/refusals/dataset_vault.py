"""Custom errors of DatasetVault.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "VaultNotRegistry",
]


class VaultNotRegistry(ContractError):
    """Only the registry that made the vault pays from it."""

    selector = "ce058c66"
    parameters = (("caller", "address"),)

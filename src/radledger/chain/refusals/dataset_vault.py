"""Custom errors of DatasetVault.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "VaultNotRegistry",
]


class VaultNotRegistry(ContractError):
    """The caller is not the registry that created the vault."""

    selector = "ce058c66"
    parameters = (("caller", "address", "address"),)

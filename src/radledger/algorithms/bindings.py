"""Enumerations, structs and constants of the contracts.

Written by ``tools/generate_bindings.py``; edit the contracts instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from radledger.chain.enumeration import Enumeration

__all__ = [
    "ENUMERATIONS",
    "NewVersion",
    "Version",
]


class NewVersion(NamedTuple):
    """What a developer states about a new version of an algorithm."""

    digest: bytes
    dataset: bytes
    dataset_version: int
    conditions: bytes
    parent: bytes


class Version(NamedTuple):
    """What the chain keeps of a version."""

    institution: str
    published_at: int
    recalled_at: int


ENUMERATIONS: Mapping[str, type[Enumeration]] = {}
"""The enumerations by the internal type that the ABI has."""

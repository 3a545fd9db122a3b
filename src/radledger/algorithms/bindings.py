"""Enumerations, structs and constants of the contracts.

Written by ``tools/generate_bindings.py``; edit the contracts instead.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
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

"""Algorithms: their versions, the training of these, and their executions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.algorithms.algorithms import Algorithms
    from radledger.algorithms.bundle import MonaiBundle
    from radledger.algorithms.model import Algorithm, Execution, Release, Run, Version

__all__ = ["Algorithm", "Algorithms", "Execution", "MonaiBundle", "Release", "Run", "Version"]

__getattr__ = lazily(
    __name__,
    {
        "algorithms": ("Algorithms",),
        "bundle": ("MonaiBundle",),
        "model": ("Algorithm", "Execution", "Release", "Run", "Version"),
    },
)

"""Data sets: their contents, their contributors, and how rewards are shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.research.datasets import Datasets
    from radledger.research.model import (
        Contribution,
        CreatedDataset,
        Dataset,
        DatasetTerms,
        FrozenVersion,
        Share,
    )

__all__ = [
    "Contribution",
    "CreatedDataset",
    "Dataset",
    "DatasetTerms",
    "Datasets",
    "FrozenVersion",
    "Share",
]

__getattr__ = lazily(
    __name__,
    {
        "datasets": ("Datasets",),
        "model": (
            "Contribution",
            "CreatedDataset",
            "Dataset",
            "DatasetTerms",
            "FrozenVersion",
            "Share",
        ),
    },
)

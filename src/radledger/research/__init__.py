"""Data sets: what they consist of, who contributed, and how the benefit is shared."""

from __future__ import annotations

from radledger.research.datasets import Datasets
from radledger.research.model import (
    Contribution,
    CreatedDataset,
    Dataset,
    FrozenVersion,
    Share,
    Terms,
)

__all__ = [
    "Contribution",
    "CreatedDataset",
    "Dataset",
    "Datasets",
    "FrozenVersion",
    "Share",
    "Terms",
]

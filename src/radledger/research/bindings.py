"""Enumerations, structs and constants of the contracts.

Written by ``tools/generate_bindings.py``; edit the contracts instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from radledger.chain.enumeration import Enumeration
from radledger.chain.typed_data import Fields
from radledger.consent.bindings import Use

__all__ = [
    "TYPED_DATA",
    "Acceptance",
    "Class",
    "Contribution",
    "ContributionSlotLibrary",
    "ContributionState",
    "Dataset",
    "DatasetContributions",
    "DatasetTreasury",
    "RewardAccounts",
    "Terms",
    "WeightRule",
]


class Class(Enumeration):
    """What a contributor adds to a data set."""

    DATA = "data"
    CUSTODY = "custody"
    ANNOTATION = "annotation"
    DEVELOPMENT = "development"


class WeightRule(Enumeration):
    """How much an image set weighs within its class."""

    PER_SET = "per set"
    PER_INSTANCE = "per instance"
    SCORED = "scored"


class Acceptance(NamedTuple):
    """A curator's signature over typed data (EIP-712)."""

    curator: str
    deadline: int
    signature: bytes


class Contribution(NamedTuple):
    """A contribution."""

    weight: int
    contributed_at: int
    suspended_at: int
    state: int
    custody: bool


class ContributionState(Enumeration):
    """State of a contribution. A suspended one earns nothing; it counts again when consent is
    renewed in time, and is withdrawn for good after that."""

    NONE = "none"
    COUNTED = "counted"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


class Terms(NamedTuple):
    """The terms of a data set, fixed at its creation."""

    token: str
    shares: tuple[int, ...]
    rule: int
    most_instances: int
    use: Use
    protocol: bytes


class Dataset(NamedTuple):
    """A data set as the chain keeps it."""

    institution: str
    rule: int
    most_instances: int
    use: Use
    shares: tuple[int, ...]
    vault: str
    versions: int


class ContributionSlotLibrary:
    """Constants of ``contracts/research/ContributionSlot.sol``."""

    RENEWAL_PERIOD: Final = 2_592_000


class DatasetContributions:
    """Constants of ``contracts/research/DatasetContributions.sol``."""

    RENEWAL_PERIOD: Final = 2_592_000


class DatasetTreasury:
    """Constants of ``contracts/research/DatasetTreasury.sol``."""

    BASIS_POINTS: Final = 10_000


class RewardAccounts:
    """Constants of ``contracts/research/RewardAccounts.sol``."""

    MOST_UNITS: Final = 2**96 - 1
    BINARY_PLACES: Final = 24


TYPED_DATA: Mapping[str, Fields] = {
    "Accept": (
        ("bytes32", "dataset"),
        ("bytes32", "image"),
        ("uint32", "weight"),
        ("uint40", "deadline"),
    ),
}
"""The structs that are signed (EIP-712), field by field."""

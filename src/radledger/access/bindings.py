"""Enumerations, structs and constants of the contracts.

Written by ``tools/generate_bindings.py``; edit the contracts instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from radledger.chain.enumeration import Enumeration
from radledger.chain.typed_data import Fields

__all__ = [
    "TYPED_DATA",
    "AccessLedger",
    "Acknowledgement",
    "Demand",
    "RootState",
]


class Acknowledgement(NamedTuple):
    """What a recorder signs for the holder of a receipt: that the receipt is under the root of that
    day."""

    receipt: bytes
    institution: str
    day: int


class Demand(NamedTuple):
    """What the chain keeps of a demand."""

    due: int
    answered_at: int


class RootState(Enumeration):
    """What is known of the root of a day. A pending one can still be anchored, a missing one no
    longer; an overwritten one has made place for that of a later day."""

    PENDING = "pending"
    ANCHORED = "anchored"
    MISSING = "missing"
    OVERWRITTEN = "overwritten"


class AccessLedger:
    """Constants of ``contracts/access/AccessLedger.sol``."""

    OPEN_DAYS: Final = 2
    DEMAND_DAYS: Final = 56
    ANSWER_PERIOD: Final = 604_800
    NO_END: Final = 4_294_967_295


TYPED_DATA: Mapping[str, Fields] = {
    "Acknowledgement": (("bytes32", "receipt"), ("address", "institution"), ("uint32", "day")),
}
"""The structs that are signed (EIP-712), field by field."""

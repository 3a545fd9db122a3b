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
    "Authorization",
    "Basis",
    "Conduct",
    "DataUse",
    "Emergency",
    "EmergencyAccess",
    "Grant",
    "GrantStore",
    "Outcome",
    "Reason",
    "Scopes",
    "Status",
    "Terms",
    "Use",
]


class Terms(NamedTuple):
    """What a grant permits."""

    from_: int
    until: int
    purposes: int
    conditions: int
    disease: bytes


class Basis(NamedTuple):
    """What stood on chain when the subject signed a grant."""

    seen: int
    epoch: int


class Authorization(NamedTuple):
    """A signature over typed data (EIP-712)."""

    signer: str
    signed: int
    deadline: int
    signature: bytes


class Conduct(NamedTuple):
    """Emergency accesses of a clinician, or of an institution's clinicians, counted by outcome."""

    declared: int
    justified: int
    unjustified: int
    waiting: int
    overdue: int


class Emergency(NamedTuple):
    """Emergency access that a clinician declared."""

    institution: str
    until: int
    review_by: int
    outcome: int
    ended: bool


class Outcome(Enumeration):
    """What the review of an emergency access found."""

    NONE = "none"
    WAITING = "waiting"
    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


class Grant(NamedTuple):
    """A grant as the chain keeps it: its terms, DUO's inheritance applied, in one slot."""

    from_: int
    until: int
    signed: int
    purposes: int
    conditions: int
    disease: bytes
    epoch: int
    status: int


class Status(Enumeration):
    """Whether a grant stands."""

    NONE = "none"
    GRANTED = "granted"
    REVOKED = "revoked"


class Use(NamedTuple):
    """What a reader wants to do."""

    purposes: int
    fulfilled: int
    disease: bytes


class Reason(Enumeration):
    """Why a use is permitted or not; where several grants refuse it, the reason is that of the
    closest one."""

    PERMITTED = "permitted"
    NEVER_GRANTED = "never granted"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET = "not yet"
    PURPOSE = "purpose"
    DISEASE = "disease"
    CONDITION = "condition"
    READER_SUSPENDED = "reader suspended"
    NOT_ANCHORED = "not anchored"
    ERASED = "erased"
    DISOWNED = "disowned"


class EmergencyAccess:
    """Constants of ``contracts/consent/EmergencyAccess.sol``."""

    LONGEST_EMERGENCY: Final = 86_400
    LONGEST_WHILE_OVERDUE: Final = 3_600


class GrantStore:
    """Constants of ``contracts/consent/GrantStore.sol``."""

    GRANT_AHEAD: Final = 300
    CLOCK_ERROR: Final = 86_400
    DOUBT: Final = 172_800
    LAST_EPOCH: Final = 65_535


class DataUse:
    """Constants of ``contracts/lib/DataUse.sol``."""

    NO_RESTRICTION: Final = 1
    GENERAL_RESEARCH: Final = 2
    BIOMEDICAL_RESEARCH: Final = 4
    DISEASE_RESEARCH: Final = 8
    ANCESTRY_RESEARCH: Final = 16
    CLINICAL_CARE: Final = 32
    METHOD_DEVELOPMENT: Final = 64
    RESEARCH_CONTROL: Final = 128
    TEACHING: Final = 256
    ALL_PURPOSES: Final = 511
    REQUIREMENTS: Final = 16_383
    NO_METHODS: Final = 16_384
    NO_ANCESTRY: Final = 32_768


class Scopes:
    """Constants of ``contracts/types/Scope.sol``."""

    ALL: Final = bytes.fromhex("0000000000000000000000000000000000000000000000000000000000000000")
    EMERGENCY: Final = bytes.fromhex(
        "c12a0ee62d54db6a9963493bbd3a690e88cdbc6d39d38a0783e628b6be9821db"
    )


TYPED_DATA: Mapping[str, Fields] = {
    "Grant": (
        ("address", "subject"),
        ("address", "grantee"),
        ("bytes32", "scope"),
        ("uint32", "from"),
        ("uint32", "until"),
        ("string[]", "purposes"),
        ("string[]", "conditions"),
        ("bytes13", "disease"),
        ("uint32", "seen"),
        ("uint16", "epoch"),
        ("uint32", "signed"),
        ("uint40", "deadline"),
    ),
    "Revoke": (
        ("address", "subject"),
        ("address", "grantee"),
        ("bytes32", "scope"),
        ("uint32", "signed"),
        ("uint40", "deadline"),
    ),
    "RevokeAll": (
        ("address", "subject"),
        ("uint16", "epoch"),
        ("uint32", "signed"),
        ("uint40", "deadline"),
    ),
    "Approve": (
        ("address", "requester"),
        ("address", "subject"),
        ("address", "grantee"),
        ("bytes32", "scope"),
        ("uint32", "from"),
        ("uint32", "until"),
        ("string[]", "purposes"),
        ("string[]", "conditions"),
        ("bytes13", "disease"),
        ("uint32", "seen"),
        ("uint16", "epoch"),
        ("uint32", "signed"),
        ("uint40", "deadline"),
    ),
    "ForbidEmergencies": (
        ("address", "subject"),
        ("bool", "forbidden"),
        ("uint32", "seen"),
        ("uint32", "signed"),
        ("uint40", "deadline"),
    ),
}
"""The structs that are signed (EIP-712), field by field."""

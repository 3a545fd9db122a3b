"""Enumerations, structs and constants of the contracts.

Written by ``tools/generate_bindings.py``; edit the contracts instead.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "Guardians",
    "Identities",
    "ParticipantRegistry",
    "Roles",
]


class Guardians:
    """Constants of ``contracts/identity/Guardians.sol``."""

    APPROVAL_PERIOD: Final = 2_592_000
    MOST: Final = 16


class Identities:
    """Constants of ``contracts/identity/Identities.sol``."""

    LONGEST_VALIDITY: Final = 2**128 - 1
    TENURE_BITS: Final = 16
    MANDATE_BITS: Final = 64


class ParticipantRegistry:
    """Constants of ``contracts/identity/ParticipantRegistry.sol``."""

    BY_INSTITUTION: Final = 1
    BY_GOVERNOR: Final = 2


class Roles:
    """Constants of ``contracts/lib/Roles.sol``."""

    GOVERNOR: Final = 1
    CUSTODIAN: Final = 2
    CLINICIAN: Final = 4
    RADIOLOGIST: Final = 8
    RESEARCHER: Final = 16
    SPONSOR: Final = 32
    ANALYST: Final = 64
    ANNOTATOR: Final = 128
    DEVELOPER: Final = 256
    EDUCATOR: Final = 512
    MANUFACTURER: Final = 1_024
    INSPECTOR: Final = 2_048
    REGULATOR: Final = 4_096
    MEMBER: Final = 8_192
    ACCREDITABLE: Final = 16_382

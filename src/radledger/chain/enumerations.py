"""The members of the contracts' enumerations, which an ABI does not name.

Written by ``tools/generate_bindings.py``; edit the contracts instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ENUMERATIONS"]

ENUMERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "enum IAccessLedger.RootState": ("pending", "anchored", "missing", "overwritten"),
    "enum IConsentGrants.Status": ("none", "granted", "revoked"),
    "enum IConsentOracle.Reason": (
        "permitted",
        "never granted",
        "revoked",
        "expired",
        "not yet",
        "purpose",
        "disease",
        "condition",
        "reader suspended",
        "not anchored",
        "erased",
        "disowned",
    ),
    "enum IDatasetContributions.ContributionState": ("none", "counted", "suspended", "withdrawn"),
    "enum IDatasetContributions.WeightRule": ("per set", "per instance", "scored"),
    "enum IDatasetTreasury.Class": ("data", "custody", "annotation", "development"),
    "enum IEmergencyAccess.Outcome": ("none", "waiting", "justified", "unjustified"),
    "enum IImageRegistry.Kind": (
        "original",
        "deidentified",
        "derived",
        "segmentation",
        "corrected",
    ),
    "enum IImageRegistry.State": ("unknown", "anchored", "erased", "disowned"),
}
"""The members of each in words, in the chain's order, by the ABI's internal type."""

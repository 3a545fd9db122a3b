"""Consent to the use of images: grants, requests and emergency access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.consent.consents import Consents
    from radledger.consent.model import (
        Conduct,
        ConsentRequest,
        Decision,
        Emergency,
        EmergencyCounts,
        Grant,
        Requested,
        SealedNote,
        Terms,
    )

__all__ = [
    "Conduct",
    "ConsentRequest",
    "Consents",
    "Decision",
    "Emergency",
    "EmergencyCounts",
    "Grant",
    "Requested",
    "SealedNote",
    "Terms",
]

__getattr__ = lazily(
    __name__,
    {
        "consents": ("Consents",),
        "model": (
            "Conduct",
            "ConsentRequest",
            "Decision",
            "Emergency",
            "EmergencyCounts",
            "Grant",
            "Requested",
            "SealedNote",
            "Terms",
        ),
    },
)

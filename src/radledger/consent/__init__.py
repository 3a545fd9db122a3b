"""Who may use whose images for what: grants, requests, emergencies, and the release of keys."""

from __future__ import annotations

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

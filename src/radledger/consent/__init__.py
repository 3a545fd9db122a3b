"""Who may use whose images for what: grants, requests, emergencies, and the release of keys."""

from __future__ import annotations

from radledger.consent.consents import Consents
from radledger.consent.model import (
    ConsentRequest,
    Decision,
    Emergency,
    Grant,
    Requested,
    SealedNote,
    Terms,
)

__all__ = [
    "ConsentRequest",
    "Consents",
    "Decision",
    "Emergency",
    "Grant",
    "Requested",
    "SealedNote",
    "Terms",
]

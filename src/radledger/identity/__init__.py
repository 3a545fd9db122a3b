"""Who is who: accredited participants, and identities with their keys, delegates and guardians."""

from __future__ import annotations

from radledger.identity.identities import Identities
from radledger.identity.participants import Participant, Participants
from radledger.identity.records import Attribute, Delegate, Guardians, Identity, Recovery

__all__ = [
    "Attribute",
    "Delegate",
    "Guardians",
    "Identities",
    "Identity",
    "Participant",
    "Participants",
    "Recovery",
]

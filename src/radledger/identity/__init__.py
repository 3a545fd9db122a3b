"""Who is who: accredited participants, and identities with their keys, delegates and guardians."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
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

__getattr__ = lazily(
    __name__,
    {
        "identities": ("Identities",),
        "participants": ("Participant", "Participants"),
        "records": ("Attribute", "Delegate", "Guardians", "Identity", "Recovery"),
    },
)

"""Accredited participants, and identities with their keys, delegates and guardians."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.identity.identities import Identities
    from radledger.identity.model import (
        Attribute,
        Delegate,
        Guardians,
        Identity,
        Participant,
        Recovery,
    )
    from radledger.identity.participants import Participants

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
        "model": ("Attribute", "Delegate", "Guardians", "Identity", "Participant", "Recovery"),
        "participants": ("Participants",),
    },
)

"""What the tests of participants and identities share."""

from __future__ import annotations

from tests.identity.cast import identities, participants, travel, who

__all__ = ["identities", "participants", "travel", "who"]

"""What the tests of participants and identities share."""

from __future__ import annotations

import pytest

from tests.identity.cast import identities, participants, travel, who

__all__ = ["identities", "participants", "travel", "who"]


@pytest.fixture
def guarded(identities, who, submit):
    """The patient has named three relatives, two of whom recover."""
    relatives = [relative.address for relative in who.relatives]
    submit(identities.set_guardians(relatives, 2).sign(who.patient), who.stranger)
    return who.patient.address

"""What revoking everything takes back: by the time of signing, in any order of arrival."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import error
from tests.contracts.consent_registry.conftest import (
    ALL,
    DAY,
    EMERGENCY,
    GRANTED,
    Reason,
    set_epoch,
    use,
)
from tests.contracts.consent_registry.order.conftest import CARE, DOUBT

pytestmark = pytest.mark.no_call_coverage


def test_revoking_everything_takes_back_what_was_signed_before(
    consents, document, patient, radiologist, late, image, permits, refuses
):
    revoked = (Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)
    standing, held_back = document("grant", late - 2), document("grant", late - 1)
    standing()
    everything = document("revokeAll", late)
    everything()
    refuses(radiologist, use(), *revoked)
    with error("ConsentAllRevokedSince", patient, late):
        held_back()
    document("grant", late + 1, seen=late - 2, epoch=1)()
    permits(radiologist, use(), radiologist)


def test_revoking_everything_later_than_what_it_takes_back(
    consents, document, patient, radiologist, late, image, permits, refuses
):
    """A revocation of everything that arrives late leaves what is later beyond doubt."""
    granted = late - 3 * DAY
    document("grant", granted)()
    document("revokeAll", granted - DOUBT - 1)()
    assert consents.epochOf(patient) == 1
    permits(radiologist, use(), radiologist)
    document("revokeAll", granted - DOUBT, epoch=1)()
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)


def test_revoking_everything_by_a_clock_that_is_behind_ends_an_emergency(
    document, break_glass, patient, radiologist, image, permits, refuses
):
    """The one in force; it keeps no later one out."""
    since = break_glass()
    document("revokeAll", since - DAY)()
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)
    break_glass()
    permits(radiologist, use(), radiologist, EMERGENCY)


def test_a_grant_after_everything_was_revoked_that_it_does_not_know(document, patient, slot, late):
    revoked = late - 10 * DAY
    document("revokeAll", revoked)()
    with error("ConsentAllRevokedSince", patient, revoked):
        document("grant", revoked + DOUBT)()
    document("grant", revoked + DOUBT + 1)()
    assert slot() == (revoked + DOUBT + 1, GRANTED)


def test_everything_is_revoked_again(consents, document, patient, late):
    document("revokeAll", late)()
    document("revokeAll", late + 1)()
    document("revokeAll", late - DAY, epoch=2)()
    assert (consents.epochOf(patient), consents.revokedAllAt(patient)) == (3, late + 2)


def test_everything_is_revoked_over_an_epoch_that_the_chain_does_not_have(
    consents, document, patient, late
):
    """After a reorganisation, say: it would count again in each epoch up to the one it names."""
    document("revokeAll", late)()
    revocation = document("revokeAll", late + 1, epoch=2)
    with error("ConsentBasisUnknown", 0, late, 2, 1):
        revocation()
    consents.revokeAll(patient, {"from": patient})
    revocation()
    assert consents.epochOf(patient) == 3
    with error("ConsentAllRevokedAlready", patient, consents.revokedAllAt(patient)):
        revocation()


def test_the_last_epoch(consents, document, patient, radiologist, image, late, permits, refuses):
    """After 65,535 revocations of everything, times alone tell what the next one takes back."""
    last = 2**16 - 1
    set_epoch(consents, patient, last - 1)
    document("revokeAll", late, epoch=last - 1)()
    assert consents.epochOf(patient) == last
    with error("ConsentAllRevokedAlready", patient, late):
        document("revokeAll", late, epoch=last)()
    with error("ConsentAllRevokedSince", patient, late):
        document("grant", late + 1, epoch=last)()
    consents.grant(patient, radiologist, ALL, CARE, {"from": patient})
    permits(radiologist, use(), radiologist)
    document("revokeAll", late + 1, epoch=last)()
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)
    assert (consents.epochOf(patient), consents.revokedAllAt(patient)) == (last, late + 1)

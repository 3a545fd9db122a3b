"""The review of emergency access: by whom, once for each, by when, and what it does."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import NOBODY, Role, digest, error, next_block_at, plain, travel
from tests.contracts.consent_registry.conftest import (
    DAY,
    EMERGENCY,
    HOUR,
    REVOKED,
    Outcome,
    Reason,
    due,
    use,
)

OPINION = digest("opinion")


def test_review(consents, break_glass, now, patient, radiologist, colleague, hospital):
    since = break_glass()
    transaction = consents.review(patient, radiologist, since, False, OPINION, {"from": colleague})
    assert [(event.name, dict(event)) for event in transaction.events] == [
        (
            "EmergencyReviewed",
            {
                "subject": patient,
                "clinician": radiologist,
                "reviewer": colleague,
                "since": since,
                "justified": False,
                "opinion": OPINION,
            },
        ),
        (
            "ConsentRevoked",
            {
                "subject": patient,
                "grantee": radiologist,
                "scope": EMERGENCY,
                "signed": now(),
                "actor": colleague,
            },
        ),
    ]
    assert plain(consents.emergencyOf(patient, radiologist, since)) == (
        hospital.address,
        since + HOUR,
        due(since),
        Outcome.UNJUSTIFIED,
        True,
    )
    assert plain(consents.grantOf(patient, radiologist, EMERGENCY))[7] == REVOKED


def test_justified(consents, break_glass, review, image, patient, radiologist, colleague, permits):
    since = break_glass()
    assert [event.name for event in review(since, colleague).events] == ["EmergencyReviewed"]
    assert plain(consents.emergencyOf(patient, radiologist, since))[3:] == (
        Outcome.JUSTIFIED,
        False,
    )
    permits(radiologist, use(), radiologist, EMERGENCY)


def test_unjustified_ends_it_at_once(
    break_glass, review, image, patient, radiologist, colleague, permits, refuses
):
    since = break_glass(lasts=DAY)
    permits(radiologist, use(), radiologist, EMERGENCY)
    review(since, colleague, justified=False)
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)
    break_glass()  # care is never blocked
    permits(radiologist, use(), radiologist, EMERGENCY)


def test_unjustified_after_the_patient_revoked_it(
    consents, break_glass, review, patient, radiologist, colleague
):
    """What has ended does not end twice."""
    since = break_glass()
    consents.revoke(patient, radiologist, EMERGENCY, {"from": patient})
    reviewed = review(since, colleague, justified=False)
    assert [event.name for event in reviewed.events] == ["EmergencyReviewed"]
    assert plain(consents.emergencyOf(patient, radiologist, since))[3:] == (
        Outcome.UNJUSTIFIED,
        True,
    )
    with error("ConsentNothingToRevoke", patient, radiologist, EMERGENCY):
        consents.revoke(patient, radiologist, EMERGENCY, {"from": patient})


def test_an_earlier_one_found_unjustified_ends_no_later_one(
    consents, break_glass, review, image, patient, radiologist, colleague, permits
):
    first = break_glass()
    second = break_glass()
    reviewed = review(first, colleague, justified=False)
    assert [event.name for event in reviewed.events] == ["EmergencyReviewed"]
    permits(radiologist, use(), radiologist, EMERGENCY)
    outcomes = [plain(consents.emergencyOf(patient, radiologist, at))[3:] for at in (first, second)]
    assert outcomes == [(Outcome.UNJUSTIFIED, True), (Outcome.WAITING, False)]


def test_review_is_for_a_second_active_person_of_the_institution(
    participants,
    break_glass,
    review,
    radiologist,
    colleague,
    hospital,
    researcher,
    clinic,
    stranger,
):
    since = break_glass()
    participants.suspend(colleague, {"from": hospital})
    for reviewer in (radiologist, researcher, clinic, colleague):
        with error("EmergencyReviewerInvalid", reviewer, radiologist, hospital):
            review(since, reviewer)
    participants.reinstate(colleague, {"from": hospital})
    review(since, colleague)


def test_clinician_who_left_is_reviewed(
    participants, break_glass, review, radiologist, clinic, hospital, colleague
):
    """Not by itself from its next institution either."""
    since = break_glass()
    participants.leaveInstitution({"from": radiologist})
    participants.admit(radiologist, Role.CLINICIAN, {"from": clinic})
    for reviewer in (radiologist, clinic):
        with error("EmergencyReviewerInvalid", reviewer, radiologist, hospital):
            review(since, reviewer)
    review(since, colleague)


def test_institution_reviews_and_is_reviewed(break_glass, review, radiologist, hospital, colleague):
    review(break_glass(), hospital)
    since = break_glass(clinician=hospital)
    with error("EmergencyReviewerInvalid", hospital, hospital, hospital):
        review(since, hospital, clinician=hospital)
    review(since, colleague, clinician=hospital)


def test_stranger_reviews_nothing(break_glass, review, radiologist, hospital, stranger):
    with error("EmergencyReviewerInvalid", stranger, radiologist, hospital):
        review(break_glass(), stranger)


def test_review_once(break_glass, review, patient, radiologist, colleague):
    since = break_glass()
    review(since, colleague)
    with error("EmergencyAlreadyReviewed", patient, radiologist, since):
        review(since, colleague)


def test_each_emergency_is_reviewed(break_glass, review, consents, patient, radiologist, colleague):
    first = break_glass()
    second = break_glass()
    review(first, colleague)
    assert [consents.emergencyOf(patient, radiologist, at)[3] for at in (first, second)] == [
        Outcome.JUSTIFIED,
        Outcome.WAITING,
    ]
    review(second, colleague)
    for since in (first, second):
        with error("EmergencyAlreadyReviewed", patient, radiologist, since):
            review(since, colleague)


@pytest.mark.no_call_coverage
@pytest.mark.parametrize("justified", [None, True, False], ids=["waiting", "justified", "not"])
def test_two_in_one_second(
    consents, break_glass, review, patient, radiologist, colleague, justified
):
    """The second would take over the record, and with it the review, of the first."""
    since = break_glass(lasts=DAY)
    if justified is not None:
        next_block_at(since)
        review(since, colleague, justified=justified)
    first = plain(consents.emergencyOf(patient, radiologist, since))
    next_block_at(since)
    with error("EmergencyAlreadyDeclared", patient, radiologist, since):
        consents.breakGlass(patient, HOUR, digest("another"), {"from": radiologist})
    assert plain(consents.emergencyOf(patient, radiologist, since)) == first
    assert consents.conductOf(radiologist)[0][0] == 1


def test_no_emergency(consents, break_glass, review, patient, radiologist, colleague):
    since = break_glass()
    with error("EmergencyUnknown", patient, radiologist, since + 1):
        review(since + 1, colleague)
    assert plain(consents.emergencyOf(patient, radiologist, since + 1)) == (NOBODY, 0, 0, 0, False)
    assert not consents.isReviewOverdue(patient, radiologist, since + 1)


@pytest.mark.no_call_coverage
def test_overdue(consents, break_glass, review, patient, radiologist, colleague):
    since = break_glass()
    assert 3 * DAY < due(since) - since <= 4 * DAY
    travel(due(since) - 1)
    assert not consents.isReviewOverdue(patient, radiologist, since)
    travel(due(since))
    assert consents.isReviewOverdue(patient, radiologist, since)
    review(since, colleague)
    assert not consents.isReviewOverdue(patient, radiologist, since)


def test_reviewed_in_time_is_never_overdue(
    consents, break_glass, review, patient, radiologist, colleague
):
    since = break_glass()
    next_block_at(due(since) - 1)
    review(since, colleague)
    travel(due(since) + 1)
    assert not consents.isReviewOverdue(patient, radiologist, since)


@pytest.mark.no_call_coverage
def test_governor_reviews_what_is_overdue(
    participants, break_glass, review, image, radiologist, governor, hospital
):
    """So that a clinician whose institution has left finds a reviewer."""
    since = break_glass()
    participants.suspend(hospital, {"from": governor})
    travel(due(since) - 2)
    next_block_at(due(since) - 1)
    with error("EmergencyReviewerInvalid", governor, radiologist, hospital):
        review(since, governor)
    next_block_at(due(since))
    review(since, governor)


@pytest.mark.no_call_coverage
def test_governor_does_not_review_its_own_emergency(
    participants, break_glass, review, governor, hospital, colleague, accredited
):
    participants.admit(governor, Role.CLINICIAN, {"from": hospital})
    since = break_glass(clinician=governor)
    travel(due(since))
    with error("EmergencyReviewerInvalid", governor, governor, hospital):
        review(since, governor, clinician=governor)
    review(since, colleague, clinician=governor)

"""Breaking the glass: what it opens, for whom, how long, and who reviews it."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import NOBODY, Role, digest, error, next_block_at, plain, travel
from tests.contracts.consent_registry.conftest import (
    CONSENT,
    DAY,
    EMERGENCY,
    GRANTED,
    Purpose,
    Reason,
    Terms,
    code,
    use,
)

REASON = digest("unconscious, suspected haemorrhage")
OPINION = digest("justified")
REVIEW_PERIOD = 3 * DAY
HOUR = 3600


@pytest.fixture
def break_glass(consents, patient, radiologist, accredited, now):
    """Breaks the glass, by the radiologist unless told otherwise; returns when."""

    def break_glass(subject=patient, lasts=HOUR, clinician=radiologist):
        consents.breakGlass(subject, lasts, REASON, {"from": clinician})
        return now()

    return break_glass


@pytest.fixture
def review(consents, patient, radiologist):
    """Reviews the radiologist's emergency."""

    def review(since, reviewer, clinician=radiologist):
        return consents.review(patient, clinician, since, True, OPINION, {"from": reviewer})

    return review


def test_break_glass(consents, patient, radiologist, hospital, accredited, now):
    transaction = consents.breakGlass(patient, HOUR, REASON, {"from": radiologist})
    since = now()
    given = Terms(since, since + HOUR, int(Purpose.CARE), 0, code(""))
    assert [(event.name, dict(event)) for event in transaction.events] == [
        (
            "ConsentGranted",
            {
                "subject": patient,
                "grantee": radiologist,
                "scope": EMERGENCY,
                "given": given.packed(since, status=GRANTED),
                "actor": radiologist,
            },
        ),
        (
            "EmergencyDeclared",
            {
                "subject": patient,
                "clinician": radiologist,
                "institution": hospital,
                "since": since,
                "until": since + HOUR,
                "reviewBy": since + REVIEW_PERIOD,
                "reason": REASON,
            },
        ),
    ]
    assert plain(consents.grantOf(patient, radiologist, EMERGENCY)) == given.kept(since)
    assert plain(consents.emergencyOf(patient, radiologist, since)) == (
        hospital.address,
        since + REVIEW_PERIOD,
        False,
    )


def test_opens_everything_of_the_patient_to_the_clinician(
    break_glass, image, anchor, radiologist, permits
):
    other = anchor("other", visit="", course="")
    break_glass()
    for each in (image, other):
        permits(radiologist, use(), radiologist, EMERGENCY, image=each)


def test_opens_it_to_nobody_else(break_glass, image, patient, colleague, hospital, refuses):
    break_glass()
    for reader in (colleague, hospital):
        refuses(reader, use(), Reason.NEVER_GRANTED, "ConsentNeverGranted", patient, reader)


def test_opens_no_other_patient(break_glass, anchor, stranger, radiologist, refuses):
    theirs = anchor("theirs", patient=stranger)
    break_glass()
    never = (Reason.NEVER_GRANTED, "ConsentNeverGranted", stranger, radiologist)
    refuses(radiologist, use(), *never, image=theirs)


@pytest.mark.no_call_coverage
@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose != Purpose.CARE])
def test_opens_it_for_care_alone(break_glass, image, radiologist, refuses, purpose):
    break_glass()
    for purposes in (purpose, purpose | Purpose.CARE):
        refuses(
            radiologist,
            use(purposes),
            Reason.PURPOSE,
            "ConsentPurposeNotPermitted",
            Purpose.CARE,
            purposes,
        )


@pytest.mark.no_call_coverage
def test_closes_by_itself(break_glass, image, patient, radiologist, permits, refuses):
    until = break_glass(lasts=DAY) + DAY
    travel(until - 1)
    permits(radiologist, use(), radiologist, EMERGENCY)
    travel(until)
    expired = (Reason.EXPIRED, "ConsentExpired", patient, radiologist, until)
    refuses(radiologist, use(), *expired)


@pytest.mark.parametrize("lasts", [0, DAY + 1, 2**40 - 1])
def test_duration(consents, patient, radiologist, accredited, lasts):
    with error("ConsentEmergencyTooLong", lasts, DAY):
        consents.breakGlass(patient, lasts, REASON, {"from": radiologist})
    for allowed in (1, DAY):
        consents.breakGlass(patient, allowed, REASON, {"from": radiologist})


def test_only_clinicians(consents, participants, patient, researcher, clinic, accredited):
    with error("ParticipantLacksRole", researcher, Role.CLINICIAN, Role.RESEARCHER):
        consents.breakGlass(patient, HOUR, REASON, {"from": researcher})
    participants.admit(researcher, Role.CLINICIAN, {"from": clinic})
    consents.breakGlass(patient, HOUR, REASON, {"from": researcher})


def test_not_for_oneself_nor_nobody(consents, radiologist, accredited):
    for subject in (radiologist, NOBODY):
        with error("ConsentGranteeInvalid", radiologist):
            consents.breakGlass(subject, HOUR, REASON, {"from": radiologist})


def test_patient_takes_it_back(consents, break_glass, image, patient, radiologist, refuses):
    revoked = (Reason.REVOKED, "ConsentRevoked", patient, radiologist)
    break_glass()
    consents.revoke(patient, radiologist, EMERGENCY, {"from": patient})
    refuses(radiologist, use(), *revoked)
    break_glass()
    consents.revokeAll(patient, {"from": patient})
    refuses(radiologist, use(), *revoked)


def test_delegate_takes_it_back(
    consents, identities, break_glass, image, patient, stranger, radiologist, refuses
):
    break_glass()
    with error("ConsentNotAuthorized", patient, stranger):
        consents.revoke(patient, radiologist, EMERGENCY, {"from": stranger})
    identities.addDelegate(patient, CONSENT, stranger, DAY, {"from": patient})
    consents.revoke(patient, radiologist, EMERGENCY, {"from": stranger})
    refuses(radiologist, use(), Reason.REVOKED, "ConsentRevoked", patient, radiologist)


def test_revoking_leaves_it_to_be_reviewed(
    consents, break_glass, review, patient, radiologist, colleague
):
    since = break_glass()
    consents.revoke(patient, radiologist, EMERGENCY, {"from": patient})
    review(since, colleague)


def test_clinician_who_left(
    participants, break_glass, image, patient, radiologist, permits, refuses
):
    """The right to break the glass came from the accreditation, and ends with it."""
    break_glass()
    permits(radiologist, use(), radiologist, EMERGENCY)
    participants.leave({"from": radiologist})
    never = (Reason.NEVER_GRANTED, "ConsentNeverGranted", patient, radiologist)
    refuses(radiologist, use(), *never)


def test_clinician_who_moved_or_is_none_any_more(
    participants, break_glass, image, patient, radiologist, hospital, clinic, permits, refuses
):
    """Another institution, or another role, takes nobody's emergency over."""
    never = (Reason.NEVER_GRANTED, "ConsentNeverGranted", patient, radiologist)
    break_glass()
    participants.admit(radiologist, Role.RADIOLOGIST, {"from": hospital})
    refuses(radiologist, use(), *never)
    participants.admit(radiologist, Role.CLINICIAN, {"from": hospital})
    permits(radiologist, use(), radiologist, EMERGENCY)
    participants.leave({"from": radiologist})
    participants.admit(radiologist, Role.CLINICIAN, {"from": clinic})
    refuses(radiologist, use(), *never)
    break_glass()
    permits(radiologist, use(), radiologist, EMERGENCY)


def test_suspended_clinician(
    participants, break_glass, image, patient, radiologist, hospital, refuses
):
    break_glass()
    participants.suspend(radiologist, {"from": hospital})
    suspended = (Reason.READER_SUSPENDED, "ConsentReaderSuspended", radiologist)
    refuses(radiologist, use(), *suspended)
    with error("ParticipantIsSuspended", radiologist, hospital):
        break_glass()


def test_review(consents, break_glass, patient, radiologist, colleague, hospital):
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
        )
    ]
    assert plain(consents.emergencyOf(patient, radiologist, since)) == (
        hospital.address,
        since + REVIEW_PERIOD,
        True,
    )


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
        with error("ConsentReviewerInvalid", reviewer, radiologist, hospital):
            review(since, reviewer)
    participants.reinstate(colleague, {"from": hospital})
    review(since, colleague)


def test_clinician_who_left_is_reviewed(
    participants, break_glass, review, radiologist, clinic, hospital, colleague
):
    """Not by itself from its next institution either."""
    since = break_glass()
    participants.leave({"from": radiologist})
    participants.admit(radiologist, Role.CLINICIAN, {"from": clinic})
    for reviewer in (radiologist, clinic):
        with error("ConsentReviewerInvalid", reviewer, radiologist, hospital):
            review(since, reviewer)
    review(since, colleague)


def test_institution_reviews_and_is_reviewed(break_glass, review, radiologist, hospital, colleague):
    review(break_glass(), hospital)
    since = break_glass(clinician=hospital)
    with error("ConsentReviewerInvalid", hospital, hospital, hospital):
        review(since, hospital, clinician=hospital)
    review(since, colleague, clinician=hospital)


def test_stranger_reviews_nothing(break_glass, review, radiologist, hospital, stranger):
    with error("ConsentReviewerInvalid", stranger, radiologist, hospital):
        review(break_glass(), stranger)


def test_review_once(break_glass, review, patient, radiologist, colleague):
    since = break_glass()
    review(since, colleague)
    with error("ConsentAlreadyReviewed", patient, radiologist, since):
        review(since, colleague)


def test_each_emergency_is_reviewed(break_glass, review, consents, patient, radiologist, colleague):
    first = break_glass()
    next_block_at(first + 60)
    second = break_glass()
    review(first, colleague)
    assert [consents.emergencyOf(patient, radiologist, at)[2] for at in (first, second)] == [
        True,
        False,
    ]
    review(second, colleague)


def test_no_emergency(consents, break_glass, review, patient, radiologist, colleague):
    since = break_glass()
    with error("ConsentNoEmergency", patient, radiologist, since + 1):
        review(since + 1, colleague)
    assert plain(consents.emergencyOf(patient, radiologist, since + 1)) == (NOBODY, 0, False)
    assert not consents.isReviewOverdue(patient, radiologist, since + 1)


@pytest.mark.no_call_coverage
def test_overdue(consents, break_glass, review, patient, radiologist, colleague):
    since = break_glass()
    travel(since + REVIEW_PERIOD - 1)
    assert not consents.isReviewOverdue(patient, radiologist, since)
    travel(since + REVIEW_PERIOD)
    assert consents.isReviewOverdue(patient, radiologist, since)
    review(since, colleague)
    assert not consents.isReviewOverdue(patient, radiologist, since)


def test_reviewed_in_time_is_never_overdue(
    consents, break_glass, review, patient, radiologist, colleague
):
    since = break_glass()
    next_block_at(since + REVIEW_PERIOD - 1)
    review(since, colleague)
    travel(since + REVIEW_PERIOD + 1)
    assert not consents.isReviewOverdue(patient, radiologist, since)

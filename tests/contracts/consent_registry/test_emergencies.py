"""Emergency access: what it opens, for whom, and how long."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import NOBODY, Role, digest, error, next_block_at, plain, travel
from tests.contracts.consent_registry.conftest import (
    CONSENT,
    DAY,
    EMERGENCY,
    GRANTED,
    HOUR,
    Outcome,
    Purpose,
    Reason,
    Terms,
    code,
    due,
    set_epoch,
    use,
)

REASON = digest("unconscious, suspected haemorrhage")


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
                "reviewBy": due(since),
                "reason": REASON,
            },
        ),
    ]
    assert plain(consents.grantOf(patient, radiologist, EMERGENCY)) == given.kept(since)
    assert plain(consents.emergencyOf(patient, radiologist, since)) == (
        hospital.address,
        since + HOUR,
        due(since),
        Outcome.WAITING,
        False,
    )


def test_opens_everything_of_the_patient_to_the_clinician(
    break_glass, image, anchor, radiologist, permits
):
    other = anchor("other", visit="", course="")
    break_glass()
    for each in (image, other):
        permits(radiologist, use(), radiologist, EMERGENCY, image=each)


def test_opens_it_to_no_other_account(break_glass, image, patient, colleague, hospital, refuses):
    break_glass()
    for reader in (colleague, hospital):
        refuses(
            reader, use(), Reason.NEVER_GRANTED, "ConsentNotPermittedNeverGranted", patient, reader
        )


def test_opens_no_other_patient(break_glass, anchor, stranger, radiologist, refuses):
    theirs = anchor("theirs", patient=stranger)
    break_glass()
    never = (Reason.NEVER_GRANTED, "ConsentNotPermittedNeverGranted", stranger, radiologist)
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
            "ConsentNotPermittedPurpose",
            Purpose.CARE,
            purposes,
        )


@pytest.mark.no_call_coverage
def test_closes_by_itself(break_glass, image, patient, radiologist, permits, refuses):
    until = break_glass(lasts=DAY) + DAY
    travel(until - 1)
    permits(radiologist, use(), radiologist, EMERGENCY)
    travel(until)
    expired = (Reason.EXPIRED, "ConsentNotPermittedExpired", patient, radiologist, until)
    refuses(radiologist, use(), *expired)


@pytest.mark.parametrize("lasts", [0, DAY + 1, 2**40 - 1])
def test_duration(consents, break_glass, patient, radiologist, lasts):
    with error("EmergencyTooLong", lasts, DAY):
        consents.breakGlass(patient, lasts, REASON, {"from": radiologist})
    for allowed in (1, DAY):
        since = break_glass(lasts=allowed)
        assert consents.emergencyOf(patient, radiologist, since)[1] == since + allowed


def test_only_clinicians(consents, participants, patient, researcher, clinic, accredited):
    with error("ParticipantLacksRole", researcher, Role.CLINICIAN, Role.RESEARCHER):
        consents.breakGlass(patient, HOUR, REASON, {"from": researcher})
    participants.admit(researcher, Role.CLINICIAN, {"from": clinic})
    consents.breakGlass(patient, HOUR, REASON, {"from": researcher})


def test_not_for_the_caller_nor_the_zero_address(consents, radiologist, accredited):
    for subject in (radiologist, NOBODY):
        with error("ConsentGranteeInvalid", radiologist):
            consents.breakGlass(subject, HOUR, REASON, {"from": radiologist})


def test_patient_takes_it_back(consents, break_glass, image, patient, radiologist, refuses):
    revoked = (Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)
    break_glass()
    consents.revoke(patient, radiologist, EMERGENCY, {"from": patient})
    refuses(radiologist, use(), *revoked)
    break_glass()
    consents.revokeAll(patient, {"from": patient})
    refuses(radiologist, use(), *revoked)


@pytest.mark.parametrize("epoch", [0, 2**16 - 2, 2**16 - 1])
def test_revoking_everything_keeps_no_later_one_out(
    consents, break_glass, image, patient, radiologist, permits, refuses, epoch
):
    """Not in the last epoch either, in which times alone tell what was revoked."""
    set_epoch(consents, patient, epoch)
    since = break_glass()
    permits(radiologist, use(), radiologist, EMERGENCY)
    next_block_at(since)
    consents.revokeAll(patient, {"from": patient})
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)
    break_glass()
    permits(radiologist, use(), radiologist, EMERGENCY)


def test_delegate_takes_it_back(
    consents, identities, break_glass, image, patient, stranger, radiologist, refuses
):
    break_glass()
    with error("ConsentNotAuthorized", patient, stranger):
        consents.revoke(patient, radiologist, EMERGENCY, {"from": stranger})
    identities.addDelegate(patient, CONSENT, stranger, DAY, {"from": patient})
    consents.revoke(patient, radiologist, EMERGENCY, {"from": stranger})
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)


def test_revoking_leaves_it_to_be_reviewed(
    consents, break_glass, review, patient, radiologist, colleague
):
    since = break_glass()
    consents.revoke(patient, radiologist, EMERGENCY, {"from": patient})
    review(since, colleague)


def test_clinician_who_left(
    participants, break_glass, image, patient, radiologist, permits, refuses
):
    """The right to emergency access comes from the accreditation, and ends with it."""
    break_glass()
    permits(radiologist, use(), radiologist, EMERGENCY)
    participants.leaveInstitution({"from": radiologist})
    never = (Reason.NEVER_GRANTED, "ConsentNotPermittedNeverGranted", patient, radiologist)
    refuses(radiologist, use(), *never)


def test_clinician_who_moved_or_is_none_any_more(
    participants, break_glass, image, patient, radiologist, hospital, clinic, permits, refuses
):
    """No emergency goes over to another institution or role."""
    never = (Reason.NEVER_GRANTED, "ConsentNotPermittedNeverGranted", patient, radiologist)
    break_glass()
    participants.admit(radiologist, Role.RADIOLOGIST, {"from": hospital})
    refuses(radiologist, use(), *never)
    participants.admit(radiologist, Role.CLINICIAN, {"from": hospital})
    permits(radiologist, use(), radiologist, EMERGENCY)
    participants.leaveInstitution({"from": radiologist})
    participants.admit(radiologist, Role.CLINICIAN, {"from": clinic})
    refuses(radiologist, use(), *never)
    break_glass()
    permits(radiologist, use(), radiologist, EMERGENCY)


def test_suspended_clinician(
    participants, break_glass, image, patient, radiologist, hospital, refuses
):
    break_glass()
    participants.suspend(radiologist, {"from": hospital})
    suspended = (Reason.READER_SUSPENDED, "ConsentNotPermittedReaderSuspended", radiologist)
    refuses(radiologist, use(), *suspended)
    with error("ParticipantIsSuspended", radiologist, hospital):
        break_glass()

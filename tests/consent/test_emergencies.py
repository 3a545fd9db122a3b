"""Broken glasses: at once, for a time, seen by all, reviewed by a second person."""

from __future__ import annotations

import pytest

from radledger.chain.refusals import (
    ConsentAlreadyReviewed,
    ConsentEmergencyTooLong,
    ConsentNoEmergency,
    ConsentReviewerInvalid,
    ParticipantLacksRole,
)
from radledger.consent.model import SealedNote
from radledger.identity.roles import ROLES

HOUR = 3600
NOTE = SealedNote.of("unconscious after an accident, no relatives reached")


def test_a_broken_glass_permits_care_for_its_time(consents, ledger, who, image_set, travel):
    patient, clinician = who.patient.address, who.clinician
    consents.break_glass(clinician, patient, NOTE, duration=HOUR)
    assert consents.check(clinician.address, image_set, ["CC"]).permitted
    assert not consents.check(clinician.address, image_set, ["GRU"]).permitted
    assert not consents.check(who.radiologist.address, image_set, ["CC"]).permitted

    (emergency,) = consents.emergencies(subject=patient)
    (grant,) = consents.list(subject=patient)
    assert (emergency.clinician, emergency.institution) == (
        clinician.address,
        who.hospital.address,
    )
    assert (emergency.since, emergency.until) == (ledger.now(), ledger.now() + HOUR)
    assert emergency.reason == "0x" + NOTE.digest.hex()
    assert (emergency.reviewer, emergency.justified, emergency.overdue) == (None, None, False)
    assert (grant.scope, grant.status) == ("emergency", "active")

    travel(HOUR)
    assert consents.check(clinician.address, image_set, ["CC"]).reason == "expired"


@pytest.mark.parametrize("justified", [True, False])
def test_a_second_person_reviews(consents, who, justified):
    patient, clinician, reviewer = who.patient.address, who.clinician, who.radiologist
    consents.break_glass(clinician, patient, NOTE)
    (emergency,) = consents.emergencies(institution=who.hospital.address)
    which = (patient, clinician.address, emergency.since)
    with pytest.raises(ConsentReviewerInvalid) as oneself:
        consents.review(clinician, *which, justified=True, opinion=NOTE)
    assert oneself.value.values == {
        "reviewer": clinician.address,
        "clinician": clinician.address,
        "institution": who.hospital.address,
    }

    consents.review(reviewer, *which, justified=justified, opinion=NOTE)

    (reviewed,) = consents.emergencies(clinician=clinician.address)
    assert (reviewed.reviewer, reviewed.justified) == (reviewer.address, justified)
    with pytest.raises(ConsentAlreadyReviewed) as twice:
        consents.review(reviewer, *which, justified=True, opinion=NOTE)
    assert twice.value.values == {
        "subject": patient,
        "clinician": clinician.address,
        "since": emergency.since,
    }


def test_a_review_that_is_missing_is_overdue_until_it_is_made(consents, ledger, who, travel):
    patient, clinician = who.patient.address, who.clinician
    consents.break_glass(clinician, patient, NOTE)
    (emergency,) = consents.emergencies()
    travel(emergency.review_by - ledger.now() - 1)
    assert [e.overdue for e in consents.emergencies()] == [False]
    travel(1)
    assert [e.overdue for e in consents.emergencies()] == [True]
    assert ledger.call(
        "ConsentRegistry", "isReviewOverdue", patient, clinician.address, emergency.since
    )
    which = (patient, clinician.address, emergency.since)
    consents.review(who.radiologist, *which, justified=True, opinion=NOTE)
    assert [e.overdue for e in consents.emergencies()] == [False]


def test_only_a_clinician_breaks_the_glass_and_for_a_day_at_most(consents, who):
    patient = who.patient.address
    with pytest.raises(ParticipantLacksRole) as role:
        consents.break_glass(who.researcher, patient, NOTE)
    assert (role.value.values["account"], role.value.values["role"]) == (
        who.researcher.address,
        ROLES["clinician"],
    )
    with pytest.raises(ConsentEmergencyTooLong) as long:
        consents.break_glass(who.clinician, patient, NOTE, duration=24 * HOUR + 1)
    assert long.value.values == {"duration": 24 * HOUR + 1, "longest": 24 * HOUR}
    with pytest.raises(ConsentNoEmergency):
        consents.review(
            who.radiologist, patient, who.clinician.address, 1, justified=True, opinion=NOTE
        )
    assert consents.emergencies() == ()


def test_a_note_is_sealed_under_its_salt():
    assert SealedNote(NOTE.text, NOTE.salt).digest == NOTE.digest
    assert SealedNote.of(NOTE.text).digest != NOTE.digest
    assert SealedNote(NOTE.text + ".", NOTE.salt).digest != NOTE.digest

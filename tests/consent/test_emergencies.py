"""Emergency access: at once, for a time, seen by all, reviewed by a second person."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_utils import keccak

from radledger.chain.refusals import (
    EmergencyAlreadyReviewed,
    EmergencyChoiceSuperseded,
    EmergencyForbidden,
    EmergencyReviewerInvalid,
    EmergencyReviewsOverdue,
    EmergencyTooLong,
    EmergencyUnknown,
    ParticipantLacksRole,
)
from radledger.chain.rpc import request
from radledger.consent.model import Conduct, EmergencyCounts, SealedNote, Terms
from radledger.deployment.deploy import MOST_OVERDUE_REVIEWS
from radledger.identity.roles import ROLES

HOUR = 3600
DAY = 24 * HOUR
NOTHING = EmergencyCounts(0, 0, 0, 0, 0)
NOTE = SealedNote.of("unconscious after an accident, no relatives reached")


def test_emergency_access_permits_care_for_its_time(consents, ledger, who, image_set, travel):
    patient, clinician = who.patient.address, who.clinician
    consents.break_glass(patient, NOTE, duration=HOUR).send(clinician)
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
def test_a_second_person_reviews(consents, who, image_set, justified):
    patient, clinician, reviewer = who.patient.address, who.clinician, who.radiologist
    consents.break_glass(patient, NOTE).send(clinician)
    (emergency,) = consents.emergencies(institution=who.hospital.address)
    which = (patient, clinician.address, emergency.since)
    with pytest.raises(EmergencyReviewerInvalid) as oneself:
        consents.review(*which, justified=True, opinion=NOTE).send(clinician)
    assert oneself.value.values == {
        "reviewer": clinician.address,
        "clinician": clinician.address,
        "institution": who.hospital.address,
    }

    consents.review(*which, justified=justified, opinion=NOTE).send(reviewer)

    (reviewed,) = consents.emergencies(clinician=clinician.address)
    assert (reviewed.reviewer, reviewed.justified) == (reviewer.address, justified)
    assert consents.check(clinician.address, image_set, ["CC"]).permitted == justified
    (grant,) = consents.list(subject=patient)
    assert grant.status == ("active" if justified else "revoked")
    with pytest.raises(EmergencyAlreadyReviewed) as twice:
        consents.review(*which, justified=True, opinion=NOTE).send(reviewer)
    assert twice.value.values == {
        "subject": patient,
        "clinician": clinician.address,
        "since": emergency.since,
    }


def test_a_review_that_is_missing_is_overdue_until_it_is_made(consents, ledger, who, travel):
    patient, clinician = who.patient.address, who.clinician
    consents.break_glass(patient, NOTE).send(clinician)
    (emergency,) = consents.emergencies()
    travel(emergency.review_by - ledger.now() - 1)
    assert [e.overdue for e in consents.emergencies()] == [False]
    travel(1)
    assert [e.overdue for e in consents.emergencies()] == [True]
    assert ledger.call(
        "ConsentRegistry", "isReviewOverdue", patient, clinician.address, emergency.since
    )
    which = (patient, clinician.address, emergency.since)
    consents.review(*which, justified=True, opinion=NOTE).send(who.radiologist)
    assert [e.overdue for e in consents.emergencies()] == [False]


def test_only_a_clinician_declares_an_emergency_and_for_a_day_at_most(consents, who):
    patient = who.patient.address
    with pytest.raises(ParticipantLacksRole) as role:
        consents.break_glass(patient, NOTE).send(who.researcher)
    assert (role.value.values["account"], role.value.values["role"]) == (
        who.researcher.address,
        ROLES["clinician"],
    )
    with pytest.raises(EmergencyTooLong) as long:
        consents.break_glass(patient, NOTE, duration=24 * HOUR + 1).send(who.clinician)
    assert long.value.values == {"duration": 24 * HOUR + 1, "longest": 24 * HOUR}
    with pytest.raises(EmergencyUnknown):
        consents.review(patient, who.clinician.address, 1, justified=True, opinion=NOTE).send(
            who.radiologist
        )
    assert consents.emergencies() == ()


def test_conduct_counts_by_outcome(consents, participants, who, travel):
    patient, clinician, hospital = who.patient.address, who.clinician, who.hospital
    assert consents.conduct(clinician.address) == Conduct(
        clinician.address, hospital.address, NOTHING, NOTHING, suspended=False, suspensions=0
    )
    for justified in (True, False, None, None):
        travel(1)
        consents.break_glass(patient, NOTE).send(clinician)
        if justified is not None:
            since = consents.emergencies()[-1].since
            which = (patient, clinician.address, since)
            consents.review(*which, justified=justified, opinion=NOTE).send(who.radiologist)
    travel(4 * DAY)
    consents.break_glass(patient, NOTE).send(clinician)
    participants.suspend(clinician.address).send(hospital)
    participants.reinstate(clinician.address).send(hospital)
    participants.suspend(clinician.address).send(hospital)

    counts = EmergencyCounts(declared=5, justified=1, unjustified=1, waiting=1, overdue=2)
    assert consents.conduct(clinician.address) == Conduct(
        clinician.address, hospital.address, counts, NOTHING, suspended=True, suspensions=2
    )
    assert consents.conduct(hospital.address) == Conduct(
        hospital.address, hospital.address, NOTHING, counts, suspended=False, suspensions=0
    )
    assert consents.conduct(patient).institution is None


def test_while_a_review_is_overdue_it_lasts_an_hour(consents, who, image_set, travel):
    patient, clinician = who.patient.address, who.clinician
    consents.break_glass(patient, NOTE).send(clinician)
    travel(3 * DAY - HOUR)
    consents.break_glass(patient, NOTE, duration=24 * HOUR).send(clinician)
    first, _ = consents.emergencies()
    travel(first.review_by - first.since - 3 * DAY + HOUR)
    (grant,) = consents.list(subject=patient)
    assert grant.status == "expired"
    assert consents.check(clinician.address, image_set, ["CC"]).reason == "expired"

    consents.break_glass(patient, NOTE).send(clinician)
    *_, last = consents.emergencies()
    assert last.until - last.since == HOUR
    (grant,) = consents.list(subject=patient)
    assert (grant.status, grant.terms.until) == ("active", last.until)


def test_an_institution_with_overdue_reviews_requests_nothing(consents, who, travel):
    patient = who.patient.address
    for _ in range(MOST_OVERDUE_REVIEWS + 1):
        travel(1)
        consents.break_glass(patient, NOTE).send(who.clinician)
    consents.request(patient, Terms(("CC",))).send(who.radiologist)
    travel(4 * DAY)
    with pytest.raises(EmergencyReviewsOverdue) as refused:
        consents.request(patient, Terms(("TEACHING",))).send(who.radiologist)
    assert refused.value.values == {
        "institution": who.hospital.address,
        "overdue": MOST_OVERDUE_REVIEWS + 1,
        "most": MOST_OVERDUE_REVIEWS,
    }
    first = consents.emergencies()[0]
    which = (patient, who.clinician.address, first.since)
    consents.review(*which, justified=True, opinion=NOTE).send(who.radiologist)
    consents.request(patient, Terms(("TEACHING",))).send(who.radiologist)


def test_a_patient_ends_emergency_access_by_signature(consents, who, image_set, travel, submit):
    patient, clinician = who.patient, who.clinician
    consents.break_glass(patient.address, NOTE).send(clinician)
    (grant,) = consents.list(subject=patient.address)
    document = consents.revoke(clinician.address, scope=grant.scope).sign(patient)
    assert f"{clinician.address} use all images in the emergency" in document["summary"]
    submit(document, payer=who.hospital)
    assert consents.check(clinician.address, image_set, ["CC"]).reason == "revoked"
    travel(1)
    consents.break_glass(patient.address, NOTE).send(clinician)
    assert consents.check(clinician.address, image_set, ["CC"]).permitted


@pytest.mark.usefixtures("patient_with_ether")
def test_a_patient_forbids_emergency_access(consents, who, image_set, travel):
    patient, clinician = who.patient, who.clinician
    consents.break_glass(patient.address, NOTE).send(clinician)
    consents.forbid_emergencies().send(patient)
    assert consents.forbids_emergencies(patient.address)
    assert consents.check(clinician.address, image_set, ["CC"]).reason == "revoked"
    (grant,) = consents.list(subject=patient.address)
    assert grant.status == "revoked"
    travel(1)
    with pytest.raises(EmergencyForbidden) as forbidden:
        consents.break_glass(patient.address, NOTE).send(clinician)
    assert forbidden.value.values == {"subject": patient.address}

    consents.allow_emergencies().send(patient)
    assert not consents.forbids_emergencies(patient.address)
    assert consents.check(clinician.address, image_set, ["CC"]).reason == "revoked"
    consents.break_glass(patient.address, NOTE).send(clinician)
    assert consents.check(clinician.address, image_set, ["CC"]).permitted
    (grant,) = consents.list(subject=patient.address)
    assert grant.status == "active"


@pytest.mark.usefixtures("patient_with_ether")
@pytest.mark.parametrize("epoch", [0, 2**16 - 2, 2**16 - 1])
def test_after_everything_was_revoked_it_can_be_declared_again(
    consents, ledger, who, image_set, travel, epoch
):
    """What is listed and what is permitted agree, in the last epoch too."""
    patient, clinician = who.patient.address, who.clinician
    set_epoch(ledger, patient, epoch)

    def stands():
        (grant,) = consents.list(subject=patient)
        return grant.status, consents.check(clinician.address, image_set, ["CC"]).permitted

    consents.break_glass(patient, NOTE).send(clinician)
    assert stands() == ("active", True)
    consents.revoke_all().send(who.patient)
    assert stands() == ("revoked", False)
    travel(1)
    consents.break_glass(patient, NOTE).send(clinician)
    assert stands() == ("active", True)


def set_epoch(ledger, subject, epoch):
    """Write an epoch where the registry keeps the subject's; ``epochOf`` tells whether it is."""
    registry = ledger.address("ConsentRegistry")
    for position in range(8):
        place = "0x" + keccak(encode(["address", "uint256"], [subject, position])).hex()
        for value in (epoch, 0):
            request(ledger.web3, "anvil_setStorageAt", [registry, place, f"0x{value:064x}"])
            if ledger.call("ConsentRegistry", "epochOf", subject) == epoch:
                return
    raise AssertionError(epoch)


def test_a_patient_without_ether_forbids_emergency_access(consents, who, image_set, travel, submit):
    patient, clinician = who.patient, who.clinician
    forbids = consents.forbid_emergencies().sign(patient)
    assert "forbids clinicians to use any images in an emergency" in forbids["summary"]
    submit(forbids, payer=who.hospital)
    with pytest.raises(EmergencyForbidden):
        consents.break_glass(patient.address, NOTE).send(clinician)
    allows = consents.allow_emergencies().sign(patient)
    assert "allows clinicians to use all images in an emergency" in allows["summary"]
    submit(allows, payer=who.hospital)
    travel(1)
    consents.break_glass(patient.address, NOTE).send(clinician)
    assert consents.check(clinician.address, image_set, ["CC"]).permitted

    with pytest.raises(EmergencyChoiceSuperseded):
        submit(forbids, payer=who.hospital)
    assert not consents.forbids_emergencies(patient.address)


def test_a_note_is_sealed_under_its_salt():
    assert SealedNote(NOTE.text, NOTE.salt).digest == NOTE.digest
    assert SealedNote.of(NOTE.text).digest != NOTE.digest
    assert SealedNote(NOTE.text + ".", NOTE.salt).digest != NOTE.digest


def test_subjects_are_all_who_ever_permitted_a_reader_something(consents, who):
    patient, clinician = who.patient, who.clinician
    colleague, stranger = who.radiologist.address, who.stranger.address
    assert consents.subjects(clinician.address) == {clinician.address}
    consents.break_glass(patient.address, NOTE).send(clinician)
    assert consents.subjects(clinician.address) == {clinician.address, patient.address}
    consents.grant(stranger, Terms(("CC",))).send(who.relatives[0])
    consents.revoke(stranger).send(who.relatives[0])
    assert consents.subjects(stranger) == {stranger, who.relatives[0].address}
    consents.grant(who.hospital.address, Terms(("CC",))).send(who.relatives[1])
    assert who.relatives[1].address in consents.subjects(colleague)
    assert who.relatives[1].address not in consents.subjects(stranger)

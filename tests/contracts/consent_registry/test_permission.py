"""The oracle: who may use what, and the reason why not.

Both ways to ask are asked each time and must agree (`permits` and `refuses`).
"""

from __future__ import annotations

import pytest

from tests.contracts.conftest import NOBODY, Role, digest, error, travel
from tests.contracts.consent_registry.conftest import (
    ALL,
    DAY,
    Condition,
    Purpose,
    Reason,
    code,
    use,
)

CARE = use(Purpose.CARE)
CANCER, DIABETES = "MONDO:0004992", "MONDO:0005015"


@pytest.fixture
def grant(consents, patient, terms):
    """Grants as the patient, by default everything for care for a day."""

    def grant(grantee, scope=ALL, purposes=Purpose.CARE, *conditions_and_disease, **period):
        stated = terms(purposes, *conditions_and_disease, **period)
        consents.grant(patient, grantee, scope, stated, {"from": patient})
        return stated

    return grant


@pytest.fixture
def never(refuses, patient):
    """Asserts that nothing was granted to a reader."""

    def never(reader, image):
        values = ("ConsentNotPermittedNeverGranted", image.patient, reader)
        refuses(reader, CARE, Reason.NEVER_GRANTED, *values, image=image)

    return never


def test_patient_is_always_permitted(image, patient, permits):
    for asked in (CARE, use(0), use(Purpose.NRES), use(1 << 15)):
        permits(patient, asked)


def test_deactivated_patient(identities, image, patient, permits, never):
    """A deactivated identity may read nothing, not even its own images."""
    permits(patient, CARE)
    identities.changeOwner(patient, NOBODY, {"from": patient})
    never(patient, image)


def test_deactivated_patient_takes_nothing_back(
    consents, identities, image, patient, radiologist, grant, permits
):
    """No key acts for it any more; what it granted is valid until its time is up."""
    grant(radiologist)
    identities.changeOwner(patient, NOBODY, {"from": patient})
    permits(radiologist, CARE, radiologist)
    for function, values in (("revoke", (radiologist, ALL)), ("revokeAll", ())):
        with error("ConsentNotAuthorized", patient, patient):
            getattr(consents, function)(patient, *values, {"from": patient})


def test_patient_of_one_needs_a_grant_for_another(anchor, image, patient, stranger, never, permits):
    theirs = anchor("theirs", patient=stranger)
    permits(stranger, CARE, image=theirs)
    never(stranger, image)
    never(patient, theirs)


def test_custodian_needs_a_grant_too(image, hospital, radiologist, never):
    never(hospital, image)
    never(radiologist, image)


SCOPES = {
    "everything": (lambda image: ALL, {"same", "visit", "course", "none", "other"}),
    "course": (lambda image: image.course, {"same", "visit", "course"}),
    "visit": (lambda image: image.visit, {"same", "visit"}),
    "image": (lambda image: image.id, {"same"}),
}


@pytest.fixture(scope="module")
def image_sets(anchor, image):
    """Image sets of the patient by what they share with the first."""
    return {
        "same": image,
        "visit": anchor("second of the visit"),
        "course": anchor("second visit", visit="second visit"),
        "none": anchor("no visit nor course", visit="", course=""),
        "other": anchor("other", visit="other visit", course="other course"),
    }


@pytest.mark.no_call_coverage
@pytest.mark.parametrize("grantee", ["reader", "institution"])
@pytest.mark.parametrize("scope", SCOPES)
def test_grant_covers_what_shares_its_scope(
    image_sets, radiologist, hospital, grant, permits, never, grantee, scope
):
    """A scope covers what shares it, for the grantee or for the institution's members."""
    scope_of, covered = SCOPES[scope]
    grantee = hospital if grantee == "institution" else radiologist
    granted = scope_of(image_sets["same"])
    grant(grantee, granted)
    for name, image in image_sets.items():
        if name in covered:
            permits(radiologist, CARE, grantee, granted, image=image)
        else:
            never(radiologist, image)


def test_grants_add_up(image, radiologist, hospital, grant, permits, refuses):
    """Any one grant that permits a use is enough, but a use needs all of it from one grant."""
    grant(radiologist, image.visit, Purpose.CARE)
    grant(hospital, ALL, Purpose.TEACHING)
    permits(radiologist, CARE, radiologist, image.visit)
    permits(radiologist, use(Purpose.TEACHING), hospital, ALL)
    both = Purpose.CARE | Purpose.TEACHING
    refused = (Reason.PURPOSE, "ConsentNotPermittedPurpose", Purpose.TEACHING, both)
    refuses(radiologist, use(both), *refused)


def test_narrow_refusal_does_not_hide_a_wide_permission(
    consents, image, patient, radiologist, grant, permits
):
    grant(radiologist, ALL)
    grant(radiologist, image.id)
    consents.revoke(patient, radiologist, image.id, {"from": patient})
    permits(radiologist, CARE, radiologist, ALL)


def test_institution_itself_reads(image, hospital, clinic, grant, permits, never):
    grant(hospital)
    permits(hospital, CARE, hospital)
    never(clinic, image)


def test_person_without_institution_reads(image, stranger, grant, permits):
    grant(stranger)
    permits(stranger, CARE, stranger)


def test_member_does_not_lend_its_grant(image, hospital, radiologist, colleague, grant, never):
    grant(radiologist)
    never(hospital, image)
    never(colleague, image)


def test_who_left_the_institution(
    participants, image, radiologist, hospital, clinic, grant, permits, never
):
    grant(hospital)
    permits(radiologist, CARE, hospital)
    participants.leaveInstitution({"from": radiologist})
    never(radiologist, image)
    participants.admit(radiologist, Role.RADIOLOGIST, {"from": clinic})
    never(radiologist, image)
    grant(radiologist)
    permits(radiologist, CARE, radiologist)


@pytest.mark.parametrize("by", ["hospital", "governor"])
@pytest.mark.parametrize("grantee", ["radiologist", "hospital"])
def test_suspended_reader(
    request, participants, image, radiologist, grant, permits, refuses, by, grantee
):
    actor, grantee = request.getfixturevalue(by), request.getfixturevalue(grantee)
    grant(grantee)
    participants.suspend(radiologist, {"from": actor})
    suspended = (Reason.READER_SUSPENDED, "ConsentNotPermittedReaderSuspended", radiologist)
    refuses(radiologist, CARE, *suspended)
    participants.reinstate(radiologist, {"from": actor})
    permits(radiologist, CARE, grantee)


def test_suspended_institution(
    participants, image, radiologist, hospital, governor, patient, grant, permits, refuses
):
    grant(radiologist)
    participants.suspend(hospital, {"from": governor})
    for reader in (radiologist, hospital):
        refuses(reader, CARE, Reason.READER_SUSPENDED, "ConsentNotPermittedReaderSuspended", reader)
    permits(patient, CARE)


def test_who_left_a_suspended_institution(
    participants, image, radiologist, hospital, clinic, governor, grant, permits, refuses
):
    """One call would else shed what its institution was suspended for."""
    grant(radiologist)
    participants.suspend(hospital, {"from": governor})
    participants.leaveInstitution({"from": radiologist})
    suspended = (Reason.READER_SUSPENDED, "ConsentNotPermittedReaderSuspended", radiologist)
    refuses(radiologist, CARE, *suspended)
    participants.admit(radiologist, Role.RADIOLOGIST, {"from": clinic})
    permits(radiologist, CARE, radiologist)


def test_suspended_patient_reads_its_own(participants, image, patient, hospital, permits):
    participants.admit(patient, Role.CLINICIAN, {"from": hospital})
    participants.suspend(patient, {"from": hospital})
    permits(patient, CARE)


def test_unknown_image(image, patient, radiologist, grant, refuses):
    """Each of the five values counts, for the patient as well."""
    grant(radiologist)
    for changed in (
        {"custodian": radiologist.address},
        {"root": digest("other")},
        {"visit": digest("other")},
        {"course": digest("other")},
    ):
        unknown = image._replace(**changed)
        refused = (Reason.NOT_ANCHORED, "ConsentNotPermittedNotAnchored", unknown.id)
        for reader in (radiologist, patient):
            refuses(reader, CARE, *refused, image=unknown)


def test_claimed_patient(image, radiologist, refuses):
    """A reader that names itself the patient names another image set, which is not anchored."""
    claimed = image._replace(patient=radiologist.address)
    missing = (Reason.NOT_ANCHORED, "ConsentNotPermittedNotAnchored", claimed.id)
    refuses(radiologist, CARE, *missing, image=claimed)


def test_erased_image(images, image, hospital, patient, radiologist, grant, permits, refuses):
    grant(radiologist)
    permits(radiologist, CARE, radiologist)
    images.erase(image, digest("certificate"), {"from": hospital})
    for reader in (radiologist, patient):
        refuses(reader, CARE, Reason.ERASED, "ConsentNotPermittedErased", image.id)


def test_disowned_image(
    images,
    consents,
    anchor,
    image,
    hospital,
    patient,
    radiologist,
    stranger,
    grant,
    permits,
    refuses,
):
    """Neither a grant, nor an emergency, nor being the patient or custodian permits a use of it."""
    other = anchor("another")
    grant(radiologist)
    images.disown(image, {"from": patient})
    consents.breakGlass(patient, 3600, digest("reason"), {"from": radiologist})
    for reader in (radiologist, patient, hospital, stranger):
        refuses(reader, CARE, Reason.DISOWNED, "ConsentNotPermittedDisowned", image.id)
    permits(radiologist, CARE, radiologist, image=other)
    permits(patient, CARE, image=other)

    images.acknowledge(image, {"from": patient})
    permits(radiologist, CARE, radiologist)
    permits(patient, CARE)
    images.disown(image, {"from": patient})
    images.erase(image, digest("certificate"), {"from": hospital})
    refuses(radiologist, CARE, Reason.ERASED, "ConsentNotPermittedErased", image.id)


@pytest.mark.no_call_coverage
def test_period(image, patient, radiologist, grant, permits, refuses):
    """From is the first second and until the first after the last."""
    stated = grant(radiologist, start=DAY, lasts=DAY)
    travel(stated.from_ - 1)
    not_yet = (Reason.NOT_YET, "ConsentNotPermittedNotYet", patient, radiologist, stated.from_)
    refuses(radiologist, CARE, *not_yet)
    travel(stated.from_)
    permits(radiologist, CARE, radiologist)
    travel(stated.until - 1)
    permits(radiologist, CARE, radiologist)
    travel(stated.until)
    expired = (Reason.EXPIRED, "ConsentNotPermittedExpired", patient, radiologist, stated.until)
    refuses(radiologist, CARE, *expired)


def test_long_before_and_after(image, patient, radiologist, grant, refuses):
    stated = grant(radiologist, start=DAY, lasts=DAY)
    not_yet = (Reason.NOT_YET, "ConsentNotPermittedNotYet", patient, radiologist, stated.from_)
    refuses(radiologist, CARE, *not_yet)
    travel(stated.until + DAY)
    expired = (Reason.EXPIRED, "ConsentNotPermittedExpired", patient, radiologist, stated.until)
    refuses(radiologist, CARE, *expired)


def test_use_without_a_purpose(image, radiologist, grant, refuses):
    grant(radiologist, ALL, Purpose.NRES)
    everything = sum(Purpose)
    for purposes in (0, 1 << 9, Purpose.CARE | 1 << 15):
        refused = (Reason.PURPOSE, "ConsentNotPermittedPurpose", everything, purposes)
        refuses(radiologist, use(purposes), *refused)


def test_disease(image, radiologist, grant, permits, refuses):
    grant(radiologist, ALL, Purpose.DS, 0, CANCER)
    permits(radiologist, use(Purpose.DS, disease=CANCER), radiologist)
    for disease in (DIABETES, ""):
        differs = (Reason.DISEASE, "ConsentNotPermittedDisease", code(CANCER), code(disease))
        refuses(radiologist, use(Purpose.DS, disease=disease), *differs)


@pytest.mark.parametrize(
    "purpose",
    [Purpose.METHODS, Purpose.CONTROL, Purpose.CARE],
    ids=["methods", "control", "care"],
)
def test_named_disease_counts_whatever_it_is_named_for(
    image, radiologist, grant, permits, refuses, purpose
):
    """Consent for one disease does not cover methods for another."""
    grant(radiologist, ALL, Purpose.DS | purpose, 0, CANCER)
    for disease in (CANCER, ""):
        permits(radiologist, use(purpose, disease=disease), radiologist)
    differs = (Reason.DISEASE, "ConsentNotPermittedDisease", code(CANCER), code(DIABETES))
    refuses(radiologist, use(purpose, disease=DIABETES), *differs)


@pytest.mark.parametrize("purpose", [Purpose.METHODS, Purpose.POA, Purpose.CONTROL | Purpose.POA])
def test_research_on_a_named_disease_needs_a_grant_for_it(
    image, radiologist, grant, permits, refuses, purpose
):
    """What permits methods, ancestry research or controls does not permit them for a disease."""
    granted = Purpose.POA | Purpose.CONTROL
    grant(radiologist, ALL, granted)
    permits(radiologist, use(purpose), radiologist)
    refused = ("ConsentNotPermittedPurpose", granted | Purpose.METHODS, purpose)
    refuses(radiologist, use(purpose, disease=CANCER), Reason.PURPOSE, *refused)


def test_care_and_teaching_may_name_a_disease(image, radiologist, grant, permits):
    both = Purpose.CARE | Purpose.TEACHING
    grant(radiologist, ALL, both)
    for purposes in (Purpose.CARE, Purpose.TEACHING, both):
        permits(radiologist, use(purposes, disease=CANCER), radiologist)


@pytest.mark.no_call_coverage
@pytest.mark.parametrize("condition", [bit for bit in Condition if bit < Condition.NMDS])
def test_condition(image, radiologist, grant, permits, refuses, condition):
    """Each is asked for by its own bit, and no other bit stands in for it."""
    grant(radiologist, ALL, Purpose.CARE, condition)
    permits(radiologist, use(Purpose.CARE, condition), radiologist)
    permits(radiologist, use(Purpose.CARE, 0xFFFF), radiologist)
    for fulfilled in (0, 0xFFFF & ~condition):
        unmet = (Reason.CONDITION, "ConsentNotPermittedCondition", condition, fulfilled)
        refuses(radiologist, use(Purpose.CARE, fulfilled), *unmet)


def test_fulfilling_more_than_is_asked(image, radiologist, grant, permits):
    grant(radiologist)
    permits(radiologist, use(Purpose.CARE, Condition.NPU | Condition.IRB), radiologist)


def test_condition_of_a_course(image, radiologist, grant, permits, refuses):
    grant(radiologist, image.course, Purpose.CARE, Condition.IRB)
    unmet = (Reason.CONDITION, "ConsentNotPermittedCondition", Condition.IRB, Condition.NPU)
    refuses(radiologist, use(Purpose.CARE, Condition.NPU), *unmet)
    permits(radiologist, use(Purpose.CARE, Condition.IRB), radiologist, image.course)


def test_nearest_reason(consents, image, patient, radiologist, hospital, grant, refuses):
    """Of several refusals the reader gets the one that came nearest to a permission."""
    asked = use(Purpose.DS, disease=CANCER)
    steps = [
        (lambda: grant(radiologist, ALL), Reason.PURPOSE),
        (lambda: grant(hospital, image.course, Purpose.DS, 0, DIABETES), Reason.DISEASE),
        (lambda: grant(radiologist, image.visit, Purpose.HMB, Condition.IRB), Reason.CONDITION),
        (lambda: consents.revokeAll(patient, {"from": patient}), Reason.REVOKED),
        (lambda: grant(hospital, image.id, Purpose.DS, 0, CANCER, start=DAY), Reason.NOT_YET),
    ]
    for step, reason in steps:
        step()
        assert Reason(consents.permitted(radiologist, image, asked)[0]) == reason
    grant_id = consents.grantOf(patient, hospital, image.id)[0]
    with error("ConsentNotPermittedNotYet", patient, radiologist, grant_id):
        consents.requirePermitted(radiologist, image, asked)


def test_widest_of_equal_refusals_is_named(consents, image, patient, radiologist, hospital, grant):
    for grantee, scope in ((radiologist, image.id), (radiologist, ALL), (hospital, ALL)):
        grant(grantee, scope, Purpose.HMB)
        reason, grant_id = consents.permitted(radiologist, image, CARE)
        assert Reason(reason) == Reason.PURPOSE
        assert grant_id == consents.grantIdOf(patient, grantee, scope)

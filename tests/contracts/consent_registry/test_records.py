"""The oracle for records that are not images, and for several image sets at once."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import NOBODY, digest, error, plain, travel
from tests.contracts.consent_registry.conftest import (
    ALL,
    DAY,
    EMERGENCY,
    HOUR,
    Condition,
    Purpose,
    Reason,
    use,
)

CARE = use(Purpose.CARE)
CREDENTIAL = digest("credential")
NO_GRANT = digest("")


@pytest.fixture
def grant(consents, patient, terms):
    """Grants as the patient, by default for care for a day."""

    def grant(grantee, scope=ALL, purposes=Purpose.CARE, conditions=0, **period):
        stated = terms(purposes, conditions, **period)
        consents.grant(patient, grantee, scope, stated, {"from": patient})
        return str(consents.grantIdOf(patient, grantee, scope))

    return grant


@pytest.fixture
def decided(consents, patient):
    """What is decided on the use of a record, by reason and grant."""

    def decided(reader, scope=CREDENTIAL, asked=CARE, subject=patient):
        reason, grant_id = consents.permittedScope(reader, subject, scope, asked)
        return Reason(reason), str(grant_id)

    return decided


def test_subject_uses_its_own_records(identities, patient, stranger, decided):
    assert decided(patient, asked=use(0)) == (Reason.PERMITTED, NO_GRANT)
    assert decided(stranger) == (Reason.NEVER_GRANTED, NO_GRANT)
    identities.changeOwner(patient, NOBODY, {"from": patient})
    assert decided(patient) == (Reason.NEVER_GRANTED, NO_GRANT)


@pytest.mark.parametrize("scope", [CREDENTIAL, ALL], ids=["record", "everything"])
@pytest.mark.parametrize("to_institution", [False, True], ids=["reader", "institution"])
def test_granted_record(
    accredited, radiologist, hospital, stranger, grant, decided, scope, to_institution
):
    granted = grant(hospital if to_institution else radiologist, scope)
    assert decided(radiologist) == (Reason.PERMITTED, granted)
    assert decided(radiologist, ALL)[0] == (
        Reason.PERMITTED if scope == ALL else Reason.NEVER_GRANTED
    )
    other = Reason.PERMITTED if scope == ALL else Reason.NEVER_GRANTED
    assert decided(radiologist, digest("another"))[0] == other
    assert decided(radiologist, subject=stranger)[0] == Reason.NEVER_GRANTED
    assert decided(stranger)[0] == Reason.NEVER_GRANTED


def test_reasons(
    consents, participants, accredited, patient, hospital, radiologist, grant, decided
):
    """Those of {permitted}, but for what only images have; the nearest grant gives its reason."""
    granted = grant(radiologist, CREDENTIAL, Purpose.CARE, Condition.IRB, start=DAY, lasts=DAY)
    assert decided(radiologist) == (Reason.NOT_YET, granted)
    start = consents.grantOf(patient, radiologist, CREDENTIAL)[0]
    travel(start)
    assert decided(radiologist) == (Reason.CONDITION, granted)
    assert decided(radiologist, asked=use(Purpose.TEACHING)) == (Reason.PURPOSE, granted)
    assert decided(radiologist, asked=use(Purpose.CARE, Condition.IRB))[0] == Reason.PERMITTED
    wide = grant(hospital, ALL, Purpose.TEACHING)
    assert decided(radiologist) == (Reason.CONDITION, granted)
    assert decided(radiologist, asked=use(Purpose.TEACHING)) == (Reason.PERMITTED, wide)
    participants.suspend(radiologist, {"from": hospital})
    assert decided(radiologist) == (Reason.READER_SUSPENDED, NO_GRANT)
    participants.reinstate(radiologist, {"from": hospital})
    travel(start + DAY)
    assert decided(radiologist) == (Reason.EXPIRED, wide)
    consents.revokeAll(patient, {"from": patient})
    assert decided(radiologist) == (Reason.REVOKED, wide)


def test_emergency_covers_all_records(consents, patient, radiologist, break_glass, decided):
    since = break_glass()
    by = str(consents.grantIdOf(patient, radiologist, EMERGENCY))
    for scope in (CREDENTIAL, ALL, EMERGENCY):
        assert decided(radiologist, scope) == (Reason.PERMITTED, by)
    assert decided(radiologist, asked=use(Purpose.TEACHING)) == (Reason.PURPOSE, by)
    travel(since + HOUR)
    assert decided(radiologist) == (Reason.EXPIRED, by)


@pytest.fixture(scope="module")
def image_sets(anchor):
    """Three image sets of the patient: two of one visit, and one of another visit and course."""
    return [
        anchor("first"),
        anchor("second"),
        anchor("third", visit="another visit", course="another course"),
    ]


@pytest.fixture
def permits_all(consents):
    """Asserts that a batch is permitted as each of its image sets is alone."""

    def permits_all(reader, image_sets, grant_ids, asked=CARE):
        answer = plain(consents.requirePermittedBatch(reader, image_sets, asked))
        assert answer == (tuple(each.id for each in image_sets), tuple(grant_ids))
        alone = [plain(consents.requirePermitted(reader, each, asked)) for each in image_sets]
        assert list(zip(*answer, strict=True)) == alone

    return permits_all


def test_empty_batch(consents, radiologist, permits_all):
    assert plain(consents.requirePermittedBatch(radiologist, [], CARE)) == ((), ())


def test_batch_under_a_grant_for_everything(image_sets, hospital, radiologist, grant, permits_all):
    granted = grant(hospital)
    permits_all(radiologist, image_sets, [granted] * 3)
    permits_all(hospital, image_sets, [granted] * 3)


def test_batch_under_several_grants(image_sets, radiologist, hospital, grant, permits_all):
    """Each image set has its own grant, whatever the one before it had."""
    first, second, third = image_sets
    visit = grant(hospital, first.visit)
    permits_all(radiologist, [first, second], [visit, visit])
    other = grant(radiologist, third.course)
    image = grant(radiologist, second.id, Purpose.TEACHING)
    permits_all(radiologist, image_sets, [visit, visit, other])
    permits_all(radiologist, [third, first, third], [other, visit, other])
    permits_all(radiologist, [second], [image], use(Purpose.TEACHING))


def test_batch_of_several_patients(
    consents, anchor, image_sets, stranger, patient, radiologist, terms, grant, permits_all
):
    theirs = anchor("theirs", patient=stranger)
    granted = grant(radiologist)
    with error("ConsentNotPermittedNeverGranted", stranger, radiologist):
        consents.requirePermittedBatch(radiologist, [image_sets[0], theirs, image_sets[1]], CARE)
    consents.grant(stranger, radiologist, ALL, terms(), {"from": stranger})
    other = str(consents.grantIdOf(stranger, radiologist, ALL))
    permits_all(radiologist, [image_sets[0], theirs, image_sets[1]], [granted, other, granted])


def test_batch_of_the_patient_itself(image_sets, patient, permits_all):
    permits_all(patient, image_sets, [NO_GRANT] * 3, use(0))


def test_batch_in_an_emergency(
    consents, image_sets, patient, radiologist, grant, break_glass, permits_all
):
    visit = grant(radiologist, image_sets[0].visit)
    break_glass()
    by = str(consents.grantIdOf(patient, radiologist, EMERGENCY))
    permits_all(radiologist, image_sets, [visit, visit, by])


def test_batch_is_refused_for_one_of_its_image_sets(
    consents, images, image_sets, hospital, patient, radiologist, grant
):
    """The refusal is that of the first one that may not be used, whatever comes before it."""
    first, second, third = image_sets
    grant(radiologist, first.visit)
    with error("ConsentNotPermittedNeverGranted", patient, radiologist):
        consents.requirePermittedBatch(radiologist, image_sets, CARE)
    grant(radiologist, third.id, Purpose.TEACHING)
    with error("ConsentNotPermittedPurpose", Purpose.TEACHING, Purpose.CARE):
        consents.requirePermittedBatch(radiologist, image_sets, CARE)
    grant(radiologist)
    consents.requirePermittedBatch(radiologist, image_sets, CARE)
    unknown = third._replace(root=digest("unknown"))
    with error("ConsentNotPermittedNotAnchored", unknown.id):
        consents.requirePermittedBatch(radiologist, [first, unknown], CARE)
    images.disown(second, {"from": patient})
    with error("ConsentNotPermittedDisowned", second.id):
        consents.requirePermittedBatch(radiologist, image_sets, CARE)
    images.erase(second, digest("certificate"), {"from": hospital})
    with error("ConsentNotPermittedErased", second.id):
        consents.requirePermittedBatch(radiologist, [first, second], CARE)


def test_refusal_of_one_is_not_coloured_by_the_ones_before(
    consents, image_sets, patient, radiologist, grant
):
    """A grant for another image set does not change the reason of a refusal."""
    first, _, third = image_sets
    grant(radiologist, first.course, Purpose.TEACHING)
    grant(radiologist, first.id)
    with error("ConsentNotPermittedNeverGranted", patient, radiologist):
        consents.requirePermittedBatch(radiologist, [first, third], CARE)


def test_batch_of_a_suspended_reader(
    consents, participants, image_sets, hospital, radiologist, grant
):
    grant(radiologist)
    participants.suspend(radiologist, {"from": hospital})
    with error("ConsentNotPermittedReaderSuspended", radiologist):
        consents.requirePermittedBatch(radiologist, image_sets, CARE)

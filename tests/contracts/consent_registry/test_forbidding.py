"""Forbidding emergency access, where the deployment allows that."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import PATIENT_KEY, error, next_block_at, plain, travel
from tests.contracts.consent_registry.conftest import (
    CONSENT,
    DAY,
    EMERGENCY,
    GRANTED,
    Outcome,
    Reason,
    use,
)
from tests.contracts.consent_registry.signing import ACTIONS, signature_of

MINUTE = 60
DOUBT = 2 * DAY
ACTION = next(each for each in ACTIONS if each.function == "forbidEmergencies")
REVOKE = next(each for each in ACTIONS if each.function == "revoke")


def test_forbid_and_allow(
    consents, break_glass, now, image, patient, radiologist, permits, refuses
):
    transaction = consents.forbidEmergencies(patient, True, {"from": patient})
    assert [(event.name, dict(event)) for event in transaction.events] == [
        (
            "EmergenciesForbidden",
            {"subject": patient, "forbidden": True, "signed": now(), "actor": patient},
        )
    ]
    signed = now()
    assert plain(consents.emergencyChoiceOf(patient)) == (True, signed)
    with error("EmergencyForbidden", patient):
        break_glass()
    refuses(
        radiologist,
        use(),
        Reason.NEVER_GRANTED,
        "ConsentNotPermittedNeverGranted",
        patient,
        radiologist,
    )

    next_block_at(now() + 10)
    transaction = consents.forbidEmergencies(patient, False, {"from": patient})
    assert [(event.name, dict(event)) for event in transaction.events] == [
        (
            "EmergenciesForbidden",
            {"subject": patient, "forbidden": False, "signed": now(), "actor": patient},
        )
    ]
    assert plain(consents.emergencyChoiceOf(patient)) == (False, now())
    break_glass()
    permits(radiologist, use(), radiologist, EMERGENCY)


def test_choices_of_one_second_have_an_order(consents, patient, now):
    for forbidden in (True, False, True):
        next_block_at(now())
        consents.forbidEmergencies(patient, forbidden, {"from": patient})
    assert plain(consents.emergencyChoiceOf(patient)) == (True, now() + 2)


def test_forbidding_ends_what_is_in_force_for_good(
    consents, break_glass, review, image, patient, radiologist, colleague, permits, refuses
):
    since = break_glass(lasts=DAY)
    permits(radiologist, use(), radiologist, EMERGENCY)
    consents.forbidEmergencies(patient, True, {"from": patient})
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)
    consents.forbidEmergencies(patient, False, {"from": patient})
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)
    review(since, colleague)  # it is reviewed nevertheless
    assert plain(consents.emergencyOf(patient, radiologist, since))[3] == Outcome.JUSTIFIED


def test_forbids_for_the_caller_alone(consents, break_glass, stranger, patient, radiologist):
    consents.forbidEmergencies(stranger, True, {"from": stranger})
    break_glass()
    assert consents.grantOf(patient, radiologist, EMERGENCY)[7] == GRANTED


@pytest.mark.parametrize("forbidden", [True, False])
def test_only_who_may_act(consents, identities, patient, stranger, forbidden):
    consents.forbidEmergencies(patient, not forbidden, {"from": patient})
    with error("ConsentNotAuthorized", patient, stranger):
        consents.forbidEmergencies(patient, forbidden, {"from": stranger})
    identities.addDelegate(patient, CONSENT, stranger, DAY, {"from": patient})
    consents.forbidEmergencies(patient, forbidden, {"from": stranger})
    assert consents.emergencyChoiceOf(patient)[0] == forbidden


def test_not_after_a_recovery(consents, patient, stranger, recover):
    recover(stranger)
    with error("ConsentNotAuthorized", patient, patient):
        consents.forbidEmergencies(patient, False, {"from": patient})
    consents.forbidEmergencies(patient, True, {"from": stranger})
    assert consents.emergencyChoiceOf(patient)[0]


def test_deployment_that_does_not_allow_it(
    deploy, identities, participants, images, accredited, patient, radiologist
):
    consents = deploy("ConsentRegistry", identities, participants, images, False, 0)
    assert plain(consents.emergencyPolicy()) == (False, 0)
    for forbidden in (True, False):
        with error("EmergenciesNotForbiddable"):
            consents.forbidEmergencies(patient, forbidden, {"from": patient})
    consents.breakGlass(patient, DAY, "0x" + "11" * 32, {"from": radiologist})
    assert consents.grantOf(patient, radiologist, EMERGENCY)[7] == GRANTED


# --- by signature: which of two documents prevails -----------------------------------------------


@pytest.fixture
def choice(consents, patient, radiologist, now):
    """Signs a choice of the patient; returns what submits it."""

    def choice(forbidden, signed, seen=0):
        deadline = now() + 100 * DAY
        values = {"subject": patient.address, "forbidden": forbidden, "seen": seen}
        said = {**values, "signed": signed, "deadline": deadline}
        signature = signature_of(consents, ACTION, said, PATIENT_KEY)
        authorization = (patient, signed, deadline, signature)
        arguments = (*values.values(), authorization, {"from": radiologist})
        return lambda: consents.forbidEmergenciesBySig(*arguments)

    return choice


@pytest.fixture
def stands(consents, patient):
    """What stands: whether it is forbidden, and when that was signed."""
    return lambda: plain(consents.emergencyChoiceOf(patient))


def test_a_document_counts_once(choice, stands, patient, now):
    signed = now()
    forbid = choice(True, signed)
    forbid()
    with error("EmergencyChoiceSuperseded", patient, signed):
        forbid()
    allow = choice(False, signed, seen=signed)
    allow()
    assert stands() == (False, signed + 1)
    for replayed in (forbid, allow):
        with error("EmergencyChoiceSuperseded", patient, signed + 1):
            replayed()
    assert stands() == (False, signed + 1)


def test_what_was_signed_last_prevails_where_clocks_leave_no_doubt(choice, stands, patient, now):
    travel(now() + 10 * DAY)
    last = now() - 5 * DAY
    choice(True, last)()
    in_doubt = choice(False, last + DOUBT)
    with error("EmergencyChoiceSuperseded", patient, last):
        in_doubt()
    choice(False, last + DOUBT + 1)()
    assert stands() == (False, last + DOUBT + 1)
    surely_older = choice(True, last)
    with error("EmergencyChoiceSuperseded", patient, last + DOUBT + 1):
        surely_older()


def test_in_doubt_it_stays_forbidden(choice, stands, patient, now):
    """A prohibition on its way may be dated up to two days before what it takes back."""
    travel(now() + 10 * DAY)
    base = now() - 9 * DAY
    choice(True, base)()
    allowed = base + 5 * DAY
    choice(False, allowed)()
    with error("EmergencyChoiceSuperseded", patient, allowed):
        choice(True, allowed - DOUBT - 1)()
    choice(True, allowed - DOUBT)()
    assert stands() == (True, allowed + 1)


def test_a_prohibition_that_was_allowed_over_does_not_come_back(choice, stands, patient, now):
    signed = now()
    choice(True, signed)()
    choice(False, signed + MINUTE, seen=signed)()
    with error("EmergencyChoiceSuperseded", patient, signed + MINUTE):
        choice(True, signed)()
    choice(True, signed + 1)()
    assert stands() == (True, signed + MINUTE + 1)


def test_a_later_prohibition_raises_the_time(choice, stands, now):
    signed = now()
    choice(True, signed)()
    choice(True, signed + MINUTE)()
    assert stands() == (True, signed + MINUTE)


def test_dated_ahead(choice, stands, patient, now):
    base = now()
    choice(True, base)()
    # Signed before the time of the block is set: measured, a call takes a block of its own.
    forbid = choice(True, base + 101 + DAY)
    allow = choice(False, base + 201 + 5 * MINUTE, seen=base)
    next_block_at(base + 100)
    with error("ConsentSignedAhead", base + 101 + DAY, base + 100 + DAY):
        forbid()
    next_block_at(base + 200)
    with error("ConsentSignedAhead", base + 201 + 5 * MINUTE, base + 200 + 5 * MINUTE):
        allow()
    assert stands() == (True, base)


def test_allowing_what_is_allowed(choice, patient, now):
    with error("EmergencyChoiceSuperseded", patient, 0):
        choice(False, now())()


# --- revoking one emergency by signature ---------------------------------------------------------


@pytest.fixture
def revocation(consents, patient, radiologist, now):
    """Signs a revocation of the radiologist's emergency; returns what submits it."""

    def revocation(signed):
        deadline = now() + 100 * DAY
        values = dict(
            zip(REVOKE.parameters, (patient.address, radiologist.address, EMERGENCY), strict=True)
        )
        said = {**values, "signed": signed, "deadline": deadline}
        signature = signature_of(consents, REVOKE, said, PATIENT_KEY)
        arguments = (
            *values.values(),
            (patient, signed, deadline, signature),
            {"from": radiologist},
        )
        return lambda: consents.revokeBySig(*arguments)

    return revocation


def test_a_revocation_ends_one_emergency_and_no_later_one(
    break_glass, revocation, image, patient, radiologist, permits, refuses
):
    first = break_glass()
    document = revocation(first)
    document()
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)
    with error("ConsentGrantedSince", patient, radiologist, EMERGENCY, first):
        document()
    second = break_glass()
    with error("ConsentGrantedSince", patient, radiologist, EMERGENCY, second):
        document()
    permits(radiologist, use(), radiologist, EMERGENCY)


def test_a_revocation_by_a_clock_that_is_behind(
    break_glass, revocation, image, patient, radiologist, now, permits, refuses
):
    travel(now() + 10 * DAY)
    since = break_glass()
    with error("ConsentGrantedSince", patient, radiologist, EMERGENCY, since):
        revocation(since - DOUBT - 1)()
    permits(radiologist, use(), radiologist, EMERGENCY)
    revocation(since - DOUBT)()
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)


def test_a_revocation_dated_ahead(break_glass, revocation):
    since = break_glass()
    ahead, in_time = revocation(since + 101 + DAY), revocation(since + 100 + DAY)
    next_block_at(since + 100)
    with error("ConsentSignedAhead", since + 101 + DAY, since + 100 + DAY):
        ahead()
    in_time()


def test_a_revocation_dated_ahead_ends_no_later_emergency(
    consents, break_glass, revocation, patient, radiologist, permits, image
):
    """Not even after one that its subject ended directly, by the clock of the chain."""
    document = revocation(break_glass() + DAY)
    document()
    break_glass()
    consents.revoke(patient, radiologist, EMERGENCY, {"from": patient})
    last = break_glass()
    with error("ConsentGrantedSince", patient, radiologist, EMERGENCY, last):
        document()
    permits(radiologist, use(), radiologist, EMERGENCY)


def test_nothing_to_revoke(break_glass, revocation, patient, radiologist, now):
    with error("ConsentNothingToRevoke", patient, radiologist, EMERGENCY):
        revocation(now())()

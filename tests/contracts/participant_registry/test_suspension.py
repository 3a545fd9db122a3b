"""Institutions and governors suspend; each lifts its own."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import NOBODY, Role, error

BY_INSTITUTION, BY_GOVERNOR = 1, 2


@pytest.fixture(params=["institution", "governor"])
def authority(request, governor, hospital):
    """Who may suspend the hospital's radiologist, and the status that this gives."""
    return {"institution": (hospital, BY_INSTITUTION), "governor": (governor, BY_GOVERNOR)}[
        request.param
    ]


def test_suspends_and_reinstates(accredited, hospital, radiologist, authority):
    actor, status = authority
    transaction = accredited.suspend(radiologist, {"from": actor})
    assert transaction.events["ParticipantSuspended"] == {
        "account": radiologist,
        "actor": actor,
        "status": status,
    }
    assert accredited.statusOf(radiologist) == status
    assert accredited.standing(radiologist) == (hospital, True)
    assert not accredited.isActive(radiologist)
    assert accredited.rolesOf(radiologist) == 0

    transaction = accredited.reinstate(radiologist, {"from": actor})
    assert transaction.events["ParticipantReinstated"] == {
        "account": radiologist,
        "actor": actor,
        "status": 0,
    }
    assert accredited.standing(radiologist) == (hospital, False)
    assert accredited.isActive(radiologist)
    assert accredited.rolesOf(radiologist) == Role.RADIOLOGIST


def test_not_twice(accredited, radiologist, authority):
    actor, _ = authority
    with error("ParticipantNotSuspended", radiologist, actor):
        accredited.reinstate(radiologist, {"from": actor})
    accredited.suspend(radiologist, {"from": actor})
    with error("ParticipantAlreadySuspended", radiologist, actor):
        accredited.suspend(radiologist, {"from": actor})


def test_others_have_no_authority(accredited, clinic, radiologist, stranger, hospital):
    for sender in (clinic, radiologist, stranger):
        with error("ParticipantNoAuthority", radiologist, sender):
            accredited.suspend(radiologist, {"from": sender})
        with error("ParticipantNoAuthority", radiologist, sender):
            accredited.reinstate(radiologist, {"from": sender})
    with error("ParticipantNoAuthority", hospital, hospital):
        accredited.suspend(hospital, {"from": hospital})


def test_governor_suspends_who_was_never_admitted(accredited, governor, clinic, stranger):
    transaction = accredited.suspend(stranger, {"from": governor})
    assert transaction.events["ParticipantSuspended"]["status"] == BY_GOVERNOR
    assert accredited.standing(stranger) == (NOBODY, True)
    with error("ParticipantAlreadySuspended", stranger, governor):
        accredited.suspend(stranger, {"from": governor})
    accredited.admit(stranger, Role.CLINICIAN, {"from": clinic})
    assert accredited.standing(stranger) == (clinic, True)
    accredited.reinstate(stranger, {"from": governor})
    assert accredited.standing(stranger) == (clinic, False)


def test_governor_suspends_who_left_just_before(accredited, governor, hospital, radiologist):
    accredited.leaveInstitution({"from": radiologist})
    with error("ParticipantNoAuthority", radiologist, hospital):
        accredited.suspend(radiologist, {"from": hospital})
    accredited.suspend(radiologist, {"from": governor})
    assert accredited.standing(radiologist) == (NOBODY, True)


def test_governor_adds_a_suspension_of_its_own_to_one_that_was_taken_along(
    accredited, governor, hospital, clinic, radiologist
):
    accredited.suspend(radiologist, {"from": hospital})
    accredited.leaveInstitution({"from": radiologist})
    accredited.suspend(radiologist, {"from": governor})
    assert accredited.statusOf(radiologist) == BY_INSTITUTION | BY_GOVERNOR
    accredited.admit(radiologist, Role.CLINICIAN, {"from": clinic})
    assert accredited.standing(radiologist) == (clinic, True)


def test_zero_address_is_not_suspended(accredited, governor, stranger):
    """Its record stands for the institution of those who have none."""
    with error("ParticipantZeroAddress"):
        accredited.suspend(NOBODY, {"from": governor})
    assert accredited.standing(stranger) == (NOBODY, False)


def test_institution_cannot_lift_a_governors_suspension(
    accredited, governor, hospital, radiologist
):
    accredited.suspend(radiologist, {"from": governor})
    with error("ParticipantNotSuspended", radiologist, hospital):
        accredited.reinstate(radiologist, {"from": hospital})

    accredited.suspend(radiologist, {"from": hospital})
    assert accredited.statusOf(radiologist) == BY_INSTITUTION | BY_GOVERNOR
    accredited.reinstate(radiologist, {"from": hospital})
    assert accredited.standing(radiologist) == (hospital, True)
    accredited.reinstate(radiologist, {"from": governor})
    assert accredited.standing(radiologist) == (hospital, False)


def test_governor_cannot_lift_an_institutions_suspension(
    accredited, governor, hospital, radiologist
):
    accredited.suspend(radiologist, {"from": hospital})
    with error("ParticipantNotSuspended", radiologist, governor):
        accredited.reinstate(radiologist, {"from": governor})


def test_suspended_institution_suspends_its_members(accredited, governor, hospital, radiologist):
    accredited.suspend(hospital, {"from": governor})
    assert accredited.statusOf(radiologist) == 0
    assert accredited.standing(radiologist) == (hospital, True)
    assert accredited.standing(hospital) == (hospital, True)
    assert not accredited.isActive(radiologist)
    assert accredited.rolesOf(radiologist) == accredited.rolesOf(hospital) == 0

    accredited.reinstate(hospital, {"from": governor})
    assert accredited.isActive(radiologist)
    assert accredited.isActive(hospital)


def test_suspended_institution_can_do_nothing(
    accredited, governor, hospital, radiologist, stranger
):
    accredited.suspend(hospital, {"from": governor})
    with error("ParticipantIsSuspended", hospital, hospital):
        accredited.admit(stranger, Role.CLINICIAN, {"from": hospital})
    with error("ParticipantIsSuspended", hospital, hospital):
        accredited.suspend(radiologist, {"from": hospital})
    with error("ParticipantIsSuspended", hospital, hospital):
        accredited.reinstate(radiologist, {"from": hospital})


def test_leaving_lifts_no_suspension(accredited, hospital, radiologist, authority):
    actor, status = authority
    accredited.suspend(radiologist, {"from": actor})
    accredited.leaveInstitution({"from": radiologist})
    assert accredited.statusOf(radiologist) == status
    assert accredited.standing(radiologist) == (NOBODY, True)


@pytest.mark.parametrize("own", [0, BY_GOVERNOR], ids=["of good standing", "suspended"])
def test_leaving_takes_the_institutions_suspension_along(
    accredited, governor, hospital, radiologist, own
):
    if own:
        accredited.suspend(radiologist, {"from": governor})
    accredited.suspend(hospital, {"from": governor})
    transaction = accredited.leaveInstitution({"from": radiologist})
    status = own or BY_INSTITUTION
    assert accredited.statusOf(radiologist) == status
    assert accredited.standing(radiologist) == (NOBODY, True)
    announced = [dict(event) for event in transaction.events if event.name.endswith("Suspended")]
    along = {"account": radiologist, "actor": radiologist, "status": status}
    assert announced == ([] if own else [along])
    accredited.reinstate(hospital, {"from": governor})
    assert accredited.standing(radiologist) == (NOBODY, True)
    accredited.reinstate(radiologist, {"from": governor})
    assert accredited.standing(radiologist) == (NOBODY, False)


def test_new_institution_lifts_that_of_the_old(accredited, hospital, clinic, radiologist):
    accredited.suspend(radiologist, {"from": hospital})
    accredited.leaveInstitution({"from": radiologist})
    accredited.admit(radiologist, Role.CLINICIAN, {"from": clinic})
    assert accredited.standing(radiologist) == (clinic, False)


def test_new_institution_does_not_lift_a_governors(accredited, governor, clinic, radiologist):
    accredited.suspend(radiologist, {"from": governor})
    accredited.leaveInstitution({"from": radiologist})
    accredited.admit(radiologist, Role.CLINICIAN, {"from": clinic})
    assert accredited.standing(radiologist) == (clinic, True)


def test_governor_lifts_both_where_no_institution_can(accredited, governor, hospital, radiologist):
    accredited.suspend(radiologist, {"from": hospital})
    accredited.suspend(radiologist, {"from": governor})
    accredited.leaveInstitution({"from": radiologist})
    with error("ParticipantNoAuthority", radiologist, hospital):
        accredited.reinstate(radiologist, {"from": hospital})
    accredited.reinstate(radiologist, {"from": governor})
    assert accredited.standing(radiologist) == (NOBODY, False)


def test_governor_that_is_an_institution_has_both_authorities_over_its_members(
    accredited, governor, stranger
):
    accredited.admitInstitution(governor, Role.CLINICIAN, {"from": governor})
    accredited.admit(stranger, Role.CLINICIAN, {"from": governor})
    accredited.suspend(stranger, {"from": governor})
    assert accredited.statusOf(stranger) == BY_INSTITUTION | BY_GOVERNOR
    accredited.reinstate(stranger, {"from": governor})
    assert accredited.statusOf(stranger) == 0

    accredited.suspend(governor, {"from": governor})
    assert accredited.statusOf(governor) == BY_GOVERNOR

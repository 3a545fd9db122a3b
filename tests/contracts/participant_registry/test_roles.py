"""What other contracts ask: who may use a role now, and why not."""

from __future__ import annotations

from tests.contracts.conftest import NOBODY, Role, error, sign_request
from tests.contracts.participant_registry.conftest import HOSPITAL_ROLES


def test_member_and_institution_use_their_roles(accredited, hospital, radiologist):
    assert accredited.hasRole(radiologist, Role.RADIOLOGIST)
    assert accredited.requireRole(radiologist, Role.RADIOLOGIST) == hospital
    assert accredited.hasRole(hospital, HOSPITAL_ROLES)
    assert accredited.requireRole(hospital, Role.CUSTODIAN) == hospital


def test_role_not_held(accredited, hospital, radiologist):
    wanted = Role.RADIOLOGIST | Role.CLINICIAN
    assert not accredited.hasRole(radiologist, wanted)
    with error("ParticipantLacksRole", radiologist, wanted, Role.RADIOLOGIST):
        accredited.requireRole(radiologist, wanted)
    with error("ParticipantLacksRole", hospital, Role.GOVERNOR, HOSPITAL_ROLES):
        accredited.requireRole(hospital, Role.GOVERNOR)


def test_no_role_is_not_a_role(accredited, radiologist):
    assert not accredited.hasRole(radiologist, 0)
    with error("ParticipantLacksRole", radiologist, 0, Role.RADIOLOGIST):
        accredited.requireRole(radiologist, 0)


def test_never_admitted(accredited, stranger):
    assert accredited.institutionOf(stranger) == NOBODY
    assert accredited.standing(stranger) == (NOBODY, False)
    assert not accredited.isActive(stranger)
    assert not accredited.hasRole(stranger, Role.RADIOLOGIST)
    with error("ParticipantNotAccredited", stranger):
        accredited.requireRole(stranger, Role.RADIOLOGIST)


def test_suspended(accredited, governor, hospital, radiologist):
    accredited.suspend(radiologist, {"from": hospital})
    assert not accredited.hasRole(radiologist, Role.RADIOLOGIST)
    with error("ParticipantIsSuspended", radiologist, hospital):
        accredited.requireRole(radiologist, Role.RADIOLOGIST)
    accredited.reinstate(radiologist, {"from": hospital})

    accredited.suspend(hospital, {"from": governor})
    assert not accredited.hasRole(radiologist, Role.RADIOLOGIST)
    with error("ParticipantIsSuspended", radiologist, hospital):
        accredited.requireRole(radiologist, Role.RADIOLOGIST)
    with error("ParticipantIsSuspended", hospital, hospital):
        accredited.requireRole(hospital, Role.CUSTODIAN)


def test_left(accredited, radiologist):
    accredited.leaveInstitution({"from": radiologist})
    with error("ParticipantNotAccredited", radiologist):
        accredited.requireRole(radiologist, Role.RADIOLOGIST)


def test_governing_needs_no_institution_and_survives_one(accredited, governor, hospital):
    assert accredited.requireRole(governor, Role.GOVERNOR) == NOBODY
    assert accredited.standing(governor) == (NOBODY, False)

    accredited.admit(governor, Role.CLINICIAN, {"from": hospital})
    assert accredited.rolesOf(governor) == Role.GOVERNOR | Role.CLINICIAN
    accredited.suspend(governor, {"from": hospital})
    assert accredited.rolesOf(governor) == Role.GOVERNOR
    accredited.reinstate(governor, {"from": hospital})
    accredited.suspend(hospital, {"from": governor})
    assert accredited.rolesOf(governor) == Role.GOVERNOR
    accredited.leaveInstitution({"from": governor})
    assert accredited.requireRole(governor, Role.GOVERNOR) == NOBODY


def test_admitted_through_the_forwarder(
    accredited, forwarder, governor, hospital, patient, stranger, now
):
    """A patient's own address joins and leaves; another account sends the leaving."""
    accredited.admit(patient, Role.CLINICIAN, {"from": hospital})
    call = (accredited, accredited.leaveInstitution.encode_input())
    request = sign_request(forwarder, patient, call, now() + 600)
    transaction = forwarder.execute(request, {"from": stranger})

    assert transaction.events["ParticipantLeft"]["account"] == patient
    assert accredited.institutionOf(patient) == NOBODY
    assert accredited.isTrustedForwarder(forwarder)
    assert not accredited.isTrustedForwarder(stranger)

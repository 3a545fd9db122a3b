"""Governors admit institutions, institutions admit members, members leave."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import NOBODY, Role, error
from tests.contracts.participant_registry.conftest import CLINIC_ROLES, HOSPITAL_ROLES

ACCREDITABLE = sum(Role) - Role.GOVERNOR


def test_governor_admits_an_institution(participants, governor, hospital, now):
    transaction = participants.admitInstitution(hospital, HOSPITAL_ROLES, {"from": governor})

    assert transaction.events["ParticipantAdmitted"] == {
        "account": hospital,
        "institution": hospital,
        "roles": HOSPITAL_ROLES,
    }
    assert participants.institutionOf(hospital) == hospital
    assert participants.rolesOf(hospital) == HOSPITAL_ROLES
    assert participants.sinceOf(hospital) == now()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.GOVERNOR])
def test_each_role_can_be_accredited(participants, governor, hospital, role):
    participants.admitInstitution(hospital, role, {"from": governor})
    assert participants.rolesOf(hospital) == role


def test_only_a_governor_admits_an_institution(accredited, hospital, stranger):
    for sender in (hospital, stranger):
        with error("ParticipantNotGovernor", sender):
            accredited.admitInstitution(stranger, Role.CUSTODIAN, {"from": sender})


@pytest.mark.parametrize(
    "roles", [0, Role.GOVERNOR, Role.GOVERNOR | Role.CUSTODIAN, 1 << 14, 1 << 31]
)
def test_roles_of_an_institution_are_accreditable_ones(participants, governor, hospital, roles):
    with error("ParticipantRolesNotPermitted", int(roles), ACCREDITABLE):
        participants.admitInstitution(hospital, roles, {"from": governor})


def test_the_zero_address_cannot_be_admitted(accredited, governor, hospital):
    with error("ParticipantZeroAddress"):
        accredited.admitInstitution(NOBODY, Role.CUSTODIAN, {"from": governor})
    with error("ParticipantZeroAddress"):
        accredited.admit(NOBODY, Role.CLINICIAN, {"from": hospital})


def test_governors_admission_goes_before_an_institutions(accredited, governor, hospital, stranger):
    """A newcomer whom an institution admitted unasked, and suspended, becomes an institution."""
    accredited.admit(stranger, Role.CLINICIAN, {"from": hospital})
    accredited.suspend(stranger, {"from": hospital})
    transaction = accredited.admitInstitution(stranger, Role.CUSTODIAN, {"from": governor})
    assert transaction.events["ParticipantLeft"] == {"account": stranger, "institution": hospital}
    assert transaction.events["ParticipantAdmitted"] == {
        "account": stranger,
        "institution": stranger,
        "roles": Role.CUSTODIAN,
    }
    assert accredited.standing(stranger) == (stranger, False)
    assert accredited.rolesOf(stranger) == Role.CUSTODIAN
    with error("ParticipantBelongsTo", stranger, stranger):
        accredited.admit(stranger, Role.CLINICIAN, {"from": hospital})
    with error("ParticipantNoAuthority", stranger, hospital):
        accredited.suspend(stranger, {"from": hospital})


def test_governors_suspension_outlasts_the_admission_as_an_institution(
    accredited, governor, hospital, radiologist
):
    accredited.suspend(radiologist, {"from": governor})
    accredited.admitInstitution(radiologist, Role.CUSTODIAN, {"from": governor})
    assert accredited.standing(radiologist) == (radiologist, True)


def test_institution_admits_a_member(accredited, hospital, stranger, now):
    transaction = accredited.admit(stranger, Role.CLINICIAN, {"from": hospital})

    assert transaction.events["ParticipantAdmitted"] == {
        "account": stranger,
        "institution": hospital,
        "roles": Role.CLINICIAN,
    }
    assert accredited.institutionOf(stranger) == hospital
    assert accredited.rolesOf(stranger) == Role.CLINICIAN
    assert accredited.sinceOf(stranger) == now()


def test_only_an_institution_admits_members(accredited, governor, radiologist, stranger, patient):
    for sender in (governor, radiologist, stranger):
        with error("ParticipantNotInstitution", sender):
            accredited.admit(patient, Role.RADIOLOGIST, {"from": sender})


@pytest.mark.parametrize(
    "roles", [0, Role.RESEARCHER, Role.CLINICIAN | Role.SPONSOR, Role.GOVERNOR]
)
def test_institution_admits_within_its_roles(accredited, hospital, stranger, roles):
    with error("ParticipantRolesNotPermitted", int(roles), HOSPITAL_ROLES):
        accredited.admit(stranger, roles, {"from": hospital})
    accredited.admit(stranger, HOSPITAL_ROLES, {"from": hospital})


def test_governor_that_is_an_institution_cannot_pass_governing_on(accredited, governor, stranger):
    accredited.admitInstitution(governor, Role.CLINICIAN, {"from": governor})
    with error("ParticipantRolesNotPermitted", Role.GOVERNOR, Role.CLINICIAN):
        accredited.admit(stranger, Role.GOVERNOR, {"from": governor})
    accredited.admit(stranger, Role.CLINICIAN, {"from": governor})
    assert accredited.rolesOf(stranger) == Role.CLINICIAN
    assert accredited.rolesOf(governor) == Role.CLINICIAN | Role.GOVERNOR


def test_institution_is_not_its_own_member(accredited, hospital):
    with error("ParticipantIsInstitution", hospital):
        accredited.admit(hospital, Role.CUSTODIAN, {"from": hospital})


def test_institution_cannot_take_anothers_member(accredited, hospital, clinic, radiologist):
    with error("ParticipantBelongsTo", radiologist, hospital):
        accredited.admit(radiologist, Role.CLINICIAN, {"from": clinic})
    with error("ParticipantBelongsTo", hospital, hospital):
        accredited.admit(hospital, Role.CLINICIAN, {"from": clinic})

    accredited.leaveInstitution({"from": radiologist})
    accredited.admit(radiologist, Role.CLINICIAN, {"from": clinic})
    assert accredited.institutionOf(radiologist) == clinic


def test_roles_are_replaced_and_seniority_kept(accredited, hospital, radiologist):
    since = accredited.sinceOf(radiologist)
    transaction = accredited.admit(radiologist, Role.CLINICIAN, {"from": hospital})

    assert transaction.events["ParticipantRolesChanged"] == {
        "account": radiologist,
        "institution": hospital,
        "roles": Role.CLINICIAN,
    }
    assert "ParticipantAdmitted" not in transaction.events
    assert accredited.rolesOf(radiologist) == Role.CLINICIAN
    assert accredited.sinceOf(radiologist) == since


def test_replacing_roles_lifts_no_suspension(accredited, hospital, radiologist):
    accredited.suspend(radiologist, {"from": hospital})
    accredited.admit(radiologist, Role.CLINICIAN, {"from": hospital})
    assert accredited.rolesOf(radiologist) == 0


def test_role_taken_from_an_institution_is_taken_from_its_members(
    accredited, governor, hospital, radiologist
):
    accredited.admit(radiologist, Role.RADIOLOGIST | Role.CLINICIAN, {"from": hospital})
    accredited.admitInstitution(hospital, Role.CUSTODIAN | Role.CLINICIAN, {"from": governor})
    assert accredited.rolesOf(radiologist) == Role.CLINICIAN

    accredited.admitInstitution(hospital, HOSPITAL_ROLES, {"from": governor})
    assert accredited.rolesOf(radiologist) == Role.RADIOLOGIST | Role.CLINICIAN


def test_member_leaves(accredited, hospital, radiologist):
    transaction = accredited.leaveInstitution({"from": radiologist})

    assert transaction.events["ParticipantLeft"] == {
        "account": radiologist,
        "institution": hospital,
    }
    assert accredited.institutionOf(radiologist) == NOBODY
    assert accredited.rolesOf(radiologist) == 0
    assert accredited.sinceOf(radiologist) == 0
    with error("ParticipantNotAccredited", radiologist):
        accredited.leaveInstitution({"from": radiologist})


def test_institution_cannot_leave(accredited, clinic):
    with error("ParticipantIsInstitution", clinic):
        accredited.leaveInstitution({"from": clinic})
    assert accredited.rolesOf(clinic) == CLINIC_ROLES


def test_only_the_forwarder_speaks_for_others(accredited, governor, stranger):
    """An address appended to a direct call is not the sender."""
    roles = int(Role.CLINICIAN)
    data = accredited.admitInstitution.encode_input(stranger, roles) + governor.address[2:]
    with error("ParticipantNotGovernor", stranger):
        stranger.transfer(accredited, 0, data=data)

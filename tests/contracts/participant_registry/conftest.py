"""A registry in which the hospital has one radiologist, and the clinic no member."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import Role

HOSPITAL_ROLES = Role.CUSTODIAN | Role.CLINICIAN | Role.RADIOLOGIST
CLINIC_ROLES = Role.CLINICIAN | Role.RESEARCHER


@pytest.fixture(scope="module")
def accredited(participants, governor, hospital, clinic, radiologist):
    participants.admitInstitution(hospital, HOSPITAL_ROLES, {"from": governor})
    participants.admitInstitution(clinic, CLINIC_ROLES, {"from": governor})
    participants.admit(radiologist, Role.RADIOLOGIST, {"from": hospital})
    return participants

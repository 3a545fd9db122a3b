"""Accreditation: who is admitted as what, who may change it, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from radledger.chain.refusals import (
    ParticipantIsInstitution,
    ParticipantNoAuthority,
    ParticipantNotAccredited,
    ParticipantNotGovernor,
    ParticipantNotInstitution,
    ParticipantRolesNotPermitted,
)
from radledger.identity import Participant
from radledger.identity.errors import InvalidAddress, UnknownRole
from radledger.identity.roles import ROLES, role_bits, role_names

SOURCE = Path(__file__).parents[2] / "contracts" / "lib" / "Roles.sol"


def test_roles_have_the_contracts_bits():
    declared = re.findall(r"constant ([A-Z]+) = RoleMask\.wrap\(1 << (\d+)\);", SOURCE.read_text())
    assert {name.lower(): 1 << int(shift) for name, shift in declared} == ROLES


def test_who_was_never_admitted_has_nothing(participants, who):
    assert participants.show(who.stranger.address) == Participant(
        account=who.stranger.address,
        institution=None,
        roles=(),
        since=None,
        active=False,
        suspended=False,
        suspended_by=(),
    )


def test_a_governor_admits_an_institution_and_it_admits_its_members(participants, who):
    hospital, member = who.clinic, who.stranger
    participants.admit_institution(hospital.address, ["custodian", "Radiologist"]).send(
        who.governor
    )
    admitted = participants.admit(member.address.lower(), ["radiologist"]).send(hospital)

    shown = participants.show(member.address)
    assert (shown.institution, shown.roles) == (hospital.address, ("radiologist",))
    assert (shown.active, shown.since) == (True, admitted.timestamp)
    own = participants.show(hospital.address)
    assert (own.institution, own.roles) == (hospital.address, ("custodian", "radiologist"))


def test_a_role_taken_from_an_institution_is_taken_from_its_members(participants, who):
    participants.admit_institution(who.hospital.address, ["custodian"]).send(who.governor)
    assert participants.show(who.radiologist.address).roles == ()
    assert participants.show(who.radiologist.address).active


@pytest.mark.parametrize("authority", ["governor", "hospital"])
def test_a_member_is_suspended_and_reinstated(participants, who, authority):
    signer, member = getattr(who, authority), who.radiologist.address
    participants.suspend(member).send(signer)
    shown = participants.show(member)
    assert (shown.roles, shown.active, shown.suspended) == ((), False, True)
    assert shown.suspended_by == ("governor" if authority == "governor" else "institution",)

    participants.reinstate(member).send(signer)
    shown = participants.show(member)
    assert (shown.roles, shown.active, shown.suspended_by) == (
        ("clinician", "radiologist"),
        True,
        (),
    )


def test_a_suspended_institution_suspends_its_members(participants, who):
    participants.suspend(who.hospital.address).send(who.governor)
    shown = participants.show(who.radiologist.address)
    assert (shown.roles, shown.suspended, shown.suspended_by) == ((), True, ())


def test_a_member_leaves(participants, who):
    participants.leave().send(who.radiologist)
    shown = participants.show(who.radiologist.address)
    assert (shown.institution, shown.since, shown.roles) == (None, None, ())


def test_governors_vote(participants, who):
    participants.vote_governor(who.stranger.address, add=True).send(who.governor)
    assert participants.show(who.stranger.address).roles == ("governor",)
    participants.vote_governor(who.stranger.address, add=False).send(who.governor)
    participants.vote_governor(who.stranger.address, add=False).send(who.stranger)
    assert participants.show(who.stranger.address).roles == ()


def test_a_governor_signs_and_another_account_pays(participants, who, submit):
    """There is no command for it: the contract and the library still accept it."""
    submit(
        participants.vote_governor(who.stranger.address, add=True).sign(who.governor), who.clinic
    )
    assert participants.show(who.stranger.address).roles == ("governor",)
    with pytest.raises(ParticipantNotGovernor) as refusal:
        participants.vote_governor(who.stranger.address, add=False).send(who.clinic)
    assert refusal.value.values == {"account": who.clinic.address}


def test_who_has_no_authority_is_refused(participants, who):
    stranger, radiologist = who.stranger, who.radiologist.address
    with pytest.raises(ParticipantNotGovernor) as governor:
        participants.admit_institution(who.clinic.address, ["custodian"]).send(stranger)
    assert governor.value.values == {"account": stranger.address}
    with pytest.raises(ParticipantNotInstitution) as institution:
        participants.admit(radiologist, ["radiologist"]).send(stranger)
    assert institution.value.values == {"account": stranger.address}
    with pytest.raises(ParticipantNoAuthority) as authority:
        participants.suspend(radiologist).send(stranger)
    assert authority.value.values == {"account": radiologist, "actor": stranger.address}
    with pytest.raises(ParticipantNotAccredited):
        participants.leave().send(stranger)
    with pytest.raises(ParticipantIsInstitution):
        participants.leave().send(who.hospital)
    with pytest.raises(ParticipantRolesNotPermitted) as roles:
        participants.admit(stranger.address, ["regulator"]).send(who.hospital)
    assert roles.value.values["roles"] == ROLES["regulator"]
    assert participants.show(stranger.address).institution is None


@pytest.mark.parametrize("roles", [[], ["doctor"], ["radiologist", ""]])
def test_an_unknown_role_is_not_sent(participants, who, roles):
    with pytest.raises(UnknownRole, match="radiologist"):
        participants.admit(who.stranger.address, roles).send(who.hospital)
    assert participants.show(who.stranger.address).institution is None


@pytest.mark.parametrize("address", ["", "patient", "0x12", "5a" * 20, "0x" + "0g" * 20])
def test_an_invalid_address_is_refused(participants, address):
    with pytest.raises(InvalidAddress) as refusal:
        participants.show(address)
    assert refusal.value.values == {"address": address}


def test_roles_go_by_name_both_ways():
    assert role_names(role_bits(reversed(ROLES))) == tuple(ROLES)

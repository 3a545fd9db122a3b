"""What an earlier owner wrote, or may still try, has no effect once an identity changed hands."""

from __future__ import annotations

import pytest
from brownie import accounts, chain

from tests.contracts.conftest import (
    NOBODY,
    PATIENT_KEY,
    RECOVERY_DELAY,
    error,
    plain,
    travel,
)
from tests.contracts.identity_registry.conftest import DAY, DELEGATE, VERI_KEY, digest, sign
from tests.contracts.identity_registry.test_guardians import hash_of

LONG = 2**127
THIEF = 9


@pytest.fixture
def thief():
    return accounts[THIEF]


@pytest.fixture
def child(identities, patient, clinic):
    """An identity that the patient owns."""
    identities.changeOwner(clinic, patient, {"from": clinic})
    return clinic


@pytest.fixture
def recover(identities, relatives):
    """Gives an identity, whose only guardian is the first relative, to a new owner."""

    def recover(identity, new_owner):
        guardian = relatives[0]
        values = (identity, guardian, new_owner, [guardian], 1)
        identities.approveRecovery(*values, {"from": guardian})
        travel(chain[-1].timestamp + RECOVERY_DELAY)
        identities.executeRecovery(identity, new_owner, {"from": guardian})

    return recover


@pytest.fixture
def guarded(identities, patient, relatives):
    identities.setGuardians(patient, relatives[:1], 1, {"from": patient})
    return identities


# ----------------------------------------------------------- a parent whose key was recovered away


@pytest.fixture
def lost(guarded, patient, stranger, child, recover):
    """The patient, who owns a child, was recovered to the stranger; a thief has the old key."""
    recover(patient, stranger)
    return child


@pytest.mark.parametrize("new_owner", ["thief", "nobody"])
def test_lost_key_does_not_hand_the_child_on(identities, patient, stranger, lost, thief, new_owner):
    new_owner = thief if new_owner == "thief" else NOBODY
    with error("IdentityNotOwner", lost, patient):
        identities.changeOwner(lost, new_owner, {"from": patient})
    identities.changeOwner(lost, thief, {"from": stranger})
    assert identities.controllerOf(lost) == thief


def test_lost_key_changes_nothing_of_the_child(identities, patient, stranger, lost, change):
    call = getattr(identities, change.name)
    with error("IdentityNotOwner", lost, patient):
        call(lost, *change.values, {"from": patient})
    assert len(call(lost, *change.values, {"from": stranger}).events) == 1


def test_lost_key_signs_nothing_for_the_child(identities, patient, stranger, lost, change):
    signature = sign(digest(identities, 0, lost, change), PATIENT_KEY)
    with error("IdentityBadSignature", lost, stranger, patient):
        getattr(identities, change.name + "Signed")(
            lost, *signature, *change.values, {"from": stranger}
        )


def test_new_key_of_the_parent_signs_for_the_child(identities, patient, child, relatives, change):
    """With a nonce of its own."""
    identities.changeOwner(relatives[0], patient, {"from": relatives[0]})
    identities.changeOwner(child, relatives[0], {"from": patient})
    assert identities.controllerOf(child) == patient
    signature = sign(digest(identities, 0, child, change), PATIENT_KEY)
    call = getattr(identities, change.name + "Signed")
    assert len(call(child, *signature, *change.values, {"from": relatives[0]}).events) == 1
    assert identities.nonce(patient) == 1
    assert identities.nonce(relatives[0]) == 0


def test_lost_key_replaces_no_guardians_of_the_child(
    identities, patient, stranger, lost, thief, relatives
):
    with error("IdentityNotOwner", lost, patient):
        identities.setGuardians(lost, [thief], 1, {"from": patient})
    identities.setGuardians(lost, relatives, 2, {"from": stranger})
    assert identities.guardiansHash(lost).hex() == hash_of(relatives, 2)


def test_lost_key_does_not_vote_as_a_guardian_that_it_owned(
    identities, patient, stranger, lost, thief, relatives
):
    ward = relatives[1]
    identities.setGuardians(ward, [lost], 1, {"from": ward})
    values = (ward, lost, thief, [lost], 1)
    with error("IdentityNotOwner", lost, patient):
        identities.approveRecovery(*values, {"from": patient})
    identities.approveRecovery(*values, {"from": stranger})
    assert identities.recoveryOf(ward, thief)[0] == 1


def test_what_the_lost_key_wrote_for_the_child_ends(
    guarded, patient, stranger, child, thief, recover, relatives
):
    """A thief prepared for the recovery; all of it is void the moment that it is executed."""
    guarded.addDelegate(child, VERI_KEY, thief, LONG, {"from": patient})
    guarded.setGuardians(child, [thief], 1, {"from": patient})
    guarded.approveRecovery(child, thief, thief, [thief], 1, {"from": thief})
    assert guarded.mayAct(child, thief, VERI_KEY)
    recover(patient, stranger)

    assert not guarded.mayAct(child, thief, VERI_KEY)
    assert not guarded.validDelegate(child, VERI_KEY, thief)
    assert int(guarded.guardiansHash(child).hex(), 16) == 0
    assert plain(guarded.recoveryOf(child, thief)) == (0, 0)
    with error("IdentityRecoveryNotApproved", child, thief, 0):
        guarded.executeRecovery(child, thief, {"from": thief})
    with pytest.raises(Exception, match="IdentityGuardiansMismatch"):
        guarded.approveRecovery(child, thief, thief, [thief], 1, {"from": thief})


# ----------------------------------------------------------------------- an owner who changes keys


def test_thiefs_delegate_ends_with_the_key(identities, patient, thief, researcher):
    identities.addDelegate(patient, VERI_KEY, thief, LONG, {"from": patient})
    identities.changeOwner(patient, researcher, {"from": patient})
    assert not identities.mayAct(patient, thief, VERI_KEY)
    assert not identities.validDelegate(patient, VERI_KEY, thief)


def test_handing_an_identity_to_its_owner_ends_what_was_written(identities, patient, thief):
    """Who suspects a theft of the key's use, not of the key, starts over with it."""
    identities.addDelegate(patient, VERI_KEY, thief, LONG, {"from": patient})
    identities.changeOwner(patient, patient, {"from": patient})
    assert not identities.mayAct(patient, thief, VERI_KEY)
    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    assert identities.mayAct(patient, DELEGATE, VERI_KEY)


def test_thiefs_guardians_end_with_the_key(identities, patient, thief, researcher, relatives):
    identities.setGuardians(patient, [thief], 1, {"from": patient})
    identities.changeOwner(patient, researcher, {"from": patient})
    assert int(identities.guardiansHash(patient).hex(), 16) == 0
    with pytest.raises(Exception, match="IdentityGuardiansMismatch"):
        identities.approveRecovery(patient, thief, thief, [thief], 1, {"from": thief})
    identities.setGuardians(patient, relatives, 2, {"from": researcher})
    assert identities.guardiansHash(patient).hex() == hash_of(relatives, 2)


def test_guardians_who_recovered_an_identity_stay(guarded, patient, stranger, recover, relatives):
    recover(patient, stranger)
    assert guarded.guardiansHash(patient).hex() == hash_of(relatives[:1], 1)
    recover(patient, patient)
    assert guarded.controllerOf(patient) == patient


def test_a_parent_who_changes_keys_ends_what_it_wrote_for_the_child(
    identities, patient, child, researcher
):
    identities.addDelegate(child, VERI_KEY, DELEGATE, LONG, {"from": patient})
    identities.changeOwner(patient, researcher, {"from": patient})
    assert not identities.mayAct(child, DELEGATE, VERI_KEY)
    identities.addDelegate(child, VERI_KEY, DELEGATE, LONG, {"from": researcher})
    assert identities.mayAct(child, DELEGATE, VERI_KEY)

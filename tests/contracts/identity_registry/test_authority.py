"""`mayAct`, on which consent depends: the owner now, or a delegate of that type."""

from __future__ import annotations

import pytest
from brownie import chain

from tests.contracts.conftest import NOBODY, RECOVERY_DELAY, travel
from tests.contracts.identity_registry.conftest import DAY, DELEGATE, SIG_AUTH, VERI_KEY


@pytest.fixture
def recover(identities, patient, relatives, stranger):
    """Has the patient's guardians give the identity to a new owner."""

    def recover(new_owner):
        identities.setGuardians(patient, relatives[:1], 1, {"from": patient})
        guardian = relatives[0]
        identities.approveRecovery(patient, guardian, new_owner, [guardian], 1, {"from": guardian})
        travel(chain[-1].timestamp + RECOVERY_DELAY)
        identities.executeRecovery(patient, new_owner, {"from": stranger})

    return recover


def test_everybody_acts_for_themselves_alone(identities, patient, stranger):
    assert identities.mayAct(patient, patient, VERI_KEY)
    assert not identities.mayAct(patient, stranger, VERI_KEY)
    assert not identities.mayAct(patient, NOBODY, VERI_KEY)


def test_delegate_acts_for_its_type_and_time(identities, patient):
    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    assert identities.mayAct(patient, DELEGATE, VERI_KEY)
    assert not identities.mayAct(patient, DELEGATE, SIG_AUTH)

    travel(chain[-1].timestamp + DAY)
    assert not identities.mayAct(patient, DELEGATE, VERI_KEY)


def test_revoked_delegate_acts_no_longer(identities, patient):
    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    identities.revokeDelegate(patient, VERI_KEY, DELEGATE, {"from": patient})
    assert not identities.mayAct(patient, DELEGATE, VERI_KEY)


def test_old_owner_acts_no_longer(identities, patient, researcher):
    identities.changeOwner(patient, researcher, {"from": patient})
    assert identities.mayAct(patient, researcher, VERI_KEY)
    assert not identities.mayAct(patient, patient, VERI_KEY)


def test_nobody_acts_for_a_deactivated_identity(identities, patient):
    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    identities.changeOwner(patient, NOBODY, {"from": patient})
    for actor in (patient, DELEGATE, NOBODY):
        assert not identities.mayAct(patient, actor, VERI_KEY)


def test_recovery_ends_the_old_key_and_its_delegates(identities, patient, researcher, recover):
    identities.addDelegate(patient, VERI_KEY, DELEGATE, 30 * DAY, {"from": patient})
    recover(researcher)
    assert identities.mayAct(patient, researcher, VERI_KEY)
    for actor in (patient, DELEGATE):
        assert not identities.mayAct(patient, actor, VERI_KEY)
        assert not identities.validDelegate(patient, VERI_KEY, actor)

    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": researcher})
    assert identities.mayAct(patient, DELEGATE, VERI_KEY)
    assert identities.validDelegate(patient, VERI_KEY, DELEGATE)


@pytest.mark.parametrize("appointed", ["delegate", "owner"])
def test_key_that_lost_its_own_identity_speaks_for_nobody_else(
    identities, patient, clinic, stranger, recover, appointed
):
    """A parent's key that was recovered away no longer acts for the child."""
    if appointed == "delegate":
        identities.addDelegate(clinic, VERI_KEY, patient, 30 * DAY, {"from": clinic})
    else:
        identities.changeOwner(clinic, patient, {"from": clinic})
    assert identities.mayAct(clinic, patient, VERI_KEY)
    recover(stranger)
    assert not identities.mayAct(clinic, patient, VERI_KEY)
    # Rights belong to keys, so they do not go to the new owner by themselves.
    assert not identities.mayAct(clinic, stranger, VERI_KEY)
    identities.changeOwner(patient, patient, {"from": stranger})
    assert identities.mayAct(clinic, patient, VERI_KEY)


def test_identities_that_own_each_other(identities, patient, clinic):
    """Nobody acts for either by authority of the other; each key still hands on what it owns."""
    identities.changeOwner(patient, clinic, {"from": patient})
    identities.changeOwner(clinic, patient, {"from": clinic})
    for identity in (patient, clinic):
        for actor in (patient, clinic):
            assert not identities.mayAct(identity, actor, VERI_KEY)
    identities.changeOwner(patient, patient, {"from": clinic})
    assert identities.mayAct(patient, patient, VERI_KEY)
    assert identities.mayAct(clinic, patient, VERI_KEY)

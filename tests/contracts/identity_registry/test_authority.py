"""`mayAct`, on which consent depends: the owner now, or a delegate of that type."""

from __future__ import annotations

from itertools import pairwise

import pytest
from brownie import accounts, chain

from tests.contracts.conftest import NOBODY, RECOVERY_DELAY, error, travel
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


def test_accounts_act_for_themselves_alone(identities, patient, stranger):
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


def test_no_account_acts_for_a_deactivated_identity(identities, patient):
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


def test_delegate_that_lost_its_own_identity_speaks_for_no_other(
    identities, patient, clinic, stranger, recover
):
    identities.addDelegate(clinic, VERI_KEY, patient, 30 * DAY, {"from": clinic})
    assert identities.mayAct(clinic, patient, VERI_KEY)
    recover(stranger)
    assert not identities.mayAct(clinic, patient, VERI_KEY)
    # A delegate is a key, so its right does not go to the new owner by itself.
    assert not identities.mayAct(clinic, stranger, VERI_KEY)
    identities.changeOwner(patient, patient, {"from": stranger})
    assert identities.mayAct(clinic, patient, VERI_KEY)


def test_owner_of_the_owner_acts(identities, patient, clinic, stranger, recover):
    """A recovered parent goes on acting for the child, and the lost key does not."""
    identities.changeOwner(clinic, patient, {"from": clinic})
    assert identities.controllerOf(clinic) == patient
    recover(stranger)
    assert identities.controllerOf(clinic) == stranger
    assert identities.mayAct(clinic, stranger, VERI_KEY)
    for actor in (clinic, patient):
        assert not identities.mayAct(clinic, actor, VERI_KEY)
    # What ERC-1056 knows of the child has not changed.
    assert identities.identityOwner(clinic) == identities.owners(clinic) == patient


def own(identities, *path):
    """Makes each identity of the path owned by the next."""
    for identity, owner in pairwise(path):
        identities.changeOwner(identity, owner, {"from": identities.controllerOf(identity)})


@pytest.mark.parametrize("owners", [1, 2, 3])
def test_a_path_of_three_owners_is_followed(identities, owners):
    """From the far end, as a recovery of each in turn would make it."""
    path = accounts[: owners + 1]
    own(identities, *path)
    assert identities.controllerOf(path[0]) == path[-1]
    for actor in path[:-1]:
        assert not identities.mayAct(path[0], actor, VERI_KEY)


def test_a_longer_path_has_no_controller_until_it_is_shortened(identities):
    path = accounts[:5]
    own(identities, *path)
    assert identities.controllerOf(path[0]) == NOBODY
    for actor in (*path, NOBODY):
        assert not identities.mayAct(path[0], actor, VERI_KEY)
        if actor != NOBODY:
            with error("IdentityNotOwner", path[0], actor):
                identities.changeOwner(path[0], actor, {"from": actor})
    assert identities.controllerOf(path[1]) == path[-1]
    identities.changeOwner(path[1], path[-1], {"from": path[-1]})
    assert identities.controllerOf(path[0]) == path[-1]


@pytest.mark.parametrize("size", [2, 3, 4])
def test_identities_that_own_each_other(identities, size):
    """In a circle each is controlled by its own key, so none is lost."""
    circle = accounts[:size]
    own(identities, *circle, circle[0])
    for identity in circle:
        assert identities.controllerOf(identity) == identity
        for actor in circle:
            assert identities.mayAct(identity, actor, VERI_KEY) == (actor == identity)
    identities.changeOwner(circle[0], circle[0], {"from": circle[0]})
    assert identities.controllerOf(circle[-1]) == circle[0]


def test_no_account_acts_for_what_a_deactivated_identity_owns(
    identities, patient, clinic, relatives
):
    """Nor do guardians whom it named recover that: hand it on before."""
    child, guardian = clinic, relatives[0]
    own(identities, child, patient)
    identities.setGuardians(child, [guardian], 1, {"from": patient})
    identities.addDelegate(child, VERI_KEY, DELEGATE, 30 * DAY, {"from": patient})
    identities.changeOwner(patient, NOBODY, {"from": patient})

    assert identities.controllerOf(child) == NOBODY
    for actor in (child, patient, DELEGATE, NOBODY):
        assert not identities.mayAct(child, actor, VERI_KEY)
    assert not identities.validDelegate(child, VERI_KEY, DELEGATE)
    assert int(identities.guardiansHash(child).hex(), 16) == 0

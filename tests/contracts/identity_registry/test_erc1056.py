"""ERC-1056 as the owner calls it: each change, its event, the chain of changes, delegates."""

from __future__ import annotations

import pytest
from brownie import web3

from tests.contracts.conftest import NOBODY, error, sign_request, travel
from tests.contracts.identity_registry.conftest import (
    DAY,
    DELEGATE,
    ENCRYPTION_KEY,
    SIG_AUTH,
    VERI_KEY,
)

LONGEST_VALIDITY = 2**128 - 1


def test_every_address_owns_itself(identities, patient):
    assert identities.identityOwner(patient) == patient
    assert identities.owners(patient) == NOBODY
    assert identities.changed(patient) == 0
    assert identities.nonce(patient) == 0


def test_owner_changes(identities, patient, stranger, change, now):
    call = getattr(identities, change.name)
    with error("IdentityNotOwner", patient, stranger):
        call(patient, *change.values, {"from": stranger})
    transaction = call(patient, *change.values, {"from": patient})

    assert transaction.events[change.event] == {
        "identity": patient,
        **change.announced(now()),
        "previousChange": 0,
    }
    assert len(transaction.events) == 1
    assert identities.changed(patient) == transaction.block_number


def test_each_change_names_the_one_before(identities, patient, change):
    first = identities.setAttribute(patient, SIG_AUTH, b"", 0, {"from": patient})
    second = getattr(identities, change.name)(patient, *change.values, {"from": patient})
    assert second.events[change.event]["previousChange"] == first.block_number
    assert identities.changed(patient) == second.block_number > first.block_number


def test_new_owner_owns_and_the_old_does_not(identities, patient, researcher, stranger, change):
    identities.changeOwner(patient, researcher, {"from": patient})
    assert identities.identityOwner(patient) == identities.owners(patient) == researcher
    call = getattr(identities, change.name)
    with error("IdentityNotOwner", patient, patient):
        call(patient, *change.values, {"from": patient})
    call(patient, *change.values, {"from": researcher})


def test_owner_hands_back(identities, patient, researcher):
    identities.changeOwner(patient, researcher, {"from": patient})
    identities.changeOwner(patient, patient, {"from": researcher})
    assert identities.identityOwner(patient) == identities.owners(patient) == patient


def test_owning_one_identity_says_nothing_of_another(identities, patient, researcher, stranger):
    identities.changeOwner(patient, researcher, {"from": patient})
    with error("IdentityNotOwner", stranger, researcher):
        identities.changeOwner(stranger, researcher, {"from": researcher})
    assert identities.identityOwner(researcher) == researcher


def test_deactivated_for_good(identities, patient, change):
    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    transaction = identities.changeOwner(patient, NOBODY, {"from": patient})
    assert transaction.events["DIDOwnerChanged"]["owner"] == NOBODY

    assert identities.identityOwner(patient) == identities.owners(patient) == NOBODY
    assert not identities.validDelegate(patient, VERI_KEY, DELEGATE)
    with error("IdentityNotOwner", patient, patient):
        getattr(identities, change.name)(patient, *change.values, {"from": patient})


def test_delegate_is_valid_until_it_lapses(identities, patient, now):
    assert not identities.validDelegate(patient, VERI_KEY, DELEGATE)
    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    lapses = now() + DAY
    type_hash = web3.keccak(VERI_KEY)
    assert identities.delegates(patient, type_hash, DELEGATE) == lapses
    assert identities.validDelegate(patient, VERI_KEY, DELEGATE)

    travel(lapses - 1)
    assert identities.validDelegate(patient, VERI_KEY, DELEGATE)
    travel(lapses)
    assert not identities.validDelegate(patient, VERI_KEY, DELEGATE)


def test_delegate_types_share_nothing(identities, patient, now):
    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    assert not identities.validDelegate(patient, SIG_AUTH, DELEGATE)
    assert identities.delegates(patient, web3.keccak(SIG_AUTH), DELEGATE) == 0

    identities.addDelegate(patient, SIG_AUTH, DELEGATE, DAY, {"from": patient})
    identities.revokeDelegate(patient, VERI_KEY, DELEGATE, {"from": patient})
    assert not identities.validDelegate(patient, VERI_KEY, DELEGATE)
    assert identities.validDelegate(patient, SIG_AUTH, DELEGATE)


def test_delegates_of_identities_share_nothing(identities, patient, stranger):
    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    assert not identities.validDelegate(stranger, VERI_KEY, DELEGATE)
    assert not identities.validDelegate(patient, VERI_KEY, stranger)


def test_revoked_delegate_can_be_appointed_again(identities, patient, now):
    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    identities.revokeDelegate(patient, VERI_KEY, DELEGATE, {"from": patient})
    assert not identities.validDelegate(patient, VERI_KEY, DELEGATE)
    assert identities.delegates(patient, web3.keccak(VERI_KEY), DELEGATE) == now()
    identities.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    assert identities.validDelegate(patient, VERI_KEY, DELEGATE)


def test_delegate_is_not_owner(identities, patient, stranger, change):
    identities.addDelegate(patient, VERI_KEY, stranger, DAY, {"from": patient})
    with error("IdentityNotOwner", patient, stranger):
        getattr(identities, change.name)(patient, *change.values, {"from": stranger})


@pytest.mark.parametrize(
    ("name", "values"),
    [("addDelegate", (VERI_KEY, DELEGATE)), ("setAttribute", (ENCRYPTION_KEY, b"\x25" * 32))],
)
def test_validity_has_a_limit(identities, patient, name, values, now):
    call = getattr(identities, name)
    with error("IdentityValidityTooLong", LONGEST_VALIDITY + 1, LONGEST_VALIDITY):
        call(patient, *values, LONGEST_VALIDITY + 1, {"from": patient})
    transaction = call(patient, *values, LONGEST_VALIDITY, {"from": patient})
    assert transaction.events[0]["validTo"] == now() + LONGEST_VALIDITY


def test_owner_changes_through_the_forwarder(identities, forwarder, patient, stranger, now):
    call = (identities, identities.changeOwner.encode_input(patient, DELEGATE))
    request = sign_request(forwarder, patient, call, now() + 600)
    forwarder.execute(request, {"from": stranger})
    assert identities.identityOwner(patient) == DELEGATE


def test_only_the_forwarder_speaks_for_others(identities, patient, stranger):
    """An address appended to a direct call is not the sender."""
    data = identities.changeOwner.encode_input(patient, stranger) + patient.address[2:]
    with error("IdentityNotOwner", patient, stranger):
        stranger.transfer(identities, 0, data=data)
    assert identities.identityOwner(patient) == patient

"""The owner names guardians; only their hash is stored."""

from __future__ import annotations

import pytest
from brownie import web3
from eth_abi import encode

from tests.contracts.conftest import NOBODY, error


def hash_of(guardians, threshold):
    content = encode(
        ["address[]", "uint256"], [[str(guardian) for guardian in guardians], threshold]
    )
    return web3.keccak(content).hex()


def addresses(count):
    return [f"0x{number:040x}" for number in range(1, count + 1)]


def test_owner_names_guardians(identities, patient, relatives):
    transaction = identities.setGuardians(patient, relatives, 2, {"from": patient})
    assert transaction.events["IdentityGuardiansSet"] == {
        "identity": patient,
        "guardians": relatives,
        "threshold": 2,
    }
    assert identities.guardiansHash(patient).hex() == hash_of(relatives, 2)


def test_owner_dismisses_guardians(identities, patient, relatives):
    identities.setGuardians(patient, relatives, 2, {"from": patient})
    transaction = identities.setGuardians(patient, [], 0, {"from": patient})
    assert list(transaction.events["IdentityGuardiansSet"]["guardians"]) == []
    assert int(identities.guardiansHash(patient).hex(), 16) == 0


def test_only_the_owner_names_guardians(identities, patient, relatives, stranger):
    identities.addDelegate(patient, b"veriKey", stranger, 3600, {"from": patient})
    for sender in (stranger, relatives[0]):
        with error("IdentityNotOwner", patient, sender):
            identities.setGuardians(patient, relatives, 2, {"from": sender})


@pytest.mark.parametrize(("count", "threshold"), [(3, 0), (3, 4), (1, 2), (0, 1)])
def test_threshold_can_be_reached(identities, patient, count, threshold):
    with error("IdentityThresholdOutOfRange", threshold, count):
        identities.setGuardians(patient, addresses(count), threshold, {"from": patient})


@pytest.mark.parametrize("threshold", [1, 3])
def test_every_threshold_up_to_the_number(identities, patient, threshold):
    identities.setGuardians(patient, addresses(3), threshold, {"from": patient})
    assert identities.guardiansHash(patient).hex() == hash_of(addresses(3), threshold)


def test_sixteen_at_most(identities, patient):
    with error("IdentityTooManyGuardians", 17, 16):
        identities.setGuardians(patient, addresses(17), 2, {"from": patient})
    identities.setGuardians(patient, addresses(16), 16, {"from": patient})


def test_zero_is_not_a_guardian(identities, patient, relatives):
    with error("IdentityGuardiansNotAscending", NOBODY, NOBODY):
        identities.setGuardians(patient, [NOBODY, relatives[0]], 1, {"from": patient})


def test_each_once_and_ascending(identities, patient, relatives):
    first, second, third = relatives
    with error("IdentityGuardiansNotAscending", second, second):
        identities.setGuardians(patient, [first, second, second], 2, {"from": patient})
    with error("IdentityGuardiansNotAscending", third, second):
        identities.setGuardians(patient, [first, third, second], 2, {"from": patient})


def test_not_the_identity_itself(identities, patient, stranger):
    with error("IdentityGuardianIsSelf", patient, patient):
        identities.setGuardians(patient, [patient], 1, {"from": patient})
    identities.changeOwner(patient, stranger, {"from": patient})
    with error("IdentityGuardianIsSelf", patient, stranger):
        identities.setGuardians(patient, [stranger], 1, {"from": stranger})
    with error("IdentityGuardianIsSelf", patient, patient):
        identities.setGuardians(patient, [patient], 1, {"from": stranger})


def test_naming_costs_the_same_storage_for_any_number(identities, patient):
    """What grows with the list is its calldata, its event and its check alone."""
    few = identities.setGuardians(patient, addresses(2), 2, {"from": patient})
    many = identities.setGuardians(patient, addresses(16), 2, {"from": patient})
    assert many.gas_used - few.gas_used < 20_000

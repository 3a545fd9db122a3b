"""Governors are added and removed by more than half of them."""

from __future__ import annotations

import pytest
from brownie import accounts

from tests.contracts.conftest import NOBODY, Role, error


@pytest.fixture(scope="module")
def governors():
    return accounts[:3]


@pytest.fixture(scope="module")
def governed(deploy, forwarder, governors):
    return deploy("ParticipantRegistry", forwarder, governors)


def is_governor(registry, account):
    return registry.hasRole(account, Role.GOVERNOR)


def test_registry_starts_with_its_governors(governed, governors, stranger):
    assert governed.governorCount() == 3
    assert governed.governorRound() == 0
    assert all(is_governor(governed, governor) for governor in governors)
    assert not is_governor(governed, stranger)
    assert {event["account"] for event in governed.tx.events["ParticipantGovernorAdded"]} == set(
        governors
    )


def test_registry_needs_governors(deploy, forwarder, governor):
    with error("ParticipantNoGovernors"):
        deploy("ParticipantRegistry", forwarder, [])
    with error("ParticipantZeroAddress"):
        deploy("ParticipantRegistry", forwarder, [governor, NOBODY])
    with error("ParticipantAlreadyGovernor", governor):
        deploy("ParticipantRegistry", forwarder, [governor, governor])


def test_majority_adds(governed, governors, stranger):
    transaction = governed.voteGovernor(stranger, True, {"from": governors[0]})
    assert transaction.events["ParticipantGovernorVoted"] == {
        "governor": governors[0],
        "account": stranger,
        "add": True,
        "votes": 1,
        "round": 0,
    }
    assert not is_governor(governed, stranger)
    assert governed.governorVotes(stranger, True) == 1

    transaction = governed.voteGovernor(stranger, True, {"from": governors[1]})
    assert transaction.events["ParticipantGovernorVoted"]["votes"] == 2
    assert transaction.events["ParticipantGovernorAdded"] == {"account": stranger}
    assert is_governor(governed, stranger)
    assert governed.governorCount() == 4
    assert governed.governorRound() == 1


def test_majority_removes(governed, governors):
    removed = governors[2]
    governed.voteGovernor(removed, False, {"from": governors[0]})
    assert is_governor(governed, removed)
    transaction = governed.voteGovernor(removed, False, {"from": governors[1]})

    assert transaction.events["ParticipantGovernorRemoved"] == {"account": removed}
    assert not is_governor(governed, removed)
    assert governed.governorCount() == 2
    with error("ParticipantNotGovernor", removed):
        governed.admitInstitution(removed, Role.CUSTODIAN, {"from": removed})


def test_half_is_not_a_majority(governed, governors, stranger):
    for voter in governors[:2]:
        governed.voteGovernor(governors[2], False, {"from": voter})
    governed.voteGovernor(stranger, True, {"from": governors[0]})
    assert not is_governor(governed, stranger)
    governed.voteGovernor(stranger, True, {"from": governors[1]})
    assert is_governor(governed, stranger)


def test_only_governors_vote(governed, stranger):
    with error("ParticipantNotGovernor", stranger):
        governed.voteGovernor(stranger, True, {"from": stranger})


def test_one_vote_each(governed, governors, stranger):
    governed.voteGovernor(stranger, True, {"from": governors[0]})
    with error("ParticipantAlreadyVoted", governors[0], stranger, True):
        governed.voteGovernor(stranger, True, {"from": governors[0]})


def test_vote_must_change_something(governed, governors, stranger):
    with error("ParticipantAlreadyGovernor", governors[1]):
        governed.voteGovernor(governors[1], True, {"from": governors[0]})
    with error("ParticipantNotGovernor", stranger):
        governed.voteGovernor(stranger, False, {"from": governors[0]})


def test_vote_of_a_removed_governor_does_not_count(governed, governors, stranger):
    governed.voteGovernor(stranger, True, {"from": governors[2]})
    for voter in governors[:2]:
        governed.voteGovernor(governors[2], False, {"from": voter})

    assert governed.governorVotes(stranger, True) == 0
    governed.voteGovernor(stranger, True, {"from": governors[0]})
    assert not is_governor(governed, stranger)


def test_governor_votes_again_in_a_new_round(governed, governors, stranger, patient):
    governed.voteGovernor(patient, True, {"from": governors[0]})
    for voter in governors[:2]:
        governed.voteGovernor(stranger, True, {"from": voter})
    governed.voteGovernor(patient, True, {"from": governors[0]})
    assert governed.governorVotes(patient, True) == 1


def test_last_governor_stays(participants, governor, stranger):
    with error("ParticipantLastGovernor", governor):
        participants.voteGovernor(governor, False, {"from": governor})

    participants.voteGovernor(stranger, True, {"from": governor})
    for voter in (governor, stranger):
        participants.voteGovernor(governor, False, {"from": voter})
    assert not is_governor(participants, governor)
    with error("ParticipantLastGovernor", stranger):
        participants.voteGovernor(stranger, False, {"from": stranger})


def test_the_zero_address_is_not_a_governor(participants, governor):
    with error("ParticipantZeroAddress"):
        participants.voteGovernor(NOBODY, True, {"from": governor})

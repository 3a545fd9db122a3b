"""A guardian's approval counts for 30 days, for its identity's present owner, until taken back."""

from __future__ import annotations

import pytest
from brownie import accounts

from tests.contracts.conftest import NOBODY, RECOVERY_DELAY, error, next_block_at, travel
from tests.contracts.identity_registry.conftest import DAY

PERIOD = 30 * DAY


@pytest.fixture
def approve(identities, patient, relatives, researcher):
    """Has a relative, two of whom suffice, approve that the researcher take over the patient."""
    identities.setGuardians(patient, relatives, 2, {"from": patient})

    def approve(guardian, sender=None):
        values = (patient, guardian, researcher, relatives, 2)
        return identities.approveRecovery(*values, {"from": sender or guardian})

    return approve


@pytest.fixture
def withdraw(identities, patient, researcher):
    def withdraw(guardian, sender=None):
        values = (patient, guardian, researcher)
        return identities.withdrawApproval(*values, {"from": sender or guardian})

    return withdraw


@pytest.fixture
def execute(identities, patient, researcher, stranger):
    return lambda: identities.executeRecovery(patient, researcher, {"from": stranger})


@pytest.fixture
def progress(identities, patient, researcher):
    return lambda: tuple(map(int, identities.recoveryOf(patient, researcher)))


def test_delay_leaves_time_within_an_approval(deploy, forwarder):
    with error("IdentityDelayTooLong", 14 * DAY + 1, 14 * DAY):
        deploy("IdentityRegistry", forwarder, 14 * DAY + 1)
    assert deploy("IdentityRegistry", forwarder, 14 * DAY).recoveryDelay() == 14 * DAY


def test_approval_lapses_after_thirty_days(approve, relatives, progress, now):
    approve(relatives[0])
    given = now()
    travel(given + PERIOD - 1)
    assert progress() == (1, 0)
    travel(given + PERIOD)
    assert progress() == (0, 0)
    transaction = approve(relatives[1])
    assert transaction.events["IdentityRecoveryApproved"]["approvals"] == 1
    assert transaction.events["IdentityRecoveryApproved"]["readyAt"] == 0


def test_two_approvals_years_apart_recover_nothing(
    approve, relatives, execute, patient, researcher, now
):
    approve(relatives[0])
    travel(now() + 3 * 365 * DAY)
    approve(relatives[1])
    travel(now() + RECOVERY_DELAY)
    with error("IdentityRecoveryNotApproved", patient, researcher, 1):
        execute()


def test_lapsed_approval_can_be_given_again(approve, relatives, progress, execute, now, identities):
    approve(relatives[0])
    travel(now() + PERIOD)
    approve(relatives[1])
    transaction = approve(relatives[0])
    ready_at = now() + RECOVERY_DELAY
    assert transaction.events["IdentityRecoveryApproved"]["readyAt"] == ready_at
    assert progress() == (2, ready_at)
    travel(ready_at)
    execute()


def test_recovery_is_executed_while_its_approvals_count(
    approve, relatives, execute, patient, researcher, now
):
    approve(relatives[0])
    given = now()
    travel(given + DAY)
    approve(relatives[1])
    next_block_at(given + PERIOD)
    with error("IdentityRecoveryNotApproved", patient, researcher, 1):
        execute()


def test_delay_begins_again_when_approvals_became_too_few(
    approve, relatives, progress, execute, now
):
    """The owner always has the whole delay, in which enough guardians stand by the recovery."""
    approve(relatives[0])
    first = now()
    travel(first + 20 * DAY)
    approve(relatives[1])
    travel(first + PERIOD)
    assert progress() == (1, 0)
    approve(relatives[2])
    ready_at = now() + RECOVERY_DELAY
    assert progress() == (2, ready_at)
    with error("IdentityRecoveryNotReady", ready_at):
        execute()
    travel(ready_at)
    execute()


def test_further_approval_does_not_delay(approve, relatives, progress, now):
    approve(relatives[0])
    approve(relatives[1])
    ready_at = now() + RECOVERY_DELAY
    travel(now() + DAY)
    approve(relatives[2])
    assert progress() == (3, ready_at)


def test_guardian_takes_an_approval_back(
    approve, withdraw, relatives, progress, execute, patient, researcher, now
):
    approve(relatives[0])
    approve(relatives[1])
    transaction = withdraw(relatives[0])
    assert transaction.events["IdentityApprovalWithdrawn"] == {
        "identity": patient,
        "newOwner": researcher,
        "guardian": relatives[0],
    }
    assert progress() == (1, 0)
    travel(now() + RECOVERY_DELAY)
    with error("IdentityRecoveryNotApproved", patient, researcher, 1):
        execute()
    approve(relatives[0])
    assert progress() == (2, now() + RECOVERY_DELAY)


def test_nothing_to_take_back(approve, withdraw, relatives, patient, researcher, stranger, now):
    nothing = ("IdentityNoApproval", patient, researcher, relatives[0])
    with error(*nothing):
        withdraw(relatives[0])
    approve(relatives[0])
    with error("IdentityNoApproval", patient, researcher, relatives[1]):
        withdraw(relatives[1])
    with error("IdentityNotOwner", relatives[0], stranger):
        withdraw(relatives[0], sender=stranger)
    withdraw(relatives[0])
    with error(*nothing):
        withdraw(relatives[0])
    approve(relatives[0])
    travel(now() + PERIOD)
    with error(*nothing):
        withdraw(relatives[0])


@pytest.mark.parametrize("left", ["another key", "nobody"])
def test_approval_of_a_stolen_key_ends_when_the_guardian_is_freed_of_it(
    identities, approve, relatives, clinic, progress, left
):
    """By handing its identity to a key of its own, by recovery, or by deactivating it."""
    approve(relatives[0])
    identities.changeOwner(
        relatives[0], clinic if left == "another key" else NOBODY, {"from": relatives[0]}
    )
    assert progress() == (0, 0)
    if left == "another key":
        approve(relatives[0], sender=clinic)
        assert progress() == (1, 0)


def test_approval_ends_when_the_owner_of_the_guardian_is_recovered(
    identities, approve, relatives, clinic, stranger, progress
):
    guardian = relatives[0]
    identities.changeOwner(guardian, clinic, {"from": guardian})
    approve(guardian, sender=clinic)
    assert progress() == (1, 0)
    identities.changeOwner(clinic, stranger, {"from": clinic})
    assert progress() == (0, 0)
    approve(guardian, sender=stranger)
    assert progress() == (1, 0)


def test_sixteen_guardians_can_all_approve(identities, patient, researcher, stranger, now):
    """The most there can be, and what the last and the execution cost then."""
    guardians = [accounts.add(f"0x{number:064x}") for number in range(1, 17)]
    guardians.sort(key=lambda account: int(account.address, 16))
    for guardian in guardians:
        stranger.transfer(guardian, "0.1 ether")
    identities.setGuardians(patient, guardians, 16, {"from": patient})
    values = (researcher, guardians, 16)
    for guardian in guardians:
        last = identities.approveRecovery(patient, guardian, *values, {"from": guardian})
    travel(now() + RECOVERY_DELAY)
    executed = identities.executeRecovery(patient, researcher, {"from": stranger})
    assert max(last.gas_used, executed.gas_used) < 250_000

"""Guardians give an identity to a new owner, after a delay in which the owner can veto."""

from __future__ import annotations

import pytest
from brownie import chain

from tests.contracts.conftest import (
    NOBODY,
    RECOVERY_DELAY,
    error,
    next_block_at,
    sign_request,
    travel,
)
from tests.contracts.identity_registry.conftest import DAY, DELEGATE, VERI_KEY
from tests.contracts.identity_registry.test_guardians import hash_of


@pytest.fixture(scope="module")
def guarded(identities, patient, relatives):
    """The patient's three relatives are guardians, two of whom suffice."""
    identities.setGuardians(patient, relatives, 2, {"from": patient})
    return identities


@pytest.fixture
def approve(guarded, patient, relatives, researcher):
    """Has a relative approve, by default that the patient's new key is the researcher's account."""

    def approve(guardian, new_owner=researcher, sender=None):
        return guarded.approveRecovery(
            patient, guardian, new_owner, relatives, 2, {"from": sender or guardian}
        )

    return approve


@pytest.fixture
def approved(approve, relatives):
    """Two relatives have approved; the delay runs. Gives the second approval."""
    approve(relatives[0])
    return approve(relatives[1])


def progress(registry, identity, new_owner):
    """How many guardians have approved, and from when the recovery can be executed."""
    return tuple(int(value) for value in registry.recoveryOf(identity, new_owner))


def wait(seconds=RECOVERY_DELAY):
    travel(chain[-1].timestamp + seconds)


def test_delay_is_at_least_an_hour(deploy, forwarder):
    with error("IdentityDelayTooShort", 3599, 3600):
        deploy("IdentityRegistry", forwarder, 3599)
    assert deploy("IdentityRegistry", forwarder, 3600).recoveryDelay() == 3600


def test_approvals_start_the_delay(guarded, patient, relatives, researcher, approve, now):
    assert progress(guarded, patient, researcher) == (0, 0)
    transaction = approve(relatives[0])
    assert transaction.events["IdentityRecoveryApproved"] == {
        "identity": patient,
        "newOwner": researcher,
        "guardian": relatives[0],
        "approvals": 1,
        "readyAt": 0,
    }
    transaction = approve(relatives[2])
    ready_at = now() + RECOVERY_DELAY
    assert transaction.events["IdentityRecoveryApproved"] == {
        "identity": patient,
        "newOwner": researcher,
        "guardian": relatives[2],
        "approvals": 2,
        "readyAt": ready_at,
    }
    assert progress(guarded, patient, researcher) == (2, ready_at)

    wait(DAY)
    approve(relatives[1])
    assert progress(guarded, patient, researcher) == (3, ready_at)


def test_anyone_executes_after_the_delay(guarded, patient, researcher, stranger, approved):
    ready_at = approved.events["IdentityRecoveryApproved"]["readyAt"]
    with error("IdentityRecoveryNotReady", ready_at):
        guarded.executeRecovery(patient, researcher, {"from": stranger})
    travel(ready_at)
    previous_change = guarded.changed(patient)
    transaction = guarded.executeRecovery(patient, researcher, {"from": stranger})

    assert [event.name for event in transaction.events] == [
        "DIDOwnerChanged",
        "IdentityRecoveryExecuted",
    ]
    assert transaction.events["DIDOwnerChanged"] == {
        "identity": patient,
        "owner": researcher,
        "previousChange": previous_change,
    }
    assert transaction.events["IdentityRecoveryExecuted"] == {
        "identity": patient,
        "previousOwner": patient,
        "newOwner": researcher,
    }
    assert guarded.identityOwner(patient) == researcher
    assert guarded.changed(patient) == transaction.block_number
    with error("IdentityNotOwner", patient, patient):
        guarded.changeOwner(patient, patient, {"from": patient})


def test_not_executed_a_second_before(guarded, patient, researcher, stranger, approved):
    """The block that would execute it is one second early."""
    ready_at = approved.events["IdentityRecoveryApproved"]["readyAt"]
    travel(ready_at - 2)
    next_block_at(ready_at - 1)
    with error("IdentityRecoveryNotReady", ready_at):
        guarded.executeRecovery(patient, researcher, {"from": stranger})
    next_block_at(ready_at)
    guarded.executeRecovery(patient, researcher, {"from": stranger})
    assert guarded.identityOwner(patient) == researcher


def test_too_few_approvals(guarded, patient, relatives, researcher, stranger, approve):
    with error("IdentityRecoveryNotApproved", patient, researcher, 0):
        guarded.executeRecovery(patient, researcher, {"from": stranger})
    approve(relatives[0])
    wait()
    with error("IdentityRecoveryNotApproved", patient, researcher, 1):
        guarded.executeRecovery(patient, researcher, {"from": stranger})


def test_guardian_approves_once(patient, relatives, researcher, approve):
    approve(relatives[0])
    with error("IdentityAlreadyApproved", patient, researcher, relatives[0]):
        approve(relatives[0])


def test_only_guardians_approve(guarded, patient, relatives, researcher, stranger, approve):
    with error("IdentityNotGuardian", patient, stranger):
        approve(stranger)
    with error("IdentityNotOwner", relatives[0], stranger):
        approve(relatives[0], sender=stranger)


def test_list_must_be_the_one_set(guarded, patient, relatives, researcher, stranger):
    forged = sorted([*relatives, stranger], key=lambda account: int(account.address, 16))
    for guardians, threshold in ((forged, 2), (relatives, 1)):
        with error(
            "IdentityGuardiansMismatch",
            patient,
            bytes.fromhex(hash_of(guardians, threshold).removeprefix("0x")),
            bytes.fromhex(hash_of(relatives, 2).removeprefix("0x")),
        ):
            guarded.approveRecovery(
                patient, relatives[0], researcher, guardians, threshold, {"from": relatives[0]}
            )


def test_identity_without_guardians_cannot_be_recovered(identities, researcher, stranger):
    with error("IdentityNotGuardian", researcher, stranger):
        identities.approveRecovery(researcher, stranger, stranger, [], 0, {"from": stranger})


def test_new_owner_is_another_account(patient, relatives, approve):
    for new_owner in (NOBODY, patient):
        with error("IdentityNewOwnerInvalid", patient, new_owner):
            approve(relatives[0], new_owner)


def test_guardian_speaks_by_its_own_owner(
    guarded, patient, relatives, researcher, stranger, approve
):
    """A guardian who was recovered speaks with the new key, not with the old one."""
    guarded.changeOwner(relatives[0], stranger, {"from": relatives[0]})
    with error("IdentityNotOwner", relatives[0], relatives[0]):
        approve(relatives[0])
    approve(relatives[0], sender=stranger)
    assert guarded.recoveryOf(patient, researcher)[0] == 1


def test_one_guardian_does_not_block_the_others(
    guarded, patient, relatives, researcher, stranger, approve
):
    approve(relatives[2], new_owner=stranger)
    approve(relatives[0])
    approve(relatives[1])
    wait()
    with error("IdentityRecoveryNotApproved", patient, stranger, 1):
        guarded.executeRecovery(patient, stranger, {"from": stranger})
    guarded.executeRecovery(patient, researcher, {"from": stranger})
    assert guarded.identityOwner(patient) == researcher


def test_owner_vetoes(guarded, patient, relatives, researcher, stranger, approve, approved):
    wait()
    for sender in (stranger, relatives[0], researcher):
        with error("IdentityNotOwner", patient, sender):
            guarded.vetoRecovery(patient, {"from": sender})
    transaction = guarded.vetoRecovery(patient, {"from": patient})

    assert transaction.events["IdentityRecoveryVetoed"] == {"identity": patient}
    assert progress(guarded, patient, researcher) == (0, 0)
    with error("IdentityRecoveryNotApproved", patient, researcher, 0):
        guarded.executeRecovery(patient, researcher, {"from": stranger})
    approve(relatives[0])
    assert progress(guarded, patient, researcher) == (1, 0)


def test_nothing_to_veto(guarded, patient, relatives, approve):
    with error("IdentityNoRecovery", patient):
        guarded.vetoRecovery(patient, {"from": patient})
    approve(relatives[0])
    guarded.vetoRecovery(patient, {"from": patient})
    with error("IdentityNoRecovery", patient):
        guarded.vetoRecovery(patient, {"from": patient})


def test_patient_without_ether_vetoes(guarded, forwarder, patient, researcher, stranger, approved):
    call = (guarded, guarded.vetoRecovery.encode_input(patient))
    request = sign_request(forwarder, patient, call, chain[-1].timestamp + 600)
    transaction = forwarder.execute(request, {"from": stranger})
    assert transaction.events["IdentityRecoveryVetoed"]["identity"] == patient
    assert progress(guarded, patient, researcher) == (0, 0)


def cancelled_by_new_guardians(registry, patient, relatives, stranger):
    registry.setGuardians(patient, relatives, 3, {"from": patient})


def cancelled_by_a_new_owner(registry, patient, relatives, stranger):
    registry.changeOwner(patient, stranger, {"from": patient})


def cancelled_by_a_new_owner_who_hands_back(registry, patient, relatives, stranger):
    registry.changeOwner(patient, stranger, {"from": patient})
    registry.changeOwner(patient, patient, {"from": stranger})


def cancelled_by_deactivation(registry, patient, relatives, stranger):
    registry.changeOwner(patient, NOBODY, {"from": patient})


@pytest.mark.parametrize(
    "cancel",
    [
        cancelled_by_new_guardians,
        cancelled_by_a_new_owner,
        cancelled_by_a_new_owner_who_hands_back,
        cancelled_by_deactivation,
    ],
)
def test_owner_cancels(guarded, patient, relatives, researcher, stranger, approved, cancel):
    cancel(guarded, patient, relatives, stranger)
    wait()
    assert progress(guarded, patient, researcher) == (0, 0)
    with error("IdentityRecoveryNotApproved", patient, researcher, 0):
        guarded.executeRecovery(patient, researcher, {"from": stranger})


def test_owner_who_goes_on_living_cancels_nothing(guarded, patient, researcher, approved):
    guarded.setAttribute(patient, b"did/svc/Hub", b"https://example.org", DAY, {"from": patient})
    guarded.addDelegate(patient, VERI_KEY, DELEGATE, DAY, {"from": patient})
    assert guarded.recoveryOf(patient, researcher)[0] == 2


def test_deactivated_identity_cannot_be_recovered(guarded, patient, relatives, approve):
    guarded.changeOwner(patient, NOBODY, {"from": patient})
    with error("IdentityDeactivated", patient):
        approve(relatives[0])


def test_executed_once(guarded, patient, researcher, stranger, approved):
    wait()
    guarded.executeRecovery(patient, researcher, {"from": stranger})
    guarded.changeOwner(patient, patient, {"from": researcher})
    with error("IdentityRecoveryNotApproved", patient, researcher, 0):
        guarded.executeRecovery(patient, researcher, {"from": stranger})


def test_execution_voids_the_recoveries_to_others(
    guarded, patient, relatives, researcher, stranger, approve, approved
):
    for guardian in relatives[:2]:
        approve(guardian, new_owner=stranger)
    wait()
    guarded.executeRecovery(patient, researcher, {"from": stranger})
    with error("IdentityRecoveryNotApproved", patient, stranger, 0):
        guarded.executeRecovery(patient, stranger, {"from": stranger})


def test_guardians_stay_after_a_recovery(
    guarded, patient, relatives, researcher, stranger, approve, approved
):
    wait()
    guarded.executeRecovery(patient, researcher, {"from": stranger})
    for guardian in relatives[1:]:
        approve(guardian, new_owner=stranger)
    wait()
    transaction = guarded.executeRecovery(patient, stranger, {"from": stranger})
    assert transaction.events["IdentityRecoveryExecuted"]["previousOwner"] == researcher


def test_a_request_that_is_not_valid_voids_a_batch_or_is_skipped(
    guarded, forwarder, patient, relatives, researcher, stranger, approved
):
    """Without a refund receiver it reverts the batch; with one, the rest is carried out."""
    over, deadline = chain[-1].timestamp - 1, chain[-1].timestamp + 600
    call = (guarded, guarded.vetoRecovery.encode_input(patient))
    requests = [
        sign_request(forwarder, patient, call, until, after=number)
        for number, until in enumerate((deadline, over))
    ]
    with error("ERC2771ForwarderExpiredRequest", over):
        forwarder.executeBatch(requests, NOBODY, {"from": stranger})
    assert (forwarder.nonces(patient), progress(guarded, patient, researcher)[0]) == (0, 2)
    forwarder.executeBatch(requests, stranger, {"from": stranger})
    assert (forwarder.nonces(patient), progress(guarded, patient, researcher)) == (1, (0, 0))


def test_a_batch_of_the_forwarder_is_not_all_or_nothing(
    guarded, forwarder, patient, relatives, researcher, stranger, approved
):
    """A call that fails in its target reverts nothing, and uses its signature up."""
    calls = [
        guarded.executeRecovery.encode_input(patient, researcher),
        guarded.vetoRecovery.encode_input(patient),
    ]
    deadline = chain[-1].timestamp + 600
    requests = [
        sign_request(forwarder, patient, (guarded, data), deadline, after=number)
        for number, data in enumerate(calls)
    ]
    transaction = forwarder.executeBatch(requests, NOBODY, {"from": stranger})
    executed = [event["success"] for event in transaction.events["ExecutedForwardRequest"]]
    assert executed == [False, True]
    assert forwarder.nonces(patient) == 2
    assert progress(guarded, patient, researcher) == (0, 0)

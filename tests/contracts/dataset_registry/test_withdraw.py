"""A withdrawal ends the future, keeps what was earned, is for good, and cannot be hindered."""

from __future__ import annotations

import pytest
from brownie import accounts, chain

from tests.contracts.conftest import RECOVERY_DELAY, error, plain, travel
from tests.contracts.dataset_registry.conftest import YEAR, Class, Rule, State, digests

CONSENT_DELEGATE = "0x" + b"radledger.consent".hex().ljust(64, "0")
REWARD_DELEGATE = "0x" + b"radledger.reward".hex().ljust(64, "0")


@pytest.fixture
def image_set(dataset, contributed):
    """An image set of the patient in the data set."""
    return contributed(dataset)


def test_patient_ends_data_and_custody(datasets, dataset, image_set, patient, hospital):
    """Custody alone would have the share of the data."""
    transaction = datasets.withdraw(dataset, image_set, {"from": patient})
    assert transaction.events["DatasetImageWithdrawn"] == {
        "dataset": dataset,
        "image": image_set.id,
        "actor": patient,
    }
    record = plain(datasets.imageSetOf(dataset, image_set.id))
    assert (record[0], record[2], record[3]) == (1, 0, State.WITHDRAWN)
    assert record[1] > 0
    for item, beneficiary in ((Class.DATA, patient), (Class.CUSTODY, hospital)):
        assert datasets.contributorOf(dataset, item, beneficiary)["weight"] == 0
        assert datasets.weightOf(dataset, item) == 0


def test_custodian_ends_its_own_part(datasets, dataset, image_set, patient, hospital):
    transaction = datasets.withdraw(dataset, image_set, {"from": hospital})
    assert transaction.events["DatasetCustodyWithdrawn"] == {
        "dataset": dataset,
        "image": image_set.id,
        "actor": hospital,
    }
    assert plain(datasets.imageSetOf(dataset, image_set.id))[3:] == (State.COUNTED, False)
    assert datasets.contributorOf(dataset, Class.CUSTODY, hospital)["weight"] == 0
    assert datasets.weightOf(dataset, Class.CUSTODY) == 0
    assert datasets.weightOf(dataset, Class.DATA) == 1
    with error("DatasetNotContributed", dataset, image_set.id):
        datasets.withdraw(dataset, image_set, {"from": hospital})
    datasets.withdraw(dataset, image_set, {"from": patient})
    assert datasets.weightOf(dataset, Class.DATA) == 0


def test_delegates_withdraw_for_whom_they_act(
    datasets, dataset, contributed, identities, patient, hospital, neighbour, stranger
):
    """Consent is the patient's to give and take, reward the custodian's to collect and leave."""
    image_set = contributed(dataset)
    for identity, wrong in ((patient, REWARD_DELEGATE), (hospital, CONSENT_DELEGATE)):
        identities.addDelegate(identity, wrong, stranger, YEAR, {"from": identity})
    with error("DatasetNotAuthorized", patient, stranger):
        datasets.withdraw(dataset, image_set, {"from": stranger})
    identities.addDelegate(hospital, REWARD_DELEGATE, neighbour, YEAR, {"from": hospital})
    ended = datasets.withdraw(dataset, image_set, {"from": neighbour})
    assert ended.events["DatasetCustodyWithdrawn"]["actor"] == neighbour
    identities.addDelegate(patient, CONSENT_DELEGATE, neighbour, YEAR, {"from": patient})
    ended = datasets.withdraw(dataset, image_set, {"from": neighbour})
    assert ended.events["DatasetImageWithdrawn"]["actor"] == neighbour


def test_patient_is_who_owns_its_identity(
    datasets, dataset, image_set, identities, patient, stranger
):
    identities.changeOwner(patient, stranger, {"from": patient})
    with error("DatasetNotAuthorized", patient, patient):
        datasets.withdraw(dataset, image_set, {"from": patient})
    transaction = datasets.withdraw(dataset, image_set, {"from": stranger})
    assert transaction.events["DatasetImageWithdrawn"]["actor"] == stranger


def test_lost_key_of_a_parent_ends_nothing_of_the_child(
    datasets, dataset, image_set, identities, patient, neighbour, stranger
):
    child, parent, guardian = patient, neighbour, accounts[2]
    identities.changeOwner(child, parent, {"from": child})
    identities.setGuardians(parent, [guardian], 1, {"from": parent})
    identities.approveRecovery(parent, guardian, stranger, [guardian], 1, {"from": guardian})
    travel(chain[-1].timestamp + RECOVERY_DELAY)
    identities.executeRecovery(parent, stranger, {"from": stranger})
    with error("DatasetNotAuthorized", child, parent):
        datasets.withdraw(dataset, image_set, {"from": parent})
    assert datasets.weightOf(dataset, Class.DATA) == 1


def test_others_withdraw_nothing(
    datasets, dataset, image_set, consents, stranger, researcher, university, patient
):
    """Neither while the consent holds nor after it: what has no consent is suspended."""
    for _ in range(2):
        for sender in (stranger, researcher, university):
            with error("DatasetNotAuthorized", patient, sender):
                datasets.withdraw(dataset, image_set, {"from": sender})
        consents.revokeAll(patient, {"from": patient})
    assert datasets.weightOf(dataset, Class.DATA) == 1


def test_what_was_earned_stays_due_and_nothing_comes_after(
    datasets, dataset, image_set, contributed, neighbour, patient, hospital, fund, token, due
):
    contributed(dataset, owner=neighbour)
    fund(dataset, 7_000)
    assert due(dataset, Class.DATA, patient) == 2_500

    datasets.withdraw(dataset, image_set, {"from": patient})
    fund(dataset, 7_000)

    assert due(dataset, Class.DATA, patient) == 2_500
    assert due(dataset, Class.DATA, neighbour) == 2_500 + 5_000
    assert due(dataset, Class.CUSTODY, hospital) == 4_000
    before = token.balanceOf(patient)
    datasets.claim(dataset, Class.DATA, {"from": patient})
    assert token.balanceOf(patient) - before == 2_500


def test_withdrawn_does_not_come_back(
    datasets, dataset, image_set, patient, hospital, researcher, accepted
):
    datasets.withdraw(dataset, image_set, {"from": patient})
    with error("DatasetAlreadyContributed", dataset, image_set.id):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})
    acceptance = accepted(dataset, image_set.id)
    with error("DatasetAlreadyContributed", dataset, image_set.id):
        datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})
    for sender in (patient, hospital):
        with error("DatasetNotContributed", dataset, image_set.id):
            datasets.withdraw(dataset, image_set, {"from": sender})
    assert datasets.weightOf(dataset, Class.DATA) == 0


def test_only_what_was_contributed_is_withdrawn(
    datasets, dataset, new_dataset, image_set, anchored, patient, stranger
):
    for where in (new_dataset(), next(digests)):
        with error("DatasetNotContributed", where, image_set.id):
            datasets.withdraw(where, image_set, {"from": patient})
    fresh = anchored()
    with error("DatasetNotContributed", dataset, fresh.id):
        datasets.withdraw(dataset, fresh, {"from": patient})
    own = image_set._replace(patient=stranger.address)
    with error("DatasetNotContributed", dataset, own.id):
        datasets.withdraw(dataset, own, {"from": stranger})


def test_one_withdrawal_leaves_the_other_contributions(
    datasets, dataset, image_set, contributed, patient
):
    contributed(dataset)
    datasets.withdraw(dataset, image_set, {"from": patient})
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == 1
    assert datasets.weightOf(dataset, Class.DATA) == 1


# ---------------------------------------------------------------------------- whatever a token did

MOST = 2**96 - 1
"""What an account can hold."""


@pytest.fixture
def overflowing(HostileToken, datasets, new_dataset, contributed, fund, funder):
    """A data set whose token refuses to pay, and an image set that has earned more than 96 bits."""
    token = HostileToken.deploy(funder, 2**120, {"from": funder})
    token.approve(datasets, 2**256 - 1, {"from": funder})
    dataset = new_dataset(token=token, rule=Rule.SCORED)
    image_set = contributed(dataset, weight=4)
    for _ in range(5):
        fund(dataset, MOST)
    token.setAnswer(4, {"from": funder})
    return dataset, image_set


def test_token_keeps_no_patient_in_a_data_set(datasets, overflowing, patient, hospital, due):
    dataset, image_set = overflowing
    assert due(dataset, Class.DATA, patient) > MOST
    with error("TransferRefused"):
        datasets.claim(dataset, Class.DATA, {"from": patient})
    datasets.withdraw(dataset, image_set, {"from": patient})
    assert due(dataset, Class.DATA, patient) == due(dataset, Class.CUSTODY, hospital) == MOST
    assert datasets.weightOf(dataset, Class.DATA) == datasets.weightOf(dataset, Class.CUSTODY) == 0


def test_token_keeps_no_custodian_in_a_data_set(datasets, overflowing, hospital, due):
    dataset, image_set = overflowing
    datasets.withdraw(dataset, image_set, {"from": hospital})
    assert due(dataset, Class.CUSTODY, hospital) == MOST


def test_token_hinders_no_suspension_and_no_choice(
    datasets, overflowing, consents, patient, hospital, stranger, due
):
    dataset, image_set = overflowing
    datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})
    assert due(dataset, Class.DATA, patient) == MOST
    consents.revokeAll(patient, {"from": patient})
    datasets.suspend(dataset, image_set, {"from": stranger})
    assert due(dataset, Class.CUSTODY, hospital) == MOST
    assert datasets.imageSetOf(dataset, image_set.id)["state"] == State.SUSPENDED


@pytest.mark.parametrize("free", [Class.DATA, Class.CUSTODY])
def test_one_side_gives_for_free(datasets, dataset, contributed, patient, hospital, free):
    first, sides = contributed(dataset), (patient, hospital)
    datasets.setFree(dataset, free, sides[free], True, {"from": sides[free]})
    second = contributed(dataset)
    assert datasets.weightOf(dataset, free) == 0
    assert datasets.weightOf(dataset, 1 - free) == 2
    assert datasets.contributorOf(dataset, free, sides[free])["weight"] == 2
    for image_set in (first, second):
        datasets.withdraw(dataset, image_set, {"from": patient})
    for side in (Class.DATA, Class.CUSTODY):
        assert datasets.weightOf(dataset, side) == 0
        assert datasets.contributorOf(dataset, side, sides[side])["weight"] == 0


def test_token_hinders_no_withdrawal_of_a_work(
    HostileToken, datasets, new_dataset, annotator, researcher, fund, funder, due
):
    token = HostileToken.deploy(funder, 2**120, {"from": funder})
    token.approve(datasets, 2**256 - 1, {"from": funder})
    dataset, work = new_dataset(token=token), next(digests)
    call = (dataset, Class.ANNOTATION, annotator, work, 2)
    datasets.contributeWork(*call, {"from": researcher})
    for _ in range(2):
        fund(dataset, MOST)
    token.setAnswer(4, {"from": funder})
    datasets.withdrawWork(dataset, Class.ANNOTATION, work, {"from": annotator})
    assert due(dataset, Class.ANNOTATION, annotator) == MOST

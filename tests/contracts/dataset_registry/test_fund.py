"""Money is shared, to the base unit, among those who have a weight when it comes."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import error, plain
from tests.contracts.dataset_registry.conftest import Class, Rule, digests

MOST = 2**96 - 1
"""The most that one payment can be: what an account can hold."""


@pytest.fixture
def full(dataset, contributed, datasets, annotator, developer, researcher):
    """A data set with a contributor in each class."""
    contributed(dataset)
    for item, contributor in ((Class.ANNOTATION, annotator), (Class.DEVELOPMENT, developer)):
        datasets.contributeWork(dataset, item, contributor, next(digests), 4, {"from": researcher})
    return dataset


def test_anyone_funds_and_each_class_gets_its_share(
    datasets, full, token, funder, patient, hospital, annotator, developer, due, fund
):
    transaction = fund(full, 10_000)

    assert transaction.events["DatasetFunded"] == {
        "dataset": full,
        "funder": funder,
        "received": 10_000,
    }
    assert token.balanceOf(datasets.datasetOf(full)["vault"]) == 10_000
    assert due(full, Class.DATA, patient) == 5_000
    assert due(full, Class.CUSTODY, hospital) == 2_000
    assert due(full, Class.ANNOTATION, annotator) == 2_000
    assert due(full, Class.DEVELOPMENT, developer) == 1_000


def test_class_without_contributors_leaves_its_part_to_the_others(
    datasets, dataset, contributed, annotator, researcher, patient, hospital, fund, due
):
    contributed(dataset)
    fund(dataset, 7_000)
    assert (due(dataset, Class.DATA, patient), due(dataset, Class.CUSTODY, hospital)) == (
        5_000,
        2_000,
    )
    work = (dataset, Class.ANNOTATION, annotator, next(digests), 1)
    datasets.contributeWork(*work, {"from": researcher})
    fund(dataset, 9_000)
    assert due(dataset, Class.DATA, patient) == 10_000
    assert due(dataset, Class.ANNOTATION, annotator) == 2_000


def test_class_without_a_share_earns_nothing(
    datasets, new_dataset, contributed, patient, hospital, annotator, researcher, fund, due
):
    dataset = new_dataset(shares=(10_000, 0, 0, 0))
    work = (dataset, Class.ANNOTATION, annotator, next(digests), 1)
    datasets.contributeWork(*work, {"from": researcher})
    with error("DatasetHasNoContributors", dataset):
        fund(dataset, 100)
    contributed(dataset)
    fund(dataset, 100)
    assert due(dataset, Class.DATA, patient) == 100
    assert due(dataset, Class.CUSTODY, hospital) == due(dataset, Class.ANNOTATION, annotator) == 0


# ---------------------------------------------------------------------------- what the funder saw


@pytest.mark.parametrize("item", [Class.DATA, Class.CUSTODY])
@pytest.mark.parametrize("wrong", [0, 1, 3, 2**64 - 1])
def test_money_is_refused_where_a_weight_is_not_what_the_funder_saw(
    datasets, dataset, contributed, funder, token, weights, fund, item, wrong
):
    contributed(dataset)
    contributed(dataset)
    seen = weights(dataset)
    named = [*seen]
    named[item] = wrong
    before = token.balanceOf(funder)
    with error("DatasetWeightsChanged", dataset, item, wrong, 2):
        datasets.fund(dataset, 1_000, named, {"from": funder})
    assert token.balanceOf(funder) == before
    datasets.fund(dataset, 1_000, seen, {"from": funder})
    assert token.balanceOf(funder) == before - 1_000


def test_contributors_who_come_or_go_just_before_get_and_leave_nothing(
    datasets, dataset, contributed, neighbour, funder, weights, patient, consents, stranger,
    due,
):  # fmt: skip
    image_set = contributed(dataset)
    seen = weights(dataset)
    late = contributed(dataset, owner=neighbour)
    with error("DatasetWeightsChanged", dataset, Class.DATA, 1, 2):
        datasets.fund(dataset, 7_000, seen, {"from": funder})
    datasets.withdraw(dataset, late, {"from": neighbour})
    datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})
    with error("DatasetWeightsChanged", dataset, Class.DATA, 1, 0):
        datasets.fund(dataset, 7_000, seen, {"from": funder})
    datasets.setFree(dataset, Class.DATA, patient, False, {"from": patient})
    consents.revokeAll(patient, {"from": patient})
    datasets.suspend(dataset, image_set, {"from": stranger})
    with error("DatasetWeightsChanged", dataset, Class.DATA, 1, 0):
        datasets.fund(dataset, 7_000, seen, {"from": funder})
    assert due(dataset, Class.DATA, patient) == due(dataset, Class.DATA, neighbour) == 0


def test_weight_of_a_class_without_a_share_is_not_looked_at(
    datasets, new_dataset, contributed, funder, patient, due
):
    dataset = new_dataset(shares=(10_000, 0, 0, 0))
    contributed(dataset)
    datasets.fund(dataset, 100, [1, 2**64 - 1, 5, 7], {"from": funder})
    assert due(dataset, Class.DATA, patient) == 100


# ---------------------------------------------------------------------------- shares


def test_weights_decide_within_a_class(new_dataset, contributed, neighbour, patient, due, fund):
    dataset = new_dataset(shares=(10_000, 0, 0, 0), rule=Rule.PER_INSTANCE)
    contributed(dataset, instances=300, weight=300)
    contributed(dataset, owner=neighbour, instances=100, weight=100)
    fund(dataset, 1_000)
    assert due(dataset, Class.DATA, patient) == 750
    assert due(dataset, Class.DATA, neighbour) == 250


def test_who_comes_later_earns_from_then_on(data_only, contributed, neighbour, patient, due, fund):
    contributed(data_only)
    fund(data_only, 1_000)
    contributed(data_only, owner=neighbour)
    assert due(data_only, Class.DATA, neighbour) == 0
    fund(data_only, 1_000)
    assert due(data_only, Class.DATA, patient) == 1_500
    assert due(data_only, Class.DATA, neighbour) == 500


def test_rounding_never_gives_more_than_came_in(
    data_only, contributed, neighbour, stranger, patient, due, fund
):
    owners = (patient, neighbour, stranger)
    for owner in owners:
        contributed(data_only, owner=owner)
    for _ in range(3):
        fund(data_only, 10)
    dues = [due(data_only, Class.DATA, owner) for owner in owners]
    assert all(9 <= amount <= 10 for amount in dues)
    assert sum(dues) <= 30


def test_no_contributors_to_share_among(datasets, dataset, contributed, patient, fund):
    with error("DatasetHasNoContributors", dataset):
        fund(dataset, 1)
    image_set = contributed(dataset)
    datasets.withdraw(dataset, image_set, {"from": patient})
    with error("DatasetHasNoContributors", dataset):
        fund(dataset, 1)


def test_unknown_data_set_is_not_funded(fund):
    unknown = next(digests)
    with error("DatasetUnknown", unknown):
        fund(unknown, 1)


def test_funder_pays_what_it_holds_and_allows(
    datasets, dataset, contributed, token, funder, stranger, weights
):
    contributed(dataset)
    with error("ERC20InsufficientAllowance", datasets, 0, 5):
        datasets.fund(dataset, 5, weights(dataset), {"from": stranger})
    token.approve(datasets, 5, {"from": stranger})
    with error("ERC20InsufficientBalance", stranger, 0, 5):
        datasets.fund(dataset, 5, weights(dataset), {"from": stranger})
    token.transfer(stranger, 5, {"from": funder})
    datasets.fund(dataset, 5, weights(dataset), {"from": stranger})
    assert token.balanceOf(stranger) == 0


@pytest.mark.parametrize("amount", [0, MOST + 1, 10**36])
def test_payment_is_something_and_can_be_shared(
    HostileToken, datasets, new_dataset, contributed, funder, patient, amount, fund, due
):
    """One whole token of 36 decimals is too much; it stays with the funder."""
    token = HostileToken.deploy(funder, 10**40, {"from": funder})
    token.approve(datasets, 2**256 - 1, {"from": funder})
    dataset = new_dataset(token=token)
    contributed(dataset)
    with error("DatasetAmountInvalid", amount):
        fund(dataset, amount)
    assert token.balanceOf(funder) == 10**40
    assert due(dataset, Class.DATA, patient) == 0
    fund(dataset, MOST)


def test_largest_payment_is_paid_out_in_full(
    datasets, new_dataset, contributed, fund, patient, token, due
):
    dataset = new_dataset(shares=(10_000, 0, 0, 0))
    contributed(dataset)
    fund(dataset, MOST)
    assert due(dataset, Class.DATA, patient) == MOST
    with error("SafeCastOverflowedUintDowncast", 120, 2 * MOST << 24):
        fund(dataset, MOST)
    datasets.claim(dataset, Class.DATA, {"from": patient})
    assert token.balanceOf(patient) == MOST


def test_account_too_full_to_settle_is_claimed_first(
    datasets, new_dataset, contributed, anchored, researcher, fund, patient, due
):
    dataset = new_dataset(shares=(10_000, 0, 0, 0))
    contributed(dataset)
    contributed(dataset)
    for _ in range(2):
        fund(dataset, MOST)
    image_set = anchored()
    owed = due(dataset, Class.DATA, patient)
    with error("SafeCastOverflowedUintDowncast", 96, owed):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})
    datasets.claim(dataset, Class.DATA, {"from": patient})
    datasets.contribute(dataset, image_set, 1, {"from": researcher})
    assert 2 * MOST - 2 <= owed <= 2 * MOST


def test_each_data_set_has_a_vault_of_its_own(
    datasets, data_only, new_dataset, contributed, token, patient, fund
):
    other = new_dataset(shares=(10_000, 0, 0, 0))
    for each, amount in ((data_only, 100), (other, 1)):
        contributed(each)
        fund(each, amount)
    first, second = (datasets.datasetOf(each)["vault"] for each in (data_only, other))
    assert first != second
    datasets.claim(other, Class.DATA, {"from": patient})
    assert token.balanceOf(first) == 100
    assert token.balanceOf(second) == 0


# ---------------------------------------------------------------------------- for free


def test_who_gives_for_free_leaves_the_money_to_the_others(
    datasets, data_only, contributed, neighbour, patient, due, fund
):
    contributed(data_only)
    contributed(data_only, owner=neighbour)
    fund(data_only, 100)

    transaction = datasets.setFree(data_only, Class.DATA, patient, True, {"from": patient})

    assert transaction.events["DatasetFreeSet"] == {
        "dataset": data_only,
        "beneficiary": patient,
        "class": Class.DATA,
        "free": True,
    }
    assert datasets.weightOf(data_only, Class.DATA) == 1
    fund(data_only, 100)
    assert plain(datasets.contributorOf(data_only, Class.DATA, patient)) == (1, 50, True)
    assert due(data_only, Class.DATA, neighbour) == 150


def test_free_contributor_can_change_its_mind(
    datasets, data_only, contributed, neighbour, patient, due, fund
):
    contributed(data_only)
    contributed(data_only, owner=neighbour)
    datasets.setFree(data_only, Class.DATA, patient, True, {"from": patient})
    fund(data_only, 100)
    datasets.setFree(data_only, Class.DATA, patient, False, {"from": patient})
    fund(data_only, 100)
    assert plain(datasets.contributorOf(data_only, Class.DATA, patient)) == (1, 50, False)
    assert due(data_only, Class.DATA, neighbour) == 150


def test_free_contributor_adds_and_withdraws_with_no_weight_in_the_class(
    datasets, data_only, contributed, neighbour, patient, due, fund
):
    """The choice can be made before the first contribution."""
    datasets.setFree(data_only, Class.DATA, patient, True, {"from": patient})
    image_set = contributed(data_only)
    contributed(data_only)
    contributed(data_only, owner=neighbour)
    assert datasets.weightOf(data_only, Class.DATA) == 1
    datasets.withdraw(data_only, image_set, {"from": patient})
    assert datasets.weightOf(data_only, Class.DATA) == 1
    fund(data_only, 100)
    assert plain(datasets.contributorOf(data_only, Class.DATA, patient)) == (1, 0, True)
    assert due(data_only, Class.DATA, neighbour) == 100


def test_money_is_refused_where_all_give_for_free(datasets, data_only, contributed, patient, fund):
    contributed(data_only)
    datasets.setFree(data_only, Class.DATA, patient, True, {"from": patient})
    with error("DatasetHasNoContributors", data_only):
        fund(data_only, 1)


def test_choice_is_made_once_and_for_a_data_set_that_exists(datasets, dataset, patient, stranger):
    with error("DatasetFreeUnchanged", False):
        datasets.setFree(dataset, Class.DATA, patient, False, {"from": patient})
    datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})
    with error("DatasetFreeUnchanged", True):
        datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})
    with error("DatasetNotAuthorized", patient, stranger):
        datasets.setFree(dataset, Class.DATA, patient, False, {"from": stranger})
    unknown = next(digests)
    with error("DatasetUnknown", unknown):
        datasets.setFree(unknown, Class.DATA, patient, True, {"from": patient})


# ---------------------------------------------------------------------------- fairness


@pytest.mark.parametrize("count", [1, 2, 3])
def test_splitting_into_many_identities_earns_no_more(
    new_dataset, contributed, neighbour, stranger, patient, clinic, due, count, fund,
):  # fmt: skip
    """600 instances against an honest 400 earn 600 of 1,000, under one name or under three."""
    dataset = new_dataset(shares=(10_000, 0, 0, 0), rule=Rule.PER_INSTANCE)
    contributed(dataset, owner=neighbour, instances=400, weight=400)
    names = (patient, stranger, clinic)[:count]
    for name in names:
        contributed(dataset, owner=name, instances=600 // count, weight=600 // count)
    fund(dataset, 1_000)

    together = sum(due(dataset, Class.DATA, name) for name in names)
    assert 600 - count <= together <= 600
    assert 399 <= due(dataset, Class.DATA, neighbour) <= 400

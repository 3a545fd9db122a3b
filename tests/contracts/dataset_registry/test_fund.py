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
    contributed(dataset, Class.DATA, Class.CUSTODY)
    for item, contributor in ((Class.ANNOTATION, annotator), (Class.DEVELOPMENT, developer)):
        datasets.contributeWork(dataset, item, contributor, next(digests), 4, {"from": researcher})
    return dataset


def test_anyone_funds_and_each_class_gets_its_share(
    datasets, full, token, funder, patient, hospital, annotator, developer, due
):
    transaction = datasets.fund(full, 10_000, {"from": funder})

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
    datasets, dataset, contributed, funder, patient, hospital, due
):
    contributed(dataset, Class.DATA)
    datasets.fund(dataset, 10_000, {"from": funder})
    assert due(dataset, Class.DATA, patient) == 10_000
    contributed(dataset, Class.CUSTODY)
    datasets.fund(dataset, 7_000, {"from": funder})
    assert due(dataset, Class.DATA, patient) == 15_000
    assert due(dataset, Class.CUSTODY, hospital) == 2_000


def test_class_without_a_share_earns_nothing(
    datasets, new_dataset, contributed, funder, patient, hospital, due
):
    dataset = new_dataset(shares=(10_000, 0, 0, 0))
    contributed(dataset, Class.CUSTODY)
    with error("DatasetHasNoContributors", dataset):
        datasets.fund(dataset, 100, {"from": funder})
    contributed(dataset, Class.DATA)
    datasets.fund(dataset, 100, {"from": funder})
    assert due(dataset, Class.DATA, patient) == 100
    assert due(dataset, Class.CUSTODY, hospital) == 0


def test_weights_decide_within_a_class(
    datasets, new_dataset, contributed, neighbour, funder, patient, due
):
    dataset = new_dataset(rule=Rule.PER_INSTANCE)
    contributed(dataset, instances=300)
    contributed(dataset, owner=neighbour, instances=100)
    datasets.fund(dataset, 1_000, {"from": funder})
    assert due(dataset, Class.DATA, patient) == 750
    assert due(dataset, Class.DATA, neighbour) == 250


def test_who_comes_later_earns_from_then_on(
    datasets, dataset, contributed, neighbour, funder, patient, due
):
    contributed(dataset)
    datasets.fund(dataset, 1_000, {"from": funder})
    contributed(dataset, owner=neighbour)
    assert due(dataset, Class.DATA, neighbour) == 0
    datasets.fund(dataset, 1_000, {"from": funder})
    assert due(dataset, Class.DATA, patient) == 1_500
    assert due(dataset, Class.DATA, neighbour) == 500


def test_rounding_never_gives_more_than_came_in(
    datasets, dataset, contributed, neighbour, stranger, funder, patient, due
):
    owners = (patient, neighbour, stranger)
    for owner in owners:
        contributed(dataset, owner=owner)
    for _ in range(3):
        datasets.fund(dataset, 10, {"from": funder})
    dues = [due(dataset, Class.DATA, owner) for owner in owners]
    assert all(9 <= amount <= 10 for amount in dues)
    assert sum(dues) <= 30


def test_nobody_to_share_among(datasets, dataset, funder, contributed, patient):
    with error("DatasetHasNoContributors", dataset):
        datasets.fund(dataset, 1, {"from": funder})
    image_set = contributed(dataset)
    datasets.withdraw(dataset, Class.DATA, image_set.id, {"from": patient})
    with error("DatasetHasNoContributors", dataset):
        datasets.fund(dataset, 1, {"from": funder})


def test_unknown_data_set_is_not_funded(datasets, token, funder):
    unknown = next(digests)
    with error("DatasetUnknown", unknown):
        datasets.fund(unknown, 1, {"from": funder})


def test_funder_pays_what_it_holds_and_allows(
    datasets, dataset, contributed, token, funder, stranger
):
    contributed(dataset)
    with error("ERC20InsufficientAllowance", datasets, 0, 5):
        datasets.fund(dataset, 5, {"from": stranger})
    token.approve(datasets, 5, {"from": stranger})
    with error("ERC20InsufficientBalance", stranger, 0, 5):
        datasets.fund(dataset, 5, {"from": stranger})
    token.transfer(stranger, 5, {"from": funder})
    datasets.fund(dataset, 5, {"from": stranger})
    assert token.balanceOf(stranger) == 0


@pytest.mark.parametrize("amount", [0, MOST + 1])
def test_payment_is_something_and_can_be_shared(datasets, dataset, contributed, funder, amount):
    contributed(dataset)
    with error("DatasetAmountInvalid", amount):
        datasets.fund(dataset, amount, {"from": funder})


def test_largest_payment_is_paid_out_in_full(
    datasets, dataset, contributed, funder, patient, token, due
):
    contributed(dataset)
    datasets.fund(dataset, MOST, {"from": funder})
    assert due(dataset, Class.DATA, patient) == MOST
    with error("SafeCastOverflowedUintDowncast", 120, 2 * MOST << 24):
        datasets.fund(dataset, MOST, {"from": funder})
    datasets.claim(dataset, Class.DATA, {"from": patient})
    assert token.balanceOf(patient) == MOST


def test_account_too_full_to_settle_is_claimed_first(
    datasets, dataset, contributed, anchored, funder, patient, due
):
    contributed(dataset)
    contributed(dataset)
    for _ in range(2):
        datasets.fund(dataset, MOST, {"from": funder})
    image_set = anchored()
    owed = due(dataset, Class.DATA, patient)
    with error("SafeCastOverflowedUintDowncast", 96, owed):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})
    datasets.claim(dataset, Class.DATA, {"from": patient})
    datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})
    assert 2 * MOST - 2 <= owed <= 2 * MOST


def test_each_data_set_has_a_vault_of_its_own(
    datasets, dataset, new_dataset, contributed, token, funder, patient
):
    other = new_dataset()
    for each, amount in ((dataset, 100), (other, 1)):
        contributed(each)
        datasets.fund(each, amount, {"from": funder})
    first, second = (datasets.datasetOf(each)["vault"] for each in (dataset, other))
    assert first != second
    datasets.claim(other, Class.DATA, {"from": patient})
    assert token.balanceOf(first) == 100
    assert token.balanceOf(second) == 0


# ---------------------------------------------------------------------------- for free


def test_who_gives_for_free_leaves_the_money_to_the_others(
    datasets, dataset, contributed, neighbour, funder, patient, due
):
    contributed(dataset)
    contributed(dataset, owner=neighbour)
    datasets.fund(dataset, 100, {"from": funder})

    transaction = datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})

    assert transaction.events["FreeContributionChosen"] == {
        "dataset": dataset,
        "beneficiary": patient,
        "class": Class.DATA,
        "free": True,
    }
    assert datasets.weightOf(dataset, Class.DATA) == 1
    datasets.fund(dataset, 100, {"from": funder})
    assert plain(datasets.contributorOf(dataset, Class.DATA, patient)) == (1, 50, True)
    assert due(dataset, Class.DATA, neighbour) == 150


def test_free_contributor_can_change_its_mind(
    datasets, dataset, contributed, neighbour, funder, patient, due
):
    contributed(dataset)
    contributed(dataset, owner=neighbour)
    datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})
    datasets.fund(dataset, 100, {"from": funder})
    datasets.setFree(dataset, Class.DATA, patient, False, {"from": patient})
    datasets.fund(dataset, 100, {"from": funder})
    assert plain(datasets.contributorOf(dataset, Class.DATA, patient)) == (1, 50, False)
    assert due(dataset, Class.DATA, neighbour) == 150


def test_free_contributor_adds_and_withdraws_with_no_weight_in_the_class(
    datasets, dataset, contributed, neighbour, funder, patient, due
):
    """The choice can be made before the first contribution."""
    datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})
    image_set = contributed(dataset)
    contributed(dataset)
    contributed(dataset, owner=neighbour)
    assert datasets.weightOf(dataset, Class.DATA) == 1
    datasets.withdraw(dataset, Class.DATA, image_set.id, {"from": patient})
    assert datasets.weightOf(dataset, Class.DATA) == 1
    datasets.fund(dataset, 100, {"from": funder})
    assert plain(datasets.contributorOf(dataset, Class.DATA, patient)) == (1, 0, True)
    assert due(dataset, Class.DATA, neighbour) == 100


def test_money_is_refused_where_all_give_for_free(datasets, dataset, contributed, funder, patient):
    contributed(dataset)
    datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})
    with error("DatasetHasNoContributors", dataset):
        datasets.fund(dataset, 1, {"from": funder})


def test_choice_is_made_once_and_for_a_data_set_that_exists(datasets, dataset, patient, stranger):
    with error("DatasetChoiceUnchanged", False):
        datasets.setFree(dataset, Class.DATA, patient, False, {"from": patient})
    datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})
    with error("DatasetChoiceUnchanged", True):
        datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})
    with error("DatasetNotAuthorized", patient, stranger):
        datasets.setFree(dataset, Class.DATA, patient, False, {"from": stranger})
    unknown = next(digests)
    with error("DatasetUnknown", unknown):
        datasets.setFree(unknown, Class.DATA, patient, True, {"from": patient})


# ---------------------------------------------------------------------------- fairness


@pytest.mark.parametrize("count", [1, 2, 3])
def test_splitting_into_many_identities_earns_no_more(
    datasets, new_dataset, contributed, anchored, consented, neighbour, funder, stranger, patient,
    clinic, due, count,
):  # fmt: skip
    """600 instances against an honest 400 earn 600 of 1,000, under one name or under three."""
    dataset = new_dataset(shares=(10_000, 0, 0, 0), rule=Rule.PER_INSTANCE)
    contributed(dataset, owner=neighbour, instances=400)
    names = (patient, stranger, clinic)[:count]
    for name in names:
        contributed(dataset, owner=name, instances=600 // count)
    datasets.fund(dataset, 1_000, {"from": funder})

    together = sum(due(dataset, Class.DATA, name) for name in names)
    assert 600 - count <= together <= 600
    assert 399 <= due(dataset, Class.DATA, neighbour) <= 400

"""A lapse of consent suspends a contribution, and ends it only after thirty days."""

from __future__ import annotations

import pytest
from brownie import chain

from tests.contracts.conftest import digest, error, next_block_at, plain, travel
from tests.contracts.dataset_registry.conftest import (
    EVERYTHING,
    RENEWAL_PERIOD,
    YEAR,
    Class,
    Purpose,
    State,
    digests,
)


@pytest.fixture
def image_set(dataset, contributed):
    """An image set of the patient in the data set."""
    return contributed(dataset)


@pytest.fixture
def lapsed(image_set, consents, patient, university):
    """The image set, to whose use the patient no longer consents."""
    consents.revoke(patient, university, EVERYTHING, {"from": patient})
    return image_set


@pytest.fixture
def suspended(datasets, dataset, lapsed, stranger):
    """The image set, suspended since the latest block."""
    datasets.suspend(dataset, lapsed, {"from": stranger})
    return lapsed


def in_both_classes(datasets, dataset, patient, hospital):
    """The weight of the class and of its one contributor, for data and custody."""
    return [
        (datasets.weightOf(dataset, item), datasets.contributorOf(dataset, item, who)["weight"])
        for item, who in ((Class.DATA, patient), (Class.CUSTODY, hospital))
    ]


@pytest.mark.parametrize(
    "how", ["revoked", "all revoked", "expired", "narrowed", "erased", "disowned"]
)
def test_anyone_suspends_what_has_no_consent_any_more(
    datasets, dataset, image_set, consents, consented, images, patient, university, hospital,
    stranger, now, how,
):  # fmt: skip
    if how == "revoked":
        consents.revoke(patient, university, EVERYTHING, {"from": patient})
    elif how == "all revoked":
        consents.revokeAll(patient, {"from": patient})
    elif how == "expired":
        travel(chain[-1].timestamp + YEAR)
    elif how == "narrowed":
        consented(purposes=Purpose.TEACHING)
    elif how == "disowned":
        images.disown(image_set, {"from": patient})
    else:
        images.erase(image_set, digest("certificate"), {"from": hospital})
    since = datasets.imageSetOf(dataset, image_set.id)["contributedAt"]

    transaction = datasets.suspend(dataset, image_set, {"from": stranger})

    assert transaction.events["DatasetImageSuspended"] == {
        "dataset": dataset,
        "image": image_set.id,
        "actor": stranger,
        "endsAt": now() + RENEWAL_PERIOD,
    }
    record = plain(datasets.imageSetOf(dataset, image_set.id))
    assert record == (1, since, now(), State.SUSPENDED, True)
    assert in_both_classes(datasets, dataset, patient, hospital) == [(0, 0), (0, 0)]


def test_no_suspension_while_the_consent_holds(
    datasets, dataset, image_set, patient, stranger, researcher, university, hospital
):
    for sender in (stranger, researcher, university, hospital):
        with error("DatasetStillConsented", sender):
            datasets.suspend(dataset, image_set, {"from": sender})
    assert in_both_classes(datasets, dataset, patient, hospital) == [(1, 1), (1, 1)]


def test_suspension_of_the_institution_is_not_a_lapse_of_consent(
    datasets, dataset, image_set, accredited, governor, university, stranger, patient
):
    accredited.suspend(university, {"from": governor})
    with error("DatasetStillConsented", stranger):
        datasets.suspend(dataset, image_set, {"from": stranger})
    datasets.withdraw(dataset, image_set, {"from": patient})


def test_grant_that_is_renewed_to_begin_later_costs_nothing_but_the_time_between(
    datasets, dataset, image_set, consented, contributed, neighbour, patient, hospital,
    stranger, fund, due,
):  # fmt: skip
    """A neighbour who gains by it is quick; the patient is back as soon as the grant begins."""
    contributed(dataset, owner=neighbour)
    start = chain[-1].timestamp + 50
    consented(starts=50)
    datasets.suspend(dataset, image_set, {"from": stranger})
    fund(dataset, 7_000)
    with error(
        "ConsentNotPermittedNotYet", patient, datasets.datasetOf(dataset)["institution"], start
    ):
        datasets.resume(dataset, image_set, {"from": stranger})
    travel(start + 1)

    resumed = datasets.resume(dataset, image_set, {"from": stranger})

    assert resumed.events["DatasetImageResumed"]["actor"] == stranger
    fund(dataset, 7_000)
    assert due(dataset, Class.DATA, patient) == 2_500
    assert due(dataset, Class.DATA, neighbour) == 5_000 + 2_500
    assert due(dataset, Class.CUSTODY, hospital) == 4_000


def test_what_was_earned_stays_due_and_nothing_comes_while_suspended(
    datasets, dataset, lapsed, contributed, neighbour, patient, stranger, fund, token, due,
):  # fmt: skip
    contributed(dataset, owner=neighbour)
    fund(dataset, 7_000)
    datasets.suspend(dataset, lapsed, {"from": stranger})
    fund(dataset, 7_000)
    assert due(dataset, Class.DATA, patient) == 2_500
    datasets.claim(dataset, Class.DATA, {"from": patient})
    assert token.balanceOf(patient) == 2_500


@pytest.mark.parametrize("after", [1, RENEWAL_PERIOD - 1])
def test_renewed_consent_has_it_count_again(
    datasets, dataset, suspended, consented, patient, hospital, stranger, now, after
):
    since = now()
    grant = consented()
    made = datasets.imageSetOf(dataset, suspended.id)["contributedAt"]
    next_block_at(since + after)
    resumed = datasets.resume(dataset, suspended, {"from": stranger})

    assert resumed.events["DatasetImageResumed"] == {
        "dataset": dataset,
        "image": suspended.id,
        "actor": stranger,
        "grantId": grant,
    }
    record = plain(datasets.imageSetOf(dataset, suspended.id))
    assert record == (1, made, 0, State.COUNTED, True)
    assert in_both_classes(datasets, dataset, patient, hospital) == [(1, 1), (1, 1)]


def test_suspension_becomes_the_end_by_itself(
    datasets, dataset, suspended, consented, patient, hospital, researcher, stranger, now
):
    since = now()
    consented(lasts=YEAR)
    next_block_at(since + RENEWAL_PERIOD)
    with error("DatasetNotSuspended", dataset, suspended.id):
        datasets.resume(dataset, suspended, {"from": stranger})
    record = plain(datasets.imageSetOf(dataset, suspended.id))
    assert record[2:] == (since, State.WITHDRAWN, True)
    with error("DatasetAlreadyContributed", dataset, suspended.id):
        datasets.contribute(dataset, suspended, 1, {"from": researcher})
    for sender in (patient, hospital):
        with error("DatasetNotContributed", dataset, suspended.id):
            datasets.withdraw(dataset, suspended, {"from": sender})
    assert in_both_classes(datasets, dataset, patient, hospital) == [(0, 0), (0, 0)]
    assert datasets.RENEWAL_PERIOD() == RENEWAL_PERIOD


def test_acknowledged_again_has_it_count_again(
    datasets, dataset, image_set, images, patient, hospital, stranger
):
    images.disown(image_set, {"from": patient})
    datasets.suspend(dataset, image_set, {"from": stranger})
    with error("ConsentNotPermittedDisowned", image_set.id):
        datasets.resume(dataset, image_set, {"from": stranger})
    images.acknowledge(image_set, {"from": patient})
    datasets.resume(dataset, image_set, {"from": stranger})
    assert in_both_classes(datasets, dataset, patient, hospital) == [(1, 1), (1, 1)]


def test_it_lapses_and_is_resumed_again_and_again(
    datasets, dataset, image_set, consents, consented, patient, university, hospital, stranger
):
    for _ in range(3):
        consents.revoke(patient, university, EVERYTHING, {"from": patient})
        datasets.suspend(dataset, image_set, {"from": stranger})
        consented()
        datasets.resume(dataset, image_set, {"from": stranger})
    assert in_both_classes(datasets, dataset, patient, hospital) == [(1, 1), (1, 1)]


def test_resuming_needs_consent_and_a_suspension(
    datasets, dataset, suspended, consented, anchored, patient, university, stranger
):
    with error("ConsentNotPermittedRevoked", patient, university):
        datasets.resume(dataset, suspended, {"from": stranger})
    consented()
    fresh = anchored()
    with error("DatasetNotSuspended", dataset, fresh.id):
        datasets.resume(dataset, fresh, {"from": stranger})
    datasets.resume(dataset, suspended, {"from": stranger})
    with error("DatasetNotSuspended", dataset, suspended.id):
        datasets.resume(dataset, suspended, {"from": stranger})


def test_suspension_is_not_extended(datasets, dataset, suspended, stranger, now):
    since = now()
    with error("DatasetNotContributed", dataset, suspended.id):
        datasets.suspend(dataset, suspended, {"from": stranger})
    assert datasets.imageSetOf(dataset, suspended.id)["suspendedAt"] == since


def test_suspended_is_withdrawn_by_the_patient_for_good(
    datasets, dataset, suspended, consented, patient, hospital, stranger
):
    made = datasets.imageSetOf(dataset, suspended.id)["contributedAt"]
    withdrawn = datasets.withdraw(dataset, suspended, {"from": patient})
    record = plain(datasets.imageSetOf(dataset, suspended.id))
    assert record == (1, made, 0, State.WITHDRAWN, True)
    assert "DatasetImageWithdrawn" in withdrawn.events
    consented()
    with error("DatasetNotSuspended", dataset, suspended.id):
        datasets.resume(dataset, suspended, {"from": stranger})
    assert in_both_classes(datasets, dataset, patient, hospital) == [(0, 0), (0, 0)]


def test_custody_that_was_withdrawn_meanwhile_is_not_resumed(
    datasets, dataset, suspended, consented, patient, hospital, stranger
):
    datasets.withdraw(dataset, suspended, {"from": hospital})
    consented()
    datasets.resume(dataset, suspended, {"from": stranger})
    assert in_both_classes(datasets, dataset, patient, hospital) == [(1, 1), (0, 0)]
    assert plain(datasets.imageSetOf(dataset, suspended.id))[3:] == (State.COUNTED, False)


def test_only_what_counts_is_suspended(datasets, dataset, lapsed, anchored, patient, stranger):
    fresh, unknown = anchored(), next(digests)
    with error("DatasetNotContributed", dataset, fresh.id):
        datasets.suspend(dataset, fresh, {"from": stranger})
    with error("DatasetUnknown", unknown):
        datasets.suspend(unknown, lapsed, {"from": stranger})
    with error("DatasetUnknown", unknown):
        datasets.resume(unknown, lapsed, {"from": stranger})
    datasets.withdraw(dataset, lapsed, {"from": patient})
    with error("DatasetNotContributed", dataset, lapsed.id):
        datasets.suspend(dataset, lapsed, {"from": stranger})


def test_one_suspension_leaves_the_other_contributions(
    datasets, dataset, image_set, contributed, consents, neighbour, university, stranger
):
    other = contributed(dataset, owner=neighbour)
    consents.revoke(neighbour, university, EVERYTHING, {"from": neighbour})
    datasets.suspend(dataset, other, {"from": stranger})
    assert datasets.weightOf(dataset, Class.DATA) == datasets.weightOf(dataset, Class.CUSTODY) == 1
    assert datasets.imageSetOf(dataset, image_set.id)["state"] == State.COUNTED

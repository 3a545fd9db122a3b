"""A withdrawal ends the future, keeps what was earned, and is for good."""

from __future__ import annotations

import pytest
from brownie import chain

from tests.contracts.conftest import digest, error, plain, travel
from tests.contracts.dataset_registry.conftest import (
    YEAR,
    Class,
    Purpose,
    State,
    digests,
)

EVERYTHING = digest("")


@pytest.fixture
def image_set(dataset, contributed):
    """An image set of the patient that contributes data and custody."""
    return contributed(dataset, Class.DATA, Class.CUSTODY)


def test_each_withdraws_its_own_part(datasets, dataset, image_set, patient, hospital):
    for item, beneficiary in ((Class.DATA, patient), (Class.CUSTODY, hospital)):
        transaction = datasets.withdraw(dataset, item, image_set.id, {"from": beneficiary})
        assert transaction.events["ContributionWithdrawn"] == {
            "dataset": dataset,
            "beneficiary": beneficiary,
            "item": image_set.id,
            "class": item,
        }
        record = plain(datasets.contributionOf(dataset, item, image_set.id, beneficiary))
        assert (record[0], record[2]) == (1, State.WITHDRAWN)
        assert record[1] > 0
        assert datasets.contributorOf(dataset, item, beneficiary)["weight"] == 0
        assert datasets.weightOf(dataset, item) == 0


def test_patient_ends_the_custodians_part_too(datasets, dataset, image_set, patient, hospital):
    for item, beneficiary in ((Class.DATA, patient), (Class.CUSTODY, hospital)):
        transaction = datasets.withdrawUnconsented(dataset, item, image_set, {"from": patient})
        assert transaction.events["ContributionWithdrawn"]["beneficiary"] == beneficiary
        assert transaction.events["PatientWithdrew"] == {
            "dataset": dataset,
            "item": image_set.id,
            "actor": patient,
        }
        assert "ConsentFoundMissing" not in transaction.events
        assert datasets.weightOf(dataset, item) == 0


def test_patient_is_who_owns_its_identity(
    datasets, dataset, image_set, identities, patient, stranger, hospital
):
    identities.changeOwner(patient, stranger, {"from": patient})
    with error("DatasetStillConsented", patient):
        datasets.withdrawUnconsented(dataset, Class.DATA, image_set, {"from": patient})
    for item, beneficiary in ((Class.DATA, patient), (Class.CUSTODY, hospital)):
        transaction = datasets.withdrawUnconsented(dataset, item, image_set, {"from": stranger})
        assert transaction.events["PatientWithdrew"]["actor"] == stranger
        assert transaction.events["ContributionWithdrawn"]["beneficiary"] == beneficiary


def test_nobody_withdraws_anothers_part(datasets, dataset, image_set, hospital, patient, stranger):
    for sender, item in (
        (hospital, Class.DATA),
        (patient, Class.CUSTODY),
        (stranger, Class.DATA),
    ):
        with error("DatasetNotContributed", dataset, item, image_set.id):
            datasets.withdraw(dataset, item, image_set.id, {"from": sender})
    datasets.withdraw(dataset, Class.CUSTODY, image_set.id, {"from": hospital})
    assert datasets.weightOf(dataset, Class.DATA) == 1


def test_others_withdraw_nothing_while_the_consent_holds(
    datasets, dataset, image_set, stranger, researcher, university, hospital
):
    for sender in (stranger, researcher, university, hospital):
        with error("DatasetStillConsented", sender):
            datasets.withdrawUnconsented(dataset, Class.DATA, image_set, {"from": sender})
    assert datasets.weightOf(dataset, Class.DATA) == 1


@pytest.mark.parametrize("how", ["revoked", "all revoked", "expired", "narrowed", "erased"])
def test_anyone_withdraws_what_has_no_consent_any_more(
    datasets, dataset, image_set, consents, consented, images, patient, university, hospital,
    stranger, how,
):  # fmt: skip
    if how == "revoked":
        consents.revoke(patient, university, EVERYTHING, {"from": patient})
    elif how == "all revoked":
        consents.revokeAll(patient, {"from": patient})
    elif how == "expired":
        travel(chain[-1].timestamp + YEAR)
    elif how == "narrowed":
        consented(purposes=Purpose.TEACHING)
    else:
        images.erase(image_set, digest("certificate"), {"from": hospital})
    for item, beneficiary in ((Class.DATA, patient), (Class.CUSTODY, hospital)):
        transaction = datasets.withdrawUnconsented(dataset, item, image_set, {"from": stranger})
        assert transaction.events["ContributionWithdrawn"] == {
            "dataset": dataset,
            "beneficiary": beneficiary,
            "item": image_set.id,
            "class": item,
        }
        assert transaction.events["ConsentFoundMissing"] == {
            "dataset": dataset,
            "item": image_set.id,
            "actor": stranger,
        }
        assert "PatientWithdrew" not in transaction.events
        assert datasets.weightOf(dataset, item) == 0


def test_suspension_of_the_institution_is_no_end_of_consent(
    datasets, dataset, image_set, accredited, governor, university, stranger, patient
):
    accredited.suspend(university, {"from": governor})
    with error("DatasetStillConsented", stranger):
        datasets.withdrawUnconsented(dataset, Class.DATA, image_set, {"from": stranger})
    datasets.withdrawUnconsented(dataset, Class.DATA, image_set, {"from": patient})


def test_what_was_earned_stays_due_and_nothing_comes_after(
    datasets, dataset, image_set, contributed, neighbour, patient, funder, token, due
):
    contributed(dataset, owner=neighbour)
    datasets.fund(dataset, 7_000, {"from": funder})
    assert due(dataset, Class.DATA, patient) == 2_500

    datasets.withdraw(dataset, Class.DATA, image_set.id, {"from": patient})
    datasets.fund(dataset, 7_000, {"from": funder})

    assert due(dataset, Class.DATA, patient) == 2_500
    assert due(dataset, Class.DATA, neighbour) == 2_500 + 5_000
    before = token.balanceOf(patient)
    datasets.claim(dataset, Class.DATA, {"from": patient})
    assert token.balanceOf(patient) - before == 2_500


def test_withdrawn_does_not_come_back(datasets, dataset, image_set, patient, hospital, researcher):
    datasets.withdraw(dataset, Class.DATA, image_set.id, {"from": patient})
    for sender in (patient, hospital, researcher):
        with error("DatasetAlreadyContributed", dataset, Class.DATA, image_set.id):
            datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": sender})
    with error("DatasetNotContributed", dataset, Class.DATA, image_set.id):
        datasets.withdraw(dataset, Class.DATA, image_set.id, {"from": patient})
    assert datasets.weightOf(dataset, Class.DATA) == 0


def test_only_what_was_contributed_is_withdrawn(
    datasets, dataset, new_dataset, image_set, anchored, patient, stranger
):
    other = new_dataset()
    with error("DatasetNotContributed", other, Class.DATA, image_set.id):
        datasets.withdraw(other, Class.DATA, image_set.id, {"from": patient})
    fresh = anchored()
    with error("DatasetNotContributed", dataset, Class.DATA, fresh.id):
        datasets.withdrawUnconsented(dataset, Class.DATA, fresh, {"from": patient})
    own = image_set._replace(patient=stranger.address)
    with error("DatasetNotContributed", dataset, Class.DATA, own.id):
        datasets.withdrawUnconsented(dataset, Class.DATA, own, {"from": stranger})
    unknown = next(digests)
    with error("DatasetUnknown", unknown):
        datasets.withdrawUnconsented(unknown, Class.DATA, image_set, {"from": stranger})


@pytest.mark.parametrize("item", [Class.ANNOTATION, Class.DEVELOPMENT])
def test_image_set_is_withdrawn_from_no_class_of_works(datasets, dataset, image_set, patient, item):
    with error("DatasetClassInvalid", item):
        datasets.withdrawUnconsented(dataset, item, image_set, {"from": patient})
    with error("DatasetNotContributed", dataset, item, image_set.id):
        datasets.withdraw(dataset, item, image_set.id, {"from": patient})


def test_one_withdrawal_leaves_the_other_contributions(
    datasets, dataset, image_set, contributed, patient
):
    contributed(dataset)
    datasets.withdraw(dataset, Class.DATA, image_set.id, {"from": patient})
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == 1
    assert datasets.weightOf(dataset, Class.DATA) == 1

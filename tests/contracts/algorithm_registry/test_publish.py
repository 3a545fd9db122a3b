"""A version says what it is, what it was trained on, what it came from and by whom."""

from __future__ import annotations

import pytest

from tests.contracts.algorithm_registry.conftest import (
    LABEL,
    NAME,
    NONE,
    WEIGHTS,
    NewVersion,
    algorithm_id,
    version_id,
)
from tests.contracts.conftest import NOBODY, Role, digest, error, plain, sign_request, travel


def test_first_version(algorithms, publish, developer, researcher, vendor, now):
    """Its developers need not belong to the institution."""
    transaction = publish(developers=[developer, researcher])
    expected = version_id(vendor, [developer, researcher])
    published = transaction.events["AlgorithmVersionPublished"]

    assert transaction.return_value == published["version"] == expected
    assert published["algorithm"] == algorithm_id(vendor)
    assert published["institution"] == vendor
    assert published["label"] == LABEL
    assert plain(published["newVersion"]) == tuple(NewVersion())
    assert plain(published["developers"]) == (developer.address, researcher.address)
    assert plain(algorithms.versionOf(expected)) == (vendor.address, now(), 0)
    assert (
        algorithms.versionIdOf(algorithm_id(vendor), LABEL, NewVersion(), [developer, researcher])
        == expected
    )


def test_unpublished_version_is_all_zero(algorithms):
    assert plain(algorithms.versionOf(digest("unknown"))) == (NOBODY, 0, 0)


def test_trained_version_names_its_data_set_and_its_parent(
    algorithms, publish, version, vendor, developer
):
    stated = NewVersion(digest("finer"), digest("data set"), 3, digest("training"), version)
    transaction = publish(label="1.1.0", **stated._asdict())
    published = transaction.events["AlgorithmVersionPublished"]
    assert published["version"] == version_id(vendor, [developer], stated, label="1.1.0")
    assert plain(published["newVersion"]) == tuple(stated)


def test_parent_may_be_of_another_institution(algorithms, publish, version, clinic, developer):
    """The clinic trains the vendor's model further; the lineage says so."""
    stated = NewVersion(parent=version)
    transaction = publish(sender=clinic, name="Nodule detection in children", parent=version)
    expected = version_id(clinic, [developer], stated, name="Nodule detection in children")
    assert transaction.return_value == expected
    assert algorithms.versionOf(expected)["institution"] == clinic


def test_parent_may_have_been_recalled(algorithms, publish, version, developer):
    """A fault is corrected by a version that names the faulty one."""
    algorithms.recall(version, digest("notice"), {"from": developer})
    corrected = publish(label="1.0.1", parent=version).return_value
    assert algorithms.versionOf(corrected)["recalledAt"] == 0


def test_unknown_parent_is_refused(publish, version):
    with error("AlgorithmVersionUnknown", digest("unknown")):
        publish(label="1.1.0", parent=digest("unknown"))
    publish(label="1.1.0", parent=version)


def test_nothing_is_published_twice(algorithms, publish, accredited, developer, vendor):
    version = publish().return_value
    published_at = algorithms.versionOf(version)["publishedAt"]
    travel(published_at + 60)
    for sender in (developer, vendor):
        with error("AlgorithmVersionAlreadyPublished", version):
            publish(sender=sender)
    assert algorithms.versionOf(version)["publishedAt"] == published_at


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Lung lobe segmentation"},
        {"label": "1.0.1"},
        {"digest": digest("other weights")},
        {"dataset": digest("data set"), "dataset_version": 1},
        {"conditions": digest("other conditions")},
        {"parent": True},
        {"developers": []},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_difference_makes_another_version(
    publish, version, vendor, developer, researcher, change
):
    if "parent" in change:
        change = {"parent": version}
    developers = [researcher, developer] if "developers" in change else [developer]
    change = change | {"developers": developers}
    another = publish(**change).return_value
    naming = {key: change[key] for key in ("name", "label") if key in change}
    stated = NewVersion(**{key: change[key] for key in NewVersion._fields if key in change})
    assert another == version_id(vendor, developers, stated, **naming)
    assert another != publish().return_value


def test_same_version_of_two_institutions_is_two(publish, vendor, clinic, developer):
    assert publish().return_value == version_id(vendor, [developer])
    assert publish(sender=clinic).return_value == version_id(clinic, [developer])


@pytest.mark.parametrize("missing", ["label", "digest", "developers"])
def test_version_is_complete(publish, developer, missing):
    whole = {"label": LABEL, "digest": WEIGHTS, "developers": [developer]}
    without = whole | {missing: {"label": "", "digest": NONE, "developers": []}[missing]}
    values = (without["label"], without["digest"], len(without["developers"]))
    with error("AlgorithmVersionIncomplete", *values):
        publish(**without)
    publish(**whole)


def test_algorithm_has_a_name(publish):
    with error("AlgorithmNameMissing"):
        publish(name="")


@pytest.mark.parametrize("training", [(digest("data set"), 0), (NONE, 1)])
def test_data_set_and_its_version_are_named_together(publish, training):
    dataset, number = training
    with error("AlgorithmTrainingInvalid", dataset, number):
        publish(dataset=dataset, dataset_version=number)
    publish(dataset=digest("data set"), dataset_version=1)


def test_version_without_training_is_published(publish, vendor, developer):
    """Software that is not trained on data."""
    stated = NewVersion(conditions=NONE)
    assert publish(conditions=NONE).return_value == version_id(vendor, [developer], stated)


def test_others_publish_nothing(publish, stranger, hospital, researcher, regulator):
    for other, held in (
        (hospital, Role.CUSTODIAN | Role.RADIOLOGIST),
        (researcher, Role.RESEARCHER),
        (regulator, Role.REGULATOR),
    ):
        with error("ParticipantLacksRole", other, Role.DEVELOPER, held):
            publish(sender=other)
    with error("ParticipantNotAccredited", stranger):
        publish(sender=stranger)


def test_suspended_developer_publishes_nothing(publish, accredited, developer, vendor):
    accredited.suspend(developer, {"from": vendor})
    with error("ParticipantIsSuspended", developer, vendor):
        publish()
    accredited.reinstate(developer, {"from": vendor})
    publish()


def test_developer_who_left_publishes_nothing(publish, accredited, developer, vendor):
    publish()
    accredited.leaveInstitution({"from": developer})
    with error("ParticipantNotAccredited", developer):
        publish(label="1.1.0")
    publish(sender=vendor, label="1.1.0")


def test_forwarded_call_is_its_signers(algorithms, forwarder, developer, stranger, vendor, now):
    arguments = (NAME, LABEL, NewVersion(), [developer])
    call = (algorithms, algorithms.publish.encode_input(*arguments))
    request = sign_request(forwarder, developer, call, now() + 60)
    transaction = forwarder.execute(request, {"from": stranger})
    published = transaction.events["AlgorithmVersionPublished"]
    assert published["institution"] == vendor
    assert published["version"] == version_id(vendor, [developer])

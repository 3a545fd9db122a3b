"""Annotation and development are contributed as works, scored by the institution's researchers."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import Role, error, plain
from tests.contracts.dataset_registry.conftest import Class, Rule, State, digests


def test_accredited_contributors_earn_for_their_works(
    datasets, dataset, annotator, developer, researcher, now
):
    for item, contributor in ((Class.ANNOTATION, annotator), (Class.DEVELOPMENT, developer)):
        work = next(digests)
        transaction = datasets.contributeWork(
            dataset, item, contributor, work, 40, {"from": researcher}
        )
        assert transaction.events["DatasetWorkContributed"] == {
            "dataset": dataset,
            "contributor": contributor,
            "work": work,
            "class": item,
            "weight": 40,
        }
        record = plain(datasets.workOf(dataset, item, contributor, work))
        assert record == (40, now(), 0, State.COUNTED, False)
        assert plain(datasets.contributorOf(dataset, item, contributor)) == (40, 0, False)
        assert datasets.weightOf(dataset, item) == 40


@pytest.mark.parametrize("item", [Class.DATA, Class.CUSTODY])
def test_work_is_not_an_image_set(datasets, dataset, annotator, researcher, item):
    with error("DatasetClassInvalid", item):
        datasets.contributeWork(dataset, item, annotator, next(digests), 1, {"from": researcher})


def test_work_has_a_score(datasets, dataset, annotator, researcher):
    with error("DatasetWeightInvalid", Rule.SCORED, 0):
        datasets.contributeWork(
            dataset, Class.ANNOTATION, annotator, next(digests), 0, {"from": researcher}
        )


def test_contributor_is_accredited_for_the_class(
    datasets, dataset, annotator, developer, stranger, researcher
):
    with error("ParticipantLacksRole", developer, Role.ANNOTATOR, Role.DEVELOPER):
        datasets.contributeWork(
            dataset, Class.ANNOTATION, developer, next(digests), 1, {"from": researcher}
        )
    with error("ParticipantLacksRole", annotator, Role.DEVELOPER, Role.ANNOTATOR):
        datasets.contributeWork(
            dataset, Class.DEVELOPMENT, annotator, next(digests), 1, {"from": researcher}
        )
    with error("ParticipantNotAccredited", stranger):
        datasets.contributeWork(
            dataset, Class.ANNOTATION, stranger, next(digests), 1, {"from": researcher}
        )


def test_suspended_contributor_adds_no_work(
    datasets, dataset, accredited, annotator, hospital, researcher
):
    accredited.suspend(annotator, {"from": hospital})
    with error("ParticipantIsSuspended", annotator, hospital):
        datasets.contributeWork(
            dataset, Class.ANNOTATION, annotator, next(digests), 1, {"from": researcher}
        )


def test_only_the_institutions_researchers_add_works(
    datasets, dataset, annotator, clinic, university
):
    with error("DatasetNotCurator", dataset, university):
        datasets.contributeWork(
            dataset, Class.ANNOTATION, annotator, next(digests), 1, {"from": clinic}
        )
    with error("ParticipantLacksRole", annotator, Role.RESEARCHER, Role.ANNOTATOR):
        datasets.contributeWork(
            dataset, Class.ANNOTATION, annotator, next(digests), 1, {"from": annotator}
        )


def test_unknown_data_set_takes_no_work(datasets, annotator, researcher):
    unknown = next(digests)
    with error("DatasetUnknown", unknown):
        datasets.contributeWork(
            unknown, Class.ANNOTATION, annotator, next(digests), 1, {"from": researcher}
        )


def test_work_counts_once_for_each_who_did_it(datasets, dataset, annotator, hospital, researcher):
    work = next(digests)
    for contributor in (annotator, hospital):
        arguments = (dataset, Class.ANNOTATION, contributor, work, 1, {"from": researcher})
        datasets.contributeWork(*arguments)
        with error("DatasetAlreadyContributed", dataset, work):
            datasets.contributeWork(*arguments)
    assert datasets.weightOf(dataset, Class.ANNOTATION) == 2


def test_contributor_withdraws_its_own_work_for_good(
    datasets, dataset, annotator, hospital, researcher, now
):
    work = next(digests)
    for contributor in (annotator, hospital):
        datasets.contributeWork(
            dataset, Class.ANNOTATION, contributor, work, 3, {"from": researcher}
        )
    since = now()

    transaction = datasets.withdrawWork(dataset, Class.ANNOTATION, work, {"from": annotator})

    assert transaction.events["DatasetWorkWithdrawn"] == {
        "dataset": dataset,
        "contributor": annotator,
        "work": work,
        "class": Class.ANNOTATION,
    }
    record = plain(datasets.workOf(dataset, Class.ANNOTATION, annotator, work))
    assert record[0] == 3
    assert record[1] <= since
    assert record[3] == State.WITHDRAWN
    assert datasets.contributorOf(dataset, Class.ANNOTATION, annotator)["weight"] == 0
    assert datasets.weightOf(dataset, Class.ANNOTATION) == 3
    with error("DatasetNotContributed", dataset, work):
        datasets.withdrawWork(dataset, Class.ANNOTATION, work, {"from": annotator})
    with error("DatasetAlreadyContributed", dataset, work):
        datasets.contributeWork(dataset, Class.ANNOTATION, annotator, work, 3, {"from": researcher})


def test_no_account_withdraws_anothers_work(datasets, dataset, annotator, researcher):
    work = next(digests)
    datasets.contributeWork(dataset, Class.ANNOTATION, annotator, work, 1, {"from": researcher})
    with error("DatasetNotContributed", dataset, work):
        datasets.withdrawWork(dataset, Class.ANNOTATION, work, {"from": researcher})
    datasets.withdrawWork(dataset, Class.ANNOTATION, work, {"from": annotator})

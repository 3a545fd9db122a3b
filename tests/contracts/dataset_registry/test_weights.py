"""The weight of an image set: by the rule that the data set's terms state."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import error
from tests.contracts.dataset_registry.conftest import MOST_INSTANCES, Class, Rule


def test_weight_per_set_is_one(datasets, new_dataset, contributed, patient):
    dataset = new_dataset(rule=Rule.PER_SET)
    contributed(dataset, instances=600)
    contributed(dataset, instances=1)
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == 2


def test_weight_per_instance_is_their_number(datasets, new_dataset, contributed, patient, hospital):
    dataset = new_dataset(rule=Rule.PER_INSTANCE)
    contributed(dataset, instances=600, weight=600)
    contributed(dataset, instances=1, weight=1)
    for item, earner in ((Class.DATA, patient), (Class.CUSTODY, hospital)):
        assert datasets.contributorOf(dataset, item, earner)["weight"] == 601
        assert datasets.weightOf(dataset, item) == 601


@pytest.mark.parametrize(
    ("instances", "weight"),
    [(MOST_INSTANCES, MOST_INSTANCES), (MOST_INSTANCES + 1, MOST_INSTANCES),
     (2**32 - 1, MOST_INSTANCES)],
)  # fmt: skip
def test_no_more_instances_count_than_the_terms_allow(
    datasets, new_dataset, contributed, anchored, patient, researcher, instances, weight
):
    dataset = new_dataset(rule=Rule.PER_INSTANCE)
    contributed(dataset, instances=instances, weight=weight)
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == weight
    another = anchored(instances=instances)
    for wrong in {0, 1, weight - 1, weight + 1, 2**32 - 1}:
        with error("DatasetWeightInvalid", Rule.PER_INSTANCE, wrong):
            datasets.contribute(dataset, another, wrong, {"from": researcher})


@pytest.mark.parametrize(("rule", "right"), [(Rule.PER_SET, 1), (Rule.PER_INSTANCE, 9)])
def test_weight_is_what_the_terms_say(
    datasets, new_dataset, anchored, consented, researcher, rule, right
):
    dataset, image_set = new_dataset(rule=rule), anchored(instances=9)
    consented()
    for wrong in (0, right - 1, right + 1):
        with error("DatasetWeightInvalid", rule, wrong):
            datasets.contribute(dataset, image_set, wrong, {"from": researcher})
    datasets.contribute(dataset, image_set, right, {"from": researcher})


@pytest.mark.parametrize("score", [1, 5, 2**32 - 1])
def test_curator_scores_where_the_terms_say_so(
    datasets, new_dataset, anchored, consented, patient, hospital, researcher, score
):
    dataset, image_set = new_dataset(rule=Rule.SCORED), anchored(instances=9)
    consented()
    with error("DatasetWeightInvalid", Rule.SCORED, 0):
        datasets.contribute(dataset, image_set, 0, {"from": researcher})
    datasets.contribute(dataset, image_set, score, {"from": researcher})
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == score
    assert datasets.contributorOf(dataset, Class.CUSTODY, hospital)["weight"] == score

"""An institution's researcher creates data sets, whose terms never change."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import NOBODY, Role, digest, error, plain
from tests.contracts.dataset_registry.conftest import (
    CANCER,
    NO_DISEASE,
    PROTOCOL,
    SHARES,
    Class,
    Condition,
    Purpose,
    Rule,
    State,
    digests,
)

ROOT = digest("frozen contributions")
NO_ROOT = digest("")


def test_researcher_creates_a_data_set_of_its_institution(
    DatasetVault, datasets, terms, token, university, researcher
):
    agreed = terms(
        rule=Rule.SCORED,
        purposes=Purpose.DISEASE_RESEARCH,
        fulfilled=Condition.ETHICS_APPROVAL_REQUIRED,
        disease=CANCER,
    )
    salt = next(digests)
    expected_id = datasets.idOf(university, agreed, salt)

    transaction = datasets.create(agreed, salt, {"from": researcher})

    created = transaction.events["DatasetCreated"]
    assert transaction.return_value == expected_id
    assert (created["dataset"], created["institution"], created["curator"]) == (
        expected_id,
        university,
        researcher,
    )
    assert plain(created["terms"]) == (
        token.address,
        SHARES,
        Rule.SCORED,
        0,
        (Purpose.DISEASE_RESEARCH, Condition.ETHICS_APPROVAL_REQUIRED, CANCER),
        PROTOCOL,
    )
    assert DatasetVault.at(created["vault"]).token() == token
    assert plain(datasets.datasetOf(expected_id)) == (
        university.address,
        Rule.SCORED,
        0,
        (Purpose.DISEASE_RESEARCH, Condition.ETHICS_APPROVAL_REQUIRED, CANCER),
        SHARES,
        created["vault"],
        0,
    )


def test_unknown_data_set_has_no_record_and_reads_as_zeros_elsewhere(datasets):
    unknown = next(digests)
    with error("DatasetUnknown", unknown):
        datasets.datasetOf(unknown)
    assert datasets.versionOf(unknown, 1) == NO_ROOT
    assert datasets.weightOf(unknown, Class.DATA) == 0
    assert plain(datasets.contributorOf(unknown, Class.DATA, NOBODY)) == (0, 0, False)
    nothing = (0, 0, 0, State.NONE, False)
    assert plain(datasets.imageSetOf(unknown, next(digests))) == nothing
    assert plain(datasets.workOf(unknown, Class.ANNOTATION, NOBODY, next(digests))) == nothing


def test_vault_belongs_to_the_registry_alone(DatasetVault, datasets, dataset, token, stranger):
    vault = DatasetVault.at(datasets.datasetOf(dataset)["vault"])
    assert vault.token() == token
    assert datasets.tokenOfNewVault() == NOBODY
    with error("VaultNotRegistry", stranger):
        vault.pay(stranger, 0, {"from": stranger})


def test_only_a_researcher_creates(datasets, terms, university, stranger, annotator):
    with error("ParticipantNotAccredited", stranger):
        datasets.create(terms(), next(digests), {"from": stranger})
    with error("ParticipantLacksRole", annotator, Role.RESEARCHER, Role.ANNOTATOR):
        datasets.create(terms(), next(digests), {"from": annotator})
    datasets.create(terms(), next(digests), {"from": university})


def test_suspended_researcher_or_institution_creates_nothing(
    datasets, terms, accredited, governor, university, researcher
):
    accredited.suspend(researcher, {"from": university})
    with error("ParticipantIsSuspended", researcher, university):
        datasets.create(terms(), next(digests), {"from": researcher})
    accredited.reinstate(researcher, {"from": university})
    accredited.suspend(university, {"from": governor})
    with error("ParticipantIsSuspended", researcher, university):
        datasets.create(terms(), next(digests), {"from": researcher})


@pytest.mark.parametrize(
    "shares",
    [(0, 0, 0, 0), (5_000, 2_000, 2_000, 999), (5_000, 2_000, 2_000, 1_001), (65_535,) * 4],
)
def test_shares_are_ten_thousand_in_all(datasets, terms, researcher, shares):
    with error("DatasetSharesInvalid", sum(shares)):
        datasets.create(terms(shares=shares), next(digests), {"from": researcher})


@pytest.mark.parametrize(
    ("rule", "most"),
    [(Rule.PER_INSTANCE, 0), (Rule.PER_SET, 1), (Rule.SCORED, 2**32 - 1)],
)
def test_instances_have_a_bound_where_they_count_and_only_there(
    datasets, terms, researcher, rule, most
):
    with error("DatasetInstancesInvalid", rule, most):
        datasets.create(terms(rule=rule, most_instances=most), next(digests), {"from": researcher})


@pytest.mark.parametrize("most", [1, 2**32 - 1])
def test_bound_of_instances_is_kept(datasets, new_dataset, most):
    dataset = new_dataset(rule=Rule.PER_INSTANCE, most_instances=most)
    assert datasets.datasetOf(dataset)["mostInstances"] == most


def test_one_class_may_have_all(datasets, new_dataset):
    only_development = (0, 0, 0, 10_000)
    assert plain(datasets.datasetOf(new_dataset(shares=only_development)))[4] == only_development


def test_token_is_a_contract(datasets, terms, researcher, stranger):
    for token in (NOBODY, stranger):
        with error("DatasetTokenInvalid", token):
            datasets.create(terms(token=token), next(digests), {"from": researcher})


@pytest.mark.parametrize(
    ("purposes", "disease"),
    [
        (0, NO_DISEASE),
        (0, CANCER),
        (Purpose.CLINICAL_CARE, NO_DISEASE),
        (Purpose.BIOMEDICAL_RESEARCH, CANCER),
    ],
)
def test_use_is_research_or_teaching_and_names_a_disease_it_studies(
    datasets, terms, researcher, purposes, disease
):
    with error("DatasetUseInvalid", purposes, disease):
        datasets.create(
            terms(purposes=purposes, disease=disease), next(digests), {"from": researcher}
        )


@pytest.mark.parametrize(
    ("purposes", "disease"),
    [
        (Purpose.TEACHING, NO_DISEASE),
        (Purpose.DISEASE_RESEARCH, NO_DISEASE),
        (Purpose.DISEASE_RESEARCH | Purpose.CLINICAL_CARE, CANCER),
    ],
)
def test_uses_that_are_accepted(datasets, new_dataset, purposes, disease):
    record = plain(datasets.datasetOf(new_dataset(purposes=purposes, disease=disease)))
    assert record[3] == (purposes, 0, disease)


def test_same_terms_and_salt_are_one_data_set(datasets, terms, university, researcher):
    agreed, salt = terms(), next(digests)
    datasets.create(agreed, salt, {"from": researcher})
    with error("DatasetAlreadyCreated", datasets.idOf(university, agreed, salt)):
        datasets.create(agreed, salt, {"from": university})
    datasets.create(agreed, next(digests), {"from": researcher})


def test_id_cannot_be_taken_by_another_institution(datasets, terms, university, researcher, clinic):
    agreed, salt = terms(), next(digests)
    squatted = datasets.create(agreed, salt, {"from": clinic}).return_value
    created = datasets.create(agreed, salt, {"from": researcher}).return_value
    assert squatted == datasets.idOf(clinic, agreed, salt)
    assert created == datasets.idOf(university, agreed, salt) != squatted


def test_id_binds_every_term(datasets, terms, stranger, university):
    salt = next(digests)
    variants = [
        terms(),
        terms(token=stranger),
        terms(shares=(5_000, 2_000, 1_000, 2_000)),
        terms(rule=Rule.SCORED),
        terms(most_instances=1),
        terms(purposes=Purpose.TEACHING),
        terms(fulfilled=Condition.NON_PROFIT_USE_ONLY),
        terms(disease=CANCER),
        terms(protocol=ROOT),
    ]
    assert len({str(datasets.idOf(university, agreed, salt)) for agreed in variants}) == len(
        variants
    )


# ---------------------------------------------------------------------------- versions


def test_curator_freezes_versions_that_stay(datasets, dataset, university, researcher):
    first, second = next(digests), next(digests)
    transaction = datasets.freeze(dataset, first, 7, {"from": researcher})
    assert transaction.return_value == 1
    assert transaction.events["DatasetVersionFrozen"] == {
        "dataset": dataset,
        "version": 1,
        "root": first,
        "contributions": 7,
    }
    assert datasets.freeze(dataset, second, 8, {"from": university}).return_value == 2
    for version in (0, 3):
        assert datasets.versionOf(dataset, version) == NO_ROOT
    assert datasets.versionOf(dataset, 1) == first
    assert datasets.versionOf(dataset, 2) == second
    assert datasets.datasetOf(dataset)["versions"] == 2


def test_freezing_keeps_the_rest_of_the_record(datasets, new_dataset, researcher):
    dataset = new_dataset(shares=(1, 2, 3, 9_994))
    before = plain(datasets.datasetOf(dataset))
    datasets.freeze(dataset, ROOT, 1, {"from": researcher})
    assert plain(datasets.datasetOf(dataset))[:6] == before[:6]


@pytest.mark.parametrize(("root", "contributions"), [(NO_ROOT, 1), (ROOT, 0)])
def test_version_is_not_empty(datasets, dataset, researcher, root, contributions):
    with error("DatasetVersionEmpty"):
        datasets.freeze(dataset, root, contributions, {"from": researcher})


def test_only_the_institutions_researchers_freeze(
    datasets, dataset, university, clinic, hospital, stranger, developer
):
    for other in (clinic, hospital):
        with error("DatasetNotCurator", dataset, university):
            datasets.freeze(dataset, ROOT, 1, {"from": other})
    with error("ParticipantNotAccredited", stranger):
        datasets.freeze(dataset, ROOT, 1, {"from": stranger})
    with error("ParticipantLacksRole", developer, Role.RESEARCHER, Role.DEVELOPER):
        datasets.freeze(dataset, ROOT, 1, {"from": developer})


def test_unknown_data_set_is_not_frozen(datasets, researcher):
    unknown = next(digests)
    with error("DatasetUnknown", unknown):
        datasets.freeze(unknown, ROOT, 1, {"from": researcher})

"""Image sets enter with the patient's consent; who earns is who the image's record names."""

from __future__ import annotations

import pytest
from brownie import chain

from tests.contracts.conftest import digest, error, plain, travel
from tests.contracts.dataset_registry.conftest import (
    CANCER,
    DIABETES,
    NO_DISEASE,
    YEAR,
    Class,
    Condition,
    Purpose,
    Rule,
    State,
    digests,
)


def test_patient_contributes_and_earns(datasets, dataset, anchored, consented, patient, now):
    image_set, grant = anchored(), consented()
    transaction = datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})

    assert transaction.events["ContributionMade"] == {
        "dataset": dataset,
        "beneficiary": patient,
        "item": image_set.id,
        "class": Class.DATA,
        "weight": 1,
        "grantId": grant,
    }
    assert plain(datasets.contributionOf(dataset, Class.DATA, image_set.id, patient)) == (
        1,
        now(),
        State.COUNTED,
    )
    assert datasets.weightOf(dataset, Class.DATA) == 1
    assert plain(datasets.contributorOf(dataset, Class.DATA, patient)) == (1, 0, False)


@pytest.mark.parametrize("caller", ["patient", "hospital", "researcher", "university"])
@pytest.mark.parametrize("item", [Class.DATA, Class.CUSTODY])
def test_beneficiary_is_of_the_record_whoever_calls(
    datasets, dataset, anchored, consented, patient, hospital, request, caller, item
):
    image_set = anchored()
    consented()
    sender = request.getfixturevalue(caller)
    transaction = datasets.contribute(dataset, item, image_set, 0, {"from": sender})

    earner, other = (patient, hospital) if item == Class.DATA else (hospital, patient)
    assert transaction.events["ContributionMade"]["beneficiary"] == earner
    assert datasets.contributorOf(dataset, item, earner)["weight"] == 1
    assert datasets.contributorOf(dataset, item, other)["weight"] == 0


def test_others_contribute_nothing(
    datasets, dataset, anchored, consented, stranger, neighbour, clinic, university
):
    image_set = anchored()
    consented()
    for other in (stranger, neighbour):
        with error("ParticipantNotAccredited", other):
            datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": other})
    with error("DatasetNotCurator", dataset, university):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": clinic})


def test_nobody_earns_with_an_image_by_naming_itself(
    datasets, dataset, anchored, consented, stranger, patient
):
    """A record with another patient is another image set, which nobody anchored."""
    image_set = anchored()
    consented()
    consented(owner=stranger)
    claimed = image_set._replace(patient=stranger.address)
    with error("ConsentImageNotAnchored", claimed.id):
        datasets.contribute(dataset, Class.DATA, claimed, 0, {"from": stranger})
    custody = image_set._replace(custodian=stranger.address)
    with error("ConsentImageNotAnchored", custody.id):
        datasets.contribute(dataset, Class.CUSTODY, custody, 0, {"from": stranger})
    datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})


@pytest.mark.parametrize("item", [Class.ANNOTATION, Class.DEVELOPMENT])
def test_image_set_is_no_work(datasets, dataset, anchored, consented, patient, item):
    image_set = anchored()
    consented()
    with error("DatasetClassInvalid", item):
        datasets.contribute(dataset, item, image_set, 0, {"from": patient})


def test_unknown_data_set_takes_nothing(datasets, anchored, consented, patient):
    image_set, unknown = anchored(), next(digests)
    consented()
    with error("DatasetUnknown", unknown):
        datasets.contribute(unknown, Class.DATA, image_set, 0, {"from": patient})


def test_nothing_is_contributed_twice(
    datasets, dataset, new_dataset, contributed, patient, researcher, hospital
):
    image_set = contributed(dataset, Class.DATA)
    for sender in (patient, researcher, hospital):
        with error("DatasetAlreadyContributed", dataset, Class.DATA, image_set.id):
            datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": sender})
    assert datasets.weightOf(dataset, Class.DATA) == 1
    datasets.contribute(dataset, Class.CUSTODY, image_set, 0, {"from": patient})
    datasets.contribute(new_dataset(), Class.DATA, image_set, 0, {"from": patient})


# ---------------------------------------------------------------------------- consent


def test_consent_is_needed(datasets, dataset, anchored, patient, university, researcher):
    image_set = anchored()
    for sender in (patient, researcher):
        with error("ConsentNeverGranted", patient, university):
            datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": sender})


def test_consent_to_another_institution_or_to_its_researcher_is_none(
    datasets, dataset, anchored, consented, patient, clinic, researcher, university
):
    image_set = anchored()
    consented(grantee=clinic)
    consented(grantee=researcher)
    with error("ConsentNeverGranted", patient, university):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": researcher})
    consented()
    datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": researcher})


def test_consent_of_another_patient_is_none(
    datasets, dataset, anchored, consented, patient, neighbour, university
):
    image_set = anchored()
    consented(owner=neighbour)
    with error("ConsentNeverGranted", patient, university):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})


def test_revoked_consent_is_none(
    datasets, dataset, anchored, consented, consents, patient, university, hospital
):
    image_set = anchored()
    consented()
    consents.revoke(patient, university, digest(""), {"from": patient})
    for sender in (patient, hospital):
        with error("ConsentRevoked", patient, university):
            datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": sender})
    consented()
    datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": hospital})


def test_consent_taken_back_with_all_others_is_none(
    datasets, dataset, anchored, consented, consents, patient, university
):
    image_set = anchored()
    consented()
    consents.revokeAll(patient, {"from": patient})
    with error("ConsentRevoked", patient, university):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})


def test_consent_holds_for_its_time(datasets, dataset, anchored, consented, patient, university):
    image_set = anchored()
    start = chain[-1].timestamp + 1_000
    consented(starts=1_000, lasts=1_000)
    with error("ConsentNotYet", patient, university, start):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})
    travel(start)
    datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})
    travel(start + 1_000)
    with error("ConsentExpired", patient, university, start + 1_000):
        datasets.contribute(dataset, Class.CUSTODY, image_set, 0, {"from": patient})


def test_consent_is_for_the_declared_purpose(
    datasets, dataset, anchored, consented, patient, new_dataset
):
    image_set = anchored()
    consented(purposes=Purpose.TEACHING)
    with error("ConsentPurposeNotPermitted", Purpose.TEACHING, Purpose.BIOMEDICAL_RESEARCH):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})
    lessons = new_dataset(purposes=Purpose.TEACHING)
    datasets.contribute(lessons, Class.DATA, image_set, 0, {"from": patient})


def test_consent_is_for_the_declared_disease(datasets, anchored, consented, patient, new_dataset):
    image_set = anchored()
    consented(purposes=Purpose.DISEASE_RESEARCH, disease=DIABETES)
    for disease in (CANCER, NO_DISEASE):
        dataset = new_dataset(purposes=Purpose.DISEASE_RESEARCH, disease=disease)
        with error("ConsentDiseaseDiffers", DIABETES, disease):
            datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})
    dataset = new_dataset(purposes=Purpose.DISEASE_RESEARCH, disease=DIABETES)
    datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})


def test_conditions_of_the_consent_are_fulfilled(
    datasets, dataset, anchored, consented, patient, new_dataset
):
    image_set = anchored()
    consented(conditions=Condition.NON_PROFIT_USE_ONLY)
    with error("ConsentConditionUnmet", Condition.NON_PROFIT_USE_ONLY, 0):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})
    charity = new_dataset(
        fulfilled=Condition.NON_PROFIT_USE_ONLY | Condition.ETHICS_APPROVAL_REQUIRED
    )
    datasets.contribute(charity, Class.DATA, image_set, 0, {"from": patient})


def test_emergency_is_no_consent_to_research(
    datasets, dataset, anchored, consents, patient, university
):
    image_set = anchored()
    consents.breakGlass(patient, 3_600, digest("reason"), {"from": university})
    with error("ConsentPurposeNotPermitted", Purpose.CLINICAL_CARE, Purpose.BIOMEDICAL_RESEARCH):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": university})


def test_suspended_institution_takes_nothing(
    datasets, dataset, anchored, consented, accredited, governor, patient, university, researcher
):
    image_set = anchored()
    consented()
    accredited.suspend(university, {"from": governor})
    with error("ConsentReaderSuspended", university):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})
    with error("ParticipantIsSuspended", researcher, university):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": researcher})
    accredited.reinstate(university, {"from": governor})
    datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": researcher})


@pytest.mark.parametrize("by", ["hospital", "patient", "researcher"])
def test_suspended_custodian_earns_with_nothing_new(
    request, datasets, dataset, anchored, contributed, accredited, governor, patient, hospital, by
):
    """What it anchored before does not earn for it, whoever contributes it; its patients do."""
    contributed(dataset, Class.CUSTODY)
    image_set, sender = anchored(), {"from": request.getfixturevalue(by)}
    accredited.suspend(hospital, {"from": governor})
    with error("ParticipantIsSuspended", hospital, hospital):
        datasets.contribute(dataset, Class.CUSTODY, image_set, 0, sender)
    datasets.contribute(dataset, Class.DATA, image_set, 0, sender)
    assert datasets.contributorOf(dataset, Class.DATA, patient)[0] == 1
    assert datasets.weightOf(dataset, Class.CUSTODY) == 1
    accredited.reinstate(hospital, {"from": governor})
    datasets.contribute(dataset, Class.CUSTODY, image_set, 0, sender)
    assert datasets.weightOf(dataset, Class.CUSTODY) == 2


def test_erased_image_set_is_not_contributed(
    datasets, dataset, anchored, consented, images, patient, hospital
):
    image_set = anchored()
    consented()
    images.erase(image_set, digest("certificate"), {"from": hospital})
    with error("ConsentImageErased", image_set.id):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": patient})


# ---------------------------------------------------------------------------- weights


def test_weight_per_set_is_one(datasets, new_dataset, contributed, patient):
    dataset = new_dataset(rule=Rule.PER_SET)
    contributed(dataset, instances=600)
    contributed(dataset, instances=1)
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == 2


def test_weight_per_instance_is_their_number(datasets, new_dataset, contributed, patient, hospital):
    dataset = new_dataset(rule=Rule.PER_INSTANCE)
    contributed(dataset, Class.DATA, Class.CUSTODY, instances=600)
    contributed(dataset, Class.DATA, instances=1)
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == 601
    assert datasets.contributorOf(dataset, Class.CUSTODY, hospital)["weight"] == 600
    assert datasets.weightOf(dataset, Class.DATA) == 601


@pytest.mark.parametrize("rule", [Rule.PER_SET, Rule.PER_INSTANCE])
def test_score_is_not_given_where_the_terms_know_none(
    datasets, new_dataset, anchored, consented, patient, researcher, rule
):
    dataset, image_set = new_dataset(rule=rule), anchored()
    consented()
    for sender in (patient, researcher):
        with error("DatasetScoreInvalid", rule, 5):
            datasets.contribute(dataset, Class.DATA, image_set, 5, {"from": sender})


def test_curator_scores_where_the_terms_say_so(
    datasets, new_dataset, anchored, consented, patient, hospital, researcher
):
    dataset, image_set = new_dataset(rule=Rule.SCORED), anchored(instances=9)
    consented()
    for sender in (patient,):
        with error("ParticipantNotAccredited", sender):
            datasets.contribute(dataset, Class.DATA, image_set, 5, {"from": sender})
    with error("DatasetNotCurator", dataset, datasets.datasetOf(dataset)["institution"]):
        datasets.contribute(dataset, Class.DATA, image_set, 5, {"from": hospital})
    with error("DatasetScoreInvalid", Rule.SCORED, 0):
        datasets.contribute(dataset, Class.DATA, image_set, 0, {"from": researcher})
    datasets.contribute(dataset, Class.DATA, image_set, 5, {"from": researcher})
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == 5


def test_contribution_outlives_the_grant_until_somebody_withdraws_it(
    datasets, dataset, contributed, patient
):
    contributed(dataset)
    travel(chain[-1].timestamp + 2 * YEAR)
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == 1

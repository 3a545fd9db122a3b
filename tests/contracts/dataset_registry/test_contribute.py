"""Image sets enter with consent and a curator's word; who earns is who the record names."""

from __future__ import annotations

import pytest
from brownie import chain

from tests.contracts.conftest import ImageSet, Role, digest, error, group, plain, travel
from tests.contracts.dataset_registry.conftest import (
    CANCER,
    DIABETES,
    EVERYTHING,
    MOST_INSTANCES,
    NO_DISEASE,
    YEAR,
    Class,
    Condition,
    Purpose,
    Rule,
    State,
    digests,
)


def test_curator_contributes_for_patient_and_custodian(
    datasets, dataset, anchored, consented, patient, hospital, researcher, now
):
    image_set, grant = anchored(), consented()
    transaction = datasets.contribute(dataset, image_set, 1, {"from": researcher})

    assert transaction.events["DatasetImageContributed"] == {
        "dataset": dataset,
        "image": image_set.id,
        "patient": patient,
        "custodian": hospital,
        "weight": 1,
        "grantId": grant,
        "curator": researcher,
    }
    assert plain(datasets.imageSetOf(dataset, image_set.id)) == (1, now(), 0, State.COUNTED, True)
    for item, earner, other in (
        (Class.DATA, patient, hospital),
        (Class.CUSTODY, hospital, patient),
    ):
        assert datasets.weightOf(dataset, item) == 1
        assert plain(datasets.contributorOf(dataset, item, earner)) == (1, 0, False)
        assert plain(datasets.contributorOf(dataset, item, other)) == (0, 0, False)


@pytest.mark.parametrize("caller", ["researcher", "university"])
def test_the_institution_and_its_researchers_are_curators(
    datasets, dataset, anchored, consented, request, caller
):
    image_set, sender = anchored(), request.getfixturevalue(caller)
    consented()
    made = datasets.contribute(dataset, image_set, 1, {"from": sender})
    assert made.events["DatasetImageContributed"]["curator"] == sender


def test_others_contribute_nothing(
    datasets, dataset, anchored, consented, stranger, neighbour, patient, hospital, clinic,
    university, annotator, researcher,
):  # fmt: skip
    """Neither the patient nor the custodian adds to a data set alone."""
    image_set = anchored()
    consented()
    for other in (stranger, neighbour, patient):
        with error("ParticipantNotAccredited", other):
            datasets.contribute(dataset, image_set, 1, {"from": other})
    for other in (clinic, hospital):
        with error("DatasetNotCurator", dataset, university):
            datasets.contribute(dataset, image_set, 1, {"from": other})
    with error("ParticipantLacksRole", annotator, Role.RESEARCHER, Role.ANNOTATOR):
        datasets.contribute(dataset, image_set, 1, {"from": annotator})
    datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_data_and_custody_enter_together_so_neither_takes_the_others_share(
    new_dataset, contributed, hospital, patient, fund, due
):
    dataset = new_dataset(shares=(5_000, 5_000, 0, 0))
    contributed(dataset)
    fund(dataset, 10**18)
    assert due(dataset, Class.DATA, patient) == due(dataset, Class.CUSTODY, hospital) == 10**18 // 2


def test_technician_of_a_custodian_gets_nothing_into_a_data_set_alone(
    datasets, images, participants, new_dataset, contributed, consented, hospital, stranger,
    university, funder, fund, due,
):  # fmt: skip
    """An image set that does not exist, of a patient of its own, with as many instances as fit."""
    dataset = new_dataset(rule=Rule.PER_INSTANCE)
    honest = contributed(dataset, instances=500, weight=500)
    technician, sybil = funder, stranger
    participants.admit(technician, Role.CUSTODIAN, {"from": hospital})
    visit = group("visit", hospital)
    fake = ImageSet(hospital.address, sybil.address, next(digests), visit, EVERYTHING)
    images.anchor(fake.anchored(instances=2**32 - 1), {"from": technician})
    consented(owner=sybil)

    for sender, refusal in (
        (technician, ("ParticipantLacksRole", technician, Role.RESEARCHER, Role.CUSTODIAN)),
        (sybil, ("ParticipantNotAccredited", sybil)),
        (hospital, ("DatasetNotCurator", dataset, university)),
    ):
        for weight in (1, MOST_INSTANCES, 2**32 - 1):
            with error(*refusal):
                datasets.contribute(dataset, fake, weight, {"from": sender})
    fund(dataset, 10**24)

    assert due(dataset, Class.DATA, sybil) == 0
    share = 10**24 * 5_000 // 7_000
    assert share - 500 <= due(dataset, Class.DATA, honest.patient) <= share


def test_account_is_refused_more_weight_than_it_holds_and_the_rest_goes_on(
    datasets, new_dataset, anchored, consented, contributed, hospital, researcher, stranger,
    accepted,
):  # fmt: skip
    """Curators accepted too much of one custodian; the others, and its withdrawals, go on."""
    most = 2**32 - 1
    dataset = new_dataset(rule=Rule.PER_INSTANCE, most_instances=most)
    full = contributed(dataset, owner=stranger, instances=most, weight=most)
    more = anchored(instances=3)
    consented()
    with error("SafeCastOverflowedUintDowncast", 32, most + 3):
        datasets.contribute(dataset, more, 3, {"from": researcher})
    datasets.withdraw(dataset, full, {"from": stranger})
    datasets.contribute(dataset, more, 3, {"from": researcher})
    assert datasets.contributorOf(dataset, Class.CUSTODY, hospital)["weight"] == 3


def test_institution_that_is_the_patient_needs_a_grant_too(
    datasets, dataset, anchored, university, researcher
):
    """It reads its own images without one, which is not consent to a data set."""
    image_set = anchored(owner=university)
    for sender in (researcher, university):
        with error("DatasetNotGranted", university):
            datasets.contribute(dataset, image_set, 1, {"from": sender})
    assert datasets.weightOf(dataset, Class.DATA) == 0


def test_naming_itself_earns_no_account_a_share_in_an_image(
    datasets, dataset, anchored, consented, stranger, researcher
):
    """A record with another patient is another image set, which is not anchored."""
    image_set = anchored()
    consented()
    consented(owner=stranger)
    for claimed in (
        image_set._replace(patient=stranger.address),
        image_set._replace(custodian=stranger.address),
    ):
        with error("ConsentNotPermittedNotAnchored", claimed.id):
            datasets.contribute(dataset, claimed, 1, {"from": researcher})
    datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_unknown_data_set_takes_nothing(datasets, anchored, consented, researcher):
    image_set, unknown = anchored(), next(digests)
    consented()
    with error("DatasetUnknown", unknown):
        datasets.contribute(unknown, image_set, 1, {"from": researcher})


def test_nothing_is_contributed_twice(
    datasets, dataset, new_dataset, contributed, researcher, university
):
    image_set = contributed(dataset)
    for sender in (researcher, university):
        with error("DatasetAlreadyContributed", dataset, image_set.id):
            datasets.contribute(dataset, image_set, 1, {"from": sender})
    assert datasets.weightOf(dataset, Class.DATA) == 1
    datasets.contribute(new_dataset(), image_set, 1, {"from": researcher})


# ---------------------------------------------------------------------------- consent


def test_consent_is_needed(datasets, dataset, anchored, patient, university, researcher):
    image_set = anchored()
    with error("ConsentNotPermittedNeverGranted", patient, university):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_consent_to_another_institution_or_to_its_researcher_is_none(
    datasets, dataset, anchored, consented, patient, clinic, researcher, university
):
    image_set = anchored()
    consented(grantee=clinic)
    consented(grantee=researcher)
    with error("ConsentNotPermittedNeverGranted", patient, university):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})
    consented()
    datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_consent_of_another_patient_is_none(
    datasets, dataset, anchored, consented, patient, neighbour, university, researcher
):
    image_set = anchored()
    consented(owner=neighbour)
    with error("ConsentNotPermittedNeverGranted", patient, university):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_revoked_consent_is_none(
    datasets, dataset, anchored, consented, consents, patient, university, researcher
):
    image_set = anchored()
    consented()
    consents.revoke(patient, university, digest(""), {"from": patient})
    with error("ConsentNotPermittedRevoked", patient, university):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})
    consented()
    datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_consent_taken_back_with_all_others_is_none(
    datasets, dataset, anchored, consented, consents, patient, university, researcher
):
    image_set = anchored()
    consented()
    consents.revokeAll(patient, {"from": patient})
    with error("ConsentNotPermittedRevoked", patient, university):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_consent_holds_for_its_time(
    datasets, dataset, anchored, consented, patient, university, researcher
):
    image_set = anchored()
    start = chain[-1].timestamp + 1_000
    consented(starts=1_000, lasts=1_000)
    with error("ConsentNotPermittedNotYet", patient, university, start):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})
    travel(start)
    datasets.contribute(dataset, image_set, 1, {"from": researcher})
    travel(start + 1_000)
    late = anchored()
    with error("ConsentNotPermittedExpired", patient, university, start + 1_000):
        datasets.contribute(dataset, late, 1, {"from": researcher})


def test_consent_is_for_the_declared_purpose(
    datasets, dataset, anchored, consented, new_dataset, researcher
):
    image_set = anchored()
    consented(purposes=Purpose.TEACHING)
    with error("ConsentNotPermittedPurpose", Purpose.TEACHING, Purpose.BIOMEDICAL_RESEARCH):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})
    lessons = new_dataset(purposes=Purpose.TEACHING)
    datasets.contribute(lessons, image_set, 1, {"from": researcher})


def test_consent_is_for_the_declared_disease(
    datasets, anchored, consented, new_dataset, researcher
):
    image_set = anchored()
    consented(purposes=Purpose.DISEASE_RESEARCH, disease=DIABETES)
    for disease in (CANCER, NO_DISEASE):
        dataset = new_dataset(purposes=Purpose.DISEASE_RESEARCH, disease=disease)
        with error("ConsentNotPermittedDisease", DIABETES, disease):
            datasets.contribute(dataset, image_set, 1, {"from": researcher})
    dataset = new_dataset(purposes=Purpose.DISEASE_RESEARCH, disease=DIABETES)
    datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_conditions_of_the_consent_are_fulfilled(
    datasets, dataset, anchored, consented, new_dataset, researcher
):
    image_set = anchored()
    consented(conditions=Condition.NON_PROFIT_USE_ONLY)
    with error("ConsentNotPermittedCondition", Condition.NON_PROFIT_USE_ONLY, 0):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})
    charity = new_dataset(
        fulfilled=Condition.NON_PROFIT_USE_ONLY | Condition.ETHICS_APPROVAL_REQUIRED
    )
    datasets.contribute(charity, image_set, 1, {"from": researcher})


def test_emergency_is_not_consent_to_research(
    datasets, dataset, anchored, consents, patient, university, researcher
):
    image_set = anchored()
    consents.breakGlass(patient, 3_600, digest("reason"), {"from": university})
    with error("ConsentNotPermittedPurpose", Purpose.CLINICAL_CARE, Purpose.BIOMEDICAL_RESEARCH):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_suspended_institution_takes_nothing(
    datasets, dataset, anchored, consented, accredited, governor, university, researcher
):
    image_set = anchored()
    consented()
    accredited.suspend(university, {"from": governor})
    with error("ParticipantIsSuspended", researcher, university):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})
    accredited.reinstate(university, {"from": governor})
    datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_suspended_custodian_adds_nothing_new(
    datasets, dataset, anchored, contributed, accredited, governor, hospital, researcher
):
    """What it anchored before waits until it is reinstated; what has entered goes on."""
    contributed(dataset)
    image_set = anchored()
    accredited.suspend(hospital, {"from": governor})
    with error("ParticipantIsSuspended", hospital, hospital):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})
    assert datasets.weightOf(dataset, Class.DATA) == datasets.weightOf(dataset, Class.CUSTODY) == 1
    accredited.reinstate(hospital, {"from": governor})
    datasets.contribute(dataset, image_set, 1, {"from": researcher})
    assert datasets.weightOf(dataset, Class.DATA) == datasets.weightOf(dataset, Class.CUSTODY) == 2


def test_disowned_image_set_is_not_contributed(
    datasets, dataset, images, anchored, consented, patient, researcher
):
    image_set = anchored()
    consented()
    images.disown(image_set, {"from": patient})
    with error("ConsentNotPermittedDisowned", image_set.id):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_erased_image_set_is_not_contributed(
    datasets, dataset, anchored, consented, images, hospital, researcher
):
    image_set = anchored()
    consented()
    images.erase(image_set, digest("certificate"), {"from": hospital})
    with error("ConsentNotPermittedErased", image_set.id):
        datasets.contribute(dataset, image_set, 1, {"from": researcher})


def test_contribution_outlives_the_grant_until_it_is_suspended(
    datasets, dataset, contributed, patient
):
    contributed(dataset)
    travel(chain[-1].timestamp + 2 * YEAR)
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == 1

"""A curator signs that an image set enters a data set; anyone contributes it with that."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from radledger.chain.errors import DocumentExpired, DocumentMalformed, DocumentTampered
from radledger.chain.refusals import (
    DatasetAlreadyContributed,
    DatasetNotCurator,
    DatasetWeightInvalid,
    ParticipantIsSuspended,
    ParticipantLacksRole,
    ParticipantNotAccredited,
)
from radledger.chain.rpc import request
from radledger.consent import Consents, Terms
from radledger.research.errors import AcceptanceDiffers
from radledger.research.model import RULES


def test_custodian_contributes_what_a_curator_accepted(
    datasets, people, dataset_id, consent, anchor
):
    image = anchor()
    with pytest.raises(DatasetNotCurator):
        datasets.contribute(dataset_id, image).send(people["hospital"])
    accepted = datasets.sign_acceptance(people["researcher"], dataset_id, image)
    accepted = json.loads(json.dumps(accepted))
    assert image.image_id in accepted["summary"]
    assert "with weight 1" in accepted["summary"]
    receipt = datasets.contribute(dataset_id, image, acceptance=accepted).send(people["hospital"])
    made = receipt.event("DatasetImageContributed").args
    assert made["curator"] == people["researcher"].address
    with pytest.raises(DatasetAlreadyContributed):
        datasets.contribute(dataset_id, image, acceptance=accepted).send(people["hospital"])


@pytest.mark.parametrize(
    ("rule", "most", "score", "weight"),
    [("per set", 0, 0, 1), ("per instance", 20, 0, 9), ("per instance", 5, 0, 5),
     ("scored", 0, 7, 7)],
)  # fmt: skip
def test_acceptance_names_the_weight_that_the_terms_give(
    datasets, people, terms, consent, anchor, rule, most, score, weight
):
    terms = replace(terms, rule=rule, most_instances=most)
    dataset_id = datasets.create(terms).send(people["researcher"]).dataset_id
    assert datasets.show(dataset_id).terms.most_instances == most
    for signer, image in ((people["hospital"], anchor(instances=9)), (None, anchor(instances=9))):
        if signer is None:
            datasets.contribute(dataset_id, image, score=score).send(people["researcher"])
            continue
        accepted = datasets.sign_acceptance(people["researcher"], dataset_id, image, score=score)
        assert accepted["typedData"]["message"]["weight"] == weight
        datasets.contribute(dataset_id, image, acceptance=accepted).send(signer)
    assert {each.weight for each in datasets.show(dataset_id).contributions} == {weight}


def test_score_is_refused_where_the_terms_know_none(datasets, people, dataset_id, consent, anchor):
    with pytest.raises(DatasetWeightInvalid) as refused:
        datasets.contribute(dataset_id, anchor(), score=5).send(people["researcher"])
    assert refused.value.values["weight"] == 5


def test_only_a_curator_of_the_data_set_signs(datasets, people, dataset_id, anchor, ledger):
    image, researcher = anchor(), people["researcher"].address
    with pytest.raises(DatasetNotCurator) as another:
        datasets.sign_acceptance(people["hospital"], dataset_id, image)
    assert another.value.values == {"dataset": dataset_id, "institution": people["clinic"].address}
    with pytest.raises(ParticipantLacksRole) as other_role:
        datasets.sign_acceptance(people["radiologist"], dataset_id, image)
    assert other_role.value.values["account"] == people["radiologist"].address
    with pytest.raises(ParticipantNotAccredited):
        datasets.sign_acceptance(people["patient"], dataset_id, image)
    ledger.send(people["clinic"], "ParticipantRegistry", "suspend", researcher)
    with pytest.raises(ParticipantIsSuspended) as suspended:
        datasets.sign_acceptance(people["researcher"], dataset_id, image)
    assert suspended.value.values["account"] == researcher
    ledger.send(people["clinic"], "ParticipantRegistry", "reinstate", researcher)
    assert datasets.sign_acceptance(people["researcher"], dataset_id, image)


@pytest.mark.parametrize(
    ("rule", "most", "score"),
    [("per set", 0, 2), ("per instance", 20, 20), ("scored", 0, 0)],
)
def test_no_acceptance_of_a_weight_that_the_contract_would_refuse(
    datasets, people, terms, anchor, rule, most, score
):
    terms = replace(terms, rule=rule, most_instances=most)
    dataset_id = datasets.create(terms).send(people["researcher"]).dataset_id
    with pytest.raises(DatasetWeightInvalid) as refused:
        datasets.sign_acceptance(people["researcher"], dataset_id, anchor(instances=9), score=score)
    assert refused.value.values == {"rule": RULES.index(rule), "weight": score}


def test_acceptance_of_something_else_is_named(datasets, people, terms, dataset_id, anchor):
    image, other = anchor(), anchor()
    accepted = datasets.sign_acceptance(people["researcher"], dataset_id, other)
    with pytest.raises(AcceptanceDiffers) as refused:
        datasets.contribute(dataset_id, image, acceptance=accepted).send(people["hospital"])
    assert refused.value.values == {"image": image.image_id}
    another = datasets.create(terms).send(people["researcher"]).dataset_id
    with pytest.raises(AcceptanceDiffers) as refused:
        datasets.contribute(another, other, acceptance=accepted).send(people["hospital"])
    assert refused.value.values == {"dataset": another}


def test_score_that_is_not_the_accepted_one_is_refused(datasets, people, terms, consent, anchor):
    dataset_id = (
        datasets.create(replace(terms, rule="scored")).send(people["researcher"]).dataset_id
    )
    image = anchor()
    accepted = datasets.sign_acceptance(people["researcher"], dataset_id, image, score=7)
    with pytest.raises(AcceptanceDiffers, match="weight 7, not 8") as refused:
        datasets.contribute(dataset_id, image, score=8, acceptance=accepted).send(
            people["hospital"]
        )
    assert refused.value.values == {"weight": 8}
    datasets.contribute(dataset_id, image, score=7, acceptance=accepted).send(people["hospital"])
    assert datasets.show(dataset_id).weights["data"] == 7


@pytest.mark.parametrize(
    ("field", "value"), [("weight", 2), ("deadline", 2**40 - 1), ("dataset", "0x" + "12" * 32)]
)
def test_acceptance_that_was_changed_is_refused(datasets, people, dataset_id, anchor, field, value):
    image = anchor()
    accepted = datasets.sign_acceptance(people["researcher"], dataset_id, image)
    accepted["typedData"]["message"][field] = value
    with pytest.raises(DocumentTampered):
        datasets.contribute(dataset_id, image, acceptance=accepted).send(people["hospital"])


def test_acceptance_ends(datasets, people, dataset_id, consent, anchor, ledger):
    image = anchor()
    accepted = datasets.sign_acceptance(people["researcher"], dataset_id, image, valid_for=60)
    deadline = accepted["typedData"]["message"]["deadline"]
    request(ledger.web3, "evm_setNextBlockTimestamp", [deadline + 1])
    request(ledger.web3, "evm_mine", [])
    with pytest.raises(DocumentExpired):
        datasets.contribute(dataset_id, image, acceptance=accepted).send(people["hospital"])


def test_other_documents_are_not_acceptances(datasets, people, dataset_id, anchor, ledger):
    image = anchor()
    consent = (
        Consents(ledger).grant(people["clinic"].address, Terms(("HMB",))).sign(people["patient"])
    )
    for document in (consent, {}, {"kind": "radledger.dataset"}):
        with pytest.raises(DocumentMalformed):
            datasets.contribute(dataset_id, image, acceptance=document).send(people["hospital"])

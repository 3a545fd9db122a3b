"""A data set has one salt for its disease, which patients need to consent to it."""

from __future__ import annotations

import pytest

from radledger.chain.refusals import ConsentNotPermittedDisease
from radledger.consent import Consents, Terms
from radledger.consent.diseases import decode_disease, disease_code, encode_disease
from radledger.consent.errors import InvalidDisease
from radledger.research import Datasets, DatasetTerms

CANCER = "MONDO:0004992"


@pytest.fixture
def created(datasets, people, token):
    terms = DatasetTerms(token.address, {"data": 10_000}, ("DS",), disease=CANCER)
    return datasets.create(terms).send(people["researcher"])


def test_who_created_it_reads_the_disease_and_others_its_digest(ledger, datasets, created):
    assert disease_code(created.disease) == CANCER
    (listed,) = datasets.list()
    assert datasets.show(created.dataset_id).terms.disease == created.disease
    assert listed.terms.disease == created.disease
    (event,) = ledger.events("DatasetRegistry", "DatasetCreated")
    digest = encode_disease(created.disease)
    assert event.args["terms"]["use"]["disease"] == "0x" + digest.hex()
    assert Datasets(ledger).show(created.dataset_id).terms.disease == decode_disease(digest)


def test_consent_with_its_salt_lets_image_sets_in(
    ledger, datasets, people, anchor, created, submit
):
    def grant(disease):
        terms = Terms(("DS",), disease=disease)
        consents = Consents(ledger)
        document = consents.grant(people["clinic"].address, terms).sign(people["patient"])
        submit(document, people["hospital"])

    image = anchor()
    grant(CANCER)
    with pytest.raises(ConsentNotPermittedDisease) as refused:
        datasets.contribute(created.dataset_id, image).send(people["researcher"])
    assert refused.value.values["used"] == decode_disease(encode_disease(created.disease))
    grant(created.disease)
    datasets.contribute(created.dataset_id, image).send(people["researcher"])
    assert datasets.show(created.dataset_id).weights["data"] == 1


def test_an_invalid_disease_creates_nothing(datasets, people, token):
    terms = DatasetTerms(token.address, {"data": 10_000}, ("DS",), disease="cancer")
    with pytest.raises(InvalidDisease):
        datasets.create(terms).send(people["researcher"])
    assert datasets.list() == ()

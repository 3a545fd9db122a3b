"""A ledger's data sets, and image sets that are records alone."""

from __future__ import annotations

import secrets

import pytest

from radledger.chain.ledger import ContractAt
from radledger.consent import Consents, Terms
from radledger.imaging.model import ImageSet
from radledger.research import Datasets, DatasetTerms


@pytest.fixture
def datasets(ledger):
    return Datasets(ledger)


@pytest.fixture
def token(ledger):
    return ContractAt("LocalToken", ledger.address("LocalToken"))


@pytest.fixture
def anchor(ledger, people):
    """Anchor an image set of the hospital; it is a record alone, without files."""

    def anchored(patient=None, instances=1):
        root = secrets.token_bytes(32)
        visit = secrets.token_bytes(12) + bytes.fromhex(people["hospital"].address[2:])
        owner = (patient or people["patient"]).address
        new = (owner, root, bytes(32), visit, bytes(32), instances, 0)
        ledger.send(people["hospital"], "ImageRegistry", "anchor", new)
        hospital = people["hospital"].address
        return ImageSet(hospital, owner, "0x" + root.hex(), "0x" + visit.hex())

    return anchored


@pytest.fixture
def consent(ledger, people, submit):
    """Consent of the patient to the clinic for medical research."""
    consents = Consents(ledger)
    clinic = people["clinic"].address
    document = consents.grant(clinic, Terms(("HMB",))).sign(people["patient"])
    submit(document, people["hospital"])


@pytest.fixture
def terms(token):
    return DatasetTerms(token.address, {"data": 7_000, "custody": 3_000}, ("HMB",))


@pytest.fixture
def dataset_id(datasets, people, terms):
    return datasets.create(terms).send(people["researcher"]).dataset_id

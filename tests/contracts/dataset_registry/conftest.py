"""Who meets around a data set, and factories for what the tests contribute to it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from brownie import accounts, chain
from eth_account import Account

from tests.contracts.conftest import ImageSet, Role, digest, group

YEAR = 365 * 24 * 3600
BASIS_POINTS = 10_000
SHARES = (5_000, 2_000, 2_000, 1_000)
CANCER = "0x" + b"MONDO:0004992".hex()
DIABETES = "0x" + b"MONDO:0005015".hex()
NO_DISEASE = "0x" + "00" * 13
EVERYTHING = digest("")
PROTOCOL = "0x" + "9c" * 32
CURATOR_KEY = "0x" + "c4" * 32
MOST_INSTANCES = 10_000
RENEWAL_PERIOD = 30 * 24 * 3600


class Class:
    """What a contributor adds (``IDatasetTreasury.Class``)."""

    DATA, CUSTODY, ANNOTATION, DEVELOPMENT = range(4)


class Rule:
    """How much an image set weighs (``IDatasetContributions.WeightRule``)."""

    PER_SET, PER_INSTANCE, SCORED = range(3)


class State:
    """What became of a contribution (``IDatasetContributions.ContributionState``)."""

    NONE, COUNTED, SUSPENDED, WITHDRAWN = range(4)


class Purpose:
    """The purposes of ``contracts/lib/DataUse.sol`` that data sets are made for here."""

    GENERAL_RESEARCH = 1 << 1
    BIOMEDICAL_RESEARCH = 1 << 2
    DISEASE_RESEARCH = 1 << 3
    CLINICAL_CARE = 1 << 5
    METHOD_DEVELOPMENT = 1 << 6
    TEACHING = 1 << 8


class Condition:
    """Two of the conditions of ``contracts/lib/DataUse.sol``."""

    NON_PROFIT_USE_ONLY = 1 << 0
    ETHICS_APPROVAL_REQUIRED = 1 << 5


digests = (f"0x{number:064x}" for number in count(0xD1CE << 200))
"""Fresh digests, for whatever needs one."""


# ---------------------------------------------------------------------------- who acts


@pytest.fixture(scope="session")
def university():
    """The institution whose data sets these are."""
    return accounts[9]


@pytest.fixture(scope="module")
def curator(isolate_module):
    """A researcher of the university whose private key the tests know, without Ether."""
    return accounts.add(CURATOR_KEY)


@pytest.fixture(scope="session")
def annotator(radiologist):
    return radiologist


@pytest.fixture(scope="session")
def developer(relatives):
    return relatives[0]


@pytest.fixture(scope="session")
def neighbour(relatives):
    """Another patient."""
    return relatives[1]


@pytest.fixture(scope="session")
def funder(relatives):
    return relatives[2]


# ---------------------------------------------------------------------------- what is deployed


@pytest.fixture(scope="module")
def accredited(
    participants, governor, hospital, clinic, university, researcher, curator, annotator, developer
):
    """A hospital that keeps images, and a university and a clinic that research."""
    participants.admitInstitution(
        hospital, Role.CUSTODIAN | Role.ANNOTATOR | Role.RESEARCHER, {"from": governor}
    )
    participants.admitInstitution(
        university, Role.RESEARCHER | Role.DEVELOPER | Role.CLINICIAN, {"from": governor}
    )
    participants.admitInstitution(clinic, Role.RESEARCHER, {"from": governor})
    participants.admit(annotator, Role.ANNOTATOR, {"from": hospital})
    participants.admit(researcher, Role.RESEARCHER, {"from": university})
    participants.admit(curator, Role.RESEARCHER, {"from": university})
    participants.admit(developer, Role.DEVELOPER, {"from": university})
    return participants


@pytest.fixture(scope="module")
def datasets(deploy, identities, accredited, images, consents, forwarder):
    return deploy("DatasetRegistry", identities, accredited, images, consents, forwarder)


@pytest.fixture(scope="module")
def token(LocalToken, datasets, funder):
    """A plain token, all of which the funder holds and lets the registry take."""
    token = LocalToken.deploy(funder, 10**30, {"from": funder})
    token.approve(datasets, 2**256 - 1, {"from": funder})
    return token


# ---------------------------------------------------------------------------- factories


@pytest.fixture(scope="module")
def terms(token) -> Callable[..., tuple[Any, ...]]:
    """Terms of a data set for biomedical research, each part of which can be chosen."""

    def make(
        token=token,
        shares=SHARES,
        rule=Rule.PER_SET,
        most_instances=None,
        purposes=Purpose.BIOMEDICAL_RESEARCH,
        fulfilled=0,
        disease=NO_DISEASE,
        protocol=PROTOCOL,
    ):
        if most_instances is None:
            most_instances = MOST_INSTANCES if rule == Rule.PER_INSTANCE else 0
        use = (purposes, fulfilled, disease)
        return (token, shares, rule, most_instances, use, protocol)

    return make


@pytest.fixture(scope="module")
def new_dataset(DatasetVault, datasets, terms, university, researcher) -> Callable[..., str]:
    """Create a data set and return its id."""

    def make(**choices: Any) -> str:
        agreed, salt = terms(**choices), next(digests)
        created = datasets.create(agreed, salt, {"from": researcher})
        # Brownie measures the coverage of the contracts that it knows.
        DatasetVault.at(created.events["DatasetCreated"]["vault"])
        return datasets.idOf(university, agreed, salt)

    return make


@pytest.fixture(scope="module")
def dataset(new_dataset) -> str:
    """A data set in which each image set weighs the same."""
    return new_dataset()


@pytest.fixture(scope="module")
def data_only(new_dataset) -> str:
    """A data set that pays for data alone."""
    return new_dataset(shares=(10_000, 0, 0, 0))


@pytest.fixture(scope="module")
def anchored(images, hospital, patient) -> Callable[..., ImageSet]:
    """Anchor an image set and return the five values that make its id."""

    def make(owner=patient, instances=1, custodian=hospital, course=EVERYTHING) -> ImageSet:
        root, manifest = next(digests), next(digests)
        visit = group(next(digests), custodian)
        images.anchor((owner, root, manifest, visit, course, instances, 0), {"from": custodian})
        return ImageSet(custodian.address, owner.address, root, visit, course)

    return make


@pytest.fixture(scope="module")
def consented(consents, patient, university) -> Callable[..., str]:
    """Grant the use of everything and return the grant's id."""

    def make(
        owner=patient,
        grantee=university,
        purposes=Purpose.BIOMEDICAL_RESEARCH,
        conditions=0,
        disease=NO_DISEASE,
        starts=0,
        lasts=YEAR,
    ) -> str:
        start = chain[-1].timestamp + starts
        granted = (start, start + lasts, purposes, conditions, disease)
        consents.grant(owner, grantee, EVERYTHING, granted, {"from": owner})
        return consents.grantIdOf(owner, grantee, EVERYTHING)

    return make


@pytest.fixture(scope="module")
def contributed(datasets, anchored, consented, researcher, patient) -> Callable[..., ImageSet]:
    """Have an owner's new image set, consented to, enter a data set, and return it."""

    def make(dataset, owner=patient, instances=1, custodian=None, weight=1) -> ImageSet:
        choice = {} if custodian is None else {"custodian": custodian}
        image_set = anchored(owner=owner, instances=instances, **choice)
        consented(owner=owner)
        datasets.contribute(dataset, image_set, weight, {"from": researcher})
        return image_set

    return make


@pytest.fixture(scope="module")
def accepted(datasets, curator) -> Callable[..., tuple[Any, ...]]:
    """Have the curator sign that an image set enters a data set, as ``Acceptance``."""

    def make(dataset, image, weight=1, deadline=None, key=CURATOR_KEY, signer=curator.address):
        deadline = chain[-1].timestamp + YEAR if deadline is None else deadline
        _, name, version, chain_id, verifier, *_ = datasets.eip712Domain()
        signed = Account.sign_typed_data(
            key,
            {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifier},
            {
                "Accept": [
                    {"name": "dataset", "type": "bytes32"},
                    {"name": "image", "type": "bytes32"},
                    {"name": "weight", "type": "uint32"},
                    {"name": "deadline", "type": "uint40"},
                ]
            },
            {"dataset": dataset, "image": image, "weight": weight, "deadline": deadline},
        )
        return (signer, deadline, "0x" + signed.signature.hex().removeprefix("0x"))

    return make


@pytest.fixture(scope="module")
def weights(datasets) -> Callable[[str], list[int]]:
    """The weight of each class, as a funder sees it."""
    return lambda dataset: [datasets.weightOf(dataset, number) for number in range(4)]


@pytest.fixture(scope="module")
def fund(datasets, weights, funder) -> Callable[..., Any]:
    """Pay into a data set with the weights that it has."""
    return lambda dataset, amount: datasets.fund(
        dataset, amount, weights(dataset), {"from": funder}
    )


@pytest.fixture(scope="module")
def due(datasets) -> Callable[..., int]:
    """What is due to a beneficiary for one class."""
    return lambda dataset, item, beneficiary: datasets.contributorOf(dataset, item, beneficiary)[1]

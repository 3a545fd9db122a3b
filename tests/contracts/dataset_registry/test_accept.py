"""A curator's signature lets anyone contribute what it names, once, until its deadline."""

from __future__ import annotations

import pytest
from brownie import accounts, chain
from eth_account import Account

from tests.contracts.conftest import NOBODY, PATIENT_KEY, Role, error, next_block_at
from tests.contracts.dataset_registry.conftest import CURATOR_KEY, YEAR, Class, Rule, digests

OWNER_KEY = "0x" + "0e" * 32
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order of the group of secp256k1."""


@pytest.fixture
def image_set(anchored, consented):
    """An image set with consent that is not contributed yet."""
    consented()
    return anchored(instances=7)


@pytest.mark.parametrize("sender", ["hospital", "patient", "stranger"])
def test_anyone_contributes_what_a_curator_accepted(
    datasets, dataset, image_set, accepted, curator, patient, hospital, request, sender
):
    acceptance = accepted(dataset, image_set.id)
    made = datasets.contributeAccepted(
        dataset, image_set, 1, acceptance, {"from": request.getfixturevalue(sender)}
    )
    contributed = made.events["DatasetImageContributed"]
    assert (contributed["curator"], contributed["weight"]) == (curator, 1)
    assert (contributed["patient"], contributed["custodian"]) == (patient, hospital)
    assert datasets.weightOf(dataset, Class.DATA) == datasets.weightOf(dataset, Class.CUSTODY) == 1


def test_acceptance_names_the_weight(
    datasets, new_dataset, image_set, accepted, hospital, curator, patient
):
    dataset = new_dataset(rule=Rule.PER_INSTANCE)
    for weight in (1, 6, 8):
        with error("DatasetBadSignature", curator):
            datasets.contributeAccepted(
                dataset, image_set, weight, accepted(dataset, image_set.id, 7), {"from": hospital}
            )
        with error("DatasetWeightInvalid", Rule.PER_INSTANCE, weight):
            wrong = accepted(dataset, image_set.id, weight)
            datasets.contributeAccepted(dataset, image_set, weight, wrong, {"from": hospital})
    right = accepted(dataset, image_set.id, 7)
    datasets.contributeAccepted(dataset, image_set, 7, right, {"from": hospital})
    assert datasets.contributorOf(dataset, Class.DATA, patient)["weight"] == 7


def test_acceptance_is_of_one_image_set_for_one_data_set(
    datasets, dataset, new_dataset, image_set, anchored, accepted, hospital, curator
):
    other, another = new_dataset(), anchored()
    for acceptance in (accepted(other, image_set.id), accepted(dataset, another.id)):
        with error("DatasetBadSignature", curator):
            datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})
    datasets.contributeAccepted(
        other, image_set, 1, accepted(other, image_set.id), {"from": hospital}
    )


def test_acceptance_is_used_once(datasets, dataset, image_set, accepted, hospital, patient):
    """Not even after a withdrawal: what has been in a data set does not come back."""
    acceptance = accepted(dataset, image_set.id)
    datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})
    with error("DatasetAlreadyContributed", dataset, image_set.id):
        datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})
    datasets.withdraw(dataset, image_set, {"from": patient})
    with error("DatasetAlreadyContributed", dataset, image_set.id):
        datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})


def test_acceptance_holds_until_its_deadline(datasets, dataset, image_set, accepted, hospital):
    deadline = chain[-1].timestamp + 100
    acceptance = accepted(dataset, image_set.id, deadline=deadline)
    next_block_at(deadline + 1)
    with error("DatasetSignatureExpired", deadline):
        datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})


def test_acceptance_holds_at_its_deadline(datasets, dataset, image_set, accepted, hospital):
    deadline = chain[-1].timestamp + 100
    acceptance = accepted(dataset, image_set.id, deadline=deadline)
    next_block_at(deadline)
    datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})


@pytest.mark.parametrize("changed", ["deadline", "curator"])
def test_what_stands_beside_the_signature_is_signed(
    datasets, dataset, image_set, accepted, hospital, researcher, changed
):
    signer, deadline, signature = accepted(dataset, image_set.id)
    if changed == "deadline":
        deadline += YEAR
    else:
        signer = researcher
    with error("DatasetBadSignature", signer):
        datasets.contributeAccepted(
            dataset, image_set, 1, (signer, deadline, signature), {"from": hospital}
        )


def test_signature_of_others_is_refused_by_what_they_lack(
    datasets,
    dataset,
    image_set,
    accepted,
    hospital,
    patient,
    clinic,
    university,
    participants,
    researcher,
):
    """The patient is not a researcher; another institution's researcher is not a curator here."""
    by_patient = accepted(dataset, image_set.id, key=PATIENT_KEY, signer=patient.address)
    with error("ParticipantNotAccredited", patient):
        datasets.contributeAccepted(dataset, image_set, 1, by_patient, {"from": hospital})
    outsider = Account.from_key("0x" + "0d" * 32)
    participants.admit(outsider.address, Role.RESEARCHER, {"from": clinic})
    by_outsider = accepted(dataset, image_set.id, key=outsider.key, signer=outsider.address)
    with error("DatasetNotCurator", dataset, university):
        datasets.contributeAccepted(dataset, image_set, 1, by_outsider, {"from": hospital})


@pytest.mark.parametrize("how", ["suspended", "left", "institution suspended"])
def test_curator_that_is_none_any_more_accepts_nothing(
    datasets, dataset, image_set, accepted, hospital, participants, curator, university,
    governor, how,
):  # fmt: skip
    acceptance = accepted(dataset, image_set.id)
    if how == "suspended":
        participants.suspend(curator, {"from": university})
        refusal = ("ParticipantIsSuspended", curator, university)
    elif how == "left":
        governor.transfer(curator, "1 ether")
        participants.leaveInstitution({"from": curator})
        refusal = ("ParticipantNotAccredited", curator)
    else:
        participants.suspend(university, {"from": governor})
        refusal = ("ParticipantIsSuspended", curator, university)
    with error(*refusal):
        datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})


@pytest.mark.parametrize(
    "malformed",
    ["empty", "short", "long", "zero", "high s", "v of 29"],
)
def test_malformed_signature_is_refused(
    datasets, dataset, image_set, accepted, hospital, curator, malformed
):
    signer, deadline, text = accepted(dataset, image_set.id)
    signature = bytes.fromhex(text[2:])
    s = int.from_bytes(signature[32:64], "big")
    high = signature[:32] + (ORDER - s).to_bytes(32, "big") + bytes([55 - signature[64]])
    forms = {
        "empty": b"",
        "short": signature[:64],
        "long": signature + b"\0",
        "zero": bytes(65),
        "high s": high,
        "v of 29": signature[:64] + b"\x1d",
    }
    with error("DatasetBadSignature", curator):
        datasets.contributeAccepted(
            dataset, image_set, 1, (signer, deadline, forms[malformed]), {"from": hospital}
        )


def test_the_zero_address_signs_nothing(datasets, dataset, image_set, hospital):
    """A signature that gives no address is not one of the zero address."""
    acceptance = (NOBODY, chain[-1].timestamp + YEAR, bytes(65))
    with error("DatasetBadSignature", NOBODY):
        datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})


def test_signature_for_another_deployment_is_refused(
    deploy, identities, participants, images, consents, forwarder, terms, university,
    researcher, datasets, image_set, accepted, hospital, curator,
):  # fmt: skip
    other = deploy("DatasetRegistry", identities, participants, images, consents, forwarder)
    agreed, salt = terms(), next(digests)
    for registry in (datasets, other):
        registry.create(agreed, salt, {"from": researcher})
    dataset = datasets.idOf(university, agreed, salt)
    acceptance = accepted(dataset, image_set.id)
    with error("DatasetBadSignature", curator):
        other.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})
    datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})


def test_contract_that_is_a_researcher_signs_by_its_owner(
    ContractWallet, deploy, datasets, dataset, image_set, accepted, hospital, participants,
    university,
):  # fmt: skip
    owner = Account.from_key(OWNER_KEY)
    wallet = deploy("ContractWallet", owner.address)
    participants.admit(wallet, Role.RESEARCHER, {"from": university})
    by_stranger = accepted(dataset, image_set.id, key=CURATOR_KEY, signer=wallet.address)
    with error("DatasetBadSignature", wallet):
        datasets.contributeAccepted(dataset, image_set, 1, by_stranger, {"from": hospital})
    by_owner = accepted(dataset, image_set.id, key=OWNER_KEY, signer=wallet.address)
    made = datasets.contributeAccepted(dataset, image_set, 1, by_owner, {"from": hospital})
    assert made.events["DatasetImageContributed"]["curator"] == wallet


def test_acceptance_is_not_consent(datasets, dataset, anchored, accepted, hospital, university):
    image_set = anchored(owner=accounts[8])
    acceptance = accepted(dataset, image_set.id)
    with error("ConsentNotPermittedNeverGranted", accounts[8], university):
        datasets.contributeAccepted(dataset, image_set, 1, acceptance, {"from": hospital})

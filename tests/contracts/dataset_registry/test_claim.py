"""Who earned collects, once, and the owner of its identity after it changed hands."""

from __future__ import annotations

import pytest
from brownie import accounts, chain
from eth_account import Account

from tests.contracts.conftest import (
    NOBODY,
    RECOVERY_DELAY,
    digest,
    error,
    plain,
    sign_request,
    travel,
)
from tests.contracts.dataset_registry.conftest import NO_DISEASE, YEAR, Class, Purpose, digests

REWARD_DELEGATE = "0x" + b"radledger.reward".hex().ljust(64, "0")
CONSENT_DELEGATE = "0x" + b"radledger.consent".hex().ljust(64, "0")


@pytest.fixture
def earned(dataset, contributed, fund):
    """A data set in which 5,000 are due to the patient and 2,000 to the hospital."""
    contributed(dataset)
    fund(dataset, 7_000)
    return dataset


@pytest.fixture
def recovered(identities, patient, relatives, stranger):
    """The patient's identity, recovered to the stranger's key by two of three relatives."""
    identities.setGuardians(patient, relatives, 2, {"from": patient})
    for relative in relatives[:2]:
        identities.approveRecovery(patient, relative, stranger, relatives, 2, {"from": relative})
    travel(chain[-1].timestamp + RECOVERY_DELAY + 1)
    identities.executeRecovery(patient, stranger, {"from": stranger})
    return patient


def test_contributor_claims_what_is_due(datasets, earned, token, patient, hospital, due):
    vault = datasets.datasetOf(earned)["vault"]
    for item, beneficiary, amount in (
        (Class.DATA, patient, 5_000),
        (Class.CUSTODY, hospital, 2_000),
    ):
        transaction = datasets.claim(earned, item, {"from": beneficiary})
        assert transaction.events["DatasetRewardClaimed"] == {
            "dataset": earned,
            "beneficiary": beneficiary,
            "class": item,
            "to": beneficiary,
            "amount": amount,
        }
        assert token.balanceOf(beneficiary) == amount
        assert due(earned, item, beneficiary) == 0
    assert token.balanceOf(vault) == 0


def test_nothing_is_paid_twice_or_to_others(datasets, earned, token, patient, stranger):
    datasets.claim(earned, Class.DATA, {"from": patient})
    with error("DatasetNothingDue", earned, Class.DATA, patient):
        datasets.claim(earned, Class.DATA, {"from": patient})
    with error("DatasetNothingDue", earned, Class.CUSTODY, patient):
        datasets.claim(earned, Class.CUSTODY, {"from": patient})
    with error("DatasetNothingDue", earned, Class.DATA, stranger):
        datasets.claim(earned, Class.DATA, {"from": stranger})
    unknown = next(digests)
    with error("DatasetNothingDue", unknown, Class.DATA, patient):
        datasets.claim(unknown, Class.DATA, {"from": patient})
    assert token.balanceOf(patient) == 5_000


def test_claims_add_up_over_time(datasets, earned, token, patient, due, fund):
    datasets.claim(earned, Class.DATA, {"from": patient})
    fund(earned, 700)
    fund(earned, 70)
    assert due(earned, Class.DATA, patient) == 550
    datasets.claim(earned, Class.DATA, {"from": patient})
    assert token.balanceOf(patient) == 5_550


def test_free_contributor_claims_what_it_earned_before(datasets, earned, token, patient, fund):
    datasets.setFree(earned, Class.DATA, patient, True, {"from": patient})
    fund(earned, 7_000)
    datasets.claim(earned, Class.DATA, {"from": patient})
    assert token.balanceOf(patient) == 5_000
    assert plain(datasets.contributorOf(earned, Class.DATA, patient)) == (1, 0, True)


# ---------------------------------------------------------------------------- for another


def test_delegate_claims_to_where_it_says(
    datasets, earned, identities, token, patient, neighbour, clinic
):
    identities.addDelegate(patient, REWARD_DELEGATE, neighbour, YEAR, {"from": patient})
    transaction = datasets.claimFor(earned, Class.DATA, patient, clinic, {"from": neighbour})

    assert transaction.events["DatasetRewardClaimed"] == {
        "dataset": earned,
        "beneficiary": patient,
        "class": Class.DATA,
        "to": clinic,
        "amount": 5_000,
    }
    assert "DatasetAccountClosed" not in transaction.events
    assert token.balanceOf(clinic) == 5_000


def test_owner_claims_to_where_it_says(datasets, earned, token, patient, clinic):
    datasets.claimFor(earned, Class.DATA, patient, clinic, {"from": patient})
    assert token.balanceOf(clinic) == 5_000
    with error("DatasetNothingDue", earned, Class.DATA, patient):
        datasets.claimFor(earned, Class.DATA, patient, clinic, {"from": patient})


def test_others_collect_nothing(datasets, earned, identities, patient, stranger, neighbour):
    identities.addDelegate(patient, CONSENT_DELEGATE, neighbour, YEAR, {"from": patient})
    for actor in (stranger, neighbour):
        with error("DatasetNotAuthorized", patient, actor):
            datasets.claimFor(earned, Class.DATA, patient, actor, {"from": actor})
    identities.addDelegate(patient, REWARD_DELEGATE, neighbour, 100, {"from": patient})
    travel(chain[-1].timestamp + 101)
    with error("DatasetNotAuthorized", patient, neighbour):
        datasets.claimFor(earned, Class.DATA, patient, neighbour, {"from": neighbour})


# ---------------------------------------------------------------------------- after a recovery


def test_new_owner_collects_and_closes_the_account(
    datasets, earned, recovered, token, stranger, fund
):
    transaction = datasets.claimFor(earned, Class.DATA, recovered, stranger, {"from": stranger})

    assert transaction.events["DatasetAccountClosed"] == {
        "dataset": earned,
        "beneficiary": recovered,
        "class": Class.DATA,
    }
    assert token.balanceOf(stranger) == 5_000
    fund(earned, 7_000)
    with error("DatasetIdentityChangedHands", recovered):
        datasets.claim(earned, Class.DATA, {"from": recovered})
    again = datasets.claimFor(earned, Class.DATA, recovered, stranger, {"from": stranger})
    assert "DatasetAccountClosed" not in again.events
    assert token.balanceOf(stranger) == 10_000


def test_new_owner_closes_an_account_that_the_lost_key_emptied(
    datasets, earned, recovered, token, stranger, fund
):
    datasets.claim(earned, Class.DATA, {"from": recovered})

    transaction = datasets.claimFor(earned, Class.DATA, recovered, stranger, {"from": stranger})

    assert list(transaction.events.keys()) == ["DatasetAccountClosed"]
    fund(earned, 7_000)
    with error("DatasetIdentityChangedHands", recovered):
        datasets.claim(earned, Class.DATA, {"from": recovered})
    datasets.claimFor(earned, Class.DATA, recovered, stranger, {"from": stranger})
    assert token.balanceOf(stranger) == 5_000
    with error("DatasetNothingDue", earned, Class.DATA, recovered):
        datasets.claimFor(earned, Class.DATA, recovered, stranger, {"from": stranger})


def test_lost_key_neither_collects_for_nor_chooses_nor_withdraws(
    datasets, dataset, contributed, recovered, patient, stranger, consents, identities, fund
):
    """The new owner withdraws, and speaks for the consent, without which anyone suspends."""
    identities.changeOwner(patient, patient, {"from": stranger})
    image_set = contributed(dataset)
    identities.changeOwner(patient, stranger, {"from": patient})
    fund(dataset, 10)
    with error("DatasetNotAuthorized", patient, patient):
        datasets.claimFor(dataset, Class.DATA, patient, patient, {"from": patient})
    datasets.claimFor(dataset, Class.DATA, patient, stranger, {"from": stranger})

    with error("DatasetNotAuthorized", patient, patient):
        datasets.setFree(dataset, Class.DATA, patient, True, {"from": patient})
    with error("DatasetNotAuthorized", patient, patient):
        datasets.withdraw(dataset, image_set, {"from": patient})
    with error("DatasetStillConsented", patient):
        datasets.suspend(dataset, image_set, {"from": patient})
    consents.revokeAll(patient, {"from": stranger})
    with error("DatasetNotAuthorized", patient, patient):
        datasets.withdraw(dataset, image_set, {"from": patient})
    datasets.withdraw(dataset, image_set, {"from": stranger})


def test_recovery_and_the_first_claim_in_one_transaction_leave_the_lost_key_nothing(
    datasets, earned, identities, forwarder, patient, relatives, token, stranger, fund
):
    heir = accounts.add()
    identities.setGuardians(patient, relatives, 1, {"from": patient})
    approval = (patient, relatives[0], heir, relatives, 1)
    identities.approveRecovery(*approval, {"from": relatives[0]})
    travel(chain[-1].timestamp + RECOVERY_DELAY + 1)
    deadline = chain[-1].timestamp + YEAR
    calls = (
        (identities, identities.executeRecovery.encode_input(patient, heir)),
        (datasets, datasets.claimFor.encode_input(earned, Class.DATA, patient, heir)),
    )
    requests = [
        sign_request(forwarder, heir, call, deadline, after=number)
        for number, call in enumerate(calls)
    ]

    forwarder.executeBatch(requests, NOBODY, {"from": stranger})

    assert identities.identityOwner(patient) == heir
    assert token.balanceOf(heir) == 5_000
    fund(earned, 7_000)
    with error("DatasetIdentityChangedHands", patient):
        datasets.claim(earned, Class.DATA, {"from": patient})


@pytest.mark.parametrize("approved", [False, True])
def test_batch_of_the_forwarder_carries_out_what_it_can(
    datasets, earned, identities, forwarder, patient, relatives, stranger, token, approved
):
    """Recovery and claim are not one: what fails is skipped, and both signatures are used up."""
    heir = accounts.add()
    identities.setGuardians(patient, relatives, 1, {"from": patient})
    if approved:
        approval = (patient, relatives[0], heir, relatives, 1)
        identities.approveRecovery(*approval, {"from": relatives[0]})
        travel(chain[-1].timestamp + RECOVERY_DELAY + 1)
        identities.executeRecovery(patient, heir, {"from": stranger})  # anyone, just before
    calls = (
        (identities, identities.executeRecovery.encode_input(patient, heir)),
        (datasets, datasets.claimFor.encode_input(earned, Class.DATA, patient, heir)),
    )
    deadline = chain[-1].timestamp + YEAR
    requests = [
        sign_request(forwarder, heir, call, deadline, after=number)
        for number, call in enumerate(calls)
    ]

    forwarder.executeBatch(requests, NOBODY, {"from": stranger})

    assert forwarder.nonces(heir) == 2
    assert token.balanceOf(heir) == (5_000 if approved else 0)


def test_new_owner_takes_back_what_the_lost_key_gave_away(
    datasets, data_only, contributed, identities, patient, stranger, neighbour, token, fund
):
    contributed(data_only)
    contributed(data_only, owner=neighbour)
    datasets.setFree(data_only, Class.DATA, patient, True, {"from": patient})
    identities.changeOwner(patient, stranger, {"from": patient})

    with error("DatasetNotAuthorized", patient, patient):
        datasets.setFree(data_only, Class.DATA, patient, False, {"from": patient})
    chosen = datasets.setFree(data_only, Class.DATA, patient, False, {"from": stranger})
    assert chosen.events["DatasetFreeSet"] == {
        "dataset": data_only,
        "beneficiary": patient,
        "class": Class.DATA,
        "free": False,
    }
    fund(data_only, 200)
    datasets.claimFor(data_only, Class.DATA, patient, stranger, {"from": stranger})
    assert token.balanceOf(stranger) == 100
    # A closed account can still choose, by its owner.
    datasets.setFree(data_only, Class.DATA, patient, True, {"from": stranger})
    assert plain(datasets.contributorOf(data_only, Class.DATA, patient)) == (1, 0, True)


def test_closed_account_of_works_is_not_withdrawn_from(
    datasets, dataset, identities, annotator, researcher, stranger
):
    work = next(digests)
    datasets.contributeWork(dataset, Class.ANNOTATION, annotator, work, 1, {"from": researcher})
    identities.changeOwner(annotator, stranger, {"from": annotator})
    datasets.claimFor(dataset, Class.ANNOTATION, annotator, stranger, {"from": stranger})
    with error("DatasetIdentityChangedHands", annotator):
        datasets.withdrawWork(dataset, Class.ANNOTATION, work, {"from": annotator})


def test_nothing_is_closed_where_there_is_no_data_set(datasets, recovered, stranger):
    """A mistyped id is refused, not taken for an account with nothing due."""
    unknown = next(digests)
    with error("DatasetUnknown", unknown):
        datasets.claimFor(unknown, Class.DATA, recovered, stranger, {"from": stranger})


def test_closing_one_account_leaves_the_others(datasets, earned, recovered, stranger, hospital):
    datasets.claimFor(earned, Class.DATA, recovered, stranger, {"from": stranger})
    datasets.claim(earned, Class.CUSTODY, {"from": hospital})


def test_identity_that_came_back_collects_through_its_owner(
    datasets, earned, identities, patient, stranger, token, fund
):
    identities.changeOwner(patient, stranger, {"from": patient})
    datasets.claimFor(earned, Class.DATA, patient, stranger, {"from": stranger})
    identities.changeOwner(patient, patient, {"from": stranger})
    fund(earned, 7_000)
    datasets.claimFor(earned, Class.DATA, patient, patient, {"from": patient})
    assert token.balanceOf(patient) == 5_000


# ---------------------------------------------------------------------------- without Ether


GRANT_FIELDS = (
    "subject:address grantee:address scope:bytes32 from:uint32 until:uint32 purposes:string[] "
    "conditions:string[] disease:bytes13 seen:uint32 epoch:uint16 signed:uint32 deadline:uint40"
)


def test_patient_without_ether_consents_contributes_claims_and_withdraws(
    datasets, dataset, consents, anchored, forwarder, university, stranger, token, fund, accepted
):
    patient = accounts.add()
    deadline = chain[-1].timestamp + YEAR
    image_set = anchored(owner=patient)
    terms = (0, deadline, Purpose.BIOMEDICAL_RESEARCH, 0, NO_DISEASE)
    signed_at = chain[-1].timestamp
    signature = signed_grant(consents, patient, university, terms, signed_at, deadline)
    authorization = (patient, signed_at, deadline, signature)
    consents.grantBySig(
        patient, university, digest(""), terms, (0, 0), authorization, {"from": stranger}
    )

    def forwarded(function, *arguments):
        call = (datasets, function.encode_input(*arguments))
        request = sign_request(forwarder, patient, call, deadline)
        return forwarder.execute(request, {"from": stranger})

    acceptance = accepted(dataset, image_set.id)
    made = forwarded(datasets.contributeAccepted, dataset, image_set, 1, acceptance)
    assert made.events["DatasetImageContributed"]["patient"] == patient
    fund(dataset, 56)
    claimed = forwarded(datasets.claim, dataset, Class.DATA)
    assert claimed.events["DatasetRewardClaimed"]["to"] == patient
    free = forwarded(datasets.setFree, dataset, Class.DATA, patient, True)
    assert free.events["DatasetFreeSet"]["beneficiary"] == patient
    withdrawn = forwarded(datasets.withdraw, dataset, image_set)
    assert withdrawn.events["DatasetImageWithdrawn"]["actor"] == patient
    assert token.balanceOf(patient) == 40
    assert patient.balance() == 0


def test_only_the_forwarder_speaks_for_others(datasets, earned, patient, stranger, token):
    """An address appended to a direct call is not the sender."""
    data = datasets.claim.encode_input(earned, Class.DATA) + patient.address[2:]
    with error("DatasetNothingDue", earned, Class.DATA, stranger):
        stranger.transfer(datasets, 0, data=data)
    assert token.balanceOf(patient) == 0


def signed_grant(consents, signer, grantee, terms, signed_at, deadline):
    """The signature of a grant of everything, as a wallet makes it."""
    _, name, version, chain_id, verifier, *_ = consents.eip712Domain()
    fields = [field.split(":") for field in GRANT_FIELDS.split()]
    start, until, purposes, conditions, disease = terms
    assert (purposes, conditions) == (Purpose.BIOMEDICAL_RESEARCH, 0)
    words = (["health, medical or biomedical research"], [])
    signed_terms = (start, until, *words, disease)
    whose = (signer.address, grantee.address, digest(""))
    values = (*whose, *signed_terms, 0, 0, signed_at, deadline)
    signed = Account.sign_typed_data(
        signer.private_key,
        {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifier},
        {"Grant": [{"name": field, "type": kind} for field, kind in fields]},
        dict(zip((field for field, _ in fields), values, strict=True)),
    )
    return signed.signature

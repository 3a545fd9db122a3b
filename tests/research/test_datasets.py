"""Data sets through the service: from terms to what each contributor is paid."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

import pytest

from radledger.chain.ledger import ContractAt
from radledger.chain.refusals import (
    ConsentNeverGranted,
    DatasetAlreadyContributed,
    DatasetHasNoContributors,
    DatasetNotCurator,
    DatasetNothingDue,
    DatasetStillConsented,
    ParticipantLacksRole,
)
from radledger.consent import Consents
from radledger.consent import Terms as ConsentTerms
from radledger.imaging.model import ImageSet
from radledger.research import Datasets, Terms
from radledger.research.errors import (
    InvalidDigest,
    InvalidShares,
    NothingContributed,
    NothingToClaim,
    UnknownClass,
    UnknownDataset,
    UnknownRule,
)

TOKEN = 10**18


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
def consent(ledger, people):
    """Consent of the patient to the clinic for medical research."""
    consents = Consents(ledger)
    clinic = people["clinic"].address
    document = consents.sign_grant(people["patient"], clinic, ConsentTerms(("HMB",)))
    consents.submit(document, people["hospital"])


@pytest.fixture
def terms(token):
    return Terms(token.address, {"data": 7_000, "custody": 3_000}, ("HMB",))


@pytest.fixture
def dataset_id(datasets, people, terms):
    return datasets.create(people["researcher"], terms).dataset_id


def test_a_new_data_set_shows_its_terms(datasets, people, terms, dataset_id):
    shown = datasets.show(dataset_id)
    assert shown.institution == people["clinic"].address
    assert shown.curator == people["researcher"].address
    assert shown.terms.token == terms.token
    assert shown.terms.shares == {
        "data": 7_000,
        "custody": 3_000,
        "annotation": 0,
        "development": 0,
    }
    assert shown.terms.purposes == ("HMB",)
    assert (shown.funded, shown.paid, shown.due, shown.contributions) == (0, 0, 0, ())
    assert [each.dataset_id for each in datasets.list(institution=shown.institution)] == [
        dataset_id
    ]
    assert datasets.list(institution=people["hospital"].address) == ()


def test_only_a_researcher_creates(datasets, people, terms):
    with pytest.raises(ParticipantLacksRole) as refused:
        datasets.create(people["radiologist"], terms)
    assert refused.value.values["account"] == people["radiologist"].address


def test_the_patient_and_the_custodian_earn_whoever_calls(
    datasets, people, dataset_id, consent, anchor, token, ledger
):
    image = anchor()
    datasets.contribute(people["researcher"], dataset_id, image)
    datasets.fund(people["researcher"], dataset_id, 100 * TOKEN)

    shown = datasets.show(dataset_id)
    due = {(s.contribution_class, s.contributor): s.due for s in shown.shares}
    assert due == {
        ("data", people["patient"].address): 70 * TOKEN,
        ("custody", people["hospital"].address): 30 * TOKEN,
    }
    assert shown.weights == {"data": 1, "custody": 1, "annotation": 0, "development": 0}
    assert (shown.funded, shown.due) == (100 * TOKEN, 100 * TOKEN)

    document = datasets.sign_claim(people["patient"], dataset_id, "data")
    datasets.submit(document, people["hospital"])
    assert ledger.call(token, "balanceOf", people["patient"].address) == 70 * TOKEN
    (claimed,) = datasets.claim(people["hospital"], dataset_id)
    assert claimed.event("RewardClaimed").args["amount"] == 30 * TOKEN

    shown = datasets.show(dataset_id)
    assert (shown.paid, shown.due) == (100 * TOKEN, 0)
    with pytest.raises(NothingToClaim) as nothing:
        datasets.claim(people["hospital"], dataset_id)
    assert nothing.value.values["contributor"] == people["hospital"].address
    with pytest.raises(DatasetNothingDue):
        datasets.claim(people["hospital"], dataset_id, "custody")


def test_without_consent_nothing_is_contributed(datasets, people, dataset_id, anchor):
    image = anchor()
    with pytest.raises(ConsentNeverGranted) as refused:
        datasets.contribute(people["hospital"], dataset_id, image)
    assert refused.value.values["subject"] == people["patient"].address
    assert datasets.show(dataset_id).contributions == ()


def test_nothing_is_contributed_twice(datasets, people, dataset_id, consent, anchor):
    image = anchor()
    datasets.contribute(people["hospital"], dataset_id, image)
    with pytest.raises(DatasetAlreadyContributed) as refused:
        datasets.contribute(people["hospital"], dataset_id, image)
    assert refused.value.values["item"] == image.image_id


def test_withdrawing_stops_the_future_and_keeps_what_was_earned(
    datasets, people, dataset_id, consent, anchor
):
    kept, withdrawn = anchor(), anchor()
    for image in (kept, withdrawn):
        datasets.contribute(people["hospital"], dataset_id, image, classes=["data"])
    datasets.fund(people["researcher"], dataset_id, 10 * TOKEN)
    document = datasets.sign_withdraw(people["patient"], dataset_id, withdrawn.image_id)
    datasets.submit(document, people["hospital"])
    shown = datasets.show(dataset_id)
    assert [(c.item, c.counted) for c in shown.contributions] == [
        (kept.image_id, True),
        (withdrawn.image_id, False),
    ]
    assert shown.weights["data"] == 1
    assert shown.due == 10 * TOKEN


def test_anybody_ends_what_has_no_consent_any_more(
    datasets, people, dataset_id, consent, anchor, ledger
):
    image = anchor()
    datasets.contribute(people["hospital"], dataset_id, image)
    with pytest.raises(DatasetStillConsented):
        datasets.withdraw_unconsented(people["stranger"], dataset_id, image, "custody")
    consents = Consents(ledger)
    consents.submit(consents.sign_revoke_all(people["patient"]), people["hospital"])
    datasets.withdraw_unconsented(people["stranger"], dataset_id, image, "custody")
    assert datasets.show(dataset_id).weights["custody"] == 0


def test_who_gives_for_free_leaves_the_money_to_the_others(
    datasets, people, dataset_id, consent, anchor
):
    image = anchor()
    datasets.contribute(people["hospital"], dataset_id, image)
    document = datasets.sign_set_free(people["patient"], dataset_id, "data", free=True)
    datasets.submit(document, people["hospital"])
    datasets.fund(people["researcher"], dataset_id, 10 * TOKEN)
    (share,) = datasets.shares(dataset_id, people["patient"].address)
    assert (share.weight, share.free, share.due) == (1, True, 0)
    (share,) = datasets.shares(dataset_id, people["hospital"].address)
    assert share.due == 10 * TOKEN


def test_works_are_scored_by_a_researcher(datasets, people, token):
    terms = Terms(token.address, {"annotation": 10_000}, ("HMB",))
    dataset_id = datasets.create(people["researcher"], terms).dataset_id
    work = "0x" + "ab" * 32
    annotator = people["researcher"].address
    with pytest.raises(DatasetNotCurator):
        datasets.contribute_work(people["hospital"], dataset_id, "annotation", annotator, work, 5)
    datasets.contribute_work(people["researcher"], dataset_id, "annotation", annotator, work, 5)
    (contribution,) = datasets.show(dataset_id).contributions
    assert (contribution.item, contribution.weight) == (work, 5)


def test_a_frozen_version_holds_what_counts(datasets, people, dataset_id, consent, anchor):
    with pytest.raises(NothingContributed):
        datasets.freeze(people["researcher"], dataset_id)
    image = anchor(instances=7)
    datasets.contribute(people["hospital"], dataset_id, image)
    frozen = datasets.freeze(people["researcher"], dataset_id)
    assert (frozen.version, frozen.contributions) == (1, 2)
    assert datasets.show(dataset_id).versions == (frozen.root,)
    assert frozen.root == _openzeppelin_root(datasets.show(dataset_id).contributions)


def _openzeppelin_root(contributions):
    """The root that OpenZeppelin's JavaScript library computes over the same contributions."""
    import json
    import shutil

    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node: the root is compared with OpenZeppelin's JavaScript library")
    classes = ("data", "custody", "annotation", "development")
    leaves = [
        [classes.index(c.contribution_class), c.item, c.beneficiary, c.weight]
        for c in contributions
    ]
    script = (
        "import { StandardMerkleTree } from '@openzeppelin/merkle-tree';"
        "const leaves = JSON.parse(process.argv[1]);"
        "const types = ['uint8', 'bytes32', 'address', 'uint32'];"
        "console.log(StandardMerkleTree.of(leaves, types).root);"
    )
    run = subprocess.run(
        [node, "--input-type=module", "-e", script, json.dumps(leaves)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return run.stdout.strip()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"shares": {"data": 9_999}}, InvalidShares),
        ({"shares": {"data": 11_000, "custody": -1_000}}, InvalidShares),
        ({"shares": {"pictures": 10_000}}, UnknownClass),
        ({"rule": "by weight"}, UnknownRule),
        ({"protocol": "0x12"}, InvalidDigest),
    ],
)
def test_terms_that_make_no_sense_are_refused_here(datasets, people, terms, change, error):
    from dataclasses import replace

    with pytest.raises(error):
        datasets.create(people["researcher"], replace(terms, **change))


def test_an_unknown_data_set_is_named(datasets):
    unknown = "0x" + "12" * 32
    with pytest.raises(UnknownDataset) as refused:
        datasets.show(unknown)
    assert refused.value.values == {"dataset": unknown}


def test_a_refused_funding_leaves_no_allowance(datasets, people, dataset_id, token, ledger):
    payer = people["researcher"]
    with pytest.raises(DatasetHasNoContributors) as refused:
        datasets.fund(payer, dataset_id, TOKEN)
    assert refused.value.values == {"dataset": dataset_id}
    registry = ledger.address("DatasetRegistry")
    assert ledger.call(token, "allowance", payer.address, registry) == 0

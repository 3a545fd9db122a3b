"""Data sets through the service: from terms to what each contributor is paid."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from radledger.chain.clock import Clock
from radledger.chain.ledger import Ledger
from radledger.chain.refusals import (
    ConsentNotPermittedNeverGranted,
    DatasetAlreadyContributed,
    DatasetAmountInvalid,
    DatasetHasNoContributors,
    DatasetNotAuthorized,
    DatasetNotContributed,
    DatasetNotCurator,
    DatasetNothingDue,
    DatasetStillConsented,
    DatasetWeightsChanged,
    ParticipantLacksRole,
)
from radledger.chain.rpc import request
from radledger.consent import Consents, Terms
from radledger.research import Datasets, DatasetTerms
from radledger.research.errors import (
    InvalidDigest,
    InvalidInstances,
    InvalidShares,
    NothingContributed,
    NothingToClaim,
    UnknownClass,
    UnknownDataset,
    UnknownRule,
)

TOKEN = 10**18
DAY = 24 * 3600


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
        datasets.create(terms).send(people["radiologist"])
    assert refused.value.values["account"] == people["radiologist"].address


def test_the_patient_and_the_custodian_earn_for_any_caller(
    datasets, people, dataset_id, consent, anchor, token, ledger, submit
):
    image = anchor()
    datasets.contribute(dataset_id, image).send(people["researcher"])
    datasets.fund(dataset_id, 100 * TOKEN).send(people["researcher"])

    shown = datasets.show(dataset_id)
    due = {(s.contribution_class, s.contributor): s.due for s in shown.shares}
    assert due == {
        ("data", people["patient"].address): 70 * TOKEN,
        ("custody", people["hospital"].address): 30 * TOKEN,
    }
    assert shown.weights == {"data": 1, "custody": 1, "annotation": 0, "development": 0}
    assert (shown.funded, shown.due) == (100 * TOKEN, 100 * TOKEN)

    document = datasets.claim(dataset_id, "data").sign(people["patient"])
    submit(document, people["hospital"])
    assert ledger.call(token, "balanceOf", people["patient"].address) == 70 * TOKEN
    (claimed,) = datasets.claim(dataset_id).send(people["hospital"])
    assert claimed.event("DatasetRewardClaimed").args["amount"] == 30 * TOKEN

    shown = datasets.show(dataset_id)
    assert (shown.paid, shown.due) == (100 * TOKEN, 0)
    with pytest.raises(NothingToClaim) as nothing:
        datasets.claim(dataset_id).send(people["hospital"])
    assert nothing.value.values["contributor"] == people["hospital"].address
    with pytest.raises(DatasetNothingDue):
        datasets.claim(dataset_id, "custody").send(people["hospital"])


def test_without_consent_nothing_is_contributed(datasets, people, dataset_id, anchor):
    image = anchor()
    with pytest.raises(ConsentNotPermittedNeverGranted) as refused:
        datasets.contribute(dataset_id, image).send(people["researcher"])
    assert refused.value.values["subject"] == people["patient"].address
    assert datasets.show(dataset_id).contributions == ()


def test_nothing_is_contributed_twice(datasets, people, dataset_id, consent, anchor):
    image = anchor()
    datasets.contribute(dataset_id, image).send(people["researcher"])
    with pytest.raises(DatasetAlreadyContributed) as refused:
        datasets.contribute(dataset_id, image).send(people["researcher"])
    assert refused.value.values["item"] == image.image_id


def test_withdrawing_stops_the_future_and_keeps_what_was_earned(
    datasets, people, dataset_id, consent, anchor, submit
):
    kept, withdrawn = anchor(), anchor()
    for image in (kept, withdrawn):
        datasets.contribute(dataset_id, image).send(people["researcher"])
    datasets.fund(dataset_id, 10 * TOKEN).send(people["researcher"])
    document = datasets.withdraw(dataset_id, withdrawn).sign(people["patient"])
    submit(document, people["hospital"])
    shown = datasets.show(dataset_id)
    assert [(c.item, c.contribution_class, c.state) for c in shown.contributions] == [
        (kept.image_id, "data", "counted"),
        (kept.image_id, "custody", "counted"),
        (withdrawn.image_id, "data", "withdrawn"),
        (withdrawn.image_id, "custody", "withdrawn"),
    ]
    assert shown.weights == {"data": 1, "custody": 1, "annotation": 0, "development": 0}
    assert shown.due == 10 * TOKEN


def test_custodian_ends_its_own_part(datasets, people, dataset_id, consent, anchor):
    image = anchor()
    datasets.contribute(dataset_id, image).send(people["researcher"])
    with pytest.raises(DatasetNotAuthorized) as refused:
        datasets.withdraw(dataset_id, image).send(people["stranger"])
    assert refused.value.values["actor"] == people["stranger"].address
    datasets.withdraw(dataset_id, image).send(people["hospital"])
    states = {c.contribution_class: c.state for c in datasets.show(dataset_id).contributions}
    assert states == {"data": "counted", "custody": "withdrawn"}


def test_anyone_suspends_what_has_lost_its_consent(
    datasets, people, dataset_id, consent, anchor, ledger, submit
):
    image = anchor()
    datasets.contribute(dataset_id, image).send(people["researcher"])
    with pytest.raises(DatasetStillConsented):
        datasets.suspend(dataset_id, image).send(people["stranger"])
    consents = Consents(ledger)
    submit(consents.revoke_all().sign(people["patient"]), people["hospital"])
    receipt = datasets.suspend(dataset_id, image).send(people["stranger"])
    shown = datasets.show(dataset_id)
    assert shown.weights["data"] == shown.weights["custody"] == 0
    ends_at = receipt.timestamp + 30 * DAY
    assert {(c.state, c.ends_at) for c in shown.contributions} == {("suspended", ends_at)}

    document = consents.grant(people["clinic"].address, Terms(("HMB",))).sign(people["patient"])
    submit(document, people["hospital"])
    datasets.resume(dataset_id, image).send(people["stranger"])
    shown = datasets.show(dataset_id)
    assert shown.weights["data"] == shown.weights["custody"] == 1
    assert {(c.state, c.ends_at) for c in shown.contributions} == {("counted", None)}


def test_suspension_ends_by_the_wall_clock_where_no_block_comes(
    datasets, people, dataset_id, consent, anchor, ledger, submit
):
    image = anchor()
    datasets.contribute(dataset_id, image).send(people["researcher"])
    consents = Consents(ledger)
    submit(consents.revoke_all().sign(people["patient"]), people["hospital"])
    ends_at = datasets.suspend(dataset_id, image).send(people["stranger"]).timestamp + 30 * DAY

    def states(wall):
        late = Ledger(ledger.web3, ledger.deployment, clock=Clock(wall=lambda: wall))
        return {(c.state, c.ends_at) for c in Datasets(late).show(dataset_id).contributions}

    assert states(ends_at - 1) == {("suspended", ends_at)}
    assert states(ends_at) == {("withdrawn", None)}


def test_what_stays_suspended_for_thirty_days_is_withdrawn(
    datasets, people, dataset_id, consent, anchor, ledger, submit
):
    image = anchor()
    datasets.contribute(dataset_id, image).send(people["researcher"])
    consents = Consents(ledger)
    submit(consents.revoke_all().sign(people["patient"]), people["hospital"])
    datasets.suspend(dataset_id, image).send(people["stranger"])
    request(ledger.web3, "evm_increaseTime", [30 * DAY])
    request(ledger.web3, "evm_mine", [])
    assert {c.state for c in datasets.show(dataset_id).contributions} == {"withdrawn"}
    with pytest.raises(DatasetNotContributed):
        datasets.withdraw(dataset_id, image).send(people["hospital"])


def test_money_is_refused_once_a_contributor_came_or_went(
    datasets, people, dataset_id, consent, anchor, token, ledger
):
    datasets.contribute(dataset_id, anchor()).send(people["researcher"])
    seen = datasets.show(dataset_id).weights
    datasets.contribute(dataset_id, anchor()).send(people["researcher"])
    payer = people["researcher"]
    with pytest.raises(DatasetWeightsChanged) as refused:
        datasets.fund(dataset_id, TOKEN, weights=seen).send(payer)
    values = {"dataset": dataset_id, "class": 0, "named": 1, "weight": 2}
    assert refused.value.values == values
    registry = ledger.address("DatasetRegistry")
    assert ledger.call(token, "allowance", payer.address, registry) == 0
    datasets.fund(dataset_id, TOKEN, weights=datasets.show(dataset_id).weights).send(payer)
    assert datasets.show(dataset_id).funded == TOKEN
    with pytest.raises(UnknownClass):
        datasets.fund(dataset_id, TOKEN, weights={"pictures": 1}).send(payer)


def test_who_gives_for_free_leaves_the_money_to_the_others(
    datasets, people, dataset_id, consent, anchor, submit
):
    image = anchor()
    datasets.contribute(dataset_id, image).send(people["researcher"])
    document = datasets.set_free(dataset_id, "data", free=True).sign(people["patient"])
    submit(document, people["hospital"])
    datasets.fund(dataset_id, 10 * TOKEN).send(people["researcher"])
    (share,) = datasets.shares(dataset_id, people["patient"].address)
    assert (share.weight, share.free, share.due) == (1, True, 0)
    (share,) = datasets.shares(dataset_id, people["hospital"].address)
    assert share.due == 10 * TOKEN


def test_works_are_scored_by_a_researcher(datasets, people, token):
    terms = DatasetTerms(token.address, {"annotation": 10_000}, ("HMB",))
    dataset_id = datasets.create(terms).send(people["researcher"]).dataset_id
    work = "0x" + "ab" * 32
    annotator = people["researcher"].address
    with pytest.raises(DatasetNotCurator):
        datasets.contribute_work(dataset_id, "annotation", annotator, work, 5).send(
            people["hospital"]
        )
    datasets.contribute_work(dataset_id, "annotation", annotator, work, 5).send(
        people["researcher"]
    )
    (contribution,) = datasets.show(dataset_id).contributions
    assert (contribution.item, contribution.weight) == (work, 5)
    datasets.withdraw_work(dataset_id, "annotation", work).send(people["researcher"])
    (contribution,) = datasets.show(dataset_id).contributions
    assert contribution.state == "withdrawn"


def test_a_work_is_withdrawn_by_signature(datasets, people, token, submit):
    terms = DatasetTerms(token.address, {"annotation": 10_000}, ("HMB",))
    dataset_id = datasets.create(terms).send(people["researcher"]).dataset_id
    work, annotator = "0x" + "ab" * 32, people["researcher"]
    datasets.contribute_work(dataset_id, "annotation", annotator.address, work, 5).send(annotator)
    document = datasets.withdraw_work(dataset_id, "annotation", work).sign(annotator)
    submit(document, people["hospital"])
    shown = datasets.show(dataset_id)
    assert (shown.contributions[0].state, shown.weights["annotation"]) == ("withdrawn", 0)
    with pytest.raises(DatasetNotContributed):
        datasets.withdraw_work(dataset_id, "annotation", work).sign(annotator)


def test_a_frozen_version_holds_what_counts(datasets, people, dataset_id, consent, anchor):
    with pytest.raises(NothingContributed):
        datasets.freeze(dataset_id).send(people["researcher"])
    image = anchor(instances=7)
    datasets.contribute(dataset_id, image).send(people["researcher"])
    frozen = datasets.freeze(dataset_id).send(people["researcher"])
    assert (frozen.version, frozen.contributions) == (1, 2)
    assert datasets.show(dataset_id).versions == (frozen.root,)
    assert frozen.root == _openzeppelin_root(datasets.show(dataset_id).contributions)


def _openzeppelin_root(contributions):
    """The root that OpenZeppelin's JavaScript library computes over the same contributions."""
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
        ({"rule": "per instance"}, InvalidInstances),
        ({"rule": "per instance", "most_instances": 2**32}, InvalidInstances),
        ({"most_instances": 1}, InvalidInstances),
        ({"most_instances": -1}, InvalidInstances),
        ({"protocol": "0x12"}, InvalidDigest),
    ],
)
def test_terms_that_make_no_sense_are_refused_here(datasets, people, terms, change, error):
    with pytest.raises(error):
        datasets.create(replace(terms, **change)).send(people["researcher"])


def test_an_unknown_data_set_is_named(datasets):
    unknown = "0x" + "12" * 32
    with pytest.raises(UnknownDataset) as refused:
        datasets.show(unknown)
    assert refused.value.values == {"dataset": unknown}


def test_a_refused_funding_leaves_no_allowance(datasets, people, dataset_id, token, ledger):
    payer = people["researcher"]
    with pytest.raises(DatasetHasNoContributors) as refused:
        datasets.fund(dataset_id, TOKEN).send(payer)
    assert refused.value.values == {"dataset": dataset_id}
    registry = ledger.address("DatasetRegistry")
    assert ledger.call(token, "allowance", payer.address, registry) == 0


@pytest.mark.parametrize("amount", [0, -1, 2**96, 10**36])
def test_an_amount_that_no_payment_can_be_leaves_no_allowance(
    datasets, people, dataset_id, anchor, consent, token, ledger, amount
):
    payer = people["researcher"]
    datasets.contribute(dataset_id, anchor()).send(payer)
    with pytest.raises(DatasetAmountInvalid) as refused:
        datasets.fund(dataset_id, amount).send(payer)
    assert refused.value.values == {"received": amount}
    registry = ledger.address("DatasetRegistry")
    assert ledger.call(token, "allowance", payer.address, registry) == 0

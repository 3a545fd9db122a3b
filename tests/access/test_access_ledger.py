"""Receipts of a home: anchored by the day, proven, demanded, answered, or seen to be omitted."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from radledger.access import AccessLedger, Proof, ReceiptBook, Release
from radledger.access.bindings import RootState
from radledger.access.days import DAY, day_of
from radledger.access.errors import (
    InstitutionUnclear,
    InvalidReceiptId,
    ProofInvalid,
    ReceiptsDiffer,
    UnknownDemand,
    UnknownReceipt,
)
from radledger.access.model import DemandState
from radledger.chain.refusals import (
    AccessAnswerLate,
    AccessNotDemandable,
    AccessRecorderNotAppointed,
)
from radledger.cli.output import plain
from tests.access.holding import PRIVATE_KEY

pytestmark = pytest.mark.usefixtures("patient_with_ether")

UNKNOWN = "0x" + "07" * 32
WEEK = 7 * DAY


@pytest.fixture
def today(ledger):
    return lambda: day_of(ledger.now())


@pytest.fixture
def elsewhere(ledger, tmp_path):
    """The access ledger for a home that keeps nothing."""
    return AccessLedger(ledger, ReceiptBook(tmp_path / "elsewhere.sqlite3"))


def test_receipts_of_a_day_are_anchored_and_proven(
    access, acknowledged, recorder, today, who, elsewhere
):
    digests, day, hospital = [acknowledged() for _ in range(3)], today(), who.hospital.address
    done = access.anchor(hospital, day).send(recorder)
    assert (done.institution, done.day, done.receipts) == (hospital, day, 3)
    (root,) = access.roots(hospital)
    assert (root.day, root.root, root.transaction) == (
        day,
        done.root,
        done.transaction.transaction,
    )
    for digest in digests:
        proof = access.prove(digest)
        assert (proof.receipt, proof.institution, proof.day) == (digest, hospital, day)
        sent = Proof.from_json(json.loads(json.dumps(plain(proof))))
        assert sent == proof
        elsewhere.check(sent)
    assert access.roots(who.clinic.address) == ()


def test_proof_that_shows_something_else_is_refused(access, acknowledged, recorder, today, who):
    digests, day = [acknowledged() for _ in range(3)], today()
    access.anchor(who.hospital.address, day).send(recorder)
    proof, other = access.prove(digests[0]), access.prove(digests[1])
    for wrong in (
        replace(proof, receipt=UNKNOWN),
        replace(proof, receipt=other.receipt),
        replace(proof, root=UNKNOWN),
        replace(proof, siblings=proof.siblings[:-1]),
        replace(proof, day=day - timedelta(days=1)),
        replace(proof, institution=who.clinic.address),
    ):
        with pytest.raises(ProofInvalid) as refusal:
            access.check(wrong)
        assert refusal.value.values["receipt"] == wrong.receipt
    acknowledged()
    access.anchor(who.hospital.address, day).send(recorder)
    with pytest.raises(ProofInvalid) as refusal:
        access.check(proof)  # under a root that was replaced
    assert refusal.value.values["root"] == RootState.ANCHORED


@pytest.mark.parametrize(
    "change",
    [
        {"receipt": "0x12"},
        {"receipt": 7},
        {"institution": "0x12"},
        {"day": "today"},
        {"day": 20_000},
        {"root": None},
        {"siblings": ["0x12"]},
        {"siblings": None},
        {"more": 1},
    ],
)
def test_what_is_not_a_proof_is_refused(who, change):
    value = {
        "receipt": UNKNOWN,
        "institution": who.hospital.address,
        "day": "2026-11-30",
        "root": UNKNOWN,
        "siblings": [],
    }
    assert Proof.from_json(value).siblings == ()
    for wrong in ({**value, **change}, {}, [], None, "0x"):
        with pytest.raises(ProofInvalid, match="not a proof"):
            Proof.from_json(wrong)


def test_past_days_are_anchored_once_and_again_when_a_receipt_came_late(
    access, acknowledged, receipts, recorder, today, travel, who
):
    hospital = who.hospital.address
    digest, day = acknowledged(), today()
    assert access.unanchored(hospital) == (day - timedelta(2), day - timedelta(1))
    travel(DAY)
    assert access.unanchored(hospital) == (day - timedelta(1), day)
    for each in access.unanchored(hospital):
        access.anchor(hospital, each).send(recorder)
    assert access.unanchored(hospital) == ()
    (release,) = receipts.releases()
    late = replace(release.signed, receipt=replace(release.signed.receipt, nonce="0x" + "01" * 16))
    receipts.keep(Release(late, release.manifest, release.released_at))
    assert access.unanchored(hospital) == (day,)
    with pytest.raises(ReceiptsDiffer) as refusal:
        access.prove(digest)
    assert refusal.value.values == {
        "institution": hospital,
        "day": str(day),
        "root": RootState.ANCHORED,
        "receipts": 2,
    }
    access.anchor(hospital, day).send(recorder)
    access.check(access.prove(digest))
    assert access.unanchored(hospital) == ()


def test_day_without_receipts_has_a_root_that_tells_nothing(access, recorder, today, who):
    hospital, day = who.hospital.address, today()
    first, second = (access.anchor(hospital, day).send(recorder) for _ in range(2))
    assert first.receipts == second.receipts == 0
    assert first.root != second.root
    (root,) = access.roots()
    assert root.root == second.root


def test_own_readings_are_anchored_too(access, reading, image_set, recorder, today, who):
    reading.secret(image_set.image_id, reader=who.hospital, private_key=PRIVATE_KEY)
    assert access.anchor(who.hospital.address, today()).send(recorder).receipts == 1


def test_receipts_for_another_chain_are_not(access, acknowledged, receipts, recorder, today, who):
    acknowledged()
    (release,) = receipts.releases()
    for number, other in enumerate(({"chain_id": 1}, {"contract": who.stranger.address})):
        receipt = replace(release.signed.receipt, nonce=f"0x{number:032x}", **other)
        receipts.keep(Release(receipt.sign(who.radiologist), release.manifest, release.released_at))
        with pytest.raises(UnknownReceipt):
            access.prove("0x" + receipt.digest.hex())
    assert access.anchor(who.hospital.address, today()).send(recorder).receipts == 1
    assert {each.kept_as for each in access.receipts()} == {"released", "acknowledged"}
    assert len(access.receipts()) == 2


def test_receipt_of_an_image_set_that_is_not_on_the_chain_is_not_listed(
    access, acknowledged, receipts, who
):
    """As of a development chain before, which had the same id and addresses."""
    acknowledged()
    (release,) = receipts.releases()
    receipt = replace(release.signed.receipt, image_id=UNKNOWN)
    receipts.keep(Release(receipt.sign(who.radiologist), release.manifest, release.released_at))
    assert {each.image_id for each in access.receipts()} == {release.signed.receipt.image_id}


def test_receipt_is_demanded_and_answered(
    access, acknowledged, recorder, today, travel, who, ledger
):
    digests, day = [acknowledged() for _ in range(3)], today()
    access.anchor(who.hospital.address, day).send(recorder)
    with pytest.raises(AccessNotDemandable):
        access.demand(digests[1]).send(who.radiologist)
    travel(3 * DAY)
    demanded = access.demand(digests[1]).send(who.radiologist)
    (demand,) = access.demands(who.hospital.address)
    assert access.demand_of(demanded.demand_id) == demand
    assert (demand.receipt, demand.day, demand.state) == (digests[1], day, DemandState.OPEN)
    assert demand.due_at == demanded.due_at == ledger.now() + WEEK
    answered = access.answer(demand.demand_id).send(who.stranger)
    after = access.demand_of(demand.demand_id)
    assert (after.state, after.answered_at) == (DemandState.ANSWERED, answered.timestamp)
    assert access.demands(who.clinic.address) == ()
    found = {each.receipt: each for each in access.receipts() if each.kept_as == "released"}
    assert {digest: found[digest].demand for digest in digests} == {
        digests[0]: None,
        digests[1]: DemandState.ANSWERED,
        digests[2]: None,
    }
    assert {each.root for each in found.values()} == {RootState.ANCHORED}


def test_receipt_that_was_left_out_is_seen_to_be_omitted(
    access, acknowledged, recorder, today, travel, who, elsewhere, ledger
):
    """The custodian anchors without it, from a book that does not have it."""
    digest, day = acknowledged(), today()
    elsewhere.anchor(who.hospital.address, day).send(recorder)
    travel(3 * DAY)
    demanded = access.demand(digest).send(who.radiologist)
    with pytest.raises(UnknownReceipt):
        elsewhere.answer(demanded.demand_id)
    with pytest.raises(ReceiptsDiffer):
        access.answer(demanded.demand_id)
    travel(WEEK)
    assert access.demand_of(demanded.demand_id).state == DemandState.OPEN
    travel(1)
    assert access.demand_of(demanded.demand_id).state == DemandState.OMITTED
    assert ledger.call("AccessLedger", "isOmitted", bytes.fromhex(demanded.demand_id[2:])) is True
    assert {each.demand for each in access.receipts()} == {DemandState.OMITTED}


def test_answer_comes_too_late(access, acknowledged, recorder, today, travel, who):
    digest, day = acknowledged(), today()
    access.anchor(who.hospital.address, day).send(recorder)
    travel(3 * DAY)
    demanded = access.demand(digest).send(who.radiologist)
    travel(WEEK + 1)
    with pytest.raises(AccessAnswerLate) as refusal:
        access.answer(demanded.demand_id).send(who.hospital)
    assert refusal.value.values == {"demand": demanded.demand_id, "due": demanded.due_at}


def test_holder_without_ether_signs_a_demand(access, acknowledged, today, travel, who, submit):
    digest = acknowledged()
    travel(3 * DAY)
    document = access.demand(digest).sign(who.patient)
    assert document["kind"] == "radledger.call"
    assert digest in document["summary"]
    submit(document, who.stranger)
    assert [each.receipt for each in access.demands()] == [digest]


def test_receipt_is_recorded_by_itself(access, acknowledged, recorder, ledger, who):
    digest = acknowledged()
    plainly = access.record(digest).send(recorder).event("AccessReceiptRecorded")
    checked = access.record(digest, checked=True).send(recorder).event("AccessReceiptRecorded")
    assert plainly.args == {
        "receipt": digest,
        "institution": who.hospital.address,
        "signer": "0x" + "00" * 20,
    }
    assert checked.args == {**plainly.args, "signer": who.radiologist.address}
    with pytest.raises(AccessRecorderNotAppointed):
        access.record(digest).send(who.hospital)


def test_nothing_of_what_was_read_is_on_the_chain(
    access, acknowledged, recorder, receipts, today, travel, who, ledger, image_set
):
    """Neither in what is sent nor in what is emitted, from the first receipt to the answer."""
    start = ledger.block_number()
    digests, day = [acknowledged() for _ in range(2)], today()
    access.record(digests[0]).send(recorder)
    access.anchor(who.hospital.address, day).send(recorder)
    travel(3 * DAY)
    demanded = access.demand(digests[1]).send(who.stranger)
    access.answer(demanded.demand_id).send(who.stranger)
    seen = ""
    for number in range(start, ledger.block_number() + 1):
        block = ledger.web3.eth.get_block(number, full_transactions=True)
        for sent in block["transactions"]:
            if sent["to"] == ledger.address("AccessLedger"):
                receipt = ledger.web3.eth.get_transaction_receipt(sent["hash"])
                logs = [topic.hex() for log in receipt["logs"] for topic in log["topics"]]
                data = [log["data"].hex() for log in receipt["logs"]]
                seen += " ".join([sent["input"].hex(), *logs, *data])
    (release, *_) = receipts.releases()
    read_by = release.signed.receipt
    assert digests[1][2:] in seen  # so that there is something to see
    for secret in (
        *(image_set.image_id, read_by.grant_id, read_by.nonce, release.signed.signature),
        *(read_by.reader, who.patient.address, image_set.root, image_set.visit),
    ):
        assert secret[2:].lower() not in seen


def test_what_is_not_there(access, acknowledged, elsewhere, who):
    digest = acknowledged()
    for wrong in (
        lambda: elsewhere.demand(digest),
        lambda: elsewhere.prove(digest),
        lambda: elsewhere.record(digest),
        lambda: access.demand(UNKNOWN),
    ):
        with pytest.raises(UnknownReceipt) as refusal:
            wrong()
        assert set(refusal.value.values) == {"receipt"}
    for unknown in (access.answer, access.demand_of):
        with pytest.raises(UnknownDemand) as refusal:
            unknown(UNKNOWN)
        assert refusal.value.values == {"demand": UNKNOWN}
    for ask in (access.demand, access.prove, access.record, access.answer):
        with pytest.raises(InvalidReceiptId) as refusal:
            ask("0x12")
        assert refusal.value.values == {"text": "0x12"}
    assert elsewhere.receipts() == ()


def test_recorders_and_their_institution(access, recorder, who):
    hospital, clinic = who.hospital.address, who.clinic.address
    assert access.recorders() == ((hospital, recorder.address),)
    assert access.institution_of(recorder.address) == hospital
    access.appoint(recorder.address).send(who.clinic)
    assert access.recorders(clinic) == ((clinic, recorder.address),)
    with pytest.raises(InstitutionUnclear) as refusal:
        access.institution_of(recorder.address)
    assert refusal.value.values["institutions"] == [hospital, clinic]
    access.dismiss(recorder.address).send(who.hospital)
    assert access.institution_of(recorder.address) == clinic
    with pytest.raises(InstitutionUnclear) as refusal:
        access.institution_of(who.stranger.address)
    assert refusal.value.values == {"recorder": who.stranger.address, "institutions": []}

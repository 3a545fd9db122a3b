"""What custodians show a patient is checked by the chain, and by what they showed before."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from radledger.access import ReceiptLog, Release
from radledger.access.audit_events import PROFILE, audit_events
from radledger.access.collecting import Collector
from radledger.access.days import DAY, day_of
from radledger.access.log import Access
from radledger.access.receipt_log import policy_from
from radledger.access.receipts import SignedReceipt
from radledger.access.roots import Proven
from radledger.access.showing import HereShown, Showing
from radledger.access.shown import Page, ShownReceipt
from radledger.consent import Terms
from radledger.consent.permission import Use
from radledger.errors import RadLedgerError
from radledger.imaging.model import NONE
from tests.access.holding import PRIVATE_KEY

pytestmark = pytest.mark.usefixtures("patient_with_ether")

HOUR = 3600
OTHER = "0x" + "07" * 32


@pytest.fixture
def hospital(ledger, receipts, who, tmp_path):
    """What the hospital shows; a test changes what that is."""
    log = ReceiptLog(ledger, receipts, tmp_path / "log")
    return HereShown(Showing(ledger, receipts, log), who.hospital.address)


@pytest.fixture
def keep(ledger, receipts, consents, ask, reader, who):
    """Keep a receipt of the radiologist, as the hospital's key service does."""
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)

    def keep(signer=reader, **changes):
        signed = ask(signer, **changes)
        receipts.keep(Release(signed, NONE, ledger.now()))
        return "0x" + signed.receipt.digest.hex()

    return keep


@pytest.fixture
def collect(ledger, access, receipts, who, hospital, image_set, tmp_path):
    """Collect what the hospital shows the patient; gives the readings and the report."""

    def collect(shower=hospital, policy=None, book=receipts):
        collector = Collector(ledger, access, book, tmp_path / "shown.sqlite3", policy)
        shower_of = shower if callable(shower) else lambda custodian: shower
        found = collector.collect(who.patient.address, shower_of)
        (report,) = found.reports
        assert report.custodian == who.hospital.address
        return found.disclosed, report

    return collect


def showing(*shown):
    return SimpleNamespace(where="https://gateway.example", receipts=lambda patient: iter(shown))


def shown(signed, released_at=None, **changes):
    released_at = signed.receipt.time if released_at is None else released_at
    return replace(ShownReceipt(1, signed, released_at, None, None), **changes)


def test_what_is_shown_is_proven_by_the_chain(collect, keep, recorder, access, ledger, who, travel):
    digests, day = [keep(), keep()], day_of(ledger.now())
    found, report = collect()
    assert [each.proven for each in found] == [Proven.PENDING] * 2
    assert (report.complete, report.pending, report.shown_by) == (True, 2, "here")
    access.anchor(who.hospital.address, day).send(recorder)
    later = keep()
    found, report = collect()
    # The root that was anchored has not the one that came later, so the day is anchored again.
    assert [each.proven for each in found] == [Proven.UNPROVEN] * 3
    assert report.unproven == (*digests, later)
    access.anchor(who.hospital.address, day).send(recorder)
    found, report = collect()
    assert [each.proven for each in found] == [Proven.ANCHORED] * 3
    for each in found:
        access.check(each.proof)
    assert (report.complete, report.anchored) == (True, 3)
    # Roots stay provable when the chain has overwritten them, years later.
    travel(400 * DAY)
    assert [each.proven for each in collect()[0]] == [Proven.ANCHORED] * 3


def test_days_are_expected_to_have_roots_while_there_is_a_recorder(
    collect, keep, recorder, access, ledger, who, travel
):
    keep()
    first = day_of(ledger.now())
    travel(DAY)
    access.dismiss(recorder.address).send(who.hospital)
    travel(DAY)
    assert collect()[1].complete
    keep()
    travel(5 * DAY)
    found, report = collect()
    assert [each.proven for each in found] == [Proven.MISSING, Proven.NOT_RECORDED]
    assert report.days_without_root == (first, day_of(found[0].released_at + DAY))
    assert (report.complete, report.not_recorded, len(report.missing)) == (False, 1, 1)


def test_receipts_that_their_reader_did_not_sign_are_named(
    collect, keep, ask, reader, who, identities
):
    genuine, forged = ask(reader), replace(ask(who.stranger).receipt, reader=reader.address)
    wrong = [
        forged.sign(who.stranger),
        SignedReceipt(forged, "0x12"),
        SignedReceipt(forged, "nonsense"),
    ]
    report = collect(showing(*(shown(each) for each in wrong[:1]), shown(genuine)))[1]
    assert report.unsigned == ("0x" + forged.digest.hex(),)
    for each in wrong[1:]:
        report = collect(showing(shown(each)))[1]
        assert (report.unsigned, report.complete) == (("0x" + forged.digest.hex(),), False)
    # Who owned the reader's identity once, signed as its owner then.
    identities.change_owner(who.stranger.address).send(reader)
    identities.change_owner(who.patient.address, identity=reader.address).send(who.stranger)
    assert collect(showing(shown(forged.sign(who.stranger))))[1].unsigned == ()


def test_what_a_custodian_cannot_answer_with(collect, ask, reader, who, other_image_set, keep):
    def failing(custodian):
        raise RadLedgerError("it is\ndown")

    genuine = shown(ask(reader))
    elsewhere = shown(replace(genuine.signed.receipt, chain_id=1).sign(reader))
    unknown = shown(replace(genuine.signed.receipt, image_id=OTHER).sign(reader))
    for shower, why, readings in (
        (lambda custodian: None, "it publishes no gateway", 0),
        (failing, "it is down", 0),
        (showing(genuine, unknown), f"it shows a receipt of something else: {OTHER}", 1),
        (showing(genuine, elsewhere), "it shows a receipt of something else", 1),
    ):
        _, report = collect(shower)
        assert why in report.unanswered
        assert (report.complete, report.receipts) == (False, readings)
        assert report.withheld == ()  # not known of who does not answer
    # What was seen is known for later.
    assert collect(failing)[0][0].shown_by == "earlier"
    assert collect(showing(genuine))[1].complete


def test_a_proof_that_was_shown_once_is_kept(collect, keep, recorder, access, ledger, who):
    keep()
    access.anchor(who.hospital.address, day_of(ledger.now())).send(recorder)
    (before,), _ = collect()
    without = showing(shown(before.signed, before.released_at))
    (after,), report = collect(without)
    assert (after.proven, after.proof, report.complete) == (Proven.UNPROVEN, None, False)
    (kept,), _ = collect(lambda custodian: None)
    assert (kept.proven, kept.proof) == (Proven.ANCHORED, before.proof)


def test_a_receipt_under_another_day_than_its_own_is_not_proven(
    collect, keep, recorder, access, ledger, who, travel
):
    keep()
    access.anchor(who.hospital.address, day_of(ledger.now())).send(recorder)
    (found,), _ = collect()
    moved = shown(found.signed, found.released_at + 2 * DAY, proof=found.proof)
    (found,), report = collect(showing(moved))
    assert (found.proven, found.proof) == (Proven.UNPROVEN, None)
    assert not report.complete


@pytest.fixture
def acknowledged(patient_with_ether, consents, reading, acknowledging, image_set, reader, who):
    """Have the hospital acknowledge a receipt to this home."""
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    use = {"private_key": PRIVATE_KEY, "key_service": acknowledging, "use": Use.of(["CC"])}
    reading.secret(image_set.image_id, reader=reader, **use)


@pytest.mark.usefixtures("acknowledged")
def test_what_was_acknowledged_to_this_home_has_to_be_shown(collect):
    assert collect()[1].complete
    (found,), report = collect(showing())
    assert report.withheld == ("0x" + found.signed.receipt.digest.hex(),)


def test_places_in_a_log_that_is_believed(collect, keep, hospital, ledger, receipts, tmp_path):
    log = ReceiptLog(ledger, receipts, tmp_path / "log")
    log.create("gateway.example/log")
    digests = [keep(), keep()]
    log.publish()
    later = keep()
    believed = policy_from(tmp_path / "log" / "policy")
    found, report = collect(policy=believed)
    assert [each.log_index for each in found] == [0, 1, None]
    assert (report.logged, found[2].signed.receipt.digest.hex()) == (2, later[2:])
    assert [each.log_index for each in collect()[0]] == [None] * 3  # none is believed
    # One receipt's proof is not another's.
    first, second = (shown(each.signed, each.released_at) for each in found[:2])
    swapped = (replace(first, log_proof=found[1].log_proof), replace(second, log_proof="nonsense"))
    assert collect(showing(*swapped), believed)[1].logged == 0
    assert len(digests) == 2


@pytest.mark.usefixtures("acknowledged")
def test_demands_that_were_not_answered(collect, reader, access, travel):
    (found,), _ = collect()
    receipt = "0x" + found.signed.receipt.digest.hex()
    travel(3 * DAY)
    access.demand(receipt).send(reader)
    assert collect()[1].omitted == ()
    travel(8 * DAY)
    assert collect()[1].omitted == (receipt,)


def test_pages_of_a_gateway_are_of_their_form(ask, reader):
    first = shown(ask(reader)).to_json()
    sent = json.loads(json.dumps({"receipts": [first], "next": 1}))
    page = Page.from_json(sent, 0)
    assert page.receipts[0].to_json() == first
    for wrong, after in (
        ({"receipts": {}, "next": None}, 0),
        ({"receipts": [first, first], "next": None}, 0),
        ({"receipts": [first], "next": None}, 1),
        ({"receipts": [], "next": 1}, 0),
        ({"receipts": [first], "next": 2}, 0),
        ({"receipts": [first], "next": True}, 0),
        ({"receipts": [{**first, "number": "1"}], "next": None}, 0),
        ({"receipts": [{**first, "receipt": {}}], "next": None}, 0),
        ({"receipts": [{**first, "proof": {}}], "next": None}, 0),
        ({"receipts": [{**first, "log_proof": 7}], "next": None}, 0),
        ({"receipts": [{}], "next": None}, 0),
        ({"receipts": [7], "next": None}, 0),
    ):
        with pytest.raises(ValueError, match=r".+"):
            Page.from_json(wrong, after)


# ------------------------------------------------------------------------------------------ FHIR


@pytest.fixture
def access_of(who):
    """A reading in the access log."""

    def access_of(**changes):
        values = {
            "timestamp": 1_796_054_400,
            "event": "released",
            "reader": who.radiologist.address,
            "patient": who.patient.address,
            "images": "0x" + "ab" * 32,
            "purposes": ("CC",),
            "until": None,
            "grant_id": "0x" + "cd" * 32,
            "evidence": "0x" + "ef" * 32,
            "custodian": who.hospital.address,
            "shown_by": "https://gateway.example",
            "proven": Proven.PENDING,
        }
        return Access(**values | changes)

    return access_of


def codes(concepts):
    return [each["coding"][0]["code"] for each in concepts]


def test_a_reading_is_a_disclosure_of_balp(ledger, who, access_of):
    (entry,) = audit_events([access_of()], ledger)["entry"]
    event = entry["resource"]
    did = f"did:ethr:{hex(ledger.chain_id)}"
    assert event["meta"]["profile"] == [PROFILE]
    assert (event["id"], event["recorded"]) == ("ef" * 32, "2026-11-30T16:00:00+00:00")
    assert (event["type"]["code"], event["action"], event["outcome"]) == ("110106", "R", "0")
    assert event["subtype"][0]["code"] == "disclose"
    assert codes(event["purposeOfEvent"]) == ["TREAT"]
    agents = {each["type"]["coding"][0]["code"]: each for each in event["agent"]}
    assert agents.keys() == {"110153", "110152", "159541003", "429577009"}
    assert agents["110153"]["who"] == event["source"]["observer"]
    assert agents["110153"]["network"]["address"] == "https://gateway.example"
    reader = f"{did}:{who.radiologist.address}"
    assert agents["110152"]["who"]["identifier"]["value"] == reader
    assert [each["requestor"] for each in event["agent"]].count(True) == 1
    named = [each["what"]["identifier"]["value"] for each in event["entity"]]
    assert named == [
        f"{did}:{who.patient.address}",
        f"{did}:{ledger.address('ImageRegistry')}#0x{'ab' * 32}",
        f"{did}:{ledger.address('ConsentRegistry')}#0x{'cd' * 32}",
        f"{did}:{ledger.address('ConsentRegistry')}#receipt-{'ef' * 32}",
    ]
    assert event["entity"][3]["detail"] == [{"type": "proven", "valueString": "pending"}]


def test_emergencies_own_readings_and_research(ledger, who, access_of):
    log = [
        access_of(emergency=True),
        access_of(reader=who.patient.address, grant_id=NONE, custodian=None, proven=None),
        access_of(purposes=("HMB", "GRU", "CC", "TEACHING")),
        access_of(event="granted"),
        access_of(patient=None),
    ]
    urgent, own, research = (each["resource"] for each in audit_events(log, ledger)["entry"])
    assert codes(urgent["purposeOfEvent"]) == ["BTG"]
    assert "429577009" not in codes(each["type"] for each in urgent["agent"])
    assert codes(own["purposeOfEvent"]) == ["PATRQT"]
    assert own["source"]["observer"]["type"] == "Patient"
    assert len(own["entity"]) == 3
    assert "detail" not in own["entity"][2]
    assert codes(research["purposeOfEvent"]) == ["HRESCH", "TREAT", "HOPERAT"]

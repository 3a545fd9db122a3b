"""``radledger receipt``: acknowledged at reading, anchored, proven, demanded and answered."""

from __future__ import annotations

import json

import pytest

from radledger import RadLedger
from radledger.relay.checks import take

DAY = 24 * 3600
UNKNOWN = "0x" + "07" * 32


@pytest.fixture
def recorder(home, ok):
    """The account whose key acknowledges and anchors for the hospital."""
    ok("receipt", "appoint", "stranger", "--as", "hospital")
    return "stranger"


@pytest.fixture
def read(signed, ok, image, tmp_path, cli):
    """Let the radiologist read the image set; returns what is listed of the receipts."""

    def read():
        signed("consent", "grant", "radiologist", "--purpose", "CC")
        ok("image", "fetch", image, "--to", tmp_path / "reading", "--purpose", "CC",
           "--as", "radiologist")  # fmt: skip
        return {each["kept_as"]: each for each in cli("receipt", "list").objects}

    return read


def test_receipt_is_acknowledged_anchored_and_proven(
    recorder, read, ok, cli, image, addresses, travel, tmp_path
):
    listed = read()
    assert listed.keys() == {"released", "acknowledged"}
    receipt = listed["released"]
    assert (receipt["image_id"], receipt["reader"]) == (image, addresses["radiologist"])
    assert (receipt["institution"], receipt["root"]) == (addresses["hospital"], "pending")
    assert listed["acknowledged"] == {**receipt, "kept_as": "acknowledged"}

    travel(DAY)
    done = {each["day"]: each for each in cli("receipt", "anchor", "--as", recorder).objects}
    assert done[receipt["day"]]["receipts"] == 1
    assert {each["receipts"] for each in done.values()} == {0, 1}
    assert cli("receipt", "anchor", "--as", recorder).objects == []
    roots = {each["day"]: each["root"] for each in cli("receipt", "roots").objects}
    assert roots == {day: each["root"] for day, each in done.items()}

    file = tmp_path / "proof.json"
    proof = ok("receipt", "prove", receipt["receipt"], file)
    assert proof == {
        "receipt": receipt["receipt"],
        "institution": addresses["hospital"],
        "day": receipt["day"],
        "root": roots[receipt["day"]],
        "siblings": [],
    }
    assert ok("receipt", "check", file) == proof
    file.write_text(json.dumps({**proof, "receipt": UNKNOWN}))
    assert cli("receipt", "check", file).refused("ProofInvalid")["receipt"] == UNKNOWN
    for text in ("", "[]", "{", "[" * 100_000):
        file.write_text(text)
        assert cli("receipt", "check", file).refused("ProofInvalid") == {}
    missing = tmp_path / "missing"
    assert cli("receipt", "check", missing).refused("InvalidFile", 2) == {"path": str(missing)}


def test_a_recorder_without_ether_signs_roots_for_others_to_pay(
    home, recorder, read, ok, cli, plain_cli, addresses, travel, tmp_path
):
    day = read()["released"]["day"]
    travel(DAY)
    file = tmp_path / "root.json"
    anchor = ("receipt", "anchor", "--as", recorder, "--sign-only", file)
    signed = []
    while (told := cli(*anchor)).out:
        answer = told.object
        assert (answer["signed"], answer["left"] == []) == (str(file), len(signed) == 1)
        assert f"{addresses[recorder]} calls anchorDay of AccessLedger" in answer["summary"], answer
        relayed = take(RadLedger.open(home=home).ledger, json.loads(file.read_text()))
        assert relayed.signer == addresses[recorder]
        ok("submit", file, "--as", "clinic")
        signed.append(answer["day"])
    assert day in signed
    assert len(signed) == 2
    roots = {each["day"]: each["institution"] for each in cli("receipt", "roots").objects}
    assert roots == dict.fromkeys(signed, addresses["hospital"])
    assert "the roots of all past days are anchored" in plain_cli(*anchor).err
    # Of a day that is named, again; by who is not its recorder, not at all.
    assert ok(*anchor, "--day", day)["left"] == []
    other = ("--institution", "hospital", "--day", day, "--sign-only", file)
    refused = cli("receipt", "anchor", *other, "--as", "clinic")
    assert refused.refused("AccessRecorderNotAppointed")["recorder"] == addresses["clinic"]


def test_receipt_is_demanded_and_answered(
    recorder, read, ok, cli, plain_cli, addresses, travel, signed
):
    receipt = read()["acknowledged"]
    early = cli("receipt", "demand", receipt["receipt"], "--as", "radiologist")
    assert set(early.refused("AccessNotDemandable")) == {"day", "today"}
    words = plain_cli("receipt", "demand", receipt["receipt"], "--as", "radiologist").err
    assert f"A receipt of {receipt['day']} cannot be demanded on {receipt['day']}" in words
    ok("receipt", "anchor", "--day", receipt["day"], "--as", recorder)
    travel(3 * DAY)
    # By someone without Ether; what is demanded is in what was signed.
    signed("receipt", "demand", receipt["receipt"])
    (demand,) = cli("receipt", "demands", "--institution", "hospital").objects
    assert (demand["receipt"], demand["state"]) == (receipt["receipt"], "open")
    assert demand["due_at"] - demand["demanded_at"] == 7 * DAY
    again = cli("receipt", "demand", receipt["receipt"], "--as", "radiologist")
    assert again.refused("AccessAlreadyDemanded") == {"demand": demand["demand_id"]}

    ok("receipt", "answer", demand["demand_id"], "--as", "hospital")
    (demand,) = cli("receipt", "demands").objects
    assert demand["state"] == "answered"
    assert {each["demand"] for each in cli("receipt", "list").objects} == {"answered"}
    assert cli("receipt", "demands", "--institution", "clinic").objects == []


def test_omitted_receipt(recorder, read, ok, cli, travel):
    receipt = read()["acknowledged"]
    travel(3 * DAY)
    made = ok("receipt", "demand", receipt["receipt"], "--as", "radiologist")
    refused = cli("receipt", "answer", made["demand_id"], "--as", "hospital")
    assert refused.refused("ReceiptsDiffer")["root"] == "missing"
    late = cli("receipt", "anchor", "--day", receipt["day"], "--as", recorder)
    assert set(late.refused("AccessDayNotOpen")) == {"day", "today"}
    travel(7 * DAY + 1)
    (demand,) = cli("receipt", "demands").objects
    assert demand["state"] == "omitted"


def test_receipt_is_recorded_by_itself(recorder, read, ok, cli):
    receipt = read()["released"]["receipt"]
    ok("receipt", "record", receipt, "--as", recorder)
    ok("receipt", "record", receipt, "--checked", "--as", recorder)
    found = [node["kind"] for node in ok("lineage", f"{receipt}/receipt")["nodes"]]
    assert found == ["receipt"]
    assert cli("receipt", "record", UNKNOWN, "--as", recorder).refused("UnknownReceipt")


def test_dismissed_recorder_acknowledges_nothing(recorder, read, ok, cli, addresses):
    ok("receipt", "dismiss", recorder, "--as", "hospital")
    assert read().keys() == {"released"}
    refused = cli("receipt", "anchor", "--as", recorder).refused("InstitutionUnclear")
    assert refused == {"recorder": addresses[recorder], "institutions": []}
    day = ("--day", "2026-11-30", "--institution", "hospital", "--as", recorder)
    assert cli("receipt", "anchor", *day).code == 1


def test_what_is_refused(recorder, cli):
    appoint = ("receipt", "appoint", "stranger", "--as")
    assert cli(*appoint, "radiologist").refused("ParticipantLacksRole")
    assert cli(*appoint, "hospital").refused("AccessRecorderAlreadyAppointed")
    assert cli("receipt", "demand", UNKNOWN, "--as", "radiologist").refused("UnknownReceipt")
    assert cli("receipt", "answer", UNKNOWN, "--as", "hospital").refused("UnknownDemand")
    assert cli("receipt", "demand", "0x12", "--as", "radiologist").refused("InvalidReceiptId", 2)
    wrong = cli("receipt", "anchor", "--day", "today", "--as", recorder)
    assert wrong.refused("InvalidDay", 2) == {"text": "today"}


def test_home_without_receipts(home, plain_cli):
    for command in ("list", "demands", "roots"):
        told = plain_cli("receipt", command)
        assert (told.code, told.out) == (0, "")
        assert told.err.startswith("no ")


def test_deployment_without_the_ledger_reads_on(home, ok, cli, signed, image, tmp_path):
    """As one of an earlier release, until `radledger deploy` adds it."""
    (record,) = (home / "deployments").glob("*.json")
    deployment = json.loads(record.read_text())
    del deployment["contracts"]["AccessLedger"]
    record.write_text(json.dumps(deployment))
    signed("consent", "grant", "radiologist", "--purpose", "CC")
    ok("image", "fetch", image, "--to", tmp_path / "reading", "--purpose", "CC",
       "--as", "radiologist")  # fmt: skip
    refused = cli("receipt", "demands").refused("ContractNotDeployed")
    assert refused["contract"] == "AccessLedger"


# --- the log ------------------------------------------------------------------------------------


def test_receipts_are_logged_proven_and_watched(recorder, read, ok, cli, home, addresses, tmp_path):
    missing = cli("receipt", "publish").refused("ReceiptLogMissing")
    assert missing == {}
    listed = read()
    done = ok("receipt", "publish", "--origin", "gateway.hospital.example/log")
    receipt = listed["released"]["receipt"]
    assert (done["log"], done["size"], done["added"]) == ("gateway.hospital.example/log", 1, 1)
    assert (done["witnesses"], done["refused"]) == ({}, {})
    assert done["key"].startswith("gateway.hospital.example/log+")
    (policy,) = home.glob("log/*/policy")
    assert done["key"] in policy.read_text()

    file = tmp_path / "receipt.tlog-proof"
    shown = ok("receipt", "prove", receipt, file, "--log")
    assert shown == {
        "receipt": receipt,
        "log": "gateway.hospital.example/log",
        "index": 0,
        "size": 1,
        "root": done["root"],
        "witnesses": {},
        "anchored": None,
    }
    assert ok("receipt", "check", file, "--policy", policy) == shown
    by_reader = ("receipt", "prove", receipt, file, "--from", done["folder"])
    assert ok(*by_reader, "--policy", policy) == shown
    assert cli(*by_reader).refused("PolicyMissing", 2) == {}
    file.write_text(file.read_text().replace("index 0", "index 1"))
    assert cli("receipt", "check", file, "--policy", policy).refused("LogProofInvalid") == {}
    assert cli("receipt", "check", file).refused("ProofInvalid") == {}
    assert cli("receipt", "check", file, "--policy", file).refused("PolicyInvalid", 2) == {
        "path": str(file)
    }
    assert cli("receipt", "prove", UNKNOWN, file, "--log").refused("UnknownReceipt") == {
        "receipt": UNKNOWN
    }

    watched = ok(
        *("receipt", "watch", done["folder"], "--policy", policy, "--institution", "hospital")
    )
    assert watched == {
        "log": "gateway.hospital.example/log",
        "size": 1,
        "added": 1,
        "witnesses": {},
        "anchored": 0,
        "receipts": {receipt: 0},
        "blocks": {},
        "pending": [],
    }
    assert ok("receipt", "watch", done["folder"], "--policy", policy)["added"] == 0
    nothing = cli("receipt", "watch", tmp_path / "nothing", "--policy", policy)
    assert nothing.refused("LogUnreadable")["file"] == "checkpoint"


def test_a_block_is_not_proven_before_the_log_is_anchored(recorder, read, ok, cli, tmp_path):
    receipt, block = read()["released"]["receipt"], tmp_path / "block"
    ok("receipt", "publish", "--origin", "gateway.hospital.example/log")
    prove = ("receipt", "prove", receipt, tmp_path / "proof", "--log", "--block", block)
    assert cli(*prove).refused("EntryPending") == {"receipt": receipt}
    assert not block.exists()


def test_the_log_is_anchored_and_a_proof_says_by_which_block(
    recorder, read, ok, cli, home, addresses, tmp_path
):
    receipt = read()["released"]["receipt"]
    done = ok("receipt", "publish", "--origin", "gateway.hospital.example/log")
    anchored = ok("receipt", "anchor-log", "--as", recorder)
    assert (anchored["institution"], anchored["size"]) == (addresses["hospital"], 1)
    assert anchored["root"] == done["root"]
    assert cli("receipt", "anchor-log", "--as", recorder).objects == []
    assert cli("receipt", "logs", "--institution", "hospital").objects == [anchored]
    assert cli("receipt", "logs", "--institution", "clinic").objects == []
    refused = cli("receipt", "anchor-log", "--as", "radiologist").refused("InstitutionUnclear")
    assert refused == {"recorder": addresses["radiologist"], "institutions": []}

    (policy,) = home.glob("log/*/policy")
    file = tmp_path / "receipt.tlog-proof"
    shown = ok("receipt", "prove", receipt, file, "--log")
    assert shown["anchored"] == anchored
    check = ("receipt", "check", file, "--policy", policy)
    assert ok(*check, "--chain") == shown
    assert ok(*check) == {**shown, "anchored": None}
    block = tmp_path / "block"
    assert ok("receipt", "prove", receipt, file, "--log", "--block", block) == shown
    assert json.loads(block.read_text())["format"] == "radledger-log-block/1"
    watch = ("receipt", "watch", done["folder"], "--policy", policy, "--institution", "hospital")
    seen = ok(*watch)
    assert (seen["anchored"], seen["blocks"]) == (1, {receipt: anchored["block"]})


def test_the_log_is_anchored_by_a_signature(recorder, read, ok, cli, tmp_path, addresses):
    read()
    done = ok("receipt", "publish", "--origin", "gateway.hospital.example/log")
    file = tmp_path / "signed.json"
    signed = ok("receipt", "anchor-log", "--as", recorder, "--sign-only", file)
    assert addresses["hospital"] in signed["summary"]
    ok("submit", file, "--as", "hospital")
    (anchored,) = cli("receipt", "logs").objects
    assert (anchored["size"], anchored["root"]) == (1, done["root"])


def test_a_log_is_begun_once_under_a_name_that_can_be_signed(home, cli, ok):
    begin = ("receipt", "publish", "--origin")
    assert cli(*begin, "two words").refused("InvalidOrigin", 2) == {"origin": "two words"}
    ok(*begin, "hospital.example/log")
    assert ok("receipt", "publish")["size"] == 0
    assert cli(*begin, "other.example/log").refused("ReceiptLogExists") == {
        "log": "hospital.example/log"
    }


def test_the_log_in_words(recorder, read, plain_cli):
    read()
    words = plain_cli("receipt", "publish", "--origin", "hospital.example/log").out
    assert "hospital.example/log" in words

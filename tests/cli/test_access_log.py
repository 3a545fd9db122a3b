"""``radledger access-log``: what custodians show a patient, and what they do not."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3

import pytest

from radledger.access.exports import COLUMNS
from tests.cli.test_gateway import elsewhere, gateway, serving
from tests.gateway.receivers import webhook

__all__ = ["elsewhere", "gateway", "serving"]

DAY = 24 * 3600


@pytest.fixture
def recorder(home, ok):
    """The account whose key acknowledges and anchors for the hospital."""
    ok("receipt", "appoint", "stranger", "--as", "hospital")
    return "stranger"


@pytest.fixture
def patients(home, tmp_path):
    """The patient's home: a key, and nothing else of the hospital's."""
    there = tmp_path / "patients"
    (there / "keystore").mkdir(parents=True)
    for file in (home / "keystore").glob("patient.*"):
        shutil.copy(file, there / "keystore")
    shutil.copytree(home / "deployments", there / "deployments")
    for file in home.glob("*.yaml"):
        shutil.copy(file, there)
    (there / "store").symlink_to(home / "store")
    return there


@pytest.fixture
def read(signed, ok, image, tmp_path):
    """Let the radiologist read the image set in the hospital's home."""

    def read():
        signed("consent", "grant", "radiologist", "--purpose", "CC")
        fetch = ("image", "fetch", image, "--to", tmp_path / "reading", "--purpose", "CC")
        ok(*fetch, "--as", "radiologist")

    return read


@pytest.fixture
def log(cli):
    """The patient's access log, in the home where the custodian's account is too."""
    return lambda *arguments: cli("access-log", *arguments, "--as", "patient")


@pytest.fixture
def far(log, patients):
    """The patient's access log in a home of their own."""
    return lambda *arguments: log(*arguments, "--home", patients)


def released(outcome):
    assert outcome.code == 0, outcome
    return [each for each in outcome.objects if each["event"] == "released"]


def test_a_patient_sees_each_reading_with_its_proof_on_the_chain(
    recorder, gateway, read, log, far, ok, cli, image, addresses, travel, tmp_path
):
    ok("identity", "set-gateway", gateway, "--as", "hospital")
    read()
    outcome = far()
    assert [each["event"] for each in outcome.objects] == ["granted", "released"]
    (reading,) = released(outcome)
    assert outcome.err == ""
    expected = {
        "reader": addresses["radiologist"],
        "patient": addresses["patient"],
        "images": image,
        "purposes": ["CC"],
        "emergency": False,
        "custodian": addresses["hospital"],
        "shown_by": gateway,
        "proven": "pending",
        "proof": None,
    }
    assert {name: reading[name] for name in expected} == expected
    assert reading["grant_id"] == outcome.objects[0]["grant_id"]

    travel(DAY)
    assert len(cli("receipt", "anchor", "--as", recorder).objects) == 2
    (reading,) = released(far())
    assert reading["proven"] == "anchored"
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(reading["proof"]))
    assert ok("receipt", "check", file)["receipt"] == reading["evidence"]
    report = far("check").object
    assert (report["complete"], report["receipts"], report["anchored"]) == (True, 1, 1)
    assert (report["image_sets"], report["unanswered"]) == (1, None)
    # The custodian sees the same of its own, without asking anyone, and so does who has its home.
    (own,) = released(cli("access-log", image))
    assert own == reading | {"shown_by": "here"}
    assert released(log()) == [own]
    # What was shown once is there without the custodian too.
    ok("identity", "withdraw-gateway", "--as", "hospital")
    assert released(far()) == [reading | {"shown_by": "earlier"}]
    assert far("check").object["withheld"] == []


def test_custodians_that_do_not_answer_are_named(read, far, ok, addresses, plain_cli, patients):
    read()
    assert [each["event"] for each in far().objects] == ["granted"]
    why = "it publishes no gateway; see `radledger access-log check`"
    assert far().err == f"not complete: {addresses['hospital']}: {why}\n"
    outcome = far("check")
    assert (outcome.code, outcome.object["unanswered"]) == (1, "it publishes no gateway")
    ok("identity", "set-gateway", "http://127.0.0.1:1", "--as", "hospital")
    assert "no gateway answers at http://127.0.0.1:1" in far("check").object["unanswered"]
    told = plain_cli("access-log", "--home", patients, "--as", "patient")
    assert told.code == 0
    assert "granted" in told.out
    assert "not complete" in told.err


def test_a_receipt_that_is_no_longer_shown_is_missed(read, log, home):
    read()
    (before,) = released(log())
    with sqlite3.connect(home / "receipts.sqlite3") as book:
        book.execute("DROP TRIGGER no_delete")
        book.execute("DELETE FROM releases")
    outcome = log("check")
    assert outcome.code == 1
    assert outcome.object["withheld"] == [before["evidence"]]
    assert (outcome.object["receipts"], outcome.object["complete"]) == (0, False)
    (after,) = released(log())
    assert after == before | {"shown_by": "earlier"}


def test_days_without_a_root_are_missed(recorder, read, log, travel):
    read()
    travel(3 * DAY)
    outcome = log("check")
    (reading,) = released(log())
    assert reading["proven"] == "missing"
    assert (outcome.code, outcome.object["missing"]) == (1, [reading["evidence"]])
    assert len(outcome.object["days_without_root"]) == 1


def test_emergency_access_is_marked(home, ok, image, tmp_path, log):
    ok("consent", "break-glass", "patient", "--reason", "fall", "--as", "radiologist")
    fetch = ("image", "fetch", image, "--to", tmp_path / "reading", "--purpose", "CC")
    ok(*fetch, "--as", "radiologist")
    declared, reading = log().objects
    assert (declared["event"], declared["emergency"]) == ("emergency declared", True)
    assert (reading["event"], reading["emergency"]) == ("released", True)
    assert reading["proven"] == "not recorded"
    assert log("check").object["not_recorded"] == 1


def test_a_table_and_a_file_of_fhir(
    recorder, read, ok, plain_cli, image, addresses, tmp_path, cli, travel
):
    read()
    travel(DAY)
    cli("receipt", "anchor", "--as", recorder)
    table, events = tmp_path / "log.csv", tmp_path / "log.json"
    told = plain_cli("access-log", image, "--csv", table, "--fhir", events)
    assert told.code == 0
    assert addresses["radiologist"] in told.out
    assert "siblings" not in told.out
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["event"] for row in rows] == ["granted", "released"]
    assert rows[1]["reader"] == addresses["radiologist"]
    assert (rows[1]["proven"], rows[1]["emergency"]) == ("anchored", "no")
    assert rows[1]["time"].endswith("Z")
    bundle = json.loads(events.read_text())
    (event,) = [each["resource"] for each in bundle["entry"]]
    assert event["id"] == rows[1]["evidence"][2:]
    assert "null" not in events.read_text()


def test_a_patient_gets_a_notice_at_each_reading(
    serving, read, far, ok, cli, addresses, plain_cli, patients
):
    with (
        webhook() as (url, requests),
        serving("--allow-webhooks", "127.0.0.0/8") as (started, _),
    ):
        ok("identity", "set-gateway", started["gateway"], "--as", "hospital")
        nothing = {
            "custodian": addresses["hospital"],
            "gateway": started["gateway"],
            "unanswered": None,
            "channel": None,
            "destination": None,
            "waiting": 0,
            "failed": 0,
            "secret": None,
        }
        assert far("notify").object == nothing
        answer = far("notify", "--webhook", url).object
        assert (answer["channel"], answer["destination"]) == ("webhook", url)
        assert answer["secret"].startswith("whsec_")
        read()
        for _ in range(200):
            if len(requests) == 2:
                break
            assert far("notify", "--at", addresses["hospital"]).object["secret"] is None
        kinds = [json.loads(body)["type"] for _, _, body in requests]
        assert kinds == ["access-log.begun", "access-log.reading"]

        refused = far("notify", "--mail", "patient@example.org")
        assert (refused.code, refused.object["unanswered"]) == (
            1,
            "this gateway sends no mail; give a webhook",
        )
        assert far("notify", "--off").object == nothing
    away = far("notify")
    assert away.code == 1
    assert "no gateway answers" in away.object["unanswered"]


def test_notices_that_are_not_clear(home, cli, log):
    both = log("notify", "--webhook", "https://a.example", "--off")
    assert both.refused("NoticesUnclear", 2) == {}
    assert log("notify").object["unanswered"] == "it publishes no gateway"
    told = cli("access-log", "notify", "--off", "--as", "stranger")
    assert (told.code, told.out) == (0, "")
    serve = ("gateway", "serve", "--port", "0", "--as", "hospital")
    for wrong in (
        ("--mail-server", "localhost"),
        ("--mail-server", "localhost:x", "--mail-from", "a@b.example"),
        ("--allow-webhooks", "everything"),
    ):
        assert cli(*serve, *wrong).refused("InvalidDelivery", 2) is not None


def test_whose_log_it_is(home, cli, log, image, addresses, ok):
    # Who is not a patient sees what is here, as before.
    assert cli("access-log", "--as", "hospital").objects == []
    refused = cli("access-log", "check").refused("AccountNotNamed", 2)
    assert refused == {}
    told = cli("access-log", "check", "--as", "stranger")
    assert (told.code, told.out) == (0, "")
    # For another's image sets, the gateway asks who acts for them.
    refused = log("check", "--patient", addresses["stranger"])
    assert (refused.code, refused.out) == (0, "")


def test_the_command_may_be_left_out(home, cli, plain_cli, image):
    for arguments in ((), ("show",), (image,), ("show", image), ("--as", "hospital")):
        assert cli("access-log", *arguments).code == 0
    assert plain_cli("--json", "access-log", "--as", "patient", "check").object["complete"]
    told = plain_cli("access-log", "--help").out
    assert "check" in told
    assert "show" in told
    assert cli("access-log", "nonsense").refused("AccountUnknown", 2)
    assert cli("access-log", "--nonsense").code == 2

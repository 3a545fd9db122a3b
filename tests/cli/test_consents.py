"""``radledger consent``: given, taken back, asked for and checked."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from radledger.chain.documents import when

UNKNOWN = "0x" + "07" * 32


def test_grant_and_revoke_by_signature(home, signed, check, cli, addresses, machine_clock):
    machine_clock(-(10**8))
    assert check("radiologist", "--purpose", "CC") == (False, "never granted")
    receipt = signed(
        "consent", "grant", "radiologist", "--purpose", "CC", "--until", "+30d", "--exact"
    )
    assert receipt.keys() >= {"tx", "block", "gas"}
    assert check("radiologist", "--purpose", "CC") == (True, "permitted")
    assert check("stranger", "--purpose", "CC") == (False, "never granted")
    assert check("radiologist", "--purpose", "GRU")[0] is False

    (grant,) = cli("consent", "list", "--subject", "patient").objects
    assert (grant["grantee"], grant["purposes"]) == (addresses["radiologist"], ["CC"])
    assert grant["until"] - grant["start"] == 30 * 86_400
    assert cli("consent", "list", "--grantee", "researcher").objects == []

    signed("consent", "revoke", "radiologist")
    assert check("radiologist", "--purpose", "CC") == (False, "revoked")


def test_revoking_says_whether_there_was_a_grant(home, ok, signed, tmp_path):
    """A mistyped grantee is distinguished from one that was granted something."""
    signed("consent", "grant", "radiologist", "--purpose", "CC")
    revoke = ("--as", "patient", "--sign-only", tmp_path / "revocation")
    for grantee, granted in (("radiologist", True), ("clinic", False)):
        assert ok("consent", "revoke", grantee, *revoke)["was_granted"] is granted


def test_revoke_all(home, signed, check):
    signed("consent", "grant", "radiologist", "--purpose", "CC")
    signed("consent", "grant", "clinic", "--purpose", "GRU")
    assert check("researcher", "--purpose", "HMB") == (True, "permitted")
    signed("consent", "revoke-all")
    assert check("radiologist", "--purpose", "CC") == (False, "revoked")
    assert check("researcher", "--purpose", "HMB") == (False, "revoked")


def test_scope_condition_and_disease(home, signed, check, image):
    terms = ("--purpose", "DS", "--disease", "MONDO:0004992", "--condition", "IRB")
    signed("consent", "grant", "clinic", *terms, "--scope", image)
    use = ("--purpose", "DS", "--disease", "MONDO:0004992")
    assert check("researcher", *use, "--fulfils", "IRB") == (True, "permitted")
    assert check("researcher", *use)[0] is False
    other = ("--purpose", "DS", "--disease", "MONDO:0005148", "--fulfils", "IRB")
    assert check("researcher", *other)[0] is False


@pytest.fixture
def other_home(home, tmp_path):
    """A copy of the home, which learns nothing that happens in the first from now on."""
    return shutil.copytree(home, tmp_path / "other")


def test_a_disease_reaches_the_chain_as_a_digest_that_both_sides_know(
    home, other_home, ok, cli, check, image, tmp_path
):
    file, terms = tmp_path / "signed.json", ("--purpose", "DS", "--disease", "MONDO:0004992")
    patient = ("--as", "patient", "--sign-only", file)
    signed = ok("consent", "grant", "clinic", *terms, *patient)
    assert signed["disease"].startswith("MONDO:0004992@")
    assert "(MONDO:0004992)" in signed["summary"]
    elsewhere = ("--home", other_home)
    ok(*elsewhere, "submit", file, "--as", "hospital")
    listed = cli("consent", "list", "--subject", "patient").object
    assert listed["disease"] == signed["disease"]
    for home_ in ((), elsewhere):
        assert ok(*home_, "consent", "check", "researcher", image, *terms)["permitted"] is True


def test_a_request_for_a_disease_is_approved_with_its_salt(
    home, other_home, ok, cli, image, tmp_path
):
    file, terms = tmp_path / "signed.json", ("--purpose", "DS", "--disease", "MONDO:0004992")
    asked = ok("consent", "request", "patient", *terms, "--as", "researcher")
    elsewhere = ("--home", other_home)
    (waiting,) = cli(*elsewhere, "consent", "list", "--requests").objects
    approve = ("consent", "approve", asked["request_id"], "--as", "patient", "--sign-only", file)
    refused = cli(*elsewhere, *approve).refused("DiseaseUnknown", 2)
    assert refused == {"digest": waiting["disease"], "stated": None}
    assert cli(*elsewhere, *approve, "--disease", "MONDO:0004992").refused("DiseaseUnknown", 2)
    assert "(MONDO:0004992)" in ok(*elsewhere, *approve, "--disease", asked["disease"])["summary"]
    ok("submit", file, "--as", "hospital")
    use = ("consent", "check", "researcher", image, *terms)
    assert ok(*use)["reason"] == ok(*elsewhere, *use)["reason"] == "permitted"


def test_a_reader_states_the_salt_that_a_grant_has(home, other_home, ok, cli, image, signed):
    terms = ("--purpose", "DS", "--disease", "MONDO:0004992")
    signed("consent", "grant", "radiologist", *terms)
    disease = cli("consent", "list", "--subject", "patient").object["disease"]
    use = ("--home", other_home, "consent", "check", "radiologist", image, "--purpose", "DS")
    assert ok(*use, "--disease", "MONDO:0004992")["reason"] == "disease"
    assert ok(*use, "--disease", disease)["permitted"] is True
    fetched = ("image", "fetch", image, "--as", "radiologist", *terms)
    ok("identity", "set-key", "--as", "radiologist")
    assert ok(*fetched, "--to", "reading")["files"]


def test_a_grant_for_a_data_set_has_the_disease_of_its_terms(
    home, other_home, ok, cli, image, signed, tmp_path
):
    create = ("dataset", "create", "--purpose", "DS", "--disease", "MONDO:0004992")
    made = ok(*create, "--as", "clinic")
    assert ok("dataset", "show", made["dataset_id"])["disease"] == made["disease"]
    digest = ok("--home", other_home, "dataset", "show", made["dataset_id"])["disease"]
    assert digest.startswith("0x")
    grant = ("consent", "grant", "clinic", "--purpose", "DS", "--dataset", made["dataset_id"])
    elsewhere = (
        "--home",
        other_home,
        *grant,
        "--as",
        "patient",
        "--sign-only",
        tmp_path / "other.json",
    )
    refused = cli(*elsewhere).refused("DiseaseUnknown", 2)
    assert refused == {"digest": digest, "stated": None}
    assert ok(*elsewhere, "--disease", made["disease"])["disease"] == made["disease"]
    assert cli(*grant, "--disease", "DOID:162", "--as", "patient").refused("DiseaseUnknown", 2)
    signed(*grant)
    contributed = cli("dataset", "contribute", made["dataset_id"], image, "--as", "clinic")
    assert contributed.code == 0, contributed


def test_an_end_is_rounded_unless_it_is_to_be_exact(home, ok, cli, signed, tmp_path):
    grant = ("consent", "grant", "radiologist", "--purpose", "CC", "--as", "patient", "--sign-only")
    for span, day in (("+30d", False), ("+2y", True)):
        until = (tmp_path / "signed.json", "--until", span)
        exact, rounded = ok(*grant, *until, "--exact")["until"], ok(*grant, *until)["until"]
        end = datetime.fromtimestamp(rounded)
        assert (end.hour, end.minute, end.second) == (0, 0, 0)
        assert 0 <= exact - rounded <= (31 if day else 1) * 86_400
        assert not day or end.day == 1
    asked = ok("consent", "request", "patient", *grant[3:5], "--until", "+2y", "--as", "researcher")
    assert asked["until"] == rounded


def test_without_ether_a_patient_signs_only(home, cli):
    refused = cli("consent", "grant", "radiologist", "--purpose", "CC", "--as", "patient")
    assert refused.refused("OutOfFunds")["balance"] == 0


def test_request_and_approve(home, ok, cli, signed, check, addresses):
    asked = ("consent", "request", "patient", "--purpose", "GRU", "--as")
    refused = cli(*asked, "stranger").refused("ConsentRequesterNotAccredited")
    assert refused == {"requester": addresses["stranger"]}
    request = ok(*asked, "researcher")["request_id"]
    (waiting,) = cli("consent", "list", "--requests").objects
    assert (waiting["request_id"], waiting["requester"]) == (request, addresses["researcher"])

    other = cli("consent", "approve", request, "--as", "hospital").refused("NoSuchRequest")
    assert other == {"request": request, "subject": addresses["hospital"]}
    assert cli("consent", "approve", "0x12", "--as", "patient").refused("InvalidRequestId", 2)
    signed("consent", "approve", request, payer="stranger")
    assert check("researcher", "--purpose", "HMB") == (True, "permitted")
    assert cli("consent", "list", "--requests").objects == []


def test_what_is_signed_can_be_read_and_submitted_once(
    home, ok, cli, plain_cli, addresses, tmp_path
):
    file = tmp_path / "consent.json"
    grant = ("consent", "grant", "radiologist", "--purpose", "CC")
    told = plain_cli(*grant, "--sign-only", file, "--as", "patient")
    assert "clinical care" in told.out
    document = json.loads(file.read_text())
    assert document["typedData"]["primaryType"] == "Grant"
    named = document["summary"]
    for name in ("patient", "radiologist"):
        named = named.replace(addresses[name], f"{name} {addresses[name]}")
    assert named != document["summary"]
    assert named in told.out

    ok("submit", file, "--as", "hospital")
    again = cli("submit", file, "--as", "hospital").refused("ConsentSuperseded")
    assert again["signed"] == document["typedData"]["message"]["signed"]
    told = plain_cli("submit", file, "--as", "hospital")
    assert "This grant, or one that was signed later, is already recorded" in told.err
    assert f"(subject patient {addresses['patient']}, " in told.err

    document["typedData"]["message"]["purposes"] = ["any use, without restriction"]
    document["typedData"]["message"]["seen"] = again["signed"]
    file.write_text(json.dumps(document))
    assert cli("submit", file, "--as", "hospital").code == 1


@pytest.mark.parametrize(("given", "seconds"), [((), 7 * 24 * 3600), (("--valid-for", "2h"), 7200)])
def test_a_document_can_be_submitted_for_some_time(home, ok, tmp_path, given, seconds):
    file = tmp_path / "signed.json"
    ok("consent", "revoke-all", "--as", "patient", "--sign-only", file, *given)
    message = json.loads(file.read_text())["typedData"]["message"]
    assert message["deadline"] - message["signed"] == seconds


def test_a_span_that_is_none(home, cli, tmp_path):
    signing = ("--as", "patient", "--sign-only", tmp_path / "signed.json", "--valid-for", "long")
    assert cli("consent", "revoke-all", *signing).refused("InvalidTime", 2) == {"text": "long"}
    assert not (tmp_path / "signed.json").exists()


@pytest.mark.parametrize("content", [b"{", b"[]", b"3", b"\xff\xfe\x00", b"[" * 100_000, b"null"])
def test_a_file_that_is_not_a_document(home, cli, tmp_path, content):
    file = tmp_path / "document"
    file.write_bytes(content)
    refused = cli("submit", file, "--as", "hospital").refused("InvalidFile", 2)
    assert refused == {"path": str(file)}


def test_a_document_for_something_else(home, cli, tmp_path):
    file = tmp_path / "document"
    file.write_text("{}")
    refused = cli("submit", file, "--as", "hospital")
    refused.refused("DocumentMalformed", 2)
    assert "a JSON object with format, kind, summary" in refused.object["message"]
    assert "--sign-only" in refused.object["message"]
    missing = tmp_path / "missing"
    for path in (missing, tmp_path):
        refused = cli("submit", path, "--as", "hospital").refused("InvalidFile", 2)
        assert refused == {"path": str(path)}
    nowhere = cli("consent", "revoke-all", "--as", "patient", "--sign-only", missing / "x")
    assert nowhere.refused("InvalidFile", 2) == {"path": str(missing / "x")}


@pytest.mark.parametrize(
    ("arguments", "error", "values"),
    [
        (("--purpose", "BOGUS"), "UnknownTerm", {"term": "BOGUS"}),
        (("--purpose", "CC", "--until", "soon"), "InvalidTime", {"text": "soon"}),
        (("--purpose", "CC", "--from", "+3x"), "InvalidTime", {"text": "3x"}),
    ],
)
def test_terms_that_make_no_sense(home, cli, arguments, error, values):
    outcome = cli("consent", "grant", "radiologist", *arguments, "--as", "patient")
    assert outcome.refused(error, 2) == values


def test_an_end_by_this_machines_clock(
    home, signed, check, cli, ok, plain_cli, image, machine_clock
):
    machine_clock(600)
    signed("consent", "grant", "radiologist", "--purpose", "CC", "--until", "+30s")
    (grant,) = cli("consent", "list", "--subject", "patient").objects
    machine_clock(629)
    assert check("radiologist", "--purpose", "CC") == (True, "permitted")
    machine_clock(630)
    assert check("radiologist", "--purpose", "CC") == (False, "expired")
    assert cli("consent", "list", "--subject", "patient").object["status"] == "expired"
    fetch = ("image", "fetch", image, "--to", "late", "--purpose", "CC", "--as", "radiologist")
    assert cli(*fetch).refused("ConsentNotPermittedExpired")["until"] == grant["until"]
    assert not Path("late").exists()


def test_a_chain_that_makes_no_blocks_permits_nothing(
    home, signed, cli, plain_cli, image, machine_clock
):
    signed("consent", "grant", "radiologist", "--purpose", "CC")
    machine_clock(3_600, max_block_age=60)
    check = ("consent", "check", "radiologist", image, "--purpose", "CC")
    answer = cli(*check)
    assert (answer.code, answer.err) == (1, "")
    decision = answer.object
    assert decision.pop("block_age") > 60
    assert decision == {"permitted": False, "reason": "stale chain", "grant_id": None}
    told = plain_cli(*check)
    assert told.code == 1
    assert "stale chain" in told.out
    fetch = ("image", "fetch", image, "--to", "reading", "--purpose", "CC", "--as", "radiologist")
    values = cli(*fetch).refused("ChainStale")
    assert (values["reason"], values["max_block_age"]) == ("stale chain", 60)
    assert not Path("reading").exists()


def test_the_end_that_was_understood_is_reported(home, cli, ok, plain_cli, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        grant = ("consent", "grant", "radiologist", "--purpose", "CC", "--as", "patient")
        dated = (*grant, "--until", "2099-01-31", "--sign-only", tmp_path / "signed.json")
        last = int(datetime(2099, 1, 31, 23, tzinfo=UTC).timestamp())
        assert ok(*dated)["until"] == last
        assert "until" in plain_cli(*dated).out
        assert "2099-01-31 23:00:00 UTC" in plain_cli(*dated).out
        asked = ("consent", "request", "patient", "--purpose", "CC", "--until", "2099-01-31")
        assert ok(*asked, "--as", "researcher")["until"] == last
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("period", [("--until", "2020-01-01"), ("--from", "+2d", "--until", "+1d")])
def test_a_grant_that_would_never_hold_is_not_signed(home, cli, tmp_path, period):
    grant = ("consent", "grant", "radiologist", "--purpose", "CC", *period)
    file = tmp_path / "signed.json"
    assert cli(*grant, "--as", "patient", "--sign-only", file).refused("ConsentPeriodInvalid")
    assert not file.exists()
    asked = ("consent", "request", "patient", "--purpose", "CC", *period, "--as", "researcher")
    assert cli(*asked).refused("ConsentPeriodInvalid")


def test_check_of_what_is_not_there(home, cli, image):
    check = ("consent", "check")
    unknown = cli(*check, "radiologist", UNKNOWN, "--purpose", "CC").refused("ImageUnknown")
    assert unknown == {"image": UNKNOWN}
    nobody = cli(*check, "nobody", image, "--purpose", "CC").refused("AccountUnknown", 2)
    assert nobody == {"account": "nobody"}


def test_a_document_s_date_is_explained_where_it_is_not_now(home, plain_cli, ok, machine_clock):
    """A chain that makes blocks on demand may have made its latest one long ago."""
    sign = ("consent", "revoke-all", "--as", "patient", "--sign-only", "signed.json")
    machine_clock(10)
    assert plain_cli(*sign).err == ""
    machine_clock(30 * 86_400)
    outcome = plain_cli(*sign)
    assert outcome.code == 0
    message = json.loads(Path("signed.json").read_text())["typedData"]["message"]
    (told,) = outcome.err.splitlines()
    assert told.startswith(f"dated {when(message['signed'])}, not now: ")
    assert told.endswith(f"can be submitted until {when(message['deadline'])}")
    assert ok(*sign)["signed"] == "signed.json"


def test_a_document_that_was_prepared_is_signed_by_whom_it_names(home, ok, cli, check, tmp_path):
    prepared, filled = tmp_path / "prepared.json", tmp_path / "filled.json"
    grant = ("consent", "grant", "radiologist", "--purpose", "CC")
    ok(*grant, "--as", "patient", "--sign-only", prepared)
    document = json.loads(prepared.read_text())
    del document["signature"]
    prepared.write_text(json.dumps(document))
    sign = ("consent", "sign", prepared, filled)
    assert cli(*sign, "--as", "hospital").refused("DocumentForAnotherSigner", 2)
    assert not filled.exists()
    told = ok(*sign, "--as", "patient")
    assert told == {"signed": str(filled), "summary": document["summary"]}
    ok("submit", filled, "--as", "hospital")
    assert check("radiologist", "--purpose", "CC") == (True, "permitted")

    prepared.write_text(json.dumps(document | {"summary": document["summary"].upper()}))
    assert cli(*sign, "--as", "patient").refused("DocumentTampered")
    del document["summary"]
    prepared.write_text(json.dumps(document))
    assert cli(*sign, "--as", "patient").refused("DocumentMalformed", 2) == {}

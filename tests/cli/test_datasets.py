"""``radledger dataset``: made of contributions, funded and paid out."""

from __future__ import annotations

import hashlib
import json

import pytest

UNKNOWN = "0x" + "07" * 32
TOKEN = 10**18


@pytest.fixture
def dataset(home, signed, ok):
    """A data set of the clinic, which may use everything of the patient for research."""
    signed("consent", "grant", "clinic", "--purpose", "GRU")
    return ok("dataset", "create", "--purpose", "GRU", "--as", "clinic")["dataset_id"]


@pytest.fixture
def filled(dataset, cli, image):
    """That data set with the image set in it."""
    cli("dataset", "contribute", dataset, image, "--as", "researcher")
    return dataset


def test_create(home, ok, cli, addresses, tmp_path):
    protocol = tmp_path / "protocol.pdf"
    protocol.write_bytes(b"what, why, how")
    shares = ("--data", "62.5", "--custody", "27.5", "--annotation", "10")
    create = ("dataset", "create", "--purpose", "HMB", "--as")
    made = ok(*create, "clinic", *shares, "--rule", "per-instance", "--most-instances",
              "2000", "--protocol", protocol)  # fmt: skip
    shown = ok("dataset", "show", made["dataset_id"])
    assert (shown["institution"], shown["rule"]) == (addresses["clinic"], "per instance")
    assert shown["most_instances"] == 2_000
    for wrong in (("--rule", "per-instance"), ("--most-instances", "1")):
        assert cli(*create, "clinic", *wrong).refused("InvalidInstances", 2)
    assert shown["protocol"] == "0x" + hashlib.sha256(protocol.read_bytes()).hexdigest()
    assert shown["shares"] == {"data": 62.5, "custody": 27.5, "annotation": 10, "development": 0}
    listed = cli("dataset", "list", "--institution", "clinic").objects
    assert [each["dataset_id"] for each in listed] == [made["dataset_id"]]
    assert cli("dataset", "list", "--institution", "hospital").objects == []

    assert cli(*create, "stranger").refused("ParticipantNotAccredited")
    assert cli(*create, "clinic", "--data", "50").refused("InvalidShares", 2)
    for share in ("nan", "inf", "-1", "100.001", "101", "1e999999999", "x"):
        refused = cli(*create, "clinic", f"--data={share}").refused("InvalidAmount", 2)
        assert refused == {"text": share}
    missing = tmp_path / "missing"
    refused = cli(*create, "clinic", "--protocol", missing).refused("InvalidFile", 2)
    assert refused == {"path": str(missing)}


def test_a_network_without_a_token_of_its_own(home, ok, cli):
    record = home / "deployments" / "31337.json"
    content = json.loads(record.read_text())
    token = content["contracts"].pop("LocalToken")["address"]
    record.write_text(json.dumps(content))
    create = ("dataset", "create", "--purpose", "HMB", "--as", "clinic")
    assert cli(*create).refused("TokenNotNamed", 2) == {}
    made = ok(*create, "--token", token)
    assert ok("dataset", "show", made["dataset_id"])["token"] == token


def test_contribute(dataset, ok, cli, image, tmp_path):
    contribute, accepted = ("dataset", "contribute", dataset), tmp_path / "accepted"
    assert cli(*contribute, UNKNOWN, "--as", "hospital").refused("ImageUnknown")
    refused = cli(*contribute, image, "--as", "hospital").refused("DatasetNotCurator")
    assert refused["dataset"] == dataset
    accept = ("dataset", "accept", dataset, image, accepted, "--as")
    assert image in ok(*accept, "researcher")["summary"]
    once = ok(*contribute, image, "--acceptance", accepted, "--as", "hospital")
    assert once.keys() >= {"tx", "gas"}
    again = cli(*contribute, image, "--acceptance", accepted, "--as", "hospital")
    assert again.refused("DatasetAlreadyContributed")["item"] == image
    for wrong in ("0x12", "abc"):
        assert cli("dataset", "show", wrong).refused("InvalidDigest", 2) == {"text": wrong}
    assert cli("dataset", "show", UNKNOWN).code == 1


def test_contribution_without_consent(home, ok, cli, image):
    dataset = ok("dataset", "create", "--purpose", "GRU", "--as", "clinic")["dataset_id"]
    refused = cli("dataset", "contribute", dataset, image, "--as", "researcher")
    assert refused.refused("ConsentNotPermittedNeverGranted")


def test_money(filled, ok, cli, signed, addresses):
    patient, hospital = addresses["patient"], addresses["hospital"]
    ok("dataset", "fund", filled, "100", "--as", "researcher")
    shown = ok("dataset", "show", filled)
    assert shown["weights"]["data"] == {"total": 1, patient: 1}
    assert shown["weights"]["custody"] == {"total": 1, hospital: 1}
    assert shown["funded"]["total"] == 100 * TOKEN
    assert (shown["funded"]["data"], shown["funded"]["custody"]) == (70 * TOKEN, 30 * TOKEN)
    assert shown["due"]["data"] == {"total": 70 * TOKEN, patient: 70 * TOKEN}
    assert shown["paid"]["total"] == 0

    assert ok("dataset", "claim", filled, "--as", "hospital")["amount"] == 30 * TOKEN
    signed("dataset", "claim", filled)
    shown = ok("dataset", "show", filled)
    assert shown["paid"]["data"] == {"total": 70 * TOKEN, patient: 70 * TOKEN}
    assert (shown["paid"]["total"], shown["due"]["total"]) == (100 * TOKEN, 0)

    nothing = cli("dataset", "claim", filled, "--as", "hospital").refused("NothingToClaim")
    assert nothing == {"dataset": filled, "contributor": hospital}
    poor = cli("dataset", "fund", filled, "1", "--as", "stranger")
    assert poor.refused("ERC20InsufficientBalance")["needed"] == TOKEN


@pytest.mark.parametrize("text", ["abc", "0", "nan", "1e-19", "1e400", "1e999999999", "inf", ""])
def test_amounts_that_make_no_sense(dataset, cli, text):
    refused = cli("dataset", "fund", dataset, text, "--as", "researcher")
    assert refused.refused("InvalidAmount", 2) == {"text": text, "decimals": 18}


def test_freeze(filled, ok, cli):
    assert cli("dataset", "freeze", filled, "--as", "stranger").code == 1
    frozen = ok("dataset", "freeze", filled, "--as", "clinic")
    assert (frozen["version"], frozen["contributions"]) == (1, 2)
    assert ok("dataset", "show", filled)["versions"] == [frozen["root"]]


def test_withdraw_and_free(filled, ok, cli, signed, image, addresses):
    refused = cli("dataset", "withdraw", filled, image, "--as", "stranger")
    assert refused.refused("DatasetNotAuthorized")["actor"] == addresses["stranger"]
    signed("dataset", "free", filled)
    ok("dataset", "fund", filled, "10", "--as", "researcher")
    shown = ok("dataset", "show", filled)
    assert shown["due"].get("data", {}).get(addresses["patient"], 0) == 0
    signed("dataset", "withdraw", filled, image)
    states = [each["state"] for each in ok("dataset", "show", filled)["contributions"]]
    assert states == ["withdrawn", "withdrawn"]


def test_suspend_and_resume(filled, ok, cli, signed, image):
    suspend, resume = (("dataset", name, filled, image, "--as") for name in ("suspend", "resume"))
    assert cli(*suspend, "stranger").refused("DatasetStillConsented")
    assert cli(*resume, "stranger").refused("DatasetNotSuspended")["item"] == image
    signed("consent", "revoke", "clinic")
    ok(*suspend, "stranger")
    assert cli(*resume, "stranger").refused("ConsentNotPermittedRevoked")
    states = [each["state"] for each in ok("dataset", "show", filled)["contributions"]]
    assert states == ["suspended", "suspended"]
    signed("consent", "grant", "clinic", "--purpose", "GRU")
    ok(*resume, "stranger")
    assert ok("dataset", "show", filled)["weights"]["data"]["total"] == 1


def test_custodian_and_annotator_leave(filled, ok, cli, image):
    ok("dataset", "withdraw", filled, image, "--as", "hospital")
    shown = ok("dataset", "show", filled)
    assert (shown["weights"]["data"]["total"], shown["weights"]["custody"]["total"]) == (1, 0)
    work = ("dataset", "withdraw", filled, UNKNOWN, "--class", "annotation", "--as", "researcher")
    assert cli(*work).refused("DatasetNotContributed")["item"] == UNKNOWN
    assert cli("dataset", "withdraw", filled, UNKNOWN, "--as", "patient").refused("ImageUnknown")


def test_weights_that_the_funder_saw(filled, ok, cli):
    fund = ("dataset", "fund", filled, "5", "--as", "researcher")
    refused = cli(*fund, "--weight", "data=2").refused("DatasetWeightsChanged")
    assert (refused["class"], refused["named"], refused["weight"]) == (0, 2, 1)
    for wrong in ("data", "data=", "data=x", "data=-1", "data=1.5"):
        assert cli(*fund, "--weight", wrong).refused("InvalidWeight", 2) == {"text": wrong}
    assert cli(*fund, "--weight", "pictures=1").refused("UnknownClass", 2)
    ok(*fund, "--weight", "data=1", "--weight", "custody=1")
    assert ok("dataset", "show", filled)["funded"]["total"] == 5 * TOKEN


def test_who_took_over_an_identity_chooses_and_collects_for_it(
    filled, ok, cli, signed, addresses, travel, tmp_path
):
    signed("dataset", "free", filled)
    signed("identity", "guardians", "hospital", "--threshold", "1")
    recover = ("identity", "recover", "patient", "--new-owner", "stranger", "--as", "hospital")
    ok(*recover)
    travel(3 * 24 * 3600)
    ok(*recover, "--execute")

    whose = ("--identity", "patient", "--as")
    assert cli("dataset", "claim", filled, *whose, "clinic").refused("DatasetNotAuthorized")
    # Nothing is due yet, but the lost key can collect no more.
    assert ok("dataset", "claim", filled, *whose, "stranger")["amount"] == 0
    ok("dataset", "free", filled, "--reward", *whose, "stranger")
    ok("dataset", "fund", filled, "100", "--as", "researcher")
    lost = cli("dataset", "claim", filled, "--as", "patient", "--sign-only", tmp_path / "claim")
    assert lost.refused("DatasetIdentityChangedHands")["beneficiary"] == addresses["patient"]
    assert ok("dataset", "claim", filled, *whose, "stranger")["amount"] == 70 * TOKEN
    nothing = cli("dataset", "claim", filled, "--as", "stranger").refused("NothingToClaim")
    assert nothing == {"dataset": filled, "contributor": addresses["stranger"]}

"""Each release's home, opened by this one: everything in it is found, and work continues."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from pydicom.data import get_testdata_file

from radledger import RadLedger, devnet
from radledger.chain.keystore.accounts import Keystore
from radledger.chain.rpc import request
from radledger.dicom.synthetic import make_ct_series
from radledger.index.tables import layout
from radledger.relay.tickets import Tickets
from radledger.relay.worker import Worker
from tests.upgrade.conftest import RELEASES, verified_offline
from tools.make_upgrade_home import ROOT
from tools.upgrade_answers import digests, objects

YEARS = 3 * 365 * 24 * 3600
READ = ("--purpose", "CC")


def test_every_release_has_a_home():
    """A heading with a date is that of a release."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    released = re.findall(r"^## \[?(\d+\.\d+\.\d+)\]? - \d{4}-", changelog, re.MULTILINE)
    assert set(released) <= set(RELEASES)


# ----------------------------------------------------------------------------------- what is there


def require_found(found, known, place=""):
    """That all that was known is found; a later release may tell more of a thing."""
    if isinstance(known, dict):
        for name, value in known.items():
            assert name in found, f"{place} lacks {name}"
            require_found(found[name], value, f"{place} {name}")
    elif isinstance(known, list):
        assert len(found) == len(known), place
        for number, value in enumerate(known):
            require_found(found[number], value, f"{place} {number}")
    else:
        assert found == known, place


def require_all_answers(opened):
    opened.bring_up_index()
    for each in opened.expected["answers"]:
        require_found(opened(*each["asked"]), each["answer"], " ".join(each["asked"]))


def test_everything_is_found(opened):
    require_all_answers(opened)


def test_everything_is_found_and_work_continues_years_later(opened, tmp_path):
    request(opened.web3, "evm_increaseTime", [YEARS])
    request(opened.web3, "evm_mine", [])
    require_all_answers(opened)
    fetch = ("image", "fetch", opened.names["image"], "--to", tmp_path / "reading", *READ)
    opened.one(*fetch, "--as", "radiologist")
    assert digests(tmp_path / "reading") == opened.expected["files"]["image"]
    opened.one("submit", opened.home / "documents" / "grant.json", "--as", "hospital")
    assert opened.one("audit")["differences"] == []


def test_the_index_is_continued_or_rebuilt(opened):
    known = opened.expected["index"]
    opened.one("consent", "revoke", "radiologist", "--as", "patient")
    if known["layout"] == layout():
        status = opened.one("index", "status")
        assert status["block"] == known["block"]
        synced = opened.one("index", "sync")
        assert (synced["added_blocks"], synced["added_events"]) == (status["behind"], 1)
    else:
        opened.refused("IndexOfAnotherRelease", "index", "sync")
        assert opened.one("index", "rebuild")["block"] > known["block"]
    assert opened.one("audit")["differences"] == []


def test_every_image_is_read_by_all_who_could(opened, tmp_path):
    for image, readers in opened.expected["readers"].items():
        for number, reader in enumerate(readers):
            folder = tmp_path / f"{image} {number}"
            purpose = READ if reader == "radiologist" else ()
            fetch = ("image", "fetch", opened.names[image], "--to", folder, *purpose)
            opened.one(*fetch, "--as", reader)
            assert digests(folder) == opened.expected["files"][image], (image, reader)
    folder = tmp_path / "nothing"
    for image in ("erased", "disowned"):
        fetch = ("image", "fetch", opened.names[image], "--to", folder, "--as", "patient")
        with pytest.raises(RuntimeError, match="ended with 1"):
            opened(*fetch)
    assert not folder.exists()


def test_keys_open(opened, monkeypatch):
    approve = ("identity", "recover", "patient", "--new-owner", "governor")
    monkeypatch.setenv("RADLEDGER_PASSPHRASE", "another passphrase")
    opened.refused("PassphraseWrong", *approve, "--as", "guardian", code=2)
    monkeypatch.setenv("RADLEDGER_PASSPHRASE", opened.expected["passphrase"])
    opened.one(*approve, "--as", "guardian")
    governor = opened.one("account", "show", "governor")["address"]
    recoveries = opened.one("identity", "show", "patient")["recoveries"]
    assert {each["approvals"] for each in recoveries if each["new_owner"] == governor} == {1}
    opened.one("identity", "set-key", "--as", "guardian")
    shown = opened.one("identity", "show", "guardian")
    assert shown["kem"] == "MLKEM768-X25519"
    derived = opened.names["second patient"]
    address = opened.one("account", "show", derived)["address"]
    (opened.home / "keystore" / f"{derived}.json").unlink()
    again = opened.one("account", "derive", "--for", "clinic", "--as", "patient")
    assert (again["name"], again["address"]) == (derived, address)


# ------------------------------------------------------------------------------------ what waits


def test_signed_documents_are_submitted(opened):
    documents = opened.home / "documents"
    submit = ("submit", documents / "grant.json", "--as", "hospital")
    governor = opened.one("account", "show", "governor")["address"]
    assert opened("consent", "list", "--grantee", "governor") == []
    opened.one(*submit)
    (grant,) = opened("consent", "list", "--grantee", "governor")
    assert (grant["grantee"], grant["purposes"]) == (governor, ["CTRL"])
    opened.refused("ConsentSuperseded", *submit)

    disowned = ("image", "show", opened.names["disowned"])
    assert opened.one(*disowned)["state"] == "disowned"
    opened.one("submit", documents / "call.json", "--as", "hospital")
    assert opened.one(*disowned)["state"] == "anchored"

    original = opened.names["original"]
    contribute = ("dataset", "contribute", opened.names["dataset"], original)
    acceptance = ("--acceptance", documents / "acceptance.json", "--as", "hospital")
    opened.one(*contribute, *acceptance)
    contributions = opened.one("dataset", "show", opened.names["dataset"])["contributions"]
    assert {each["state"] for each in contributions if each["item"] == original} == {"counted"}


def test_the_relayer_works_its_queue_off(opened):
    radledger = RadLedger.open(opened.endpoint, home=opened.home)
    hospital = Keystore(opened.home).open("hospital")
    (path,) = (opened.home / "relay").glob("*[0-9a-f].sqlite3")
    tickets = Tickets(path)
    try:
        names = opened.expected["tickets"]
        assert {tickets.get(each).state for each in names.values()} == {"queued"}
        worker = Worker(radledger.ledger, hospital, tickets)
        while worker.work():
            pass
        assert {tickets.get(each).state for each in names.values()} == {"confirmed"}
    finally:
        tickets.close()
    second = opened.names["second patient"]
    (grant,) = opened("consent", "list", "--grantee", "hospital")
    assert (grant["subject"], grant["purposes"]) == (
        opened.one("account", "show", second)["address"],
        ["MDS"],
    )
    (delegate,) = opened.one("identity", "show", second)["delegates"]
    assert delegate["delegate"] == opened.one("account", "show", "stranger")["address"]


def test_an_interrupted_transaction_is_finished_once(opened):
    (transaction,) = opened("transaction", "list")
    assert transaction["call"] == "IdentityRegistry.addDelegate"
    (finished,) = opened("transaction", "finish", "--as", "stranger")
    assert (finished["nonce"], finished["state"]) == (transaction["nonce"], "mined")
    (delegate,) = opened.one("identity", "show", "stranger")["delegates"]
    assert delegate["delegate"] == opened.one("account", "show", "governor")["address"]
    assert opened("transaction", "finish", "--as", "stranger") == []


# --------------------------------------------------------------------------------------- proof


def test_bundles_and_the_certificate_are_verified_offline(opened, tmp_path):
    for image, known in opened.expected["bundles"].items():
        trust = ("--contract", known["contract"])
        blocks = [word for each in known["blocks"] for word in ("--block-hash", each)]
        again = tmp_path / f"{image}.bundle"
        exported = opened.one("bundle", "export", opened.names[image], again, "--as", "hospital")
        assert exported["contract"] == known["contract"]
        for bundle in (again, opened.home / f"{image}.bundle"):
            answer = verified_offline(bundle, *trust, *blocks)
            assert answer["answer"] == "yes", answer
    refused = verified_offline(bundle, *trust, "--block-hash", "0x" + "00" * 32)
    assert refused["answer"] == "no"
    (certificate,) = opened.home.glob("imaging/*/certificates/*.json")
    digest = "0x" + hashlib.sha256(certificate.read_bytes()).hexdigest()
    assert digest == opened.names["certificate"]
    assert digest in json.dumps(answer["events"])
    assert json.loads(certificate.read_text())["image_id"] == opened.names["erased"]


# ------------------------------------------------------------------------------------ deployments


def test_deploy_adds_what_is_missing_once(opened):
    (record,) = (opened.home / "deployments").glob("*.json")
    before = json.loads(record.read_text())["contracts"]
    assert opened.one("deploy", "--verify")["verified"] is True
    deployed = opened.one("deploy", "--as", "governor")
    assert deployed["missing"] == []
    after = record.read_bytes()
    found = json.loads(after)["contracts"]
    assert {name: found[name] for name in before} == before
    opened.one("deploy", "--as", "governor")
    assert record.read_bytes() == after


def test_an_imported_record_is_used_and_imported_again(opened, tmp_path):
    images = objects(opened.partner, "--network", opened.endpoint, "image", "list")
    assert images == opened("image", "list")
    (record,) = (opened.partner / "deployments").glob("*.json")
    third = tmp_path / "third"
    network = ("--network", opened.endpoint)
    objects(third, *network, "deploy", "import", record)
    assert objects(third, *network, "image", "list") == images
    spoilt = json.loads(record.read_text())
    spoilt["contracts"]["ImageRegistry"]["block"] += 1
    record.write_text(json.dumps(spoilt))
    with pytest.raises(RuntimeError, match=r"ended with 1.*DeploymentMismatch"):
        objects(tmp_path / "fourth", *network, "deploy", "import", record)


# ------------------------------------------------------------------------------------- work


def test_work_continues(opened, tmp_path):
    names = opened.names
    opened.bring_up_index()
    before = len(opened("image", "list"))
    add = ("--patient", "patient", "--as", "hospital")
    make_ct_series(tmp_path / "the same", 2, size=32, seed=4)
    again = opened.one("image", "add", tmp_path / "the same", *add)
    assert (again["image_id"], again["added"]) == (names["disowned"], False)
    added = opened.one("image", "add", get_testdata_file("CT_small.dcm"), *add)["image_id"]
    assert added not in names.values()
    assert len(opened("image", "list")) == before + 1
    opened("image", "rekey", names["image"], "--as", "hospital")
    opened.one("image", "fetch", names["image"], "--to", tmp_path / "reading", "--as", "patient")
    assert digests(tmp_path / "reading") == opened.expected["files"]["image"]

    opened.one("consent", "approve", names["request"], "--as", "patient")
    assert opened("consent", "list", "--requests") == []
    review = ("consent", "review", names["second patient"], "radiologist")
    finding = ("--since", names["emergency"], "--opinion", "no need", "--unjustified")
    opened.one(*review, *finding, "--as", "hospital")
    assert opened.one("conduct", "radiologist")["as_clinician"]["unjustified"] == 1
    reading = ("image", "fetch", names["image"], "--purpose", "HMB", "--as", "researcher")
    opened.one(*reading, "--to", tmp_path / "in time")
    opened.one("consent", "revoke", "clinic", "--as", "patient")
    opened.refused("ConsentNotPermitted", *reading, "--to", tmp_path / "late")

    dataset = ("dataset", "claim", names["dataset"], "--class", "custody", "--as", "hospital")
    assert opened.one(*dataset)["amount"] > 0
    opened.refused("DatasetNothingDue", *dataset)
    publish = ("algorithm", "publish", "--name", "Lung nodules", "--version", "2.0.0")
    parent = ("--weights", get_testdata_file("CT_small.dcm"), "--parent", names["version"])
    opened.one(*publish, *parent, "--as", "researcher")
    assert len(opened.one("algorithm", "show", names["algorithm"])["versions"]) == 3
    opened("index", "sync")
    assert opened.one("audit")["differences"] == []


def test_the_local_network_is_started_again(opened):
    images = opened("image", "list")
    status = devnet.up(opened.home, "anvil")
    try:
        assert status.running
        assert objects(opened.home, "image", "list") == images
        known = json.loads(next((opened.partner / "deployments").glob("*.json")).read_text())
        assert {name: status.contracts[name] for name in known["contracts"]} == {
            name: each["address"] for name, each in known["contracts"].items()
        }
    finally:
        devnet.down(opened.home)

"""The scripts for ``brownie run``, on chains that Brownie starts and on a live one."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from radledger.chain import artifacts
from radledger.chain.keystore.accounts import Keystore
from radledger.chain.ledger import ContractAt
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.consent import SealedNote
from radledger.crypto.keys import public_key
from radledger.deployment.deploy import CONTRACTS
from radledger.devnet import process
from radledger.devnet.people import FUNDED, accredit, register_key
from radledger.dicom.synthetic import make_ct_series
from radledger.facade import RadLedger
from radledger.imaging.model import ImageSet

if find_spec("brownie") is None:
    pytest.skip("needs Brownie: run `make setup`", allow_module_level=True)

from tools.with_brownie import networks

ROOT = Path(__file__).resolve().parents[2]
MNEMONIC = "test test test test test test test test test test test junk"
PEOPLE = (*FUNDED, "patient")
TOKEN = 10**18

# Brownie takes the path of a script for the dotted name of a module.
if "." in str(ROOT):
    pytest.skip(f"needs a path without dots: {ROOT}", allow_module_level=True)

# Brownie compiles the contracts at its first start.
pytestmark = pytest.mark.timeout(600)


class Brownie:
    """Runs scripts with a Brownie home of its own."""

    def __init__(self, home, live=(), port=None):
        self.home = home
        self.radledger_home = home / "radledger"
        self.folder = home / ".brownie"
        self.folder.mkdir(parents=True)
        config = networks(traced=False)
        for each in config["development"]:
            if port is not None and each["id"] == "development":
                each["cmd_settings"]["port"] = port
        config["live"].append({"name": "Trial", "networks": list(live)})
        (self.folder / "network-config.yaml").write_text(yaml.safe_dump(config))

    def run(self, *arguments, network="development", **variables):
        """What a script printed; what it says of an error where it fails."""
        done = self._done(arguments, network, variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.partition("Running '")[2]

    def refused(self, *arguments, network="development"):
        """The last line of a script that refuses, where no line is of a stack."""
        done = self._done(arguments, network, {})
        assert done.returncode == 1
        assert "File " not in done.stdout + done.stderr
        return done.stderr.splitlines()[-1]

    def _done(self, arguments, network, variables):
        programs = [Path(sys.prefix, "bin"), ROOT / "node_modules/.bin", os.environ["PATH"]]
        return subprocess.run(
            ["brownie", "run", *map(str, arguments), "--network", network],
            cwd=ROOT,
            env={
                **os.environ,
                "HOME": str(self.home),
                "PATH": os.pathsep.join(map(str, programs)),
                "PYTHONPATH": str(ROOT / "src"),
                "RADLEDGER_HOME": str(self.radledger_home),
                "RADLEDGER_PASSPHRASE": "",
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )


def test_deploys_on_a_development_chain(tmp_path):
    printed = Brownie(tmp_path).run("deploy")
    addresses = dict(re.findall(r"^(\w+) +(0x[0-9a-fA-F]{40})$", printed, re.MULTILINE))
    assert list(addresses) == list(CONTRACTS)
    assert len(set(addresses.values())) == len(addresses)


def test_roles_share_a_development_chain_that_is_running(tmp_path):
    node = process.start("anvil", tmp_path / "anvil", MNEMONIC, accounts=10)
    try:
        brownie = Brownie(tmp_path, port=int(node.endpoint.rpartition(":")[2]))
        home = Path(re.search(r"^home (.+)$", brownie.run("deploy"), re.MULTILINE)[1])
        brownie.run("patient", "grant", "radiologist", "CC")
        assert re.search(r"^active +0x\w+ CC all$", brownie.run("patient", "list"), re.MULTILINE)
        radledger = RadLedger.open(node.endpoint, home=home)
        (grant,) = radledger.consents.list()
        assert grant.grantee == Keystore(home).show("radiologist").address
    finally:
        node.stop()
        shutil.rmtree(home)


def test_what_goes_wrong_is_one_line(brownie, deployed, tmp_path):
    """Beside the same scripts with what they accept, in the other tests."""
    told = Brownie(tmp_path).refused("patient", "list")
    assert told.startswith("nothing is deployed on this chain")
    assert "`brownie console`" in told
    told = brownie.refused("researcher", "create", "HMB", "data=7000", network="trial")
    assert told == (
        "InvalidAmount: '7000' is not a share; give per cent from 0 to 100, with two decimals "
        "at most"
    )
    told = brownie.refused("clinician", "emergency", "0x12", "why", "two", network="trial")
    assert told == "HOURS is 'two'; give a whole number"
    told = brownie.refused("patient", "grant", "0x12", "CC", network="trial")
    assert told.startswith("InvalidAddress: ")


@pytest.mark.parametrize("script", ["patient", "clinician", "researcher"])
def test_script_without_arguments_says_what_it_accepts(brownie, script):
    printed = brownie.run(script, network="trial")
    usage = re.findall(rf"^    brownie run {script} (\w+)", printed, re.MULTILINE)
    source = (ROOT / "scripts" / f"{script}.py").read_text("utf-8")
    assert usage
    assert set(usage) == set(re.findall(r"^def ([a-z]\w*)\(", source, re.MULTILINE)) - {"main"}


def test_tells_the_story_on_ganache(tmp_path):
    printed = Brownie(tmp_path).run("demo", "main", 3, tmp_path / "demo", network="ganache")
    assert "an image's whole journey, on ganache" in printed
    assert re.search(r"\d+ steps as they should be, \d+ of them refusals", printed)
    assert "Refused" in (tmp_path / "demo" / "index.html").read_text("utf-8")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    """A chain that Brownie knows as a live one."""
    node = process.start("anvil", tmp_path_factory.mktemp("anvil"), MNEMONIC, accounts=10)
    yield node.endpoint
    node.stop()


@pytest.fixture(scope="module")
def accounts():
    """The accounts of all people: the first of the mnemonic."""
    from eth_account import Account

    Account.enable_unaudited_hdwallet_features()
    return {
        name: Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
        for index, name in enumerate(PEOPLE)
    }


@pytest.fixture(scope="module")
def brownie(endpoint, accounts, tmp_path_factory):
    """A Brownie that knows the chain as ``trial``, and keeps all accounts."""
    from eth_account import Account

    network = {"name": "Trial", "id": "trial", "host": endpoint, "chainid": 31337}
    brownie = Brownie(tmp_path_factory.mktemp("home"), [network])
    (brownie.folder / "accounts").mkdir()
    for name, account in {**accounts, "deployer": accounts["governor"]}.items():
        kept = Account.encrypt(account.key, "", kdf="pbkdf2", iterations=1)
        (brownie.folder / "accounts" / f"{name}.json").write_text(json.dumps(kept))
    return brownie


@pytest.fixture(scope="module")
def deployed(brownie, endpoint, accounts):
    """The services on the live chain, where all people are accredited."""
    brownie.run("deploy", network="trial")
    web3 = connect(Network("trial", endpoint))
    radledger = RadLedger.open(web3, home=brownie.radledger_home)
    accredit(radledger.ledger, accounts)
    return radledger


def test_clinician_asks_reads_and_declares_an_emergency(brownie, deployed, accounts, tmp_path):
    patient, reader = accounts["patient"], accounts["radiologist"]
    keystore = Keystore(brownie.radledger_home)
    keystore.import_("radiologist", "0x" + bytes(reader.key).hex(), "")
    key = public_key(keystore.encryption_key("radiologist"))
    register_key(deployed.ledger, reader, key, reader)
    files = make_ct_series(tmp_path / "scans", 2, size=64)
    (added,) = deployed.images.add(
        files, patient=patient.address, custodian=accounts["hospital"], keep_identity=True
    )

    def run(*arguments, **variables):
        return brownie.run(*arguments, network="trial", **variables)

    asked = run("clinician", "request", patient.address, "CC", "all", 30)
    (request,) = deployed.consents.requests(subject=patient.address)
    assert f"request {request.request_id}" in asked
    run("patient", "approve", request.request_id, RADLEDGER_PAYER="hospital")
    folder = tmp_path / "reading"
    run("clinician", "read", added.image_id, folder, RADLEDGER_PAYER="hospital")
    assert {path.read_bytes() for path in folder.iterdir()} == {p.read_bytes() for p in files}

    declared = run("clinician", "emergency", patient.address, "unconscious", 2)
    (emergency,) = deployed.consents.emergencies(subject=patient.address)
    assert (emergency.clinician, emergency.until - emergency.since) == (reader.address, 2 * 3600)
    salt = bytes.fromhex(re.search(r"salt for the review: 0x(\w{64})", declared)[1])
    assert emergency.reason == "0x" + SealedNote("unconscious", salt).digest.hex()


def test_patient_and_researcher_on_a_live_chain(brownie, deployed, endpoint, accounts):
    radledger, web3 = deployed, connect(Network("trial", endpoint))
    assert set(CONTRACTS) - set(radledger.ledger.deployment.contracts) == {"LocalToken"}
    ledger, patient, clinic = radledger.ledger, accounts["patient"], accounts["clinic"]

    brownie.run("patient", "grant", clinic.address, "HMB,CC", "all", 30, network="trial")
    (grant,) = radledger.consents.list(subject=patient.address, grantee=clinic.address)
    assert (grant.grantee, grant.status) == (clinic.address, "active")
    assert {"HMB", "CC"} <= set(grant.terms.purposes)
    assert 28 * 86400 < grant.terms.until - ledger.present().time <= 30 * 86400

    token = _token(web3, accounts["researcher"])
    created = brownie.run(
        "researcher", "create", "HMB", "data=100", "", token.address, network="trial"
    )
    (dataset,) = radledger.datasets.list()
    assert dataset.dataset_id in created
    assert (dataset.institution, dataset.terms.token) == (clinic.address, token.address)

    image = _anchored(ledger, accounts["hospital"], patient)
    brownie.run("researcher", "contribute", dataset.dataset_id, image.image_id, network="trial")
    radledger.datasets.fund(dataset.dataset_id, TOKEN).send(accounts["researcher"])
    brownie.run(
        "researcher", "claim", dataset.dataset_id, network="trial", RADLEDGER_ACCOUNT="patient"
    )
    assert ledger.call(token, "balanceOf", patient.address) == TOKEN

    brownie.run("patient", "revoke_all", network="trial", RADLEDGER_PAYER="hospital")
    listed = brownie.run("patient", "list", network="trial")
    assert re.search(rf"^revoked +{clinic.address} .*HMB.* all$", listed, re.MULTILINE)


def _token(web3, holder):
    """An ERC-20 token of the researcher's."""
    artifact = artifacts.load("LocalToken")
    factory = web3.eth.contract(abi=list(artifact.abi), bytecode=artifact.bytecode)
    sent = factory.constructor(holder.address, 10 * TOKEN).transact({"from": holder.address})
    receipt = web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
    return ContractAt("LocalToken", receipt["contractAddress"])


def _anchored(ledger, hospital, patient):
    """An image set of the hospital; a record alone, without files."""
    root = secrets.token_bytes(32)
    visit = secrets.token_bytes(12) + bytes.fromhex(hospital.address[2:])
    new = (patient.address, root, bytes(32), visit, bytes(32), 3, 0)
    ledger.send(hospital, "ImageRegistry", "anchor", new)
    return ImageSet(hospital.address, patient.address, "0x" + root.hex(), "0x" + visit.hex())

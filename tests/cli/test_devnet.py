"""``radledger devnet`` and ``deploy``: chains as a new user gets them."""

from __future__ import annotations

import json

import pytest

from radledger.chain.keystore.accounts import Keystore
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from radledger.deployment.deploy import CONTRACTS
from radledger.devnet import process
from radledger.devnet.errors import NodeFailed
from radledger.devnet.people import PEOPLE
from tests.conftest import MNEMONIC

KEYS = {"endpoint", "chain_id", "home", "accounts", "contracts"}


def test_up_status_down(subprocess_cli, tmp_path):
    """A process of its own for each, as the node has to outlive the one that starts it."""
    try:
        process._program("anvil")
    except NodeFailed as error:
        pytest.skip(f"needs anvil: {error}")
    home = tmp_path / "home"
    try:
        up = subprocess_cli("devnet", "up", "--chain", "anvil", "--json")
        assert (up.code, up.err) == (0, "")
        assert up.object.keys() >= KEYS
        assert up.object["home"] == str(home)
        assert set(up.object["accounts"]) == set(PEOPLE)
        assert set(up.object["contracts"]) == set(CONTRACTS)
        assert up.object["running"] is True
        web3 = connect(Network("devnet", up.object["endpoint"]))
        assert web3.eth.chain_id == up.object["chain_id"] == 31337
        assert subprocess_cli("devnet", "status", "--json").object == up.object

        other = subprocess_cli("devnet", "up", "--chain", "ganache", "--json")
        assert other.refused("AnotherChainRuns", 2) == {"running": "anvil", "wanted": "ganache"}
    finally:
        down = subprocess_cli("devnet", "down", "--json")
    assert (down.object["running"], down.object["endpoint"]) == (False, None)
    assert down.object["accounts"] == up.object["accounts"]
    list_images = subprocess_cli("image", "list", "--json")
    assert list_images.refused("ConnectionFailed")["endpoint"] == up.object["endpoint"]


def test_how_the_nodes_of_a_network_are(home, cli, plain_cli, ok, tmp_path):
    (node,) = cli("network", "status").objects
    devnet = ok("devnet", "status")
    assert (node["endpoint"], node["state"]) == (devnet["endpoint"], "good")
    assert node["block"] > 0
    with (tmp_path / "home/networks.yaml").open("w") as file:
        file.write(
            f"networks: {{mine: {{endpoints: ['{devnet['endpoint']}', 'http://127.0.0.1:1']}}}}"
        )
    found = cli("network", "status", "--network", "mine").objects
    assert [each["state"] for each in found] == ["good", "unreachable"]
    shown = plain_cli("network", "status", "--network", "mine").out
    assert "unreachable" in shown
    assert "no Ethereum node answers at" in shown
    assert cli("network", "status", "--network", "none").refused("UnknownNetwork", 2)


def test_where_there_was_never_one(ok, cli, tmp_path):
    status = ok("devnet", "status")
    assert status["running"] is False
    assert ok("devnet", "down") == status
    assert cli("devnet", "up", "--chain", "besu").refused("UsageError", 2) == {"chain": "besu"}
    (tmp_path / "file").write_text("")
    refused = cli("devnet", "up", "--home", tmp_path / "file")
    assert refused.refused("InvalidHome", 2) == {"path": str(tmp_path / "file")}


def test_which_chain_is_resumed_is_said(plain_cli, cli, tmp_path, monkeypatch):
    data = tmp_path / "home" / "devnet"
    data.mkdir(parents=True)
    monkeypatch.setattr("radledger.devnet.network.up", lambda home, chain, **_: {"chain": chain})
    assert plain_cli("devnet", "up").err == ""
    (data / "anvil.json").touch()
    for named in ((), ("--chain", "anvil")):
        outcome = plain_cli("devnet", "up", *named)
        assert (
            outcome.err
            == "resuming this home's chain, which is anvil; --chain starts another one\n"
        )
    outcome = plain_cli("devnet", "up", "--chain", "ganache")
    assert "`radledger devnet up --chain anvil`" in outcome.err
    assert cli("devnet", "up").err == ""


@pytest.fixture
def bare(anvil_endpoint):
    """Endpoint of a chain without contracts."""
    web3 = connect(Network("anvil", anvil_endpoint))
    snapshot = request(web3, "evm_snapshot", [])
    yield anvil_endpoint
    request(web3, "evm_revert", [snapshot])


@pytest.fixture
def deployer(tmp_path):
    """Name of an account that can pay; ``poor`` cannot."""
    keystore = Keystore(tmp_path / "home")
    keystore.import_("deployer", MNEMONIC, "")
    keystore.new("poor", "")
    return "deployer"


def test_deploy_and_verify(ok, cli, bare, deployer, tmp_path):
    there = ("--network", bare)
    assert cli("deploy", *there).refused("AccountNotNamed", 2) == {}
    assert cli("deploy", "--verify", *there).refused("DeploymentMissing") == {"chain_id": 31337}
    assert cli("deploy", "--resume", "--as", deployer, *there).refused("DeploymentMissing")

    deployed = ok("deploy", "--as", deployer, *there)
    assert (deployed["endpoint"], deployed["chain_id"]) == (bare, 31337)
    # A chain that is not known to be local has no play money.
    assert set(deployed["contracts"]) == set(CONTRACTS) - {"LocalToken"}
    assert (tmp_path / "home" / "deployments" / "31337.json").exists()
    for arguments in (("--as", deployer), ("--resume", "--as", deployer), ("--verify",)):
        assert ok("deploy", *arguments, *there) == deployed

    address = deployed["contracts"]["ImageRegistry"]
    request(connect(Network("anvil", bare)), "anvil_setCode", [address, "0x00"])
    assert address in str(cli("deploy", "--verify", *there).refused("DeploymentMismatch"))


def test_contracts_are_not_deployed_twice_by_accident(
    ok, cli, bare, deployer, tmp_path, monkeypatch
):
    monkeypatch.setattr("radledger.chain.nodes.connect._ON_DEMAND", ("besu",))
    there = ("--network", bare)
    values = cli("deploy", "--as", deployer, *there).refused("DeploymentUnconfirmed", 2)
    assert values == {"network": bare}
    deployed = ok("deploy", "--new", "--as", deployer, *there)
    assert ok("deploy", "--as", deployer, *there) == deployed

    # another participant
    own = tmp_path / "home" / "deployments" / "31337.json"
    elsewhere = ("--home", tmp_path / "elsewhere", *there)
    assert ok("deploy", "import", own, *elsewhere) == deployed
    assert ok("deploy", "--verify", *elsewhere) == deployed
    missing = cli("deploy", "import", tmp_path / "nothing", *elsewhere)
    assert missing.refused("InvalidRecord", 2) == {"source": str(tmp_path / "nothing")}

    record = json.loads(own.read_text())
    del record["contracts"]["DatasetRegistry"]
    own.write_text(json.dumps(record))
    assert ok("deploy", "--verify", *there)["missing"] == ["DatasetRegistry"]
    assert cli("deploy", "--as", deployer, *there).refused("DeploymentUnconfirmed", 2)
    assert ok("deploy", "import", tmp_path / "elsewhere" / "deployments" / "31337.json", *there)
    assert ok("deploy", "--as", deployer, *there) == deployed


def test_a_deployment_without_an_area(home, cli, ok):
    """Commands of what is not deployed say so, and all others work."""
    file = home / "deployments" / "31337.json"
    record = json.loads(file.read_text())
    whole = dict(record["contracts"])
    del record["contracts"]["DatasetRegistry"]
    file.write_text(json.dumps(record))
    refused = cli("dataset", "list").refused("ContractNotDeployed")
    assert refused == {"contract": "DatasetRegistry", "chain_id": 31337}
    (image,) = [each["image_id"] for each in cli("image", "list").objects]
    assert ok("image", "show", image)
    assert ok("index", "sync")
    assert "ImageAnchored" in [each["event"] for each in cli("history", image).objects]
    assert ok("audit")["differences"] == []
    record["contracts"] = whole
    file.write_text(json.dumps(record))
    assert cli("dataset", "list").code == 0
    assert ok("audit")["differences"] == []


def test_deploy_by_who_cannot_pay(cli, bare, deployer, ok):
    refused = cli("deploy", "--as", "poor", "--network", bare).refused("OutOfFunds")
    assert refused["account"] == ok("account", "show", "poor")["address"]

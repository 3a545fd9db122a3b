"""Networks by name, and connections that say what is wrong."""

from __future__ import annotations

import math
import socket
from dataclasses import replace

import pytest

from radledger.chain import artifacts
from radledger.chain.clock import Clock
from radledger.chain.errors import (
    ConnectionFailed,
    DeploymentMismatch,
    NetworksInvalid,
    RequestFailed,
    UnknownContract,
    UnknownNetwork,
)
from radledger.chain.nodes import networks
from radledger.chain.nodes.connect import clock, connect, node_states
from radledger.chain.nodes.networks import Network
from radledger.chain.nodes.survey import NodeState
from radledger.chain.rpc import request, request_batch


def test_the_packaged_networks(monkeypatch):
    assert networks.load() == networks.load("ganache")
    assert networks.load("ganache").local
    assert not networks.load("poa").local
    monkeypatch.delenv("RADLEDGER_SEPOLIA_ENDPOINT", raising=False)
    with pytest.raises(UnknownNetwork) as error:
        networks.load("sepolia")
    assert error.value.values["variable"] == "RADLEDGER_SEPOLIA_ENDPOINT"
    monkeypatch.setenv("RADLEDGER_SEPOLIA_ENDPOINT", "https://sepolia.example")
    assert networks.load("sepolia") == Network(
        "sepolia", "https://sepolia.example", 11155111, confirmations=5
    )
    with pytest.raises(UnknownNetwork):
        networks.load("mainnet")


def test_the_home_adds_networks_and_goes_first(tmp_path):
    (tmp_path / "networks.yaml").write_text(
        "default: mine\nnetworks:\n"
        "  mine: {endpoint: 'http://node.example', chain_id: 7}\n"
        "  ganache: {endpoint: 'http://other.example'}\n"
    )
    assert networks.load(home=tmp_path) == Network("mine", "http://node.example", 7)
    assert networks.load("ganache", tmp_path).endpoint == "http://other.example"
    assert networks.load("anvil", tmp_path) == networks.load("anvil")


def test_a_network_of_several_nodes(tmp_path):
    path = tmp_path / "networks.yaml"
    path.write_text(
        "networks:\n"
        "  consortium:\n"
        "    endpoints: [http://a.example, http://b.example, env:THIRD]\n"
        "    confirmations: 3\n"
        "    gas_price: 0\n"
        "    timeout: 45\n"
        "    max_block_age: 30\n"
        "  both: {endpoint: http://a.example, endpoints: [http://b.example, http://a.example]}\n"
    )
    with pytest.raises(UnknownNetwork, match="set THIRD to a URL that begins with http"):
        networks.load("consortium", tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THIRD", "wss://c.example/SECRET")
        with pytest.raises(UnknownNetwork, match=r"set THIRD, which is wss://c.example, to a URL"):
            networks.load("consortium", tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THIRD", "http://c.example")
        found = networks.load("consortium", tmp_path)
    assert found.endpoints == ("http://a.example", "http://b.example", "http://c.example")
    assert (found.confirmations, found.gas_price, found.timeout) == (3, 0, 45)
    assert found.max_block_age == 30
    assert networks.load("both", tmp_path).endpoints == ("http://a.example", "http://b.example")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{endpoints: []}", "no endpoint"),
        ("{endpoint: http://a.example, confirmations: -1}", "confirmations cannot be -1"),
        ("{endpoint: http://a.example, confirmations: true}", "confirmations cannot be True"),
        ("{endpoint: http://a.example, gas_price: cheap}", "gas_price cannot be 'cheap'"),
        ("{endpoint: 8545}", "an endpoint cannot be 8545"),
        ("{endpoint: 'wss://user:SECRET@a.example/SECRET'}", "wss://a.example does not begin"),
        ("{endpoint: /run/geth/SECRET.ipc}", "does not begin with http"),
        ("{endpoints: [http://a.example, null]}", "an endpoint cannot be None"),
        ("{endpoint: http://a.example, timeout: 0}", "timeout cannot be 0"),
        ("{endpoint: http://a.example, timeout: .inf}", "timeout cannot be inf"),
        *(
            (f"{{endpoint: http://a.example, max_block_age: {value}}}", "max_block_age cannot be")
            for value in ("0", "-1", "true", "null", "60s", ".inf", ".nan")
        ),
        ("{endpoint: http://a.example, chain_id: '7'}", "chain_id cannot be '7'"),
        ("{endpoint: http://a.example, conformations: 2}", "there is no conformations"),
    ],
)
def test_an_entry_that_makes_no_sense(tmp_path, entry, problem):
    (tmp_path / "networks.yaml").write_text(f"networks:\n  mine: {entry}\n")
    with pytest.raises(NetworksInvalid) as error:
        networks.load("mine", tmp_path)
    assert problem in error.value.message
    assert "SECRET" not in error.value.message
    assert error.value.values["path"] == str(tmp_path / "networks.yaml")


def test_blocks_of_any_age(tmp_path):
    (tmp_path / "networks.yaml").write_text(
        "networks:\n"
        "  quiet: {endpoint: 'http://node.example', max_block_age: unlimited}\n"
        "  usual: {endpoint: 'http://node.example'}\n"
    )
    assert networks.load("quiet", tmp_path).max_block_age == math.inf
    assert networks.load("usual", tmp_path).max_block_age is None


@pytest.mark.parametrize(
    ("node", "limit"), [("anvil", math.inf), ("ganache", math.inf), ("geth", 60)]
)
def test_only_development_nodes_may_rest(request, node, limit):
    network = Network(node, request.getfixturevalue(f"{node}_endpoint"))
    web3 = connect(network)
    assert clock(web3, network).max_block_age == clock(web3).max_block_age == limit
    assert clock(web3, replace(network, max_block_age=7)).max_block_age == 7
    assert clock(web3, replace(network, max_block_age=math.inf)).max_block_age == math.inf


def test_a_ledger_without_a_network_goes_by_its_node(geth_ledger, ledger):
    assert geth_ledger.present().max_block_age == 60
    assert ledger.present().max_block_age == math.inf


def test_a_node_that_does_not_name_itself_may_not_rest(anvil, monkeypatch):
    refused = {"error": {"code": -32601, "message": "the method web3_clientVersion is not here"}}
    monkeypatch.setattr(anvil.provider, "make_request", lambda method, parameters: refused)
    assert clock(anvil).max_block_age == 60


def test_nodes_of_a_chain_that_makes_no_blocks_are_stalled(anvil_endpoint, monkeypatch):
    network = Network("one", anvil_endpoint)
    (good,) = node_states(network)
    assert good.state == "good"

    def states_after(seconds):
        at = Clock(lambda: good.timestamp + seconds, max_block_age=60)
        monkeypatch.setattr("radledger.chain.nodes.connect.clock", lambda web3, network: at)
        return node_states(replace(network, others=("http://127.0.0.1:1",)))

    assert [each.state for each in states_after(60)] == ["good", "unreachable"]
    stalled, unreachable = states_after(61)
    assert stalled == replace(good, state="stalled")
    assert unreachable == NodeState("http://127.0.0.1:1", "unreachable", reason=unreachable.reason)
    assert unreachable.reason.startswith("no Ethereum node answers at http://127.0.0.1:1")


def test_a_connection_checks_the_chain_id(anvil_endpoint):
    network = Network("anvil", anvil_endpoint, chain_id=31337)
    assert connect(network).eth.chain_id == 31337
    with pytest.raises(DeploymentMismatch) as error:
        connect(replace(network, chain_id=1))
    assert (error.value.values["expected"], error.value.values["found"]) == (1, 31337)


def test_no_node_there():
    with socket.socket() as bound:  # taken, and never listening
        bound.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(ConnectionFailed) as error:
            connect(Network("nobody", endpoint))
    assert error.value.values["endpoint"] == endpoint
    assert "\n" not in error.value.message


def test_a_node_that_goes_away(ledger, anvil, monkeypatch):
    from radledger.chain.ledger import Ledger

    gone = Ledger(anvil, ledger.deployment)
    assert gone.now() > 0
    monkeypatch.setattr(anvil.provider, "endpoint_uri", "http://127.0.0.1:1")
    for use in (gone.now, lambda: gone.call("IdentityRegistry", "recoveryDelay")):
        with pytest.raises(ConnectionFailed):
            use()


def test_errors_of_requests_and_batches(anvil):
    with pytest.raises(RequestFailed) as error:
        request(anvil, "eth_nonsense", [])
    assert error.value.values["method"] == "eth_nonsense"
    good, bad = request_batch(anvil, [("eth_chainId", []), ("eth_nonsense", [])])
    assert good == hex(31337)
    assert isinstance(bad, RequestFailed)


def test_artifacts():
    artifact = artifacts.load("ImageRegistry")
    assert artifact.compiler.startswith("0.8.30")
    assert artifact.settings["evmVersion"] == "paris"
    assert artifact.source_hash.startswith("0x")
    assert len(artifact.bytecode) > len(artifact.deployed_bytecode)
    filled = bytearray(artifact.deployed_bytecode)
    for start, length in artifact.immutable_references:
        filled[start : start + length] = b"\x12" * length
    assert bytes(filled) != artifact.deployed_bytecode
    assert artifact.mask_immutables(bytes(filled)) == artifact.deployed_bytecode
    with pytest.raises(UnknownContract):
        artifacts.load("../networks")

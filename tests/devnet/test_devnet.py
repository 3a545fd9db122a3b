"""The local chain of a home: up, usable, down, up again, and honest after a crash."""

from __future__ import annotations

import json
import os
import signal
import stat

import pytest
from eth_utils.crypto import keccak

from radledger.chain import deployments
from radledger.chain.errors import ConnectionFailed
from radledger.chain.keystore.accounts import Keystore
from radledger.chain.ledger import Ledger
from radledger.chain.nodes import networks
from radledger.chain.nodes.connect import connect
from radledger.chain.rpc import request
from radledger.crypto.keys import new_private_key, public_key
from radledger.devnet import chain as nodes
from radledger.devnet import down, people, process, status, up
from radledger.devnet.errors import AnotherChainRuns, NodeFailed
from radledger.errors import UsageError
from radledger.identity import Identities
from radledger.identity.records import encryption_key, key_attribute
from radledger.identity.roles import role_names


@pytest.fixture(params=["anvil", "ganache"])
def chain(request):
    return request.param


def open_ledger(home):
    web3 = connect(networks.load(home=home))
    return Ledger(web3, deployments.load(home / "deployments", web3.eth.chain_id))


def test_up_is_usable_by_all_people(home, chain):
    devnet = up(home, chain)
    assert devnet.running
    assert networks.load(home=home) == networks.Network(
        "devnet", devnet.endpoint, devnet.chain_id, local=True
    )
    ledger = open_ledger(home)
    assert {name: ledger.address(name) for name in devnet.contracts} == devnet.contracts
    assert set(devnet.accounts) == set(people.PEOPLE)

    balances = {
        name: ledger.web3.eth.get_balance(address) for name, address in devnet.accounts.items()
    }
    assert balances.pop("patient") == 0
    assert min(balances.values()) > 10**18
    roles = {
        name: set(role_names(ledger.call("ParticipantRegistry", "rolesOf", address)))
        for name, address in devnet.accounts.items()
    }
    assert roles["governor"] == {"governor"}
    assert roles["hospital"] == roles["clinic"] > {"custodian", "clinician", "researcher"}
    assert roles["radiologist"] == {"clinician", "radiologist"}
    assert roles["researcher"] == {"researcher", "annotator", "developer"}
    assert roles["patient"] == roles["stranger"] == set()
    for member, institution in (("radiologist", "hospital"), ("researcher", "clinic")):
        address = ledger.call("ParticipantRegistry", "institutionOf", devnet.accounts[member])
        assert address == devnet.accounts[institution]
    researcher = devnet.accounts["researcher"]
    assert ledger.call("LocalToken", "balanceOf", researcher) == 10**24
    keystore = Keystore(home)
    for name, address in devnet.accounts.items():
        assert keystore.open(name).address == address
        registered = ledger.events("IdentityRegistry", "DIDAttributeChanged", identity=address)
        key = public_key(keystore.encryption_key(name))
        expected = [] if name == "stranger" else ["0x" + key_attribute(key)[1].hex()]
        assert [event.args["value"] for event in registered] == expected

    # Again: nothing changes, and nothing is sent.
    block = ledger.block_number()
    assert up(home, chain) == up(home) == devnet == status(home)
    assert ledger.block_number() == block

    other = {"anvil": "ganache", "ganache": "anvil"}[chain]
    with pytest.raises(AnotherChainRuns) as error:
        up(home, other)
    assert error.value.values == {"running": chain, "wanted": other}

    stopped = down(home)
    assert not stopped.running
    assert (stopped.endpoint, stopped.contracts) == (None, {})
    with pytest.raises(ConnectionFailed):
        ledger.now()
    assert not down(home).running

    # It goes on where it stood, also in a home from a backup, which may lack the nodes' record.
    (home / "devnet" / "nodes.json").unlink()
    assert status(home).chain == chain
    again = up(home)
    assert (again.chain, again.contracts) == (chain, devnet.contracts)
    assert open_ledger(home).block_number() >= block


def test_secrets_are_the_owners_alone(home):
    up(home, "anvil")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    secret = [home / "devnet/mnemonic", *(home / "keystore").iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}


def test_a_record_of_nodes_that_cannot_be_understood(home):
    record = home / "devnet/nodes.json"
    record.parent.mkdir(parents=True)
    for content in ("{", "[]", '{"anvil": {"pid": 1}}'):
        record.write_text(content)
        with pytest.raises(NodeFailed) as error:
            status(home)
        assert error.value.values == {"path": str(record)}
    record.unlink()


def test_after_a_crash_status_is_honest_and_up_heals(home):
    first = up(home, "anvil")
    (node,) = nodes.recorded(home / "devnet").values()
    os.kill(node.pid, signal.SIGKILL)
    while node.is_alive():
        pass
    assert not status(home).running
    second = up(home, "anvil")
    assert second.running
    assert second.accounts == first.accounts
    assert open_ledger(home).call("ParticipantRegistry", "isActive", second.accounts["hospital"])


def test_what_another_release_deployed_is_succeeded_and_stays_on_record(home, caplog):
    first = up(home, "anvil")
    ledger, address = open_ledger(home), first.contracts["ImageRegistry"]
    request(ledger.web3, "anvil_setCode", [address, "0x6001"])
    file = home / "deployments" / "31337.json"
    record = json.loads(file.read_text())
    record["contracts"]["ImageRegistry"]["codeHash"] = "0x" + keccak(hexstr="0x6001").hex()
    file.write_text(json.dumps(record))

    second = up(home, "anvil")
    assert "another release had deployed" in caplog.text
    assert second.contracts.keys() == first.contracts.keys()
    assert set(second.contracts.values()).isdisjoint(first.contracts.values())
    predecessor = deployments.load(file.parent, 31337).predecessor
    assert {name: each.address for name, each in predecessor.contracts.items()} == first.contracts
    assert up(home, "anvil").contracts == second.contracts


def test_an_interrupted_up_is_finished_by_the_next(home, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(people, "accredit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            up(home, "anvil")
    deployed = status(home).contracts
    finished = up(home, "anvil")
    assert finished.contracts == deployed
    assert open_ledger(home).call("ParticipantRegistry", "isActive", finished.accounts["clinic"])


def test_a_process_that_got_the_id_of_a_dead_node_is_left_alone(home):
    up(home, "anvil")
    (node,) = nodes.recorded(home / "devnet").values()
    down(home)
    recycled = process.Node(node.chain, os.getpid(), node.started, node.endpoint)
    nodes._record(home / "devnet", {"anvil": recycled})
    assert not recycled.is_alive()
    assert not down(home).running  # and this process lives to say so


def test_a_user_s_own_networks_stay(home):
    home.mkdir()
    (home / "networks.yaml").write_text("networks: {mine: {endpoint: 'http://node.example'}}\n")
    devnet = up(home, "anvil")
    assert networks.load("mine", home).endpoint == "http://node.example"
    assert networks.load(home=home).endpoint == devnet.endpoint


def test_what_cannot_be_started(home, monkeypatch, tmp_path):
    with pytest.raises(UsageError):
        up(home, "besu")
    monkeypatch.setattr(process, "_folders", lambda: [tmp_path])
    with pytest.raises(NodeFailed) as error:
        up(home, "anvil")
    assert error.value.values == {"program": "anvil"}
    monkeypatch.setattr(
        process, "_program", lambda name: ["/bin/sh", "-c", "echo Error: no; exit 3"]
    )
    with pytest.raises(NodeFailed, match=r"code 3: Error: no"):
        up(home, "anvil")
    assert status(home).running is False


def test_of_several_chains_the_one_that_was_used_last_is_the_home_s(tmp_path):
    assert nodes.kind(tmp_path) is None
    for time, (name, state) in enumerate([("anvil", "anvil.json"), ("poa", "poa")], 1):
        (tmp_path / state).touch()
        os.utime(tmp_path / state, (time, time))
        assert nodes.kind(tmp_path) == name
    os.utime(tmp_path / "anvil.json", (3, 3))
    assert nodes.kind(tmp_path) == "anvil"


def test_where_there_was_never_one(tmp_path):
    devnet = status(tmp_path / "nothing")
    assert (devnet.running, devnet.chain, devnet.accounts) == (False, None, {})
    assert down(tmp_path / "nothing") == devnet
    assert not (tmp_path / "nothing").exists()


def test_a_clock_that_was_moved_stays_so(home, chain):
    up(home, chain)
    web3 = open_ledger(home).web3
    request(web3, "evm_increaseTime", [3 * 24 * 3600])
    request(web3, "evm_mine", [])
    before = open_ledger(home).now()
    down(home)
    up(home)
    ledger = open_ledger(home)
    assert 0 <= ledger.now() - before < 600
    # What began then has begun: a call sees the time of the next block.
    ledger.web3.provider.make_request("evm_mine", [])
    assert ledger.now() >= before
    block = ledger.block_number()
    up(home)
    assert ledger.block_number() == block


def test_an_identity_that_was_handed_over_keeps_its_key(home):
    devnet = up(home, "anvil")
    ledger, keystore = open_ledger(home), Keystore(home)
    owner = keystore.open("stranger")
    identities = Identities(ledger)
    identities.change_owner(owner.address).send(keystore.open("clinic"))
    other = public_key(new_private_key())
    identities.set_key(other, identity=devnet.accounts["clinic"]).send(owner)
    assert up(home) == devnet
    assert encryption_key(ledger, devnet.accounts["clinic"]) == other

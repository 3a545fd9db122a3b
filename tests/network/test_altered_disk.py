"""A record is altered on one node's disk: that node goes on serving the right blocks, and lies."""

from __future__ import annotations

import logging
import shutil
import subprocess

import pytest
import rlp
from eth_utils import keccak, to_bytes, to_hex

from radledger.chain import deployments
from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.devnet import geth
from tests.network.conftest import ask, block_hash, height, until

pytestmark = pytest.mark.soak


def record(ledger, account):
    return ledger.call("ParticipantRegistry", "institutionOf", account.address)


def proof_of(node, ledger, account):
    """Contract, slot and trie node of the record of an account's institution."""
    address, data = ledger.encode("ParticipantRegistry", "institutionOf", account.address)
    call = {"from": account.address, "to": address, "data": data}
    (read,) = ask(node, "eth_createAccessList", call, "latest")["accessList"]
    assert read["address"].lower() == address.lower()
    proof = ask(node, "eth_getProof", address, read["storageKeys"], "latest")
    (slot,) = [each for each in proof["storageProof"] if int(each["value"], 16)]
    leaf = bytes.fromhex(slot["proof"][-1][2:])
    value = int(slot["value"], 16).to_bytes(32).lstrip(b"\0")
    assert leaf.endswith(value)
    return to_bytes(hexstr=address), to_bytes(hexstr=slot["key"]).rjust(32, b"\0"), leaf


def alter(folder, contract, slot, leaf):
    """Change the last byte of a record in a node's database, wherever geth may read it."""
    altered = leaf[:-1] + bytes([leaf[-1] ^ 1])
    *_, entry = rlp.decode(altered)
    put(folder, keccak(leaf), altered)
    # Its snapshot has each slot too, and is read first: geth's core/rawdb/schema.go.
    put(folder, b"o" + keccak(contract) + keccak(slot), entry)


def put(folder, key, value):
    """Write an entry of a node's database, which must not be running."""
    command = [geth.program(), "db", "put", "--datadir", str(folder), to_hex(key), to_hex(value)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def alone(consortium, node):
    web3 = connect(Network("alone", node.endpoint))
    chain_id = web3.eth.chain_id
    return Ledger(web3, deployments.load(consortium.home / "deployments", chain_id))


def test_the_others_notice_and_it_is_done_without(consortium, caplog):
    ledger, radiologist = consortium.ledger(), consortium.account("radiologist")
    hospital = consortium.account("hospital").address
    assert record(ledger, radiologist) == hospital
    contract, slot, leaf = proof_of(consortium.nodes["validator-2"], ledger, radiologist)
    # Killed, so that it reads its database again; then altered and restarted.
    consortium.kill("validator-1")
    alter(consortium.folder("validator-1"), contract, slot, leaf)
    consortium.up()

    node, other = consortium.nodes["validator-1"], consortium.nodes["validator-2"]
    until(lambda: record(alone(consortium, node), radiologist) != hospital, "it does not lie")
    number = height(node)
    until(lambda: height(other) >= number, "the others are behind")
    assert block_hash(node, number) == block_hash(other, number)

    ledger = consortium.ledger()
    assert consortium.network.endpoints[0] == node.endpoint
    with caplog.at_level(logging.WARNING, "radledger"):
        assert record(ledger, radiologist) == hospital
    (warning,) = caplog.messages
    assert node.endpoint in warning
    states = {each.endpoint: each.state for each in ledger.web3.provider.states()}
    assert states == dict.fromkeys(states, "good") | {node.endpoint: "contradicted"}

    # The proof that it gives does not lead to the root that all agree on either.
    *_, given = proof_of(node, ledger, radiologist)
    assert keccak(given) != keccak(leaf)

    # Its data thrown away, it gets them from the others and tells the truth.
    consortium.kill("validator-1")
    shutil.rmtree(consortium.folder("validator-1") / "geth")
    consortium.up()
    node = consortium.nodes["validator-1"]
    until(lambda: height(node) >= number, "it does not catch up")
    assert record(alone(consortium, node), radiologist) == hospital

"""Four validators in network namespaces, cut into two halves: no two histories become final."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager

import pytest
from eth_account import Account
from eth_utils import to_checksum_address

from radledger.chain.errors import TransactionPending
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.sending.sender import Sender
from radledger.devnet import poa
from radledger.devnet.errors import NodeFailed
from tests.network.conftest import ask, block_hash, height, until

pytestmark = pytest.mark.soak

HALVES = ((0, 1), (2, 3))
LEFT, RIGHT = (to_checksum_address("0x" + 20 * byte) for byte in ("aa", "bb"))


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@contextmanager
def separate_networks(count):
    """Namespaces that reach each other and this machine over a bridge: names and addresses."""
    tag, part = f"{os.getpid() % 100_000}", f"10.{random.randint(64, 250)}.{random.randint(1, 250)}"
    with ExitStack() as cleanup:
        bridge = f"rl{tag}"
        ip("link", "add", bridge, "type", "bridge")
        cleanup.callback(ip, "link", "del", bridge)
        ip("addr", "add", f"{part}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        names = [f"rl{tag}n{index}" for index in range(count)]
        hosts = [f"{part}.{11 + index}" for index in range(count)]
        for name, host in zip(names, hosts, strict=True):
            ip("netns", "add", name)
            cleanup.callback(ip, "netns", "del", name)
            ip("link", "add", f"{name}v", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", f"{name}v", "master", bridge, "up")
            ip("-n", name, "addr", "add", f"{host}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                ip("-n", name, "link", "set", device, "up")
        yield names, hosts


@pytest.fixture(scope="module")
def payer():
    return Account.create()


@pytest.fixture(scope="module")
def separated(tmp_path_factory, payer):
    """A chain of four validators, each in a namespace of its own, and how to cut it in halves."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("needs ip, and root to make network namespaces")
    with ExitStack() as cleanup:
        try:
            names, hosts = cleanup.enter_context(separate_networks(4))
        except subprocess.CalledProcessError as error:
            pytest.skip(f"needs ip with leave to make network namespaces: {error.stderr.strip()}")
        prefix = {index: ("ip", "netns", "exec", name) for index, name in enumerate(names)}
        chain = poa.Chain(tmp_path_factory.mktemp("separated") / "poa", hosts=hosts, prefix=prefix)
        chain.create(4, [payer.address])
        nodes = []
        for index in range(4):
            try:
                nodes.append(chain.start(index))
            except NodeFailed as error:
                pytest.skip(f"needs geth: {error}")
            cleanup.callback(nodes[-1].stop)
        chain.join(nodes)

        def routes(action):
            for mine, theirs in (HALVES, HALVES[::-1]):
                for index in mine:
                    for other in theirs:
                        ip("-n", names[index], "route", action, "blackhole", f"{hosts[other]}/32")

        yield chain, nodes, routes


def sender_of(nodes, timeout, intents=None):
    """Sends to these nodes, and is content when half of the validators could not do it alone."""
    first, *others = (node.endpoint for node in nodes)
    network = Network(
        "half",
        first,
        poa.CHAIN_ID,
        others=tuple(others),
        confirmations=poa.confirmations(4),
        timeout=timeout,
    )
    return Sender.on(network, connect(network), intents)


def test_no_two_histories_are_final(separated, payer):
    chain, nodes, routes = separated
    halves = [[nodes[index] for index in half] for half in HALVES]
    assert sender_of(nodes, 60).send(payer, LEFT, "0x")["status"] == "0x1"
    until(lambda: count(nodes[3], payer) == 1, "the right half did not hear of it")

    left, right = (sender_of(half, 12) for half in halves)
    routes("add")
    # The same nonce, for two different things: each half hears of one of them.
    for sender, target in ((left, LEFT), (right, RIGHT)):
        with pytest.raises(TransactionPending) as pending:
            sender.send(payer, target, "0x01")
        assert "made no block" in pending.value.message
    for half, sender in zip(halves, (left, right), strict=True):
        (intent,) = sender.intents.open(payer.address)
        for node in half:
            receipt = ask(node, "eth_getTransactionReceipt", intent.versions[0].transaction)
            # A half makes a block or two, and never so many that one of them counts.
            assert receipt is None or height(node) - int(receipt["blockNumber"], 16) < 2

    routes("del")
    chain.join(nodes)
    journals = [sender.intents for sender in (left, right)]
    ended = [each for journal in journals for each in sender_of(nodes, 60, journal).finish(payer)]
    assert sorted(intent.state for intent in ended) == ["mined", "superseded"]
    assert {count(node, payer) for node in nodes} == {2}
    (mined,) = (intent for intent in ended if intent.state == "mined")
    (lost,) = (intent for intent in ended if intent.state == "superseded")
    for node in nodes:
        assert ask(node, "eth_getTransactionReceipt", mined.versions[0].transaction)
        assert ask(node, "eth_getTransactionReceipt", lost.versions[0].transaction) is None
    common = min(map(height, nodes)) - poa.confirmations(4)
    assert len({block_hash(node, common) for node in nodes}) == 1


def test_halves_of_equal_weight_are_brought_together(separated):
    """Where Clique would wait for ever, each half for a validator of the other."""
    chain, nodes, routes = separated
    for _ in range(6):
        # Of these halves, one then makes a block in its turn, the other two out of theirs.
        until(lambda: height(nodes[0]) % 2 == 0, "there are no blocks")
        before = height(nodes[0])
        routes("add")
        until(lambda: all(standing(node) for node in nodes), "a half goes on alone")
        weights = {head(node)["totalDifficulty"] for node in nodes}
        branches = {head(node)["hash"] for node in nodes}
        routes("del")
        if (len(weights), len(branches)) == (1, 2):
            break
        chain.join(nodes)
    else:
        pytest.fail("the halves never came to have the same weight")
    poa.reunite(nodes)
    chain.join(nodes)
    assert min(map(height, nodes)) > before
    assert len({block_hash(node, before) for node in nodes}) == 1


def head(node):
    return ask(node, "eth_getBlockByNumber", "latest", False)


def standing(node):
    """Whether a node has had no new block for some seconds."""
    return time.time() - int(head(node)["timestamp"], 16) > 5


def count(node, account):
    return int(ask(node, "eth_getTransactionCount", account.address, "latest"), 16)

"""A consortium of four validators, as ``radledger devnet up --chain poa`` makes it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from radledger import devnet
from radledger.chain import deployments
from radledger.chain.keystore.accounts import Keystore
from radledger.chain.ledger import Ledger
from radledger.chain.nodes import networks
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from radledger.chain.sending.sender import Sender
from radledger.cli.run import run
from radledger.devnet import chain as chains
from radledger.devnet.errors import NodeFailed


def until(holds, what, seconds=240):
    """Wait until something holds; fail with what did not."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.2)


def ask(node, method, *parameters):
    """Ask one node alone."""
    return request(connect(Network("one", node.endpoint)), method, parameters)


def height(node):
    return int(ask(node, "eth_blockNumber"), 16)


def block_hash(node, number):
    block = ask(node, "eth_getBlockByNumber", hex(number), False)
    return block and block["hash"]


@dataclass
class Consortium:
    """Four validators and the home of who works with them."""

    home: Path

    @property
    def nodes(self):
        return chains.recorded(self.home / "devnet")

    @property
    def network(self):
        return networks.load(home=self.home)

    def folder(self, name):
        return self.home / "devnet" / "poa" / name

    def account(self, name):
        return Keystore(self.home).open(name)

    def ledger(self, timeout=180):
        """A ledger over all nodes, on the network's terms but for its patience.

        Where three are left, each of whom must sign every third block, one that missed a block
        holds the others up until geth looks for it, ten seconds later.
        """
        network = replace(self.network, timeout=timeout)
        web3 = connect(network)
        deployment = deployments.load(self.home / "deployments", web3.eth.chain_id)
        return Ledger(web3, deployment, sender=Sender.on(network, web3))

    def kill(self, *names):
        """End nodes without a word, as the loss of their power would."""
        for name in names:
            node = self.nodes[name]
            os.kill(node.pid, signal.SIGKILL)
            until(lambda node=node: not node.is_alive(), f"{name} lives on")

    def up(self):
        """Start what does not run."""
        devnet.up(self.home, "poa")

    def have_no_patience(self):
        """Let no transaction take longer than a dozen blocks, until the next :meth:`up`."""
        path = self.home / "networks.yaml"
        patient = path.read_text()
        assert "timeout: 60" in patient
        path.write_text(patient.replace("timeout: 60.0", "timeout: 12"))

    def notice_after(self, seconds):
        """Find the chain stale when it made no block for so long, until the next :meth:`up`."""
        path = self.home / "networks.yaml"
        path.write_text(path.read_text().replace("timeout: 60.0", f"max_block_age: {seconds}"))

    def cli(self, capsys, *arguments):
        """Run a command; its exit code and the JSON objects that it printed."""
        capsys.readouterr()
        code = run(["--home", str(self.home), *map(str, arguments), "--json"])
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    consortium = Consortium(tmp_path_factory.mktemp("consortium") / "home")
    try:
        devnet.up(consortium.home, "poa")
    except NodeFailed as error:
        if error.values.get("program") != "geth":
            raise
        pytest.skip(f"needs geth: {error}")
    yield consortium
    devnet.down(consortium.home)


@pytest.fixture
def consortium(running, monkeypatch):
    """The consortium with all four validators up."""
    for name in ("HOME", "NETWORK", "STORE", "PASSPHRASE", "PASSPHRASE_FILE"):
        monkeypatch.delenv(f"RADLEDGER_{name}", raising=False)
    running.up()
    return running

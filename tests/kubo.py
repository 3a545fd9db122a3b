"""Private Kubo nodes for the tests, where the program is there."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from radledger.devnet import kubo
from radledger.devnet.errors import NodeFailed
from radledger.devnet.process import Node
from radledger.storage.kubo import KuboStore
from radledger.storage.replicated import ReplicatedStore


def has_kubo() -> bool:
    """Whether the program is there."""
    try:
        kubo.program()
    except NodeFailed:
        return False
    return True


@contextmanager
def kubo_nodes(folder: Path, *names: str) -> Iterator[dict[str, Node]]:
    """Nodes of these names, connected to one another; skips where there is no Kubo."""
    if not has_kubo():
        pytest.skip("needs ipfs: run `make kubo`, or put it on the PATH")
    try:
        yield kubo.start(folder, names)
    finally:
        kubo.stop(folder)


class KuboNetwork:
    """Three connected nodes, and what one does to them."""

    def __init__(self, folder, nodes):
        self.folder = folder
        self.nodes = nodes
        self.client = httpx.Client(timeout=240)

    def store(self, name):
        return KuboStore(self.nodes[name].endpoint)

    def replicated(self, *names, copies=2):
        return ReplicatedStore({name: self.store(name) for name in names}, copies)

    def kill(self, name):
        node = kubo.recorded(self.folder)[name]
        os.kill(node.pid, signal.SIGKILL)
        deadline = time.monotonic() + 240
        while node.is_alive():
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)

    def restart(self):
        kubo.start(self.folder, self.nodes)

    def call(self, name, method, **parameters):
        port = self.nodes[name].endpoint.rpartition("/")[2]
        answer = self.client.post(f"http://127.0.0.1:{port}/api/v0/{method}", params=parameters)
        answer.raise_for_status()
        return answer

    def empty(self):
        """Remove all that the nodes have, such as what a new one brings along."""
        for name in self.nodes:
            for cid in self.pins(name):
                self.call(name, "pin/rm", arg=cid)
            self.call(name, "repo/gc")

    def pins(self, name):
        return set(self.call(name, "pin/ls", type="recursive").json().get("Keys", ()))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The nodes of a module's tests."""
    folder = tmp_path_factory.mktemp("kubo")
    with kubo_nodes(folder, "hospital", "clinic", "node-3") as nodes:
        yield KuboNetwork(folder, nodes)


@pytest.fixture
def network(running):
    """All nodes up, and nothing in them."""
    running.restart()
    running.empty()
    return running

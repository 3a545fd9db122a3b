"""Private Kubo nodes: started, connected, killed, started again, and the store of a home."""

from __future__ import annotations

import io
import os
import signal
import socket
import stat

import httpx
import pytest

from radledger.devnet import down, kubo, status, up
from radledger.devnet.errors import AnotherStoreThere, NodeFailed
from radledger.errors import UsageError
from radledger.storage import LocalStore
from radledger.storage.configuration import load, open_storage
from radledger.storage.errors import StorageUnavailable
from radledger.storage.kubo import KuboStore
from radledger.storage.protocol import Holding
from tests.kubo import has_kubo, kubo_nodes

NEEDED = "needs ipfs: run `make kubo`, or put it on the PATH"


def peers(node):
    """Peer ids of the nodes that a node is connected to."""
    port = node.endpoint.rpartition("/")[2]
    answer = httpx.post(f"http://127.0.0.1:{port}/api/v0/swarm/peers", timeout=240).json()
    return {peer["Peer"] for peer in answer["Peers"] or ()}


def kill(node):
    os.kill(node.pid, signal.SIGKILL)
    while node.is_alive():
        pass


def test_names():
    assert [kubo.names(count) for count in (1, 2, 4)] == [
        ["hospital"],
        ["hospital", "clinic"],
        ["hospital", "clinic", "node-3", "node-4"],
    ]


def test_nodes_know_one_another_and_no_others(tmp_path):
    with kubo_nodes(tmp_path, "hospital", "clinic", "node-3") as nodes:
        assert list(nodes) == list(kubo.recorded(tmp_path)) == ["hospital", "clinic", "node-3"]
        assert [len(peers(node)) for node in nodes.values()] == [2, 2, 2]
        secret = [tmp_path / "swarm.key", tmp_path / "clinic/repository/swarm.key"]
        assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
        for name in nodes:
            log = (tmp_path / name / "log").read_text()
            assert "private network" in log
            assert "Error" not in log
        # Without the key of these, a node of another consortium is not let in.
        (tmp_path / "others").mkdir()
        with kubo_nodes(tmp_path / "others", "stranger"):
            stranger = kubo._Place(tmp_path / "others" / "stranger")
            with pytest.raises(NodeFailed):
                stranger.call("swarm/connect", kubo._Place(tmp_path / "hospital").address)


def test_a_killed_node_comes_back_where_it_was_with_what_it_had(tmp_path):
    with kubo_nodes(tmp_path, "hospital", "clinic") as first:
        store = KuboStore(first["hospital"].endpoint)
        cid = store.put(io.BytesIO(b"pixels")).cid
        kill(first["hospital"])
        assert kubo.recorded(tmp_path) == {"hospital": None, "clinic": first["clinic"]}
        with pytest.raises(StorageUnavailable):
            store.get(cid)
        again = kubo.start(tmp_path, first)
        assert again["clinic"] == first["clinic"]
        assert again["hospital"].endpoint == first["hospital"].endpoint
        with store.get(cid) as content:
            assert content.read() == b"pixels"
        assert [len(peers(node)) for node in again.values()] == [1, 1]


def test_a_node_whose_port_is_taken_goes_elsewhere(tmp_path):
    with kubo_nodes(tmp_path, "hospital") as nodes:
        kubo.stop(tmp_path)
        with socket.socket() as taker:
            taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taker.bind(("127.0.0.1", int(nodes["hospital"].endpoint.rpartition("/")[2])))
            taker.listen()
            moved = kubo.start(tmp_path, nodes)["hospital"]
        assert moved.endpoint != nodes["hospital"].endpoint
        KuboStore(moved.endpoint).put(io.BytesIO(b"pixels"))


def test_what_cannot_be_started(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(kubo, "__file__", str(tmp_path / "kubo.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NodeFailed, match="make kubo") as error:
        kubo.start(tmp_path / "nodes", ["hospital"])
    assert error.value.values == {"program": "ipfs"}

    program = tmp_path / "ipfs"
    program.write_text("#!/bin/sh\necho 'Error: no room' >&2; exit 1\n")
    program.chmod(0o700)
    with pytest.raises(NodeFailed, match="no room") as error:
        kubo.start(tmp_path / "nodes", ["hospital"])
    assert error.value.values == {"node": "hospital"}


def test_a_home_s_store_on_nodes(home):
    if not has_kubo():
        pytest.skip(NEEDED)
    devnet = up(home, "anvil", store="kubo")
    assert devnet == status(home)
    assert list(devnet.store_nodes) == ["hospital", "clinic"]
    assert load(home).copies == 2
    assert load(home).nodes == devnet.store_nodes
    cid = open_storage(home).put(io.BytesIO(b"pixels")).cid

    kill(kubo.recorded(home / "devnet/kubo")["clinic"])
    assert status(home).store_nodes == {**devnet.store_nodes, "clinic": None}

    # It goes on where it stood, here with one node more.
    more = up(home, "anvil", nodes=3)
    assert more.store_nodes.items() > devnet.store_nodes.items()
    assert open_storage(home).holdings(cid) == {
        "hospital": Holding.PINNED,
        "clinic": Holding.PINNED,
        "node-3": Holding.MISSING,
    }
    with pytest.raises(UsageError) as error:
        up(home, "anvil", nodes=1)
    assert error.value.values == {"nodes": 1, "there": ["hospital", "clinic", "node-3"]}
    with pytest.raises(AnotherStoreThere) as error:
        up(home, "anvil", store="local")
    assert error.value.values == {"store": "kubo", "wanted": "local"}

    assert set(down(home).store_nodes.values()) == {None}
    assert up(home, "anvil").store_nodes == more.store_nodes


def test_stores_that_a_home_cannot_have(home):
    with pytest.raises(UsageError) as error:
        up(home, "anvil", store="s3")
    assert error.value.values == {"store": "s3"}
    with pytest.raises(UsageError) as error:
        up(home, "anvil", nodes=2)
    assert error.value.values == {"nodes": 2}
    LocalStore(home / "store").put(io.BytesIO(b"pixels"))
    with pytest.raises(AnotherStoreThere) as error:
        up(home, "anvil", store="kubo")
    assert error.value.values == {"store": "local", "wanted": "kubo"}
    assert not status(home).running

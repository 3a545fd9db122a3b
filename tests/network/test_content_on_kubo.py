"""Content on real Kubo nodes that are connected: fetched, kept, there in part, or nowhere."""

from __future__ import annotations

import io
import os
import subprocess

import pytest

from radledger.devnet import kubo
from radledger.storage.errors import ContentNotFound, StorageUnavailable
from radledger.storage.protocol import Holding, holding
from tests.kubo import network, running

__all__ = ["network", "running"]


def put(store, size=300_000):
    return store.put(io.BytesIO(os.urandom(size))).cid


def test_content_whose_only_node_is_down_is_an_error_and_no_hang(network):
    hospital = network.replicated("hospital", "clinic", copies=1)
    cid = put(hospital)
    network.kill("hospital")
    with pytest.raises(StorageUnavailable, match="no answer from hospital") as error:
        hospital.get(cid)
    assert error.value.values["nodes"] == {"hospital": "unreachable", "clinic": "missing"}
    # The clinic's own node is connected to another, which does not have it either.
    with pytest.raises(ContentNotFound, match="connected to it, 1 in all"):
        network.store("clinic").get(cid)


def test_a_node_alone_says_at_once_what_it_does_not_have(network):
    cid = put(network.store("hospital"))
    for name in ("hospital", "node-3"):
        network.kill(name)
    for use in (network.store("clinic").get, network.store("clinic").pin):
        with pytest.raises(ContentNotFound, match="not found locally"):
            use(cid)


def test_a_node_gets_from_another_what_it_lacks(network):
    cid = put(network.store("hospital"))
    with network.store("hospital").get(cid) as content:
        expected = content.read()
    clinic = network.store("clinic")
    assert holding(clinic, cid) is Holding.MISSING
    with clinic.get(cid) as content:
        assert content.read() == expected
    assert holding(clinic, cid) is Holding.CACHED
    clinic.collect()
    assert holding(clinic, cid) is Holding.MISSING
    clinic.pin(cid)
    clinic.collect()
    assert holding(clinic, cid) is Holding.PINNED


def test_content_of_which_a_node_has_only_a_part_is_not_there(network):
    cid = put(network.store("hospital"))
    network.call("clinic", "block/get", arg=cid)
    clinic = network.store("clinic")
    assert holding(clinic, cid) is Holding.MISSING
    with pytest.raises(ContentNotFound, match="only in part"):
        clinic.stat(cid)
    network.replicated("clinic", "hospital").pin(cid)
    assert holding(clinic, cid) is Holding.PINNED


def test_kubo_s_own_program_reads_what_was_stored(network):
    cid = put(network.store("hospital"))
    repository = network.folder / "hospital" / "repository"
    done = subprocess.run(
        [kubo.program(), "cat", cid],
        env={**os.environ, "IPFS_PATH": str(repository)},
        capture_output=True,
        check=True,
    )
    with network.store("hospital").get(cid) as content:
        assert content.read() == done.stdout

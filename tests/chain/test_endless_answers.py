"""Nodes whose answers do not end: no more is read than an honest node sends."""

from __future__ import annotations

import itertools
import zlib

import pytest
from web3 import Web3

from radledger.chain.errors import ConnectionFailed, RequestFailed
from radledger.chain.ledger import Ledger
from radledger.chain.nodes import http as node_module
from radledger.chain.nodes.connect import connect, node_states
from radledger.chain.nodes.http import HttpNode
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request, wrap
from radledger.index.source import ChainSource
from tests.chain.answering import names_node
from tests.trickling import PARTS, trickling

__all__ = ["trickling"]


@pytest.fixture
def short(monkeypatch):
    """A million bytes are too many for an answer."""
    monkeypatch.setattr(node_module, "_MOST_BYTES", 1_000_000)


def without_end(piece=b" " * 65_536, status=200, **headers):
    return lambda asked: (status, headers, itertools.repeat(piece))


@pytest.mark.parametrize("headers", [{}, {"Content-Length": str(1 << 50)}], ids=["", "length"])
@pytest.mark.parametrize("status", [200, 301, 401, 429, 500])
def test_an_answer_without_end_is_not_read_to_its_end(node, network, short, status, headers):
    node.answer = without_end(status=status, Location="/", **{"Retry-After": "99"}, **headers)
    with pytest.raises(ConnectionFailed) as failed:
        connect(network)
    told = "answers eth_chainId with more than 1,000,000 bytes" if status == 200 else str(status)
    names_node(failed.value, node, told)
    assert node.sent < 32 << 20  # what the system holds of a connection comes to that


def test_nor_is_a_refusal_without_end(node, network, short):
    node.answer = without_end(status=400)
    with pytest.raises(RequestFailed, match="HTTP 400 Bad Request"):
        connect(network)
    assert node.sent < 32 << 20


def test_a_compressed_answer_without_end_is_not_read_to_its_end(node, network, short):
    packer = zlib.compressobj(wbits=31)
    pieces = (packer.compress(bytes(1 << 20)) for _ in itertools.count())
    node.answer = lambda asked: (200, {"Content-Encoding": "gzip"}, pieces)
    with pytest.raises(ConnectionFailed) as failed:
        connect(network)
    names_node(failed.value, node, "with more than 1,000,000 bytes")


@pytest.mark.parametrize("part", PARTS)
def test_an_answer_that_trickles_is_not_waited_for(trickling, part):
    trickling.part = part
    endpoint = f"http://127.0.0.1:{trickling.port}"
    with pytest.raises(ConnectionFailed, match="sends its answer too slowly") as failed:
        connect(Network("slow", endpoint))
    assert failed.value.values == {"endpoint": endpoint}
    (state,) = node_states(Network("slow", endpoint, others=()))
    assert state.state == "unreachable"


@pytest.mark.parametrize("nodes", [1, 2])
def test_too_long_a_list_is_asked_for_in_parts(ledger, node, short, nodes):
    """Of logs and batches; a single answer, and a node that has only such, are refused."""

    def answer(asked):
        long = isinstance(asked, list) and len(asked) > 3
        if not long and isinstance(asked, dict) and asked["method"] == "eth_getLogs":
            wanted = asked["params"][0]
            long = int(wanted["toBlock"], 16) > int(wanted["fromBlock"], 16)
        return without_end()(asked) if long else None

    others = (node.behind,) * (nodes - 1)
    source = ChainSource(
        Ledger(connect(Network("long", node.endpoint, others=others)), ledger.deployment)
    )
    expected = ChainSource(ledger).read(source.start, source.start + 9, "")
    assert source.read(source.start, source.start + 9, "") == expected
    node.answer = answer
    node.asked.clear()
    assert source.read(source.start, source.start + 9, "") == expected
    assert any(isinstance(each, list) and len(each) <= 3 for each in node.asked)


def test_an_answer_that_ends_is_taken_whole(node, network):
    result = "0x" + "ab" * 4_000_000
    node.always(200, {"jsonrpc": "2.0", "id": 0, "result": result})
    web3 = wrap(Web3(HttpNode(network.endpoint, timeout=(5, 60))))
    assert request(web3, "eth_getCode", ["0x" + "11" * 20, "latest"]) == result

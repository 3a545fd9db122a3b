"""Answers of the latest block: asked once in it, and again in any other."""

from __future__ import annotations

import pytest

from radledger.chain import latest
from radledger.chain.clock import Clock
from radledger.chain.errors import ChainStale
from radledger.chain.latest import LatestBlock
from radledger.chain.rpc import request
from radledger.errors import Refusal

REGISTRY = "IdentityRegistry"


@pytest.fixture
def asked(ledger, monkeypatch):
    """The functions that were called."""
    asked, call = [], ledger.call

    def counted(*question):
        asked.append(question[1])
        return call(*question)

    monkeypatch.setattr(ledger, "call", counted)
    return asked


def change_owner(ledger, people):
    stranger, clinic = people["stranger"], people["clinic"]
    ledger.send(stranger, REGISTRY, "changeOwner", stranger.address, clinic.address)


def test_a_view_is_asked_once_in_a_block(ledger, people, asked):
    block, stranger, clinic = LatestBlock(ledger), people["stranger"].address, people["clinic"]
    for _ in range(3):
        assert block.present().block == ledger.block_number()
        assert block.call(REGISTRY, "controllerOf", stranger) == stranger
        assert block.call(REGISTRY, "controllerOf", clinic.address) == clinic.address
    assert asked == ["controllerOf"] * 2
    change_owner(ledger, people)
    # Answers are of the block that was looked at last.
    assert block.call(REGISTRY, "controllerOf", stranger) == stranger
    block.present()
    assert block.call(REGISTRY, "controllerOf", stranger) == clinic.address


def test_before_the_first_look_nothing_is_kept(ledger, people, asked):
    block, stranger = LatestBlock(ledger), people["stranger"].address
    for _ in range(2):
        block.call(REGISTRY, "controllerOf", stranger)
    assert len(asked) == 2


def test_a_branch_of_the_same_height_is_another_block(ledger, people):
    block, stranger = LatestBlock(ledger), people["stranger"].address
    snapshot = request(ledger.web3, "evm_snapshot", [])
    change_owner(ledger, people)
    height = block.present().block
    assert block.call(REGISTRY, "controllerOf", stranger) == people["clinic"].address
    request(ledger.web3, "evm_revert", [snapshot])
    request(ledger.web3, "evm_increaseTime", [7])
    request(ledger.web3, "evm_mine", [])
    assert block.present().block == height
    assert block.call(REGISTRY, "controllerOf", stranger) == stranger


def test_a_look_counts_for_as_long_as_it_may(ledger, people):
    block = LatestBlock(ledger)
    before = block.present().block
    change_owner(ledger, people)
    assert block.present(fresh=3600).block == before
    assert block.present().block == before + 1


def test_what_was_refused_is_asked_again(ledger, asked):
    block = LatestBlock(ledger)
    block.present()
    for _ in range(2):
        with pytest.raises(Refusal):
            block.call("ConsentRegistry", "requirePermitted", *_nothing())
    assert asked == ["requirePermitted"] * 2


def _nothing():
    address, word = "0x" + "11" * 20, b"\1" * 32
    return address, (address, address, word, word, word), (32, 0, b"\0" * 13)


def test_answers_are_bounded(ledger, monkeypatch):
    monkeypatch.setattr(latest, "_MOST_ANSWERS", 2)
    block, asked = LatestBlock(ledger), []
    block.present()
    for question in (1, 2, 3, 3, 1):
        assert block.once(question, lambda: asked.append(question) or question) == question  # noqa: B023
    assert asked == [1, 2, 3, 1]


def test_a_stale_chain_answers_nothing(ledger, monkeypatch):
    late = ledger.now() + 61
    monkeypatch.setattr(ledger, "clock", Clock(lambda: late, 60))
    with pytest.raises(ChainStale):
        LatestBlock(ledger).present()

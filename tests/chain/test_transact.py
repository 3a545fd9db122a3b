"""Nonces, fees and waiting: what a transaction meets on its way into a block."""

from __future__ import annotations

import threading

import pytest
from eth_account import Account

from radledger.chain import submission
from radledger.chain.connect import request
from radledger.chain.errors import (
    OutOfFunds,
    RequestFailed,
    TransactionPending,
    TransactionSuperseded,
)
from radledger.chain.transact import Sender

NOBODY = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"


@pytest.fixture
def paused(anvil):
    """Anvil with mining by request alone, for the time of a test."""
    request(anvil, "evm_setAutomine", [False])
    yield anvil
    request(anvil, "anvil_dropAllTransactions", [])
    request(anvil, "evm_setAutomine", [True])
    request(anvil, "evm_mine", [])


def mined_by(web3, sender, account, then):
    """Send in a thread, run ``then`` when it is in the pool, and return receipt or error."""
    outcome = {}

    def run():
        try:
            outcome["receipt"] = sender.send(account, NOBODY, "0x")
        except Exception as error:
            outcome["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    waiting = threading.Event()
    while thread.is_alive() and not _pool(web3, account.address):
        waiting.wait(0.005)
    then()
    thread.join(timeout=30)
    assert not thread.is_alive()
    return outcome


def _pool(web3, address):
    content = request(web3, "txpool_content", [])
    return content["pending"].get(address) or content["pending"].get(address.lower()) or {}


def _transfer(web3, account, nonce, tip=2 * 10**9):
    """A raw transaction that any node here takes at once."""
    return account.sign_transaction(
        {
            "type": 2,
            "to": NOBODY,
            "value": 0,
            "gas": 21_000,
            "maxFeePerGas": 2 * web3.eth.get_block("latest")["baseFeePerGas"] + tip,
            "maxPriorityFeePerGas": tip,
            "nonce": nonce,
            "chainId": web3.eth.chain_id,
        }
    ).raw_transaction


def test_receipts_of_one_after_the_other(web3, new_account):
    account = new_account(web3)
    sender = Sender(web3)
    for nonce in range(3):
        receipt = sender.send(account, NOBODY, "0x")
        sent = request(web3, "eth_getTransactionByHash", [receipt["transactionHash"]])
        assert int(sent["nonce"], 16) == nonce


def test_several_threads_share_an_account(web3, new_account):
    account = new_account(web3)
    sender = Sender(web3)
    receipts = []
    threads = [
        threading.Thread(target=lambda: receipts.append(sender.send(account, NOBODY, "0x")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len({receipt["transactionHash"] for receipt in receipts}) == 6
    assert web3.eth.get_transaction_count(account.address) == 6


def test_out_of_funds_says_how_much_is_missing(web3):
    poor = Account.create()
    with pytest.raises(OutOfFunds) as error:
        Sender(web3).send(poor, NOBODY, "0x")
    assert error.value.values["account"] == poor.address
    assert error.value.values["balance"] == 0
    assert error.value.values["needed"] > 0
    assert "\n" not in error.value.message


def test_a_stuck_transaction_is_sent_again_with_a_higher_fee(paused, new_account):
    account = new_account(paused)
    versions = []
    sender = Sender(paused, replace_after=0.05)

    def raise_base_fee_and_mine():
        (first,) = _pool(paused, account.address).values()
        versions.append(int(first["maxFeePerGas"], 16))
        dear = hex(3 * int(first["maxFeePerGas"], 16))
        request(paused, "anvil_setNextBlockBaseFeePerGas", [dear])
        request(paused, "evm_mine", [])
        waiting = threading.Event()
        while web3_count(paused, account) == 0:
            request(paused, "evm_mine", [])
            waiting.wait(0.02)

    outcome = mined_by(paused, sender, account, raise_base_fee_and_mine)
    mined = request(paused, "eth_getTransactionByHash", [outcome["receipt"]["transactionHash"]])
    assert int(mined["nonce"], 16) == 0
    assert int(mined["maxFeePerGas"], 16) > versions[0]
    assert web3_count(paused, account) == 1


def web3_count(web3, account):
    return web3.eth.get_transaction_count(account.address, "latest")


def test_a_transaction_that_another_one_took_the_place_of(paused, new_account):
    account = new_account(paused)
    sender = Sender(paused, replace_after=0.2)

    def overtake():
        (first,) = _pool(paused, account.address).values()
        dear = 2 * int(first["maxFeePerGas"], 16)
        paused.eth.send_raw_transaction(_transfer(paused, account, 0, tip=dear))
        request(paused, "evm_mine", [])

    error = mined_by(paused, sender, account, overtake)["error"]
    assert isinstance(error, TransactionSuperseded)
    assert error.values["account"] == account.address
    assert error.values["nonce"] == 0


def test_waiting_ends(paused, new_account):
    account = new_account(paused)
    with pytest.raises(TransactionPending) as error:
        Sender(paused, give_up_after=0.05).send(account, NOBODY, "0x")
    assert error.value.values["transaction"] in {
        each["hash"] for each in _pool(paused, account.address).values()
    }


def test_a_gap_of_nonces_is_filled(anvil, new_account):
    account = new_account(anvil)
    later = anvil.eth.send_raw_transaction(_transfer(anvil, account, 1))
    Sender(anvil).send(account, NOBODY, "0x")  # nonce 0, which lets 1 through
    anvil.eth.wait_for_transaction_receipt(later, poll_latency=0.005)
    receipt = Sender(anvil).send(account, NOBODY, "0x")
    sent = request(anvil, "eth_getTransactionByHash", [receipt["transactionHash"]])
    assert int(sent["nonce"], 16) == 2


def test_a_nonce_that_another_process_took_is_passed_over(anvil, new_account, monkeypatch):
    # Ganache takes a nonce that was used, so there is nothing to see there.
    account = new_account(anvil)
    sender = Sender(anvil)
    stale = iter([0])
    honest = submission.count
    # Another process sends between our asking for the nonce and our using it.
    anvil.eth.wait_for_transaction_receipt(
        anvil.eth.send_raw_transaction(_transfer(anvil, account, 0)),
        poll_latency=0.005,
    )
    monkeypatch.setattr(submission, "count", lambda *asked: next(stale, honest(*asked)))
    receipt = sender.send(account, NOBODY, "0x")
    sent = request(anvil, "eth_getTransactionByHash", [receipt["transactionHash"]])
    assert int(sent["nonce"], 16) == 1


def test_a_chain_without_eip_1559_gets_legacy_transactions(web3, new_account, monkeypatch):
    account = new_account(web3)
    forward = web3.provider.make_request

    def old(method, parameters):
        if method == "eth_maxPriorityFeePerGas":
            return {"error": {"code": -32601, "message": "no such method"}}
        answer = forward(method, parameters)
        if method == "eth_getBlockByNumber":
            answer["result"].pop("baseFeePerGas")
        return answer

    monkeypatch.setattr(web3.provider, "make_request", old)
    receipt = Sender(web3).send(account, NOBODY, "0x")
    sent = forward("eth_getTransactionByHash", [receipt["transactionHash"]])["result"]
    assert int(sent["type"], 16) == 0


def test_an_error_of_the_node_that_is_no_refusal_stays_one(anvil, new_account, monkeypatch):
    account = new_account(anvil)
    forward = anvil.provider.make_request
    failure = {"error": {"code": -32000, "message": "disk full"}}

    def broken(method, parameters):
        return failure if method == "eth_sendRawTransaction" else forward(method, parameters)

    monkeypatch.setattr(anvil.provider, "make_request", broken)
    with pytest.raises(RequestFailed) as error:
        Sender(anvil).send(account, NOBODY, "0x")
    assert error.value.values["reason"] == "disk full"

"""Nonces, fees and waiting: what a transaction meets on its way into a block."""

from __future__ import annotations

import threading

import pytest
from eth_account import Account

from radledger.chain.errors import (
    OutOfFunds,
    RequestFailed,
    TransactionPending,
    TransactionSuperseded,
)
from radledger.chain.rpc import request
from radledger.chain.sending import submission
from radledger.chain.sending.sender import Sender
from tests.chain.sending import NOBODY, mined_nonces, pool, sending, until


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
        thread.join(timeout=240)
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


def test_a_stuck_transaction_is_sent_again_with_a_higher_fee(paused, account):
    sender = Sender(paused, replace_after=0.05)
    with sending(sender, account) as outcome:
        until(lambda: pool(paused, account))
        first = int(pool(paused, account)[0]["maxFeePerGas"], 16)

        def replaced():
            request(paused, "anvil_setNextBlockBaseFeePerGas", [hex(3 * first)])
            request(paused, "evm_mine", [])
            (intent,) = sender.intents.newest(9)
            return len(intent.versions) > 1

        def mined():
            request(paused, "evm_mine", [])
            return mined_nonces(paused, account)

        until(replaced)
        until(mined)
    mined = request(paused, "eth_getTransactionByHash", [outcome["receipt"]["transactionHash"]])
    assert int(mined["nonce"], 16) == 0
    assert int(mined["maxFeePerGas"], 16) > first
    assert mined_nonces(paused, account) == 1


def test_a_transaction_that_another_one_took_the_place_of(paused, account):
    with sending(Sender(paused, replace_after=0.2), account) as outcome:
        until(lambda: pool(paused, account))
        dear = 2 * int(pool(paused, account)[0]["maxFeePerGas"], 16)
        paused.eth.send_raw_transaction(_transfer(paused, account, 0, tip=dear))
        request(paused, "evm_mine", [])
    assert isinstance(outcome["error"], TransactionSuperseded)
    assert outcome["error"].values["account"] == account.address
    assert outcome["error"].values["nonce"] == 0


def test_waiting_ends(paused, new_account):
    account = new_account(paused)
    with pytest.raises(TransactionPending) as error:
        Sender(paused, give_up_after=0.05).send(account, NOBODY, "0x")
    assert error.value.values["transaction"] in {
        each["hash"] for each in pool(paused, account).values()
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


def test_an_error_of_the_node_that_is_not_a_refusal_stays_one(anvil, new_account, monkeypatch):
    account = new_account(anvil)
    forward = anvil.provider.make_request
    failure = {"error": {"code": -32000, "message": "disk full"}}

    def broken(method, parameters):
        return failure if method == "eth_sendRawTransaction" else forward(method, parameters)

    monkeypatch.setattr(anvil.provider, "make_request", broken)
    with pytest.raises(RequestFailed) as error:
        Sender(anvil).send(account, NOBODY, "0x")
    assert error.value.values["reason"] == "disk full"

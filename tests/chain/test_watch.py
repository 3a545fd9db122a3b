"""Transactions that are held up, or that no node takes."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
from eth_account import Account

from radledger.chain.errors import (
    ConnectionFailed,
    NonceContended,
    OutOfFunds,
    RequestFailed,
    TransactionPending,
    TransactionUnderpriced,
)
from radledger.chain.ledger import Ledger
from radledger.chain.refusals import ConsentSuperseded
from radledger.chain.rpc import request
from radledger.chain.sending import sender as transact
from radledger.chain.sending import watch
from radledger.chain.sending.broadcast import sign
from radledger.chain.sending.journal import Intents
from radledger.chain.sending.sender import Sender
from radledger.consent import Consents, Terms
from radledger.signed import submit
from tests.chain.sending import NOBODY, draft, failure, mined_nonces, pool, sending, until


def test_a_node_that_lost_its_pool_gets_all_again(paused, account, folder):
    sender = Sender(paused, intents=Intents(folder))
    with sending(sender, account) as outcome:
        until(lambda: pool(paused, account))
        request(paused, "anvil_dropAllTransactions", [])
        until(lambda: pool(paused, account))
        request(paused, "evm_mine", [])
    assert outcome["receipt"]["status"] == "0x1"
    assert mined_nonces(paused, account) == 1


def test_what_comes_before_is_sent_again_too(paused, account, folder, killed_at):
    first = Intents(folder)
    sender = Sender(paused, intents=first)
    killed_at(transact.Submission, "_problems", lambda: sender.send(account, NOBODY, "0x02"))
    # another process has claimed it, and does nothing
    assert len(first.claim(account.address)) == 1
    with sending(Sender(paused, intents=Intents(folder)), account) as outcome:
        until(lambda: set(pool(paused, account)) == {0, 1})
        request(paused, "evm_mine", [])
    assert outcome["receipt"]["status"] == "0x1"
    assert mined_nonces(paused, account) == 2


@pytest.fixture
def on_demand(paused, monkeypatch):
    """Once something is in this list, the node says that it makes blocks on demand."""
    send = paused.provider.make_request
    on_demand = []

    def make_request(method, parameters):
        if method == "anvil_getAutomine" and on_demand:
            return {"result": True}
        return send(method, parameters)

    monkeypatch.setattr(paused.provider, "make_request", make_request)
    return on_demand


def test_what_anvil_left_in_its_pool_is_mined_while_it_is_waited_for(paused, on_demand):
    transaction = request(paused, "eth_sendTransaction", [{"from": paused.eth.accounts[0]}])
    with pytest.raises(TransactionPending):
        Sender(paused, give_up_after=1).wait([transaction])
    on_demand.append(True)
    receipt = Sender(paused).wait([transaction])
    assert (receipt["transactionHash"], receipt["status"]) == (transaction, "0x1")


def test_a_receipt_whose_block_is_not_there_yet_is_waited_for(paused, monkeypatch):
    transaction = request(paused, "eth_sendTransaction", [{"from": paused.eth.accounts[0]}])
    request(paused, "evm_mine", [])
    head = request(paused, "eth_blockNumber", [])
    heads = [hex(int(head, 16) - 1), head]
    send = paused.provider.make_request

    def make_request(method, parameters):
        if method == "eth_blockNumber" and heads:
            return {"result": heads.pop(0)}
        return send(method, parameters)

    monkeypatch.setattr(paused.provider, "make_request", make_request)
    assert Sender(paused).wait([transaction])["blockNumber"] == head
    assert heads == []


def test_what_anvil_leaves_in_its_pool_is_mined(paused, account, folder, monkeypatch, on_demand):
    monkeypatch.setattr(watch, "_LOOK_AFTER", 0.05)
    with sending(Sender(paused, intents=Intents(folder)), account) as outcome:
        until(lambda: pool(paused, account))
        # Mining by request alone: it waits, however often it is looked at.
        looked = []
        monkeypatch.setattr(watch.Automine, "catch_up", counted(watch.Automine.catch_up, looked))
        until(lambda: len(looked) > 2)
        assert mined_nonces(paused, account) == 0
        on_demand.append(True)
    assert outcome["receipt"]["status"] == "0x1"


def counted(function, calls):
    def call(*arguments):
        calls.append(arguments)
        return function(*arguments)

    return call


def test_an_abandoned_gap_is_closed(paused, account, folder, monkeypatch):
    monkeypatch.setattr(watch, "_GAP_AFTER", 0.1)
    intents = Intents(folder)
    sender = Sender(paused, intents=intents, replace_after=0.2)
    (abandoned,) = intents.begin(
        account.address, 0, [draft()], lambda fields: sign(account, fields)
    )
    with sending(sender, account) as outcome:
        until(lambda: 1 in pool(paused, account))
        intents.drop(abandoned, "refused", "given up")
        until(lambda: 0 in pool(paused, account))
        filler = pool(paused, account)[0]
        request(paused, "evm_mine", [])
    assert (filler["to"].lower(), filler["value"]) == (account.address.lower(), "0x0")
    assert outcome["receipt"]["status"] == "0x1"
    assert mined_nonces(paused, account) == 2
    assert intents.open() == []


def test_a_gap_is_closed_by_what_is_sent_next(anvil, account, folder):
    intents = Intents(folder)
    begun = intents.begin(
        account.address, 0, [draft(), draft()], lambda fields: sign(account, fields)
    )
    intents.drop(begun[0], "refused", "given up")
    receipt = Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    sent = request(anvil, "eth_getTransactionByHash", [receipt["transactionHash"]])
    assert int(sent["nonce"], 16) == 0


def test_a_node_that_is_away_for_a_while(anvil, account, folder, answering):
    away = ConnectionFailed("no Ethereum node answers")
    answering(anvil, "eth_getTransactionReceipt", [away, failure("too many requests")] * 3)
    receipt = Sender(anvil, intents=Intents(folder)).send(account, NOBODY, "0x01")
    assert receipt["status"] == "0x1"


def test_a_node_that_goes_while_it_is_sent_to(anvil, account, folder, answering):
    intents = Intents(folder)
    answering(anvil, "eth_sendRawTransaction", [ConnectionFailed("no Ethereum node answers")])
    with pytest.raises(ConnectionFailed):
        Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    (left,) = intents.open(account.address)
    assert mined_nonces(anvil, account) == 0
    # it may have arrived, so it is finished, not forgotten
    receipt = Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    assert receipt["transactionHash"] == left.versions[0].transaction
    assert mined_nonces(anvil, account) == 1


def test_a_chain_that_stands_still_is_reported(paused, account, folder, monkeypatch):
    # Each look is a second after the one before, however long the node takes to answer.
    clock = SimpleNamespace(monotonic=itertools.count().__next__, sleep=lambda seconds: None)
    monkeypatch.setattr(watch, "time", clock)
    intents = Intents(folder)
    with pytest.raises(TransactionPending) as error:
        Sender(paused, intents=intents, replace_after=1, give_up_after=10).send(
            account, NOBODY, "0x01"
        )
    assert "no block meanwhile" in error.value.message
    assert (error.value.values["account"], error.value.values["nonce"]) == (account.address, 0)
    # nor is a higher fee offered to a chain that takes none
    (left,) = intents.open(account.address)
    assert len(left.versions) == 1


@pytest.mark.parametrize("reason", ["nonce too high", "txpool is full"])
def test_what_a_node_cannot_take_yet_is_sent_again(
    anvil, account, folder, answering, reason, monkeypatch
):
    monkeypatch.setattr(watch, "_LOOK_AFTER", 0.05)
    intents = Intents(folder)
    answering(anvil, "eth_sendRawTransaction", [failure(reason)])
    receipt = Sender(anvil, intents=intents, replace_after=3_600).send(account, NOBODY, "0x01")
    (mined,) = intents.newest(9)
    assert [each.transaction for each in mined.versions] == [receipt["transactionHash"]]


def test_too_low_a_fee_is_raised(anvil, account, folder, answering):
    intents = Intents(folder)
    low = failure("transaction underpriced: gas tip cap 1, minimum needed 1000000")
    answering(anvil, "eth_sendRawTransaction", [low, low])
    receipt = Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    (mined,) = intents.newest(9)
    assert [each.transaction for each in mined.versions][-1] == receipt["transactionHash"]
    assert len(mined.versions) == 3


def test_a_fee_that_is_always_too_low_is_reported(anvil, account, folder, answering):
    intents = Intents(folder)
    answering(anvil, "eth_sendRawTransaction", [failure("gas price below minimum")] * 99)
    with pytest.raises(TransactionUnderpriced) as error:
        Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    assert error.value.values["account"] == account.address
    assert error.value.values["price"] > 0
    assert intents.open() == []


def test_where_gas_is_free_no_fee_is_offered(anvil, account, folder, answering):
    intents = Intents(folder)
    answering(anvil, "eth_sendRawTransaction", [failure("transaction underpriced")])
    with pytest.raises(TransactionUnderpriced) as error:
        Sender(anvil, intents=intents, gas_price=0).send(account, NOBODY, "0x01")
    assert error.value.values == {"account": account.address, "price": 0}


@pytest.mark.parametrize(
    "reason", ["nonce too low: next nonce 1, tx nonce 0", "replacement transaction underpriced"]
)
def test_an_account_that_others_use_at_the_same_time(anvil, account, folder, answering, reason):
    intents = Intents(folder)
    answering(anvil, "eth_sendRawTransaction", [failure(reason), None, *[failure(reason)] * 99])
    sender = Sender(anvil, intents=intents)
    assert sender.send(account, NOBODY, "0x01")["status"] == "0x1"
    with pytest.raises(NonceContended) as error:
        sender.send(account, NOBODY, "0x02")
    assert error.value.values == {"account": account.address, "nonce": 1}
    assert intents.open() == []


def test_what_could_not_be_paid_is_not_sent_later(anvil, folder):
    poor, intents = Account.create(), Intents(folder)
    with pytest.raises(OutOfFunds):
        Sender(anvil, intents=intents).send(poor, NOBODY, "0x01")
    assert intents.open() == []
    request(anvil, "anvil_setBalance", [poor.address, hex(10**18)])
    assert Sender(anvil, intents=intents).send(poor, NOBODY, "0x02")["status"] == "0x1"
    assert mined_nonces(anvil, poor) == 1


def test_nor_what_a_node_would_not_take(anvil, account, folder, answering):
    intents = Intents(folder)
    answering(anvil, "eth_sendRawTransaction", [failure("exceeds block gas limit")])
    with pytest.raises(RequestFailed):
        Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    (dropped,) = intents.newest(9)
    assert (dropped.state, dropped.reason) == ("refused", "exceeds block gas limit")


def test_what_a_contract_refuses_in_its_block(ledger, people, folder, monkeypatch):
    """Another account is faster with the same document."""
    intents = Intents(folder)
    sender = Sender(ledger.web3, intents=intents)
    late = Ledger(ledger.web3, ledger.deployment, sender=sender)
    grant = Consents(late).grant(people["radiologist"].address, Terms(("CC",)))
    signed = grant.sign(people["patient"])
    estimates = sender._estimates

    def overtaken(*asked):
        gas = estimates(*asked)
        submit(ledger, signed, people["stranger"])
        return gas

    monkeypatch.setattr(sender, "_estimates", overtaken)
    with pytest.raises(ConsentSuperseded):
        submit(late, signed, people["hospital"])
    (reverted,) = intents.newest(9)
    assert reverted.state == "reverted"
    assert reverted.transaction == reverted.versions[0].transaction
    granted = {"subject": people["patient"].address}
    assert len(ledger.events("ConsentRegistry", "ConsentGranted", **granted)) == 1

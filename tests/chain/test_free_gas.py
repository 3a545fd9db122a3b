"""A consortium where gas is free: no base fee, legacy transactions, no account needs Ether."""

from __future__ import annotations

import pytest
from eth_account import Account

from radledger.chain.errors import OutOfFunds, TransactionPending
from radledger.chain.ledger import Call, Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from radledger.chain.sending.sender import Sender
from radledger.crypto.keys import public_key
from radledger.deployment.deploy import CONTRACTS, deploy
from radledger.devnet.people import accredit, register_key

NOBODY = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"


@pytest.fixture
def network(free_gas_endpoint):
    return Network("consortium", free_gas_endpoint, gas_price=0)


@pytest.fixture
def web3(network):
    return connect(network)


def test_the_chain_is_what_it_should_be(web3):
    block = request(web3, "eth_getBlockByNumber", ["latest", False])
    assert "baseFeePerGas" not in block
    # What the node suggests is not what it takes.
    assert int(request(web3, "eth_gasPrice", []), 16) > 0


def test_everything_is_done_by_people_without_ether(network, web3, tmp_path, encryption_keys):
    people = {name: Account.create() for name in encryption_keys}
    sender = Sender.on(network, web3)
    deployment = deploy(web3, people["governor"], tmp_path, sender=sender)
    assert set(deployment.contracts) == set(CONTRACTS) - {"LocalToken"}
    ledger = Ledger(web3, deployment, sender=sender)
    accredit(ledger, people)
    patient = people["patient"]
    register_key(ledger, patient, public_key(encryption_keys["patient"]), patient)
    assert ledger.call("ParticipantRegistry", "isActive", people["radiologist"].address)
    change = (patient.address, b"key".ljust(32, b"\0"), b"value", 60)
    calls = [Call("IdentityRegistry", "setAttribute", change)] * 20
    assert len(ledger.send_batch(patient, calls)) == 20
    assert {web3.eth.get_balance(person.address) for person in people.values()} == {0}


def test_transactions_are_legacy_and_cost_nothing(network, web3):
    account = Account.create()
    receipt = Sender.on(network, web3).send(account, NOBODY, "0x")
    sent = request(web3, "eth_getTransactionByHash", [receipt["transactionHash"]])
    assert (int(sent["type"], 16), int(sent["gasPrice"], 16)) == (0, 0)


def test_who_waits_there_is_not_asked_for_ether(web3):
    """Nothing is offered more for what is not mined in time: there is nothing to offer."""
    account = Account.create()
    request(web3, "miner_stop", [])
    try:
        sender = Sender(web3, gas_price=0, replace_after=0.05, give_up_after=1.5)
        with pytest.raises(TransactionPending):
            sender.send(account, NOBODY, "0x")
    finally:
        request(web3, "miner_start", [])
    (intent,) = sender.intents.open(account.address)
    assert len(intent.versions) == 1
    Sender(web3, intents=sender.intents, gas_price=0).finish(account)
    assert web3.eth.get_transaction_count(account.address) == 1


def test_without_the_price_in_the_configuration_the_lack_of_ether_is_reported(web3):
    poor = Account.create()
    with pytest.raises(OutOfFunds) as error:
        Sender(web3).send(poor, NOBODY, "0x")
    assert error.value.values["account"] == poor.address

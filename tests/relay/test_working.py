"""The queue is worked off, whatever happens meanwhile to the chain, others and the relayer."""

from __future__ import annotations

import time

import pytest
from eth_account import Account

from radledger.chain.rpc import request
from radledger.consent import Terms
from radledger.relay import worker
from tests.identity.cast import travel

__all__ = ["travel"]


@pytest.fixture
def waiting(relaying, sign):
    """Tickets that a relayer took on and did not work off."""

    def waiting(documents):
        with relaying(working=False) as relay:
            return [relay.take(document) for document in documents]

    return waiting


def grants_of(ledger, accounts):
    """How often a grant of each account was executed."""
    events = ledger.events("ConsentRegistry", "ConsentGranted", subject=list(accounts))
    counts = dict.fromkeys(accounts, 0)
    for event in events:
        counts[event.args["subject"]] += 1
    return counts


def test_a_later_run_works_off_what_an_earlier_one_left(relaying, waiting, sign, ledger):
    patients = [Account.create() for _ in range(12)]
    tickets = waiting([sign(patient) for patient in patients])
    with relaying() as relay:
        answers = [relay.end(ticket) for ticket in tickets]
    assert [answer["state"] for answer in answers] == ["confirmed"] * 12
    assert len({answer["transaction"] for answer in answers}) == 12
    once = dict.fromkeys((patient.address for patient in patients), 1)
    assert grants_of(ledger, once) == once


def test_one_that_is_refused_does_not_stop_the_others(
    relaying, waiting, sign, consents, identities, people, ledger, submit
):
    patients = [Account.create() for _ in range(3)]
    members = [Account.create() for _ in range(3)]
    parent = people["clinic"].address
    documents = [sign(patient) for patient in patients]
    other = sign(patients[1], Terms(("GRU",)))
    forwarded = [identities.add_delegate(parent, validity=600).sign(each) for each in members]
    tickets = waiting([*documents, *forwarded])
    submit(other, people["stranger"])
    moved = members[2]
    request(ledger.web3, "anvil_setBalance", [moved.address, hex(10**18)])
    ledger.send(moved, "IdentityRegistry", "changeOwner", moved.address, parent)

    with relaying() as relay:
        answers = [relay.end(ticket) for ticket in tickets]
    states = [answer["state"] for answer in answers]
    assert states == ["confirmed", "refused", "confirmed", "confirmed", "confirmed", "refused"]
    subject = patients[1].address
    assert answers[1]["error"] == "ConsentSuperseded"
    assert answers[1]["values"]["subject"] == subject
    assert answers[1]["values"]["signed"] == other["typedData"]["message"]["signed"]
    assert answers[5]["error"] == "IdentityNotOwner"
    assert answers[5]["values"] == {"identity": moved.address, "actor": moved.address}
    assert "\n" not in answers[5]["detail"]


def test_what_another_account_sent_meanwhile_is_confirmed_and_not_paid_twice(
    relaying, waiting, sign, consents, identities, people, ledger, submit
):
    patient = Account.create()
    document = sign(patient)
    delegate = identities.add_delegate(people["clinic"].address, validity=600).sign(patient)
    tickets = waiting([document, delegate])
    receipts = [
        submit(document, people["stranger"]),
        submit(delegate, people["stranger"]),
    ]
    before = ledger.web3.eth.get_transaction_count(people["hospital"].address)
    with relaying() as relay:
        for ticket, receipt in zip(tickets, receipts, strict=True):
            answer = relay.end(ticket)
            assert (answer["state"], answer["transaction"]) == ("confirmed", receipt.transaction)
            assert (answer["block"], answer["gas"]) == (receipt.block, receipt.gas_used)
    assert ledger.web3.eth.get_transaction_count(people["hospital"].address) == before


def test_one_that_the_node_cannot_simulate_does_not_stop_the_others(
    relaying, sign, ledger, people, monkeypatch
):
    patients = [Account.create() for _ in range(3)]
    with relaying(working=False) as relay:
        tickets = [relay.take(sign(patient)) for patient in patients]
    provider, puzzling = ledger.web3.provider, patients[1].address[2:].lower()
    one, many = provider.make_request, provider.make_batch_request
    failure = {"error": {"code": -32000, "message": "gas required exceeds allowance"}}

    def puzzled(method, parameters):
        return method == "eth_estimateGas" and puzzling in parameters[0]["data"]

    def make_request(method, parameters):
        return failure if puzzled(method, parameters) else one(method, parameters)

    def make_batch_request(requests):
        answers = many(requests)
        for number, each in enumerate(requests):
            answers[number] = failure if puzzled(*each) else answers[number]
        return answers

    with monkeypatch.context() as patched:
        patched.setattr(provider, "make_request", make_request)
        patched.setattr(provider, "make_batch_request", make_batch_request)
        with relaying() as relay:
            assert relay.end(tickets[0])["state"] == "confirmed"
            assert relay.end(tickets[2])["state"] == "confirmed"
            # It is tried again every few seconds, and sent for as long as that takes.
            assert relay.show(tickets[1])["state"] in ("queued", "sent")
    with relaying() as relay:
        assert relay.end(tickets[1])["state"] == "confirmed"
    once = dict.fromkeys((patient.address for patient in patients), 1)
    assert grants_of(ledger, once) == once


def test_one_that_the_node_never_simulates_is_refused_in_the_end(
    relaying, sign, ledger, monkeypatch
):
    with relaying(working=False) as relay:
        ticket = relay.take(sign())
    provider = ledger.web3.provider
    one, many = provider.make_request, provider.make_batch_request
    failure = {"error": {"code": -32000, "message": "gas required exceeds allowance"}}

    def make_request(method, parameters):
        return failure if method == "eth_estimateGas" else one(method, parameters)

    def make_batch_request(requests):
        methods = [method for method, _ in requests]
        return failure if "eth_estimateGas" in methods else many(requests)

    monkeypatch.setattr(worker, "_MOST_TRIES", 0)
    with monkeypatch.context() as patched:
        patched.setattr(provider, "make_request", make_request)
        patched.setattr(provider, "make_batch_request", make_batch_request)
        with relaying() as relay:
            ended = relay.end(ticket)
    assert (ended["state"], ended["error"]) == ("refused", "RequestFailed")
    assert "gas required exceeds allowance" in ended["detail"]


def test_a_block_counts_when_it_is_deep_enough(
    relaying, waiting, sign, consents, people, ledger, submit
):
    document = sign()
    (ticket,) = waiting([document])
    receipt = submit(document, people["stranger"])
    with relaying(confirmations=2) as relay:
        while relay.show(ticket)["state"] != "sent":
            request(ledger.web3, "eth_chainId", [])
        request(ledger.web3, "evm_mine", [])
        assert relay.show(ticket)["state"] == "sent"
        request(ledger.web3, "evm_mine", [])
        assert relay.end(ticket)["transaction"] == receipt.transaction


def test_what_was_refused_can_be_handed_in_again(
    relaying, waiting, sign, consents, people, travel, submit
):
    patient, reader = Account.create(), people["radiologist"].address
    submit(sign(patient), people["stranger"])
    revocation = consents.revoke(reader).sign(patient)
    (ticket,) = waiting([revocation])
    travel(3_600)  # the chain's clock may be minutes behind the machine's
    submit(consents.revoke(reader).sign(patient), people["stranger"])
    with relaying() as relay:
        assert relay.end(ticket)["error"] == "ConsentNothingToRevoke"
        relay.refused(relay.post(revocation), 422, "ConsentNothingToRevoke")
        assert relay.show(ticket)["state"] == "refused"


def test_a_ticket_on_its_way_names_its_transaction(relaying, sign, ledger):
    request(ledger.web3, "evm_setAutomine", [False])
    try:
        with relaying() as relay:
            ticket = relay.take(sign())
            deadline = time.monotonic() + 240
            while (answer := relay.show(ticket))["transaction"] is None:
                assert time.monotonic() < deadline, answer
            assert (answer["state"], answer["block"]) == ("sent", None)
            known = ("eth_getTransactionByHash", [answer["transaction"]])
            while request(ledger.web3, *known) is None:  # it is named before it leaves
                assert time.monotonic() < deadline
            request(ledger.web3, "evm_setAutomine", [True])
            request(ledger.web3, "evm_mine", [])
            assert relay.end(ticket)["transaction"] == answer["transaction"]
    finally:
        request(ledger.web3, "evm_setAutomine", [True])

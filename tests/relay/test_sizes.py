"""Documents of any size that is allowed, and nodes that take less at once than they are sent."""

from __future__ import annotations

import pytest
from eth_account import Account

from radledger.chain import documents, forward
from radledger.chain.rpc import request
from radledger.relay.checks import MOST_CALL_DATA
from radledger.relay.tickets import Limits

AMPLE = Limits(per_address=10**9, per_day=10**12, queue=1_000)


@pytest.fixture
def attribute(ledger):
    """A forward request of an address of its own, whose call data has so many bytes in all."""

    def attribute(size):
        minted = Account.create()

        def encoded(value):
            arguments = (minted.address, b"x".ljust(32, b"\0"), value, 10**6)
            return ledger.encode("IdentityRegistry", "setAttribute", *arguments)

        def document(value):
            to, data = encoded(value)
            message = {"from": minted.address, "to": to, "value": 0, "gas": 500_000, "nonce": 0}
            message |= {"deadline": ledger.now() + 3600, "data": data}
            typed = forward.forward_typed_data(ledger, message)
            summary = forward.summarise(ledger, "ForwardRequest", message)
            return documents.sign(minted, forward.KIND, summary, typed)

        rest = executed(ledger, document(b""))
        return document(b"\xff" * (size - rest))

    return attribute


def executed(ledger, document):
    """Bytes of the call data by which a forward request is executed."""
    call = forward.read(ledger, document).call
    _, data = ledger.encode(call.contract, call.function, *call.arguments)
    return len(data) // 2 - 1


def test_a_document_has_a_largest_size(relaying, ledger, attribute):
    largest = attribute(MOST_CALL_DATA - 28)  # ABI encoding ends at a multiple of 32, after 4
    assert executed(ledger, largest) == MOST_CALL_DATA - 28
    with relaying(working=False) as relay:
        relay.take(largest)
        larger = attribute(MOST_CALL_DATA + 4)
        values = relay.refused(relay.post(larger), 413, "DocumentTooLarge")
    assert values == {"size": MOST_CALL_DATA + 4, "most": MOST_CALL_DATA}


def test_a_full_batch_of_the_largest_documents_does_not_delay_others(
    relaying, ledger, attribute, sign, monkeypatch
):
    sizes = bodies(ledger, monkeypatch)
    with relaying(AMPLE, working=False) as relay:
        tickets = [relay.take(attribute(MOST_CALL_DATA - 28)) for _ in range(100)]
        tickets.append(relay.take(sign()))
    with relaying(AMPLE) as relay:
        assert {relay.end(ticket)["state"] for ticket in tickets} == {"confirmed"}
    assert max(sizes) < 2**20  # what a reverse proxy passes on by default; nodes take 2 to 5 MB


def test_a_batch_that_the_node_refuses_as_a_whole_is_halved(relaying, ledger, sign, monkeypatch):
    with relaying(working=False) as relay:
        tickets = [relay.take(sign()) for _ in range(9)]
    provider = ledger.web3.provider
    send = provider.make_batch_request
    refused = []

    def make_batch_request(requests):
        if len(requests) > 2 and requests[0][0] == "eth_sendRawTransaction":
            refused.append(len(requests))
            return {"error": {"code": -32600, "message": "batch too large"}}
        return send(requests)

    monkeypatch.setattr(provider, "make_batch_request", make_batch_request)
    with relaying() as relay:
        assert {relay.end(ticket)["state"] for ticket in tickets} == {"confirmed"}
    assert refused[0] == 9
    assert max(refused[1:]) < 9


def test_one_that_the_node_does_not_take_lets_the_others_go_first(
    relaying, ledger, sign, monkeypatch
):
    patients = [Account.create() for _ in range(3)]
    with relaying(working=False) as relay:
        tickets = [relay.take(sign(patient)) for patient in patients]
    unwanted = patients[0].address[2:].lower()
    taken_back = {"error": {"code": -32000, "message": "the node is not in the mood"}}
    provider = ledger.web3.provider
    one, many = provider.make_request, provider.make_batch_request

    def make_request(method, parameters):
        raw = method == "eth_sendRawTransaction"
        return taken_back if raw and unwanted in parameters[0] else one(method, parameters)

    def make_batch_request(requests):
        answers = many([each for each in requests if not hit(each)])
        return [
            {"id": number, **taken_back} if hit(each) else {**answers.pop(0), "id": number}
            for number, each in enumerate(requests)
        ]

    def hit(call):
        return call[0] == "eth_sendRawTransaction" and unwanted in call[1][0]

    with monkeypatch.context() as patched:
        patched.setattr(provider, "make_request", make_request)
        patched.setattr(provider, "make_batch_request", make_batch_request)
        with relaying() as relay:
            assert relay.end(tickets[1])["state"] == "confirmed"
            assert relay.end(tickets[2])["state"] == "confirmed"
            assert relay.show(tickets[0])["state"] in ("queued", "sent")
    with relaying() as relay:
        assert relay.end(tickets[0])["state"] == "confirmed"


def bodies(ledger, monkeypatch):
    """The sizes of all JSON-RPC bodies that are sent from now on."""
    provider = ledger.web3.provider
    encode = provider.encode_batch_rpc_request
    sizes = [0]

    def encode_batch_rpc_request(requests):
        body = encode(requests)
        sizes.append(len(body))
        return body

    monkeypatch.setattr(provider, "encode_batch_rpc_request", encode_batch_rpc_request)
    request(ledger.web3, "eth_chainId", [])
    return sizes

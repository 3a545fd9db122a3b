"""A connection that another library made, such as Brownie."""

from __future__ import annotations

import pytest
from web3.middleware import Web3Middleware

from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.refusals import ParticipantNotAccredited
from radledger.chain.rpc import request_batch, wrap


class Translating(Web3Middleware):
    """Raises a node's refusals as errors of its own, as Brownie's middleware does."""

    def wrap_make_request(self, make_request):
        def translated(method, parameters):
            answer = make_request(method, parameters)
            if "error" in answer:
                raise ValueError(answer["error"])
            return answer

        return translated


def test_refusals_are_understood_whatever_others_put_between(ledger, people, anvil_endpoint):
    web3 = connect(Network("anvil", anvil_endpoint))
    web3.middleware_onion.add(Translating)
    question = ("ParticipantRegistry", "requireRole", people["stranger"].address, 2)
    with pytest.raises(ParticipantNotAccredited):
        Ledger(wrap(web3), ledger.deployment).call(*question)
    with pytest.raises(ValueError, match="custom error"):
        web3.eth.call(dict(zip(("to", "data"), ledger.encode(*question), strict=True)))


@pytest.mark.parametrize("copies", [0, 2])
def test_each_request_of_a_batch_has_its_own_answer(ledger, monkeypatch, copies):
    calls = [("eth_getBlockByNumber", [hex(number), False]) for number in range(3)]
    whole = request_batch(ledger.web3, calls)
    assert [answer["number"] for answer in whole] == ["0x0", "0x1", "0x2"]
    make_batch_request = ledger.web3.provider.make_batch_request

    def faulty(batch):
        answers = make_batch_request(batch)
        return [*answers[:1], *answers[1:2] * copies, *answers[2:]]

    monkeypatch.setattr(ledger.web3.provider, "make_batch_request", faulty)
    assert request_batch(ledger.web3, calls) == whole

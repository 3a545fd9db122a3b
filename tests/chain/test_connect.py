"""A connection that somebody else made, as Brownie does."""

from __future__ import annotations

import pytest
from web3.middleware import Web3Middleware

from radledger.chain.connect import connect, over
from radledger.chain.ledger import Ledger
from radledger.chain.networks import Network
from radledger.chain.refusals import ParticipantNotAccredited


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
        Ledger(over(web3), ledger.deployment).call(*question)
    with pytest.raises(ValueError, match="custom error"):
        web3.eth.call(dict(zip(("to", "data"), ledger.encode(*question), strict=True)))

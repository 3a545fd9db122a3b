"""A relayer at work, whom the hospital pays for, and patients without Ether."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager

import pytest
from eth_account import Account
from fastapi.testclient import TestClient

from radledger.chain.ledger import Ledger
from radledger.chain.sending.journal import Intents
from radledger.chain.sending.sender import Sender
from radledger.consent import Consents, Terms
from radledger.identity import Identities
from radledger.relay.application import create_application
from radledger.relay.service import Relayer
from radledger.relay.tickets import Limits

MANY = Limits(per_address=10**9, per_day=10**12, queue=2_000)


@pytest.fixture
def consents(ledger):
    return Consents(ledger)


@pytest.fixture
def identities(ledger):
    return Identities(ledger)


@pytest.fixture
def sign(consents, people):
    """A patient's consent for the radiologist, signed; each call another patient, if not named."""

    def sign(patient=None, terms=None):
        signer = patient or Account.create()
        return consents.grant(people["radiologist"].address, terms or Terms(("CC",))).sign(signer)

    return sign


@pytest.fixture
def journaled(tmp_path):
    """A ledger that keeps the journal of its transactions in the test's home."""

    def journaled(ledger, web3=None, confirmations=0):
        web3 = web3 or ledger.web3
        intents = Intents.at(tmp_path, ledger.deployment)
        sender = Sender(web3, intents=intents, confirmations=confirmations)
        return Ledger(web3, ledger.deployment, sender=sender)

    return journaled


@pytest.fixture
def relaying(ledger, journaled, people, tmp_path):
    """Serve a relayer; one that is not working takes documents on and sends nothing."""

    @contextmanager
    def relaying(limits=MANY, *, working=True, payer=people["hospital"], confirmations=0):
        own = journaled(ledger, confirmations=confirmations)
        relayer = Relayer(own, payer, tmp_path, limits)
        client = TestClient(create_application(relayer), raise_server_exceptions=False)
        if working:
            with client:
                yield Relay(client)
        else:
            yield Relay(client)
            relayer.stop()

    return relaying


@pytest.fixture
def relay(relaying):
    with relaying() as relay:
        yield relay


class Relay:
    """What the tests ask of a relayer."""

    def __init__(self, client):
        self.client = client

    def post(self, document):
        # In ASCII, which has a form for everything that Python can write.
        headers = {"content-type": "application/json"}
        return self.client.post("/documents", content=json.dumps(document), headers=headers)

    def take(self, document):
        """Hand a document in that has to be taken on; its ticket."""
        response = self.post(document)
        assert response.status_code == 202, response.text
        return response.json()["ticket"]

    def show(self, ticket):
        return self.client.get(f"/tickets/{ticket}").json()

    def end(self, ticket):
        """The final state of a ticket."""
        deadline = time.monotonic() + 240
        while (answer := self.show(ticket))["state"] in ("queued", "sent"):
            assert time.monotonic() < deadline, answer
            threading.Event().wait(0.01)
        return answer

    def refused(self, response, status, error=None):
        """The values of a problem."""
        problem = response.json()
        assert response.headers["content-type"] == "application/problem+json"
        assert (response.status_code, problem["status"]) == (status, status), problem
        assert problem["type"] == "about:blank"
        assert problem["title"]
        assert "\n" not in problem["detail"]
        assert problem.get("error") == error
        return problem.get("values")

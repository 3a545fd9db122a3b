"""A custodian's gateway on a local chain, and readers who sign in to it."""

from __future__ import annotations

import gc
from types import SimpleNamespace

import pytest
from eth_account.messages import encode_defunct
from fastapi.dependencies import models
from fastapi.testclient import TestClient

from radledger.access import CustodianKeyService, ReceiptLog
from radledger.consent import Consents
from radledger.consent.diseases import Diseases
from radledger.crypto.keys import Kem, Wrapped
from radledger.gateway import Gateway, create_application, permissions
from radledger.gateway.siwe import SignInMessage
from tests.access.conftest import (
    access,
    anchor,
    ask,
    chain_clock,
    consents,
    holding,
    identities,
    image_set,
    noon,
    other_image_set,
    participants,
    patient_with_ether,
    reader,
    receipts,
    recorder,
    travel,
    wall,
    who,
)

__all__ = [
    "access",
    "anchor",
    "ask",
    "chain_clock",
    "consents",
    "holding",
    "identities",
    "image_set",
    "noon",
    "other_image_set",
    "participants",
    "patient_with_ether",
    "reader",
    "receipts",
    "recorder",
    "travel",
    "wall",
    "who",
]

URL = "https://gateway.example"


@pytest.fixture(autouse=True, scope="module")
def forgotten():
    """Let FastAPI forget the functions of applications, by which gateways and homes stay open."""
    yield
    for each in vars(models).values():
        if hasattr(each, "cache_clear"):
            each.cache_clear()
    gc.collect()  # which comes too seldom by itself for so many files


@pytest.fixture(autouse=True)
def each_block_is_seen_at_once(monkeypatch):
    monkeypatch.setattr(permissions, "_FRESH", 0.0)


@pytest.fixture
def home(ledger, receipts, holding, tmp_path):
    """What a gateway needs of a custodian's home, with the secrets in memory."""

    def key_service(rekey, recorder):
        return CustodianKeyService(
            ledger,
            receipts,
            show=holding.show,
            secret=holding.secret,
            rekey=rekey,
            recorder=recorder,
        )

    images = SimpleNamespace(
        show=holding.show, rekey=lambda image_id, custodian: holding.rekey(image_id)
    )
    return SimpleNamespace(
        ledger=ledger,
        home=tmp_path,
        consents=Consents(ledger),
        diseases=Diseases(None),
        images=images,
        erasures=None,
        storage=None,
        custody=None,
        key_service=key_service,
        receipts=receipts,
        receipt_log=ReceiptLog(ledger, receipts, tmp_path / "log"),
    )


@pytest.fixture
def gateway(home, who):
    gateway = Gateway(home, who.hospital, URL)
    yield gateway
    gateway.close()


@pytest.fixture
def http(gateway):
    return Http(TestClient(create_application(gateway), URL, raise_server_exceptions=False))


class Http:
    """What the tests ask of a gateway."""

    def __init__(self, client):
        self.client = client

    def challenge(self):
        response = self.client.post("/challenges")
        assert response.status_code == 201
        return response.json()

    def message(self, account, **changes):
        """A message of EIP-4361 that answers a new challenge."""
        fields = self.challenge() | {"address": account.address} | changes
        return SignInMessage(**fields).text

    def post_session(self, text, signature):
        return self.client.post("/sessions", json={"message": text, "signature": signature})

    def sign_in(self, account, text=None):
        """The headers of an account that has signed in."""
        text = text or self.message(account)
        response = self.post_session(text, signed(account, text))
        assert response.status_code == 201, response.text
        assert response.headers["cache-control"] == "no-store"
        assert response.json()["account"] == account.address
        return {"Authorization": f"Bearer {response.json()['session']}"}

    def release(self, request, headers):
        return self.client.post("/releases", json=request.to_json(), headers=headers)

    def tokens(self, requests, headers):
        receipts = [request.to_json() for request in requests]
        return self.client.post("/tokens", json={"receipts": receipts}, headers=headers)

    def token(self, requests, account):
        """The headers of a viewer that has a token."""
        response = self.tokens(requests, self.sign_in(account))
        assert response.status_code == 201, response.text
        assert response.headers["cache-control"] == "no-store"
        return {"Authorization": f"Bearer {response.json()['token']}"}

    def check(self, image_id, headers):
        return self.client.get(f"/tokens/current/images/{image_id}", headers=headers)

    def permitted(self, headers):
        response = self.client.get("/tokens/current", headers=headers)
        assert response.status_code == 200, response.text
        return response.json()["image_ids"]


def signed(account, text):
    return "0x" + bytes(account.sign_message(encode_defunct(text=text)).signature).hex()


def wrapped(answer):
    """The wrapped secret of an answer, as the library has it."""
    kem, data = Kem(answer["kem"]), bytes.fromhex(answer["data"][2:])
    return SimpleNamespace(
        image_id=answer["image_id"], grant_id=answer["grant_id"], wrapped=Wrapped(kem, data)
    )


def refused(response, status, error=None):
    """The values of a problem."""
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, problem["status"]) == (status, status), problem
    assert "\n" not in problem["detail"]
    assert problem.get("error") == error
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    return problem.get("values")

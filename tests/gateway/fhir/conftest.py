"""A gateway's FHIR server, and the accounts that ask it."""

from __future__ import annotations

import pytest

from radledger import signed
from radledger.consent import messages
from tests.fhir.conftest import consent

__all__ = ["consent"]

FHIR = "application/fhir+json"


@pytest.fixture
def fhir(http, ledger, who):
    """Ask the FHIR server as an account that has signed in."""
    return Fhir(http, ledger, who)


class Fhir:
    """What the tests ask of a FHIR server."""

    def __init__(self, http, ledger, who):
        self.http, self.ledger, self.who = http, ledger, who
        self._sessions = {}

    def session(self, account):
        if account.address not in self._sessions:
            self._sessions[account.address] = self.http.sign_in(account)
        return self._sessions[account.address]

    def get(self, path, account=None, **named):
        headers = named.pop("headers", {})
        if account is not None:
            headers = headers | self.session(account)
        return self.http.client.get(f"/fhir{path}", headers=headers, params=named or None)

    def send(self, method, path, resource, account, **headers):
        sent = {"Content-Type": FHIR} | self.session(account) | headers
        return self.http.client.request(method, f"/fhir{path}", json=resource, headers=sent)

    def create(self, resource, account=None):
        """Record a Consent; gives it."""
        response = self.send("POST", "/Consent", resource, account or self.who.hospital)
        assert response.status_code == 201, response.text
        return response.json()

    def carry_out(self, id_):
        """Sign what a Consent takes, as the patient, and submit it."""
        response = self.get(f"/Consent/{id_}/$documents", self.who.hospital)
        assert response.status_code == 200, response.text
        for document in response.json()["documents"]:
            filled = messages.sign(self.ledger, document, self.who.patient)
            signed.submit(self.ledger, filled, self.who.hospital)


def resource_of(response, status=200):
    """The resource of an answer, which no cache keeps."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == FHIR
    assert response.headers["cache-control"] == "no-store"
    return response.json()


def issues_of(response, status):
    """The issues of a refusal: code, element and name of the error of each."""
    outcome = resource_of(response, status)
    assert outcome["resourceType"] == "OperationOutcome"
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    for issue in outcome["issue"]:
        assert issue["severity"] == "error"
        assert issue["diagnostics"]
    return [
        (
            issue["code"],
            issue.get("expression", [None])[0],
            issue.get("details", {}).get("text"),
        )
        for issue in outcome["issue"]
    ]

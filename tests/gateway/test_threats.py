"""What a snooper tries that the other files do not have; docs/gateway.md lists all threats."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from radledger.consent import Terms
from radledger.gateway import Gateway, create_application
from radledger.gateway.orthanc import Orthanc
from radledger.imaging.errors import SecretUnknown
from radledger.imaging.model import NONE
from tests.gateway.conftest import URL, Http, refused, signed

pytestmark = pytest.mark.usefixtures("patient_with_ether")

CARE = Terms(("CC",))
FOLDER = Path(__file__).parent


@pytest.fixture
def granted(consents, patient_with_ether, reader, who):
    consents.grant(reader.address, CARE).send(who.patient)


def test_each_threat_of_the_document_has_its_test():
    table = (FOLDER.parents[1] / "docs/gateway.md").read_text().partition("## Threats")[2]
    named = re.findall(r"^\|.*`([\w/]+\.py)::(\w+)` \|$", table.partition("\n## ")[0], re.MULTILINE)
    assert len(named) > 20
    for file, test in named:
        assert f"def {test}(" in (FOLDER / file).read_text(), (file, test)


# -------------------------------------------------------- members of a permitted institution


@pytest.mark.parametrize(
    ("act", "error"),
    [
        ("member suspended", "ConsentNotPermittedReaderSuspended"),
        ("institution suspended", "ConsentNotPermittedReaderSuspended"),
        ("member left", "ConsentNotPermittedNeverGranted"),
        ("member elsewhere", "ConsentNotPermittedNeverGranted"),
    ],
)
def test_a_former_member_reads_nothing_by_the_institutions_grant(
    http, consents, participants, image_set, reader, ask, who, act, error
):
    institution = participants.show(reader.address).institution
    consents.grant(institution, CARE).send(who.patient)
    session, request = http.sign_in(reader), ask(reader)
    viewer = http.token([ask(reader)], reader)
    assert http.permitted(viewer) == [image_set.image_id]
    if act == "member suspended":
        participants.suspend(reader.address).send(who.hospital)
    elif act == "institution suspended":
        participants.suspend(institution).send(who.governor)
    else:
        participants.leave().send(reader)
    if act == "member elsewhere":
        participants.admit(reader.address, ["radiologist"]).send(who.clinic)
    refused(http.check(image_set.image_id, viewer), 403, error)
    assert http.permitted(viewer) == []
    refused(http.release(request, session), 403, error)
    refused(http.tokens([request], session), 403, error)


# ----------------------------------------------------------------- stolen keys and receipts


@pytest.mark.usefixtures("granted")
def test_a_session_of_an_account_that_lost_the_readers_identity_releases_nothing(
    http, ledger, receipts, reader, ask, who
):
    session, request = http.sign_in(reader), ask(reader)
    ledger.send(reader, "IdentityRegistry", "changeOwner", reader.address, who.clinic.address)
    for answer in (http.release(request, session), http.tokens([request], session)):
        values = refused(answer, 403, "ReaderNotControlled")
        assert values["owner"] == who.clinic.address
    # The receipt of the former owner is of no use to the present one either.
    successor = http.sign_in(who.clinic)
    for answer in (http.release(request, successor), http.tokens([request], successor)):
        assert refused(answer, 403, "ReaderReplaced") == {"reader": reader.address}
    assert receipts.releases() == ()


# ------------------------------------------------------------------------ sign-in elsewhere


def test_what_was_signed_for_one_gateway_opens_no_other(http, home, reader, who):
    other_url = "https://other.example"
    gateway = Gateway(home, who.hospital, other_url)
    client = TestClient(create_application(gateway), other_url, raise_server_exceptions=False)
    other = Http(client)
    here, there = http.message(reader), other.message(reader)
    for at, text in ((http, there), (other, here)):
        refused(at.post_session(text, signed(reader, text)), 403, "SignInForAnother")
    # A gateway that passes on the challenge of another has it signed for itself.
    nonce = {"nonce": http.challenge()["nonce"]}
    passed_on = other.message(reader, **nonce)
    refused(other.post_session(passed_on, signed(reader, passed_on)), 403, "SignInExpired")
    refused(http.post_session(passed_on, signed(reader, passed_on)), 403, "SignInForAnother")
    session = http.sign_in(reader, here)
    refused(client.post("/tokens", headers=session, json={"receipts": []}), 401, "SignInRequired")
    gateway.close()


# ------------------------------------------------------------------------------ enumeration


def test_who_may_not_read_does_not_learn_what_the_home_holds(
    http, holding, image_set, reader, ask, who, monkeypatch
):
    session = http.sign_in(reader)
    held = http.release(ask(reader), session)

    def elsewhere(image_id):
        raise SecretUnknown("this home has no secret of that image set", image=image_id)

    monkeypatch.setattr(holding, "secret", elsewhere)
    not_held = http.release(ask(reader), session)
    values = refused(held, 403, "ConsentNotPermittedNeverGranted")
    assert values == {"subject": who.patient.address, "reader": reader.address}
    assert held.json() == not_held.json()


@pytest.mark.usefixtures("granted")
def test_a_token_says_the_same_of_image_sets_that_there_are_and_are_not(
    http, other_image_set, reader, ask
):
    viewer = http.token([ask(reader)], reader)
    answers = [http.check(each, viewer) for each in (other_image_set.image_id, NONE)]
    for answer in answers:
        refused(answer, 403, "TokenForOtherImages")
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


# -------------------------------------------------------------- requests of an unusual form


@pytest.fixture
def whole(gateway):
    """A client of a gateway with all that it can have."""
    application = create_application(gateway, asking=Orthanc("orthanc", "x" * 32))
    return TestClient(application, URL, raise_server_exceptions=False)


def test_every_path_asks_for_credentials_but_those_for_anyone(whole):
    public = {
        *(("POST", "/challenges"), ("POST", "/sessions"), ("GET", "/open"), ("GET", "/health")),
        *(("GET", f"/fhir/{each}") for each in ("metadata", ".well-known/smart-configuration")),
        ("GET", "/log/{name}"),
        # Who has a link has its name, which is as long as a token.
        *(("POST", "/shl/{name}"), ("GET", "/shl/files/{name}")),
    }
    asked = set()
    for path, operations in whole.get("/openapi.json").json()["paths"].items():
        for method in map(str.upper, operations):
            for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp4"}):
                answer = whole.request(method, path, headers=headers, json={})
                if answer.status_code == 401:
                    asked.add((method, path))
                else:
                    assert (method, path) in public, (method, path, answer.text)
    assert len(asked) > 25
    assert asked.isdisjoint(public)


@pytest.mark.usefixtures("granted")
def test_a_token_in_an_address_is_not_taken(http, reader, ask):
    viewer = http.token([ask(reader)], reader)
    token = viewer["Authorization"].removeprefix("Bearer ")
    for name in ("token", "access_token", "authorization"):
        for path in ("/tokens/current", "/dicom-web/studies"):
            refused(http.client.get(path, params={name: token}), 401, "TokenInvalid")
    for header in ("Token", "X-Authorization", "Proxy-Authorization"):
        answer = http.client.get("/tokens/current", headers={header: viewer["Authorization"]})
        refused(answer, 401, "TokenInvalid")


def test_headers_of_a_proxy_are_not_believed(http, reader):
    claimed = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "host=evil.example;proto=http",
        "X-Original-URL": "/tokens/current",
        "X-Rewrite-URL": "/tokens/current",
        "X-HTTP-Method-Override": "DELETE",
    }
    challenge = http.client.post("/challenges", headers=claimed)
    assert (challenge.json()["domain"], challenge.json()["uri"]) == ("gateway.example", URL)
    assert http.client.get("/health", headers=claimed).status_code == 200
    answer = http.client.get("/health", headers=claimed | {"Host": "evil.example"})
    assert answer.status_code == 400
    answer = http.client.get("/health", headers={"X-Forwarded-Host": "gateway.example"})
    assert answer.status_code == 200


def test_a_path_is_answered_to_its_own_methods_alone(whole):
    paths = whole.get("/openapi.json").json()["paths"]
    assert len(paths) > 20
    for path, operations in paths.items():
        for method in {"HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"}:
            if method.lower() not in operations:
                answer = whole.request(method, path.replace("{", "").replace("}", ""))
                # Two paths of which each fits the other's form have each other's methods.
                assert answer.status_code in (401, 405, 422), (method, path)
                assert method != "HEAD" or not answer.content


@pytest.mark.parametrize(
    "start",
    [
        *("/dicom-web/studies/", "/dicom-web/", "/log/", "/log/tile/", "/tokens/current/images/"),
        *("/orthanc/tokens/", "/docs/", "/static-offline-docs/", "/ohif/", "/"),
    ],
)
def test_no_path_leads_out_of_its_place(whole, home, start):
    secret = home.home / "receipts.sqlite3"
    secret.write_bytes(b"SQLite format 3 of the home")
    climbs = ("../", "..%2f", "%2e%2e/", "..%5c", "%252e%252e%252f")
    ends = ("receipts.sqlite3", "etc/passwd", "%00")
    for climb in climbs:
        for end in ends:
            path = f"{start}{climb * 6}{end}".encode()
            url = httpx.URL(URL).copy_with(raw_path=path)
            for method in ("GET", "PUT"):
                answer = whole.request(method, url)
                assert answer.status_code in (400, 401, 403, 404, 405, 422), path
                assert b"SQLite" not in answer.content
                assert b"root:" not in answer.content
                assert str(home.home) not in answer.text

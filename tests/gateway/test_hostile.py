"""Requests that are meant to do harm: each is refused in words, and nothing is shown or logged."""

from __future__ import annotations

import itertools
import json
import logging
import re
import socket
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from radledger.consent import Terms
from radledger.gateway import Gateway, create_application
from radledger.gateway.errors import GATEWAY
from radledger.httpapi import arrival
from radledger.httpapi.server import serving
from tests.gateway.conftest import URL, refused, signed
from tests.relay.test_slow import closed, status

JSON = {"content-type": "application/json"}
POSTS = ("/sessions", "/releases", "/tokens")


@pytest.fixture
def session(http, reader):
    return http.sign_in(reader)


BODIES = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b"-1e999999",
    b'{"message": "\\ud800", "signature": "\\udfff"}',
    b'{"receipts": [[]]}',
    b'{"receipts": []}',
    b"null",
    b"{}",
]


def test_bodies_that_are_not_a_request(http, session):
    for path, body in itertools.product(POSTS, BODIES):
        response = http.client.post(path, content=body, headers={**JSON, **session})
        assert response.status_code in (400, 403, 422), (path, body[:20])
        refused(response, response.status_code, response.json().get("error"))


def test_bodies_that_are_too_large(http, session):
    large = b'{"message": "' + b"a" * 300_000 + b'"}'
    headers = {**JSON, **session}
    for path in POSTS:
        refused(http.client.post(path, content=large, headers=headers), 413)
        # In pieces, with no length said beforehand.
        pieces = (large[start : start + 10_000] for start in range(0, len(large), 10_000))
        refused(http.client.post(path, content=pieces, headers=headers), 413)


def test_each_field_of_a_receipt_replaced(http, session, receipts, reader, ask):
    receipt = ask(reader).to_json()
    for name in receipt:
        for value in (None, True, -1, 1.5, 2**300, "", "0x", "\ud800", "../../etc/passwd", [], {}):
            body = json.dumps({**receipt, name: value})
            response = http.client.post("/releases", content=body, headers={**JSON, **session})
            assert response.status_code in (403, 404, 422), (name, value, response.text)
            refused(response, response.status_code, response.json().get("error"))
    more = json.dumps({**receipt, "more": 1})
    refused(http.client.post("/releases", content=more, headers={**JSON, **session}), 422)
    assert receipts.releases() == ()


def test_more_receipts_than_a_token_takes(http, session, reader, ask):
    refused(http.tokens([ask(reader)] * 101, session), 422)


def test_image_sets_that_are_not_named_rightly(
    http, patient_with_ether, consents, reader, ask, who
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    viewer = http.token([ask(reader)], reader)
    names = ("0x", "0x" + "A" * 64, "0x" + "0" * 65, "%00", "..%2f..%2fetc", "é", "%f0%9f", "*")
    for name in names:
        response = http.client.get(f"/tokens/current/images/{name}", headers=viewer)
        assert response.status_code in (404, 422)
        refused(response, response.status_code)


def test_other_paths(http):
    for path in ("/nowhere", "/tokens/../health/x", "/docs/%2e%2e/%2e%2e/etc/passwd"):
        refused(http.client.get(path), 404)
    asked = {
        "/sessions": "POST",
        "/dicom-web/studies": "GET, POST",
        "/dicom-web/studies/1.2.3": "GET, POST",
        "/dicom-web/studies/1.2.3/metadata": "GET",
        "/log/checkpoint": "GET",
    }
    for path, methods in asked.items():
        response = http.client.delete(path)
        refused(response, 405)
        assert response.headers["allow"] == methods


def test_a_page_of_another_host_is_not_answered(http):
    hosts = ("evil.example", "gateway.example.evil.example", "127.0.0.1", "", "gateway.example@e")
    for host, path in itertools.product(hosts, ("/health", "/docs", "/challenges")):
        response = http.client.get(path, headers={"Host": host})
        assert refused(response, 400, "HostUnknown") == {"host": host}
    assert http.client.get("/health", headers={"Host": "gateway.example:443"}).status_code == 200


def test_no_other_origin_may_read_an_answer(http, session):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for response in (
        http.client.options("/sessions", headers=headers),
        http.client.get("/health", headers=headers),
    ):
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_the_interface_describes_itself(http):
    description = http.client.get("/openapi.json").json()
    assert {
        path for path in description["paths"] if not path.startswith(("/dicom-web", "/fhir"))
    } == {
        *("/challenges", "/sessions", "/releases", "/health", "/log/{name}"),
        *("/tokens", "/tokens/current", "/tokens/current/images/{image_id}"),
        *(
            "/tickets",
            "/open",
            "/access-log",
            "/access-log/notices",
            "/introspect",
            "/erasures",
            "/certificates",
        ),
        *("/links", "/links/{id_}", "/shl/{name}", "/shl/files/{name}"),
    }
    answers = description["paths"]["/releases"]["post"]["responses"]
    assert set(answers) == {"201", "400", "401", "403", "404", "409", "413", "422", "429", "503"}
    assert list(answers["403"]["content"]) == ["application/problem+json"]


def test_no_page_names_another_host(http):
    for path in ("/docs", "/docs/oauth2-redirect", "/nowhere"):
        assert re.findall(r"(?i)(?:https?:)?//[\w.-]+\.\w+", http.client.get(path).text) == []


def test_nothing_that_opens_is_logged(
    http, patient_with_ether, consents, holding, image_set, reader, ask, who, caplog
):
    caplog.set_level(logging.DEBUG)
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    session = http.sign_in(reader)
    answer = http.release(ask(reader), session).json()
    viewer = http.token([ask(reader)], reader)
    http.check(image_set.image_id, viewer)
    http.client.get("/tokens/current/images/0x00", headers=viewer)
    secrets = [answer["data"], holding.secret(image_set.image_id)]
    secrets += [headers["Authorization"].split()[1] for headers in (session, viewer)]
    assert [secret for secret in secrets if secret in caplog.text] == []


def test_a_fault_of_its_own_is_not_shown(gateway, monkeypatch):
    def fail():
        raise KeyError("a secret of the gateway")

    monkeypatch.setattr(gateway, "health", fail)
    client = TestClient(create_application(gateway), URL, raise_server_exceptions=False)
    response = client.get("/health")
    refused(response, 500)
    assert "secret" not in response.text


# -------------------------------------------------------------------------- on a socket


@pytest.fixture
def address(home, who):
    def create(at):
        return create_application(Gateway(home, who.hospital, at))

    with serving(GATEWAY, create) as url:
        yield urlsplit(url).hostname, urlsplit(url).port


@contextmanager
def connected(address):
    with socket.create_connection(address, timeout=120) as connection:
        yield connection


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /docs HTTP/1.1\r\n",
        b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
        b"Content-Length: +2\r\n\r\n{}",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"X: a\r\n folded\r\n\0: b\r\n\r\n",
    ],
    ids=["both", "two", "sign", "unknown", "space", "nul"],
)
def test_a_request_that_a_proxy_may_read_otherwise_is_not_answered(address, headers):
    """Request smuggling: what is ambiguous ends the connection, with whatever came behind it."""
    host = b"Host: %s\r\n" % address[0].encode()
    with connected(address) as connection:
        connection.sendall(b"POST /sessions HTTP/1.1\r\n" + host + headers + b"\r\n")
        received = closed(connection)
    assert received.count(b"HTTP/1.1 ") == 1
    assert received.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501"))


@pytest.mark.parametrize("sent", [b"", b"P", b"POST /sessions HTTP/1.1\r\nHost: x\r\n"])
def test_a_request_that_does_not_arrive_is_dropped(address, monkeypatch, sent):
    monkeypatch.setattr(arrival, "SECONDS", 0.05)
    with connected(address) as connection:
        connection.sendall(sent)
        assert closed(connection) == b""


def test_the_address_where_it_listens_is_its_host(address):
    for host, expected in ((address[0], 200), ("localhost", 400)):
        with connected(address) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
            assert status(connection) == expected


def test_a_signature_is_not_asked_of_a_contract_before_its_message_is_for_here(
    http, ledger, reader, monkeypatch
):
    """Strangers cannot have the node compute: only a new challenge of this gateway comes so far."""
    asked, make = [], ledger.web3.provider.make_request
    monkeypatch.setattr(
        ledger.web3.provider, "make_request", lambda *call: (asked.append(call), make(*call))[1]
    )
    for changes in ({"domain": "evil.example"}, {"nonce": "a" * 74}):
        text = http.message(reader, **changes)
        assert http.post_session(text, signed(reader, text)).status_code == 403
    assert asked == []

"""Bodies and paths that are meant to do harm: each is refused in words, none is a fault."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

import pytest

JSON = {"content-type": "application/json"}
PATH = "/documents"


@pytest.fixture
def relay(relaying):
    with relaying(working=False) as relay:
        yield relay


@pytest.fixture(params=["consent", "forward"])
def document(request, sign, identities, people):
    if request.param == "consent":
        return sign()
    return identities.add_delegate(people["clinic"].address, validity=60).sign(people["patient"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"9" * 60_000,
        b"-1e999999",
        b'{"kind": NaN}',
        b'{"kind": "\\ud800", "\\udfff": 1}',
        b"null",
        b"[]",
        b"{}",
        b'"text"',
    ],
    ids=lambda body: repr(body[:12]),
)
def test_bodies_that_are_not_documents(relay, body):
    response = relay.client.post(PATH, content=body, headers=JSON)
    assert response.status_code in (400, 422)
    relay.refused(response, response.status_code)


def test_bodies_that_are_too_large(relay):
    large = b'{"kind": "' + b"a" * 70_000 + b'"}'
    relay.refused(relay.client.post(PATH, content=large, headers=JSON), 413)
    # In pieces, with no length said beforehand.
    pieces = (large[start : start + 1_000] for start in range(0, len(large), 1_000))
    relay.refused(relay.client.post(PATH, content=pieces, headers=JSON), 413)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "nonsense", None])
def test_bodies_of_another_kind(relay, document, kind):
    headers = {} if kind is None else {"content-type": kind}
    body = json.dumps(document).encode()
    relay.refused(relay.client.post(PATH, content=body, headers=headers), 422)


@pytest.mark.parametrize(
    "value",
    [None, True, -1, 1.5, 2**256, 10**4_000, "", "0x", "\ud800", "0x" + "zz" * 20, [], {}, [[]]],
    ids=lambda value: str(value)[:20].encode("ascii", "replace").decode(),
)
def test_each_part_replaced(relay, document, value):
    for place in _places(document):
        changed = json.loads(json.dumps(document))
        part = changed
        for name in place[:-1]:
            part = part[name]
        if part[place[-1]] == value:
            continue
        part[place[-1]] = value
        response = relay.post(changed)
        problem = response.json()
        assert response.status_code in (403, 422), (place, response.text)
        relay.refused(response, response.status_code, problem.get("error"))


def _places(value, path=()):
    """The way to each part of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in items:
        yield (*path, name)
        if isinstance(part, dict | list):
            yield from _places(part, (*path, name))


def test_a_field_too_many(relay, document):
    relay.refused(relay.post({**document, "more": 1}), 422)
    relay.refused(relay.post({**document, "kind": "radledger.dataset"}), 422)


@pytest.mark.parametrize("name", ["0x", "0x" + "0" * 63, "0X" + "0" * 64, "%00", "..%2f", "é"])
def test_tickets_that_are_none(relay, name):
    response = relay.client.get(f"/tickets/{name}")
    assert response.status_code in (404, 422)
    relay.refused(response, response.status_code)


def test_a_ticket_that_was_not_given(relay):
    ticket = "0x" + "00" * 32
    unknown = relay.client.get(f"/tickets/{ticket}")
    assert relay.refused(unknown, 404, "TicketUnknown") == {"ticket": ticket}


def test_other_paths_and_methods(relay):
    relay.refused(relay.client.get("/nowhere"), 404)
    response = relay.client.get(PATH)
    relay.refused(response, 405)
    assert response.headers["allow"] == "POST"


def test_the_interface_describes_itself(relay):
    description = relay.client.get("/openapi.json").json()
    assert set(description["paths"]) == {PATH, "/health", "/tickets/{ticket}"}
    answers = description["paths"][PATH]["post"]["responses"]
    assert set(answers) == {"202", "400", "403", "409", "413", "422", "429", "503"}
    assert list(answers["422"]["content"]) == ["application/problem+json"]


def test_the_page_has_all_that_it_needs_from_the_relayer(relay):
    page = relay.client.get("/docs")
    assert "RadLedger relayer" in page.text
    parts = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    kinds = {relay.client.get(part).headers["content-type"].split(";")[0] for part in parts}
    assert kinds == {"text/javascript", "text/css", "image/png"}
    (description,) = re.findall(r'"?url"?: [\'"]([^\'"]*)', page.text)
    assert relay.client.get(description).json()["info"]["title"] == "RadLedger relayer"


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/oauth2-redirect", "/redoc", "/nowhere"])
def test_no_page_names_another_host(relay, path):
    assert re.findall(r"(?i)(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", relay.client.get(path).text) == []


def test_an_unavailable_chain(relay, sign, ledger, monkeypatch):
    document = sign()
    monkeypatch.setattr(ledger.web3.provider, "endpoint_uri", "http://127.0.0.1:1")
    response = relay.post(document)
    # Where the node is may be a secret, as with a key in its address.
    assert relay.refused(response, 503, "ConnectionFailed") == {}
    assert "127.0.0.1" not in response.text
    assert response.headers["retry-after"]
    relay.refused(relay.client.get("/health"), 503, "ConnectionFailed")


def test_a_queue_that_cannot_be_used(relay, sign, tmp_path):
    (queue,) = tmp_path.glob("relay/*.sqlite3")
    with closing(sqlite3.connect(queue)) as database:
        database.execute("DROP TABLE tickets")
    response = relay.post(sign())
    assert relay.refused(response, 503, "DatabaseUnavailable") == {}
    assert str(tmp_path) not in response.text
    assert response.headers["retry-after"]


def test_a_refusal_says_which_field_has_which_value_and_what_to_send(relay, sign):
    """Beside the document as it was signed, which is taken on."""

    def refused(document, status=422):
        answer = relay.post(document)
        relay.refused(answer, status)
        detail = answer.json()["detail"]
        assert detail.endswith("send what `radledger … --sign-only FILE` wrote; /docs describes it")
        return detail

    document = sign()
    domain = {**document["typedData"]["domain"], "verifyingContract": "0x12"}
    wrong = {**document, "typedData": {**document["typedData"], "domain": domain}}
    assert "the document's typedData.domain.verifyingContract is '0x12'" in refused(wrong)
    assert "the document's signature is 'zz'" in refused({**document, "signature": "zz"})
    assert "the document's more is 1" in refused({**document, "more": 1})
    lacking = {name: part for name, part in document.items() if name != "summary"}
    assert "the document has no summary" in refused(lacking)
    assert "the body is not a signed document" in refused([])
    answer = relay.client.post(PATH, content="{", headers=JSON)
    relay.refused(answer, 400)
    assert "not JSON from character 1" in answer.json()["detail"]
    relay.take(document)


def test_a_refusal_of_an_address_says_what_there_is(relay):
    for answer, status in (
        (relay.client.get("/nowhere"), 404),
        (relay.client.get("/documents"), 405),
    ):
        relay.refused(answer, status)
        assert "POST /documents takes a signed document" in answer.json()["detail"]
    answer = relay.client.get("/tickets/0x12")
    relay.refused(answer, 422)
    assert "the ticket '0x12' is not one" in answer.json()["detail"]
    assert "as POST /documents answered it" in answer.json()["detail"]

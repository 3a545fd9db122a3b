"""The gateway publishes the log of receipts, and gives its files to anyone."""

from __future__ import annotations

import logging
import threading

import pytest
from fastapi.testclient import TestClient

from radledger.access.anchoring import INTERVAL
from radledger.access.receipt_log import check_log_proof
from radledger.access.watching import anchored_proof
from radledger.consent import Terms
from radledger.gateway import Gateway, create_application
from radledger.gateway.publisher import LogAnchorer, LogPublisher
from radledger.tlog.errors import WitnessesMissing
from radledger.verify.logged.notes import read_checkpoint
from tests.gateway.conftest import URL, refused

pytestmark = pytest.mark.usefixtures("patient_with_ether")

ORIGIN = "gateway.example/log"


@pytest.fixture
def log(home):
    home.receipt_log.create(ORIGIN)
    return home.receipt_log


def test_a_released_receipt_is_published_and_proven(consents, http, log, reader, who, ask):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    request = ask(reader)
    assert http.release(request, http.sign_in(reader)).status_code == 201
    LogPublisher(log).once()
    proof = log.prove("0x" + request.receipt.digest.hex())
    assert check_log_proof(proof.encode(), log.policy).index == 0
    answer = http.client.get("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    checkpoint = read_checkpoint(answer.content)
    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 1)
    for name in ("tile/0/000.p/1", "tile/entries/000.p/1"):
        answer = http.client.get(f"/log/{name}")
        assert answer.content == (log.public / name).read_bytes()
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "immutable" in answer.headers["cache-control"]


def test_a_running_gateway_publishes_by_itself(gateway, log, monkeypatch):
    published = threading.Event()
    publish = log.publish

    def publishing():
        publish()
        published.set()

    monkeypatch.setattr(log, "publish", publishing)
    with TestClient(create_application(gateway), URL) as client:
        assert published.wait(60)
        assert read_checkpoint(client.get("/log/checkpoint").content).size == 0


def test_a_gateway_without_a_log_has_no_files_of_it(http, home):
    assert LogPublisher(home.receipt_log).once() == 1
    assert not home.receipt_log.exists
    answer = http.client.get("/log/checkpoint")
    assert refused(answer, 404, "LogUnreadable") == {"file": "checkpoint"}
    assert str(home.home) not in answer.text


@pytest.mark.parametrize(
    "name",
    [
        *("key", "policy", "entries.sqlite3", "../key", "..%2fkey", "%2e%2e/key", "tile/../../key"),
        *("tile/0/000/../../../../key", "tile/64/000", "tile/0/0", "tile/0/000.p/0", "/etc/passwd"),
        *("anchored", "anchored/0", "anchored/..", "anchored/1/..", "anchored/01", "anchored/7"),
        *("checkpoint%00", "checkpoint/", "tile/0/000.p/1000", "tile/-1/000", ".new.abc"),
    ],
)
def test_nothing_else_of_the_log_is_given(http, log, name):
    log.publish()
    secret = (log.public.parent / "key").read_text()
    answer = http.client.get(f"/log/{name}")
    assert answer.status_code in (404, 422)
    assert secret not in answer.text


def test_what_fails_is_reported_once_and_tried_less_often(log, monkeypatch, caplog):
    publisher, publish = LogPublisher(log), log.publish

    def fail():
        raise WitnessesMissing("no witness answers")

    monkeypatch.setattr(log, "publish", fail)
    with caplog.at_level(logging.INFO):
        pauses = [publisher.once() for _ in range(8)]
        assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
        monkeypatch.setattr(log, "publish", publish)
        assert publisher.once() == 1
    assert [record.getMessage() for record in caplog.records] == [
        "the log of receipts is not published: no witness answers",
        "the log of receipts is published again",
    ]


# --- on the chain -------------------------------------------------------------------------------


@pytest.fixture
def anchorer(ledger, log, recorder, who):
    return LogAnchorer(ledger, log, who.hospital.address, recorder)


@pytest.fixture
def released(consents, http, log, reader, who, ask):
    """Release for a receipt, and publish it; returns its digest."""
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    session = http.sign_in(reader)

    def released():
        request = ask(reader)
        assert http.release(request, session).status_code == 201
        LogPublisher(log).once()
        return "0x" + request.receipt.digest.hex()

    return released


def test_the_log_is_anchored_when_it_has_grown(anchorer, access, released, http, log, who, ledger):
    assert anchorer.once() == INTERVAL
    assert access.logs() == ()  # an empty log is not
    digest = released()
    for _ in range(2):  # the second has nothing to do
        assert anchorer.once() == INTERVAL
    (anchor,) = access.logs()
    assert (anchor.institution, anchor.size) == (who.hospital.address, 1)
    answer = http.client.get("/log/anchored/1")
    assert answer.content == http.client.get("/log/checkpoint").content
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    released()
    proof = log.prove(digest)
    shown = anchored_proof(ledger, check_log_proof(proof.encode(), log.policy))
    assert (shown.size, shown.anchored) == (1, anchor)


def test_a_gateway_with_a_recorder_anchors_by_itself(home, who, recorder, log, monkeypatch):
    anchored = threading.Event()
    monkeypatch.setattr(LogAnchorer, "_do", lambda _: anchored.set())
    gateway = Gateway(home, who.hospital, URL, recorder)
    with TestClient(create_application(gateway), URL):
        assert anchored.wait(60)


def test_a_log_that_cannot_be_anchored_is_reported(
    anchorer, released, access, recorder, who, caplog
):
    access.dismiss(recorder.address).send(who.hospital)
    released()
    assert anchorer.once() == INTERVAL
    (record,) = caplog.records
    assert record.getMessage().startswith("the log of receipts is not anchored: ")
    assert recorder.address in record.getMessage()

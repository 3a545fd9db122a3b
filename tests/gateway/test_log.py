"""The gateway publishes the log of receipts, and gives its files to anyone."""

from __future__ import annotations

import logging
import threading

import pytest
from fastapi.testclient import TestClient

from radledger.access.receipt_log import check_log_proof
from radledger.consent import Terms
from radledger.gateway import create_application
from radledger.gateway.publisher import LogPublisher
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
    LogPublisher(log).publish()
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
    assert LogPublisher(home.receipt_log).publish() == 1
    assert not home.receipt_log.exists
    answer = http.client.get("/log/checkpoint")
    assert refused(answer, 404, "LogUnreadable") == {"file": "checkpoint"}
    assert str(home.home) not in answer.text


@pytest.mark.parametrize(
    "name",
    [
        *("key", "policy", "entries.sqlite3", "../key", "..%2fkey", "%2e%2e/key", "tile/../../key"),
        *("tile/0/000/../../../../key", "tile/64/000", "tile/0/0", "tile/0/000.p/0", "/etc/passwd"),
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
        pauses = [publisher.publish() for _ in range(8)]
        assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
        monkeypatch.setattr(log, "publish", publish)
        assert publisher.publish() == 1
    assert [record.getMessage() for record in caplog.records] == [
        "the log of receipts is not published: no witness answers",
        "the log of receipts is published again",
    ]

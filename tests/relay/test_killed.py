"""The relayer killed with SIGKILL: what it had promised is done by the next run, once."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from eth_account import Account

from radledger.chain import deployments
from radledger.chain.keystore.accounts import Keystore
from radledger.chain.rpc import request
from radledger.relay import client
from radledger.relay.client import RelayClient

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def served(ledger, people, tmp_path):
    """Run ``radledger relay serve`` as the hospital; gives its process and address."""
    home = tmp_path / "home"
    Keystore(home).import_("hospital", "0x" + bytes(people["hospital"].key).hex(), "")
    deployments.save(home / "deployments", ledger.deployment)
    serve = ("relay", "serve", "--as", "hospital", "--json", "--home", str(home), "--port")
    network = ("--network", ledger.web3.provider.endpoint_uri)

    @contextmanager
    def served(port="0"):
        process = subprocess.Popen(
            [sys.executable, "-m", "radledger.cli", *serve, port, *network],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process, json.loads(process.stdout.readline())["relay"]
        finally:
            process.kill()
            process.communicate()

    return served


@pytest.fixture
def paused(ledger):
    """Let the node mine only on request."""
    request(ledger.web3, "evm_setAutomine", [False])
    yield lambda: request(ledger.web3, "evm_setAutomine", [True])
    request(ledger.web3, "evm_setAutomine", [True])


def hand_in(url, document):
    response = httpx.post(f"{url}/documents", json=document, timeout=240)
    assert response.status_code == 202, response.text
    return response.json()["ticket"]


def ends(url, tickets):
    """What tickets have come to when they are at their ends."""
    deadline = time.monotonic() + 240
    answers = []
    for ticket in tickets:
        while (answer := httpx.get(f"{url}/tickets/{ticket}", timeout=240).json())["state"] in (
            "queued",
            "sent",
        ):
            assert time.monotonic() < deadline, answer
            threading.Event().wait(0.02)
        answers.append(answer)
    return answers


def in_pool(ledger, account):
    pending = request(ledger.web3, "txpool_content", [])["pending"]
    return pending.get(account.address) or pending.get(account.address.lower()) or {}


def executions(ledger, patients):
    addresses = [patient.address for patient in patients]
    events = ledger.events("ConsentRegistry", "ConsentGranted", subject=addresses)
    return sorted(event.args["subject"] for event in events)


@pytest.mark.parametrize("lost", [False, True], ids=["kept by the node", "lost by the node"])
def test_killed_in_the_middle_of_a_batch(served, paused, sign, ledger, people, lost):
    hospital = people["hospital"]
    patients = [Account.create() for _ in range(20)]
    before = ledger.web3.eth.get_transaction_count(hospital.address)
    with served() as (process, url):
        tickets = [hand_in(url, sign(patient)) for patient in patients]
        deadline = time.monotonic() + 240
        while not in_pool(ledger, hospital):
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
        process.kill()
    if lost:
        request(ledger.web3, "anvil_dropAllTransactions", [])
    paused()
    request(ledger.web3, "evm_mine", [])
    with served() as (_, url):
        answers = ends(url, tickets)
    assert [answer["state"] for answer in answers] == ["confirmed"] * len(patients)
    assert executions(ledger, patients) == sorted(patient.address for patient in patients)
    after = ledger.web3.eth.get_transaction_count(hospital.address)
    assert after - before == len(patients)


def test_who_waits_for_a_ticket_waits_on_while_the_relayer_starts_again(
    served, paused, sign, ledger, people, monkeypatch
):
    monkeypatch.setattr(client, "_OUTAGE", 240.0)  # it starts as fast as the machine lets it
    with served() as (process, url), ThreadPoolExecutor(1) as pool:
        submitted = pool.submit(RelayClient(url).submit, sign())
        deadline = time.monotonic() + 240
        while not in_pool(ledger, people["hospital"]):
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
        process.kill()
        process.wait()
        with served(url.rpartition(":")[2]):
            paused()
            request(ledger.web3, "evm_mine", [])
            receipt = submitted.result(timeout=240)
    found = ledger.web3.eth.get_transaction_receipt(receipt.transaction)
    assert found["blockNumber"] == receipt.block


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_killed_at_any_moment(served, sign, ledger, people, capsys):
    hospital, kills, chance = people["hospital"], 12, random.Random(12)
    before = ledger.web3.eth.get_transaction_count(hospital.address)
    patients, tickets = [], []
    for _ in range(kills):
        more = [Account.create() for _ in range(15)]
        documents = [sign(patient) for patient in more]
        with served() as (process, url):
            tickets += [hand_in(url, document) for document in documents]
            threading.Event().wait(chance.random() * 0.3)
            process.kill()
        patients += more
    with served() as (_, url):
        answers = ends(url, tickets)
    executed = executions(ledger, patients)
    sent = ledger.web3.eth.get_transaction_count(hospital.address) - before
    with capsys.disabled():
        print(f"\n{kills} kills: {len(tickets)} tickets, {len(executed)} executions, {sent} sent")
    assert [answer["state"] for answer in answers] == ["confirmed"] * len(patients)
    assert executed == sorted(patient.address for patient in patients)
    assert sent == len(patients)

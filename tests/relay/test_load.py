"""Many documents while the network fails: each is executed exactly once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest
from eth_account import Account

from radledger.chain.errors import ConnectionFailed
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.relay.server import serving
from radledger.relay.service import Relayer
from tests.relay.conftest import MANY
from tests.relay.fault_proxy import FAULTS, FaultProxy

SHARE = 0.2


@pytest.fixture
def signed(sign, identities, people):
    """Documents of as many patients: nine consents for each forward request."""

    def signed(number):
        parent, documents = people["clinic"].address, {}
        for index in range(number):
            patient = Account.create()
            documents[patient.address] = (
                sign(patient)
                if index % 10
                else identities.add_delegate(parent, validity=3600).sign(patient)
            )
        return documents

    return signed


@pytest.mark.parametrize(
    "number", [10, pytest.param(1_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)
def test_each_is_executed_once_while_the_network_fails(
    ledger, people, signed, journaled, tmp_path, number, capsys
):
    documents = signed(number)
    payer = people["hospital"]
    before = ledger.web3.eth.get_transaction_count(payer.address)
    started = time.monotonic()
    with FaultProxy(ledger.web3.provider.endpoint_uri, SHARE, seed=number) as proxy:
        faulty = _patiently(lambda: journaled(ledger, connect(Network("faulty", proxy.url))))
        relayer = Relayer(faulty, payer, tmp_path, MANY)
        with (
            serving(relayer) as url,
            httpx.Client(base_url=url, timeout=240) as client,
            ThreadPoolExecutor(8) as pool,
        ):
            tickets = list(pool.map(partial(_handed_in, client), documents.values()))
            answers = list(pool.map(partial(_at_its_end, client), tickets))
    seconds = time.monotonic() - started
    sent = ledger.web3.eth.get_transaction_count(payer.address) - before

    executed = _executions(ledger, documents)
    with capsys.disabled():
        print(
            f"\n{number} documents, {sum(executed.values())} executions, {sent} transactions, "
            f"{seconds:.0f} s; requests: {dict(sorted(proxy.counts.items()))}"
        )
    assert [answer["state"] for answer in answers] == ["confirmed"] * number
    assert executed == dict.fromkeys(documents, 1)
    assert len({answer["transaction"] for answer in answers}) == number
    faults = sum(proxy.counts[fault] for fault in FAULTS)
    assert faults > SHARE / 2 * sum(proxy.counts.values())


def _patiently(act):
    """Do something again until the network lets it pass."""
    for _ in range(100):
        try:
            return act()
        except ConnectionFailed:
            threading.Event().wait(0.05)
    raise AssertionError("the network never lets it pass")


def _handed_in(client, document):
    """Hand a document in, as often as it takes; its ticket."""
    for _ in range(100):
        response = client.post("/documents", json=document)
        answer = response.json()
        if response.status_code == 202:
            return answer["ticket"]
        assert response.status_code == 503, answer
        assert answer["error"] in ("ConnectionFailed", "RequestFailed"), answer
    raise AssertionError("it is never taken on")


def _at_its_end(client, ticket):
    deadline = time.monotonic() + 300
    while (answer := client.get(f"/tickets/{ticket}").json())["state"] in ("queued", "sent"):
        assert time.monotonic() < deadline, answer
        threading.Event().wait(0.2)
    return answer


def _executions(ledger, accounts):
    """How often a signature of each account was executed."""
    counts = Counter()
    for contract, event, account in (
        ("ConsentRegistry", "ConsentGranted", "subject"),
        ("Forwarder", "ExecutedForwardRequest", "signer"),
    ):
        counts.update(each.args[account] for each in ledger.events(contract, event))
    return {account: counts[account] for account in accounts}

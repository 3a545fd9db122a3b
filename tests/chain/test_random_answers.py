"""Nodes that answer at random, or nearly right: a use succeeds or is refused, and never a fault."""

from __future__ import annotations

import contextlib
import itertools
import json
import random

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radledger import RadLedger
from radledger.chain.ledger import Ledger
from radledger.chain.nodes import http as node_module
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.proofs import prove
from radledger.chain.rpc import request, request_batch
from radledger.chain.sending import watch
from radledger.consent import Terms
from radledger.errors import RadLedgerError
from radledger.index.source import ChainSource
from radledger.storage import MemoryStore

EXAMPLES = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.binary(max_size=40).map(lambda value: "0x" + value.hex()),
    st.integers(0, 2**256 - 1).map(hex),
    st.sampled_from(("0x", "0x0", "latest", "error", "result", "execution reverted", "rate limit")),
)
FIELDS = st.one_of(
    st.sampled_from(("jsonrpc", "id", "result", "error", "code", "message", "data", "hash")),
    st.text(max_size=6),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(FIELDS, inner, max_size=4)
    ),
    max_leaves=8,
)
BODIES = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    JSON.map(lambda value: json.dumps({"jsonrpc": "2.0", "id": 0, "result": value}).encode()),
    JSON.map(lambda value: json.dumps({"jsonrpc": "2.0", "id": 0, "error": value}).encode()),
    st.binary(max_size=60),
)
STATUSES = st.sampled_from((200, 200, 200, 204, 301, 400, 401, 404, 413, 429, 500, 503))


@pytest.fixture
def connected(ledger, people, tmp_path):
    """A new connection, and what a process asks of a chain by it."""
    patient, reader = people["patient"], people["radiologist"].address
    head, terms = ledger.block_number(), Terms(("CC",))
    transaction = ledger.deployment.contracts["ImageRegistry"].transaction

    def connected():
        web3 = connect(Network("hosted", ledger.web3.provider.endpoint_uri))
        hosted = RadLedger(Ledger(web3, ledger.deployment), MemoryStore(), tmp_path)
        source = ChainSource(hosted.ledger)
        asked = [("eth_chainId", []), ("eth_getBalance", [reader, "latest"])]
        uses = [
            lambda: request(web3, "eth_chainId", []),
            lambda: request_batch(web3, asked),
            hosted.ledger.present,
            lambda: hosted.participants.show(reader),
            lambda: hosted.identities.show(patient.address),
            lambda: list(hosted.images.list()),
            lambda: hosted.consents.list(subject=patient.address),
            lambda: hosted.consents.requests(subject=patient.address),
            lambda: hosted.consents.emergencies(subject=patient.address),
            lambda: list(hosted.datasets.list()),
            lambda: source.read(source.start, head, ""),
            lambda: prove(web3, transaction),
            lambda: hosted.consents.grant(reader, terms).sign(patient),
            lambda: hosted.ledger.sender.simulate(reader, ledger.address("Forwarder"), "0x"),
        ]
        return web3.provider, uses

    return connected


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """No test waits for an answer that never comes."""
    monkeypatch.setattr(node_module, "_sleep", lambda seconds: None)
    monkeypatch.setattr(watch, "_OUTAGE", 0.0)


def response(status, body):
    """What the transport gives: a response, and its content."""
    found = requests.Response()
    found.status_code = status
    return found, body


AT_RANDOM = {
    "answers": st.lists(st.tuples(STATUSES, BODIES), min_size=1, max_size=4),
    "use": st.integers(0, 13),
}
NEARLY_RIGHT = {
    "use": st.integers(0, 13),
    "which": st.integers(0, 12),
    "seed": st.integers(0, 2**32),
    "value": JSON,
}


@EXAMPLES
@given(**AT_RANDOM)
def test_answers_at_random(connected, answers, use):
    provider, uses = connected()
    provider._sent = lambda body, deadline: response(
        *(answers.pop(0) if len(answers) > 1 else answers[0])
    )
    with contextlib.suppress(RadLedgerError):
        uses[use]()


@EXAMPLES
@given(**NEARLY_RIGHT)
def test_answers_that_are_nearly_right(connected, use, which, seed, value):
    """One answer of a node is changed somewhere: another value, or a part left out."""
    provider, uses = connected()
    send, count = provider._sent, itertools.count()

    def sent(body, deadline):
        found, content = send(body, deadline)
        if next(count) == which:
            content = changed(content, random.Random(seed), value)
        return found, content

    provider._sent = sent
    with contextlib.suppress(RadLedgerError):
        uses[use]()


@pytest.mark.soak
@settings(EXAMPLES, max_examples=3000)
@given(**AT_RANDOM)
def test_thousands_of_answers_at_random(connected, answers, use):
    test_answers_at_random.hypothesis.inner_test(connected, answers, use)


@pytest.mark.soak
@settings(EXAMPLES, max_examples=3000)
@given(**NEARLY_RIGHT)
def test_thousands_of_answers_that_are_nearly_right(connected, use, which, seed, value):
    nearly_right = test_answers_that_are_nearly_right.hypothesis.inner_test
    nearly_right(connected, use, which, seed, value)


def changed(content, chance, value):
    """A JSON text with another value at one place, of the same form or any, or nothing there."""
    whole = json.loads(content)
    part, places = whole, []
    while isinstance(part, dict | list) and part:
        name = chance.choice(sorted(part) if isinstance(part, dict) else range(len(part)))
        places.append((part, name))
        part = part[name]
    holder, name = chance.choice(places[-3:])
    old = holder[name]
    if isinstance(old, str) and old.startswith("0x") and chance.random() < 0.6:
        holder[name] = "0x" + "".join(chance.choice("0123456789abcdef") for _ in old[2:])
    elif chance.random() < 0.3:
        del holder[name]
    else:
        holder[name] = value
    return json.dumps(whole).encode()

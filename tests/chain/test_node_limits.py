"""Nodes that take little at once: ranges of events, batches, and requests a second."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from radledger.chain.errors import ConnectionFailed, RequestFailed
from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect, node_states
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request, request_batch
from radledger.index.source import ChainSource
from tests.chain.answering import ERROR, HTML, SECRETS, names_node


def too_wide(most, status):
    """Refuse queries of events over more than so many blocks."""

    def answer(asked):
        if isinstance(asked, dict) and asked["method"] == "eth_getLogs":
            first, last = (
                int(asked["params"][0].get(name, "0x0"), 16) for name in ("fromBlock", "toBlock")
            )
            if last - first >= most:
                if status == 413:
                    return status, {}, HTML
                reason = {"code": -32602, "message": f"up to a {most} block range"}
                return status, {}, json.dumps({**ERROR, "error": reason}).encode()
        return None

    return answer


@pytest.mark.parametrize("status", [200, 400, 413, 500])
def test_a_range_of_events_that_is_too_wide_is_halved(ledger, node, network, status):
    source = ChainSource(ledger)
    head = source.head()
    whole = source.read(source.start, head, "")
    events = ledger.events("ParticipantRegistry", "ParticipantAdmitted")
    node.answer = too_wide(3, status)
    hosted = Ledger(connect(network), ledger.deployment)
    assert hosted.events("ParticipantRegistry", "ParticipantAdmitted") == events != []
    assert ChainSource(hosted).read(source.start, head, "") == whole
    node.answer = too_wide(0, status)
    with pytest.raises(RequestFailed) as failed:
        hosted.events("ParticipantRegistry", "ParticipantAdmitted")
    assert "SECRET" not in failed.value.message


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {**ERROR, "error": {"code": -32600, "message": "too many in a batch"}}),
        (400, {**ERROR, "error": {"code": -32600, "message": "batches are not supported"}}),
        (400, b"bad request"),
        (413, HTML),
    ],
)
@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_batch_that_is_refused_is_sent_in_parts(node, network, status, body, most):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    refused = []

    def answer(asked):
        if isinstance(asked, list) and len(asked) > most:
            refused.append(len(asked))
            return status, {}, content
        return None

    node.answer = answer
    web3 = connect(network)
    calls = [("eth_getBlockByNumber", [hex(0), False]), ("eth_nonsense", []), ("eth_chainId", [])]
    block, bad, chain = request_batch(web3, calls)
    assert (block["number"], chain) == ("0x0", hex(31337))
    assert isinstance(bad, RequestFailed)
    assert bool(refused) == (most < 3)


def test_answers_of_a_batch_belong_to_their_requests(node, network):
    """In any order; an answer with another id, or none, is ignored."""
    web3 = connect(network)

    def answer(asked):
        blocks = [
            {"jsonrpc": "2.0", "id": each["id"], "result": each["params"][0]} for each in asked
        ]
        odd = [{"id": None, "result": "0x1"}, {"id": 10**6, "result": "0x1"}, None, 7, *blocks[:1]]
        return 200, {}, json.dumps([*odd, *reversed(blocks)]).encode()

    node.answer = answer
    calls = [("test_echo", [number]) for number in range(5)]
    assert request_batch(web3, calls) == [0, 1, 2, 3, 4]


def each_with(**part):
    return lambda asked: [{"jsonrpc": "2.0", "id": each["id"], **part} for each in asked]


BATCH_REFUSED = {"code": -32600, "message": "batch too large"}
NO_BATCHES = {
    "HTML": lambda asked: (200, HTML),
    "status": lambda asked: (405, b""),
    "server error": lambda asked: (500, HTML),
    "good answers with a bad status": lambda asked: (502, each_with(result="0x7")(asked)),
    "null": lambda asked: (200, None),
    "no list": lambda asked: (200, {"jsonrpc": "2.0", "id": 1, "result": "0x7"}),
    "empty": lambda asked: (200, []),
    "one is missing": lambda asked: (200, each_with(result="0x7")(asked[1:])),
    "numbers as texts": lambda asked: (200, [{"id": str(each["id"])} for each in asked]),
    "one error for all": lambda asked: (200, [{"id": None, "error": BATCH_REFUSED}]),
    "an error as the first": lambda asked: (200, each_with(error=BATCH_REFUSED)(asked[:1])),
    "an error for each": lambda asked: (200, each_with(error=BATCH_REFUSED)(asked)),
    "no time for the rest": lambda asked: (
        200,
        each_with(result="0x7")(asked[:1])
        + each_with(error={"code": -32002, "message": "request timed out"})(asked[1:]),
    ),
    "no room for the rest": lambda asked: (
        200,
        each_with(result="0x7")(asked[:1])
        + each_with(error={"code": -32003, "message": "response too large"})(asked[1:]),
    ),
}


@pytest.mark.parametrize("kind", NO_BATCHES)
@pytest.mark.parametrize("most", [1, 3])
def test_a_node_that_takes_no_batch_is_asked_one_by_one(node, network, kind, most):
    """As it refuses all batches, or long ones."""
    web3 = connect(network)
    alone = [("test_echo", [])]

    def answer(asked):
        if isinstance(asked, dict):
            return 200, {}, json.dumps({"jsonrpc": "2.0", "id": 0, "result": "0x7"}).encode()
        whole = (200, each_with(result="0x7")(asked))
        status, body = NO_BATCHES[kind](asked) if len(asked) > most else whole
        return status, {}, body if isinstance(body, bytes) else json.dumps(body).encode()

    node.answer = answer
    assert request_batch(web3, alone * 5) == ["0x7"] * 5
    node.always(503, b"")
    with pytest.raises(ConnectionFailed, match="HTTP 503"):
        request_batch(web3, alone * 5)


LIMITS = {
    "status": (429, HTML),
    "status and error": (429, {**ERROR, "error": {"code": -32005, "message": "slow down"}}),
    "error alone": (200, {**ERROR, "error": {"code": -32005, "message": "request rate limited"}}),
    "its own code": (200, {**ERROR, "error": {"code": 429, "message": "come back later"}}),
    "in a list": (
        200,
        [{**ERROR, "error": {"code": -32007, "message": "15/second request limit"}}],
    ),
}


@pytest.mark.parametrize("kind", LIMITS)
def test_a_node_that_wants_to_be_asked_later_is(node, network, pauses, kind):
    status, body = LIMITS[kind]
    web3 = connect(network)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    left = [(status, {"Retry-After": "3"}, content), (status, {}, content)]
    node.answer = lambda asked: left.pop(0) if left else None
    assert request_batch(web3, [("eth_chainId", []), ("eth_chainId", [])]) == [hex(31337)] * 2
    assert pauses == [3, 1]


@pytest.mark.parametrize("kind", LIMITS)
def test_a_node_that_allows_nothing_is_reported(node, network, pauses, kind):
    status, body = LIMITS[kind]
    node.always(status, body, Retry_After="4")
    with pytest.raises(ConnectionFailed) as failed:
        connect(network)
    parts = ("allows no more requests for now", f"HTTP {status}", "try again in 4 s")
    names_node(failed.value, node, *parts)
    assert failed.value.values["status"] == status
    assert pauses == [4, 4]


@pytest.mark.parametrize("given", ["3600", "99999999999999", "later", "", "-1"])
def test_a_node_that_asks_for_an_hour_is_not_waited_for(node, network, pauses, given):
    node.always(429, b"", Retry_After=given)
    with pytest.raises(ConnectionFailed, match="allows no more requests"):
        connect(network)
    assert sum(pauses) <= 10
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    node.always(429, b"", Retry_After=later)
    with pytest.raises(ConnectionFailed, match=r"try again in 3[56]\d\d s"):
        connect(network)


def test_what_a_contract_says_of_limits_is_not_a_limit_of_the_node(node, network, pauses):
    web3 = connect(network)
    node.always(200, {**ERROR, "error": {"code": 3, "message": "execution reverted: rate limit"}})
    with pytest.raises(RequestFailed, match="rate limit"):
        request(web3, "eth_call", [{}, "latest"])
    assert pauses == []


def test_several_nodes_do_without_one_that_refuses(node, anvil_endpoint, pauses):
    node.always(429, b"", Retry_After="5")
    hosted = Network("two", node.endpoint + SECRETS, others=(anvil_endpoint,))
    assert int(request(connect(hosted), "eth_chainId", []), 16) == 31337
    assert pauses == []
    first, second = node_states(hosted)
    assert (first.endpoint, first.state) == (node.endpoint, "failing")
    assert first.reason is not None
    assert "allows no more requests for now (HTTP 429" in first.reason
    assert "SECRET" not in first.reason
    assert (second.endpoint, second.state, second.reason) == (anvil_endpoint, "good", None)


def test_a_node_that_allows_few_requests_at_once_gets_few(node, network, pauses):
    web3 = connect(network)

    def answer(asked):
        if isinstance(asked, list) and len(asked) > 2:
            return 429, {}, b""
        return None

    node.answer = answer
    assert request_batch(web3, [("eth_chainId", [])] * 8) == [hex(31337)] * 8
    assert pauses == [1, 1, 1]

"""Nodes of providers: each answer is understood, or reported in one line without a secret."""

from __future__ import annotations

import json

import pytest

from radledger.chain.errors import ConnectionFailed, DeploymentMismatch, RequestFailed
from radledger.chain.nodes.connect import connect, node_states
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from tests.chain.answering import ERROR, HTML, SECRETS, AnsweringNode, names_node


@pytest.mark.parametrize(
    ("status", "body", "parts"),
    [
        (401, ERROR, ("refuses access", "HTTP 401 Unauthorized: invalid project id", "key")),
        (403, b"error code: 1020", ("refuses access", "HTTP 403 Forbidden")),
        (402, b"", ("refuses access", "HTTP 402")),
        (404, HTML, ("does not serve JSON-RPC", "HTTP 404 Not Found", "check its address")),
        (301, b"", ("does not serve JSON-RPC", "HTTP 301 Moved Permanently")),
        (500, b"oops", ("does not serve JSON-RPC", "HTTP 500")),
        (503, b"upstream connect error", ("does not serve JSON-RPC", "HTTP 503 Service Unavai")),
        (401, {"error": {"message": "no project SECRETKEY"}}, ("no project …)",)),
        (401, {"error": "no SECRETWORD of /v3/SECRETKEY?token=SECRETTOKEN"}, ("refuses",)),
        (401, {"error": "Basic dXNlcjpTRUNSRVRXT1JE, secretkey\nof no project"}, ("…, … of no",)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_status_is_reported_with_its_reason(node, network, status, body, parts):
    node.always(status, body, Location="https://elsewhere.invalid/")
    with pytest.raises(ConnectionFailed) as failed:
        connect(network)
    names_node(failed.value, node, *parts)
    assert failed.value.values["status"] == status


NONSENSE = {
    "HTML": (HTML, "text/html"),
    "empty": (b"", "text"),
    "text": (b"\xff\xfe", "text"),
    "deep": (b"[" * 100_000, "text"),
    "null": (b"null", "null"),
    "list": (b"[]", "a list"),
    "list of one": (b'[{"jsonrpc": "2.0", "id": 0, "result": "0x1"}]', "a list"),
    "number": (b"42", "a number"),
    "one": (b"1", "a number"),
    "true": (b"true", "true"),
    "string": (b'"0x1"', "'0x1'"),
    "no result": (b'{"jsonrpc": "2.0", "id": 1}', "an object that has neither result nor error"),
    "null result": (b'{"jsonrpc": "2.0", "id": 1, "result": null}', "the result null"),
    "decimal": (b'{"result": "31337"}', "the result '31337'"),
    "empty quantity": (b'{"result": "0x"}', "the result '0x'"),
    "integer": (b'{"result": 31337}', "the result a number"),
    "object": (b'{"result": {}}', "the result an object that lacks"),
    "a key": (b'{"result": "SECRETKEY"}', "the result '…'"),
    "many digits": (b'{"result": ' + b"9" * 5000 + b"}", "text"),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_what_no_node_answers_is_reported(node, network, kind):
    body, what = NONSENSE[kind]
    content_type = "text/html; charset=utf-8" if kind == "HTML" else "application/json"
    node.always(200, body, Content_Type=content_type)
    with pytest.raises(ConnectionFailed) as failed:
        connect(network)
    names_node(failed.value, node, f"answers eth_chainId with {what}", "check its address")


@pytest.mark.parametrize("error", ["text", {}, [], {"code": "x", "message": None}, {"message": 7}])
def test_errors_of_another_form_are_errors(node, network, error):
    web3 = connect(network)
    node.always(200, {"jsonrpc": "2.0", "id": 1, "error": error})
    for use in (
        lambda: request(web3, "eth_blockNumber", []),
        lambda: web3.eth.get_balance("0x" + "11" * 20),
    ):
        with pytest.raises(Exception, match=r"text|\[\]|no reason given") as failed:
            use()
        assert type(failed.value).__name__ in ("RequestFailed", "Web3RPCError")


# ---------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "data", ["of SECRETKEY", ["SECRETTOKEN"], {"at": [{"SECRETKEY": "/v3/SECRETKEY"}], "n": 1}]
)
def test_nothing_secret_is_in_the_data_of_an_error(node, network, data):
    web3 = connect(network)
    node.always(200, {**ERROR, "error": {"code": -32000, "message": "no", "data": data}})
    with pytest.raises(RequestFailed) as failed:
        request(web3, "eth_chainId", [])
    assert "…" in json.dumps(failed.value.values, ensure_ascii=False)
    assert "SECRET" not in json.dumps(failed.value.values)


def test_the_data_of_a_revert_stay_as_they_are(node):
    web3 = connect(Network("hexadecimal", f"{node.endpoint}/v3/08c379a0"))
    error = {"code": 3, "message": "execution reverted at 08c379a0", "data": "0x08c379a0"}
    node.always(200, {**ERROR, "error": error})
    with pytest.raises(RequestFailed, match="execution reverted at …") as failed:
        request(web3, "eth_call", [{}, "latest"])
    assert failed.value.values["data"] == "0x08c379a0"


def test_two_keys_of_one_provider_are_two_nodes(node):
    keys = tuple(f"{node.endpoint}/v3/SECRETKEY{number}" for number in range(3))
    network = Network("keys", keys[0], others=keys[1:])
    names = [each.endpoint for each in node_states(network)]
    assert names == [node.endpoint, f"{node.endpoint} (2)", f"{node.endpoint} (3)"]
    web3 = connect(network)
    assert "SECRET" not in web3.provider.endpoint_uri
    assert "SECRET" not in repr(network)
    node.always(503, b"")
    with pytest.raises(ConnectionFailed) as failed:
        request(web3, "eth_chainId", [])
    assert "SECRET" not in json.dumps([failed.value.message, failed.value.values])


def test_another_chain_is_reported_without_the_key(network, node):
    with pytest.raises(DeploymentMismatch) as failed:
        connect(Network("provider", network.endpoint, chain_id=1))
    assert "SECRET" not in failed.value.message
    assert node.endpoint in failed.value.message


def test_nothing_secret_is_logged(node, network, caplog):
    caplog.set_level("INFO")
    connect(network)
    node.always(503, b"")
    with pytest.raises(ConnectionFailed):
        connect(network)
    connect(Network("two", node.endpoint + SECRETS, others=(node.behind,)))
    assert "SECRET" not in caplog.text


# ---------------------------------------------------------------------------------- proxies


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that the environment names, with a password."""
    proxy = AnsweringNode()
    address = proxy.endpoint.replace("http://", "http://user:SECRETWORD@")
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, address)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    yield proxy
    proxy.shutdown()
    proxy.server_close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_a_node_on_this_machine_is_reached_without_a_proxy(node, proxy, host):
    endpoint = node.endpoint.replace("127.0.0.1", host)
    assert int(request(connect(Network("here", endpoint)), "eth_chainId", []), 16) == 31337
    assert proxy.asked == []


def test_a_node_elsewhere_is_reached_by_the_proxy_which_is_named(node, proxy):
    proxy.answer = lambda asked: (200, {}, json.dumps({"id": 0, "result": "0x7"}).encode())
    web3 = connect(Network("there", "http://node.example/v3/SECRETKEY"))
    assert request(web3, "eth_chainId", []) == "0x7"
    assert proxy.lines[0].startswith("POST http://node.example/v3/SECRETKEY ")
    proxy.always(407, b"")
    for part in ("HTTP 407", "no Ethereum node answers"):
        with pytest.raises(ConnectionFailed) as failed:
            request(web3, "eth_chainId", [])
        assert part in failed.value.message
        assert f"by way of the proxy {proxy.endpoint}, from the env" in failed.value.message
        assert "SECRET" not in failed.value.message + repr(failed.value.values)
        proxy.shutdown()
        proxy.server_close()


def test_a_proxy_that_cannot_be_used_is_named(monkeypatch):
    monkeypatch.setenv("http_proxy", "socks5://user:SECRETWORD@127.0.0.1:9")
    with pytest.raises(ConnectionFailed) as failed:
        connect(Network("there", "http://node.example"))
    assert "by way of the proxy socks5://127.0.0.1:9" in failed.value.message
    assert "SECRET" not in failed.value.message


# ---------------------------------------------------------------------------- no node at all


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://[::1/SECRET",
        "http://:SECRET",
        "http://host:99999/SECRET",
        "http://a..b/SECRET",
        "http://user:SEC/RET@host",
    ],
)
def test_what_is_not_an_address_is_reported(endpoint):
    with pytest.raises(ConnectionFailed, match="is not an address of a node") as failed:
        connect(Network("wrong", endpoint))
    assert "SECRET" not in failed.value.message + repr(failed.value.values)


def test_a_connection_that_cannot_be_trusted_is_reported(node, monkeypatch):
    secure = Network("secure", node.endpoint.replace("http:", "https:") + SECRETS)
    for value in ("", "/no/such/file.pem"):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", value)
        with pytest.raises(ConnectionFailed) as failed:
            connect(secure)
        assert "no TLS connection" in failed.value.message
        assert "REQUESTS_CA_BUNDLE" in failed.value.message
        assert "SECRET" not in failed.value.message


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {"Content-Length": "99"}])
def test_a_damaged_answer_is_reported(node, network, headers):
    node.answer = lambda asked: (200, headers, [b"{}"])
    with pytest.raises(ConnectionFailed) as failed:
        connect(network)
    names_node(failed.value, node, "breaks off or is damaged")

"""``radledger relay serve`` in a process of its own, and documents handed to it."""

from __future__ import annotations

import json
import signal
import socket
import sys

import pytest

from radledger.chain.nodes import networks
from tests.chain.answering import AnsweringNode
from tests.cli.conftest import running


@pytest.fixture
def relaying(home):
    """Run ``radledger relay serve``; gives what it says and its process."""

    def relaying(*options):
        return running("relay", "serve", "--home", home, *(options or ("--as", "hospital")))

    return relaying


@pytest.fixture
def relay(relaying):
    """Address of a relayer whom the hospital pays for."""
    with relaying() as (told, _):
        yield told["relay"]


@pytest.fixture
def server():
    """Something that answers in a relayer's place."""
    server = AnsweringNode()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def signed(ok, tmp_path):
    """Have the patient sign a command into a file."""

    def signed(*arguments, name="signed"):
        file = tmp_path / name
        ok(*arguments, "--as", "patient", "--sign-only", file)
        return file

    return signed


def test_documents_of_each_kind_are_submitted(relay, ok, cli, signed, addresses):
    consent = signed("consent", "grant", "radiologist", "--purpose", "CC")
    told = ok("submit", consent, "--relay", relay)
    assert told.keys() == {"tx", "block", "timestamp", "gas"}
    (grant,) = cli("consent", "list", "--subject", "patient").objects
    assert grant["tx"] == told["tx"]
    # The same again is the same, and a patient's device needs neither account nor chain.
    elsewhere = ("--relay", relay, "--network", "http://127.0.0.1:1")
    assert ok("submit", consent, *elsewhere) == told

    delegate = signed("identity", "add-delegate", "stranger")
    assert ok("submit", delegate, "--relay", relay)["gas"] > 0
    shown = ok("identity", "show", addresses["patient"])
    assert [each["delegate"] for each in shown["delegates"]] == [addresses["stranger"]]


def test_a_relayer_is_not_given_the_disease(relay, ok, cli, tmp_path):
    file, terms = tmp_path / "signed.json", ("--purpose", "DS", "--disease", "MONDO:0004992")
    signing = ("--as", "patient", "--sign-only", file)
    disease = ok("consent", "grant", "clinic", *terms, *signing)["disease"]
    assert ok("submit", file, "--relay", relay)["gas"] > 0
    assert cli("consent", "list", "--subject", "patient").object["disease"] == disease


def test_refusals_are_those_of_the_contracts(relay, ok, cli, signed):
    grant = ("consent", "grant", "radiologist", "--purpose", "CC")
    first, second = signed(*grant, name="1"), signed(*grant, "--until", "+30d", name="2")
    ok("submit", second, "--relay", relay)
    earlier = cli("submit", first, "--relay", relay).refused("ConsentSuperseded")
    assert earlier["signed"] == json.loads(second.read_text())["typedData"]["message"]["signed"]

    third = signed("consent", "revoke-all", name="3")
    document = json.loads(third.read_text())
    third.write_text(json.dumps({**document, "summary": "something else"}))
    cli("submit", third, "--relay", relay).refused("DocumentTampered")
    third.write_text("{}")
    cli("submit", third, "--relay", relay).refused("RelayError")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("https://relay.invalid:8090", "https://relay.invalid:8090"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1"),
        ("http://user:SECRET@127.0.0.1:1/v1?key=SECRET", "http://127.0.0.1:1"),
        ("http://SECRET@127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://127.0.0.1:1/SECRET#SECRET", "http://127.0.0.1:1"),
        ("http://user:SECRET/SECRET@127.0.0.1:1", "http://…"),
        ("http://", "…"),
        ("http://[:", "http://…"),
    ],
)
def test_an_address_where_no_relayer_is(home, cli, signed, url, told):
    file = signed("consent", "revoke-all")
    outcome = cli("submit", file, "--relay", url)
    assert outcome.refused("RelayUnreachable")["relay"] == told
    assert f"no relayer answers at {told}" in outcome.object["message"]
    assert "SECRET" not in outcome.out


@pytest.mark.parametrize(
    ("url", "told"),
    [
        *[(url, url) for url in ("nonsense", "ftp://x", "127.0.0.1:8090", "")],
        ("ftp://user:SECRET@x/SECRET", "ftp://x"),
        ("user:SECRET@127.0.0.1:8090?SECRET", "127.0.0.1:8090"),
        ("http:/SECRET", "…"),
    ],
)
def test_an_address_that_is_none(home, cli, signed, url, told):
    file = signed("consent", "revoke-all")
    outcome = cli("submit", file, "--relay", url)
    assert outcome.refused("InvalidRelayUrl", 2) == {"relay": told}
    assert "SECRET" not in outcome.out


@pytest.mark.parametrize(
    "proxy", ["http://user:SECRET@127.0.0.1:1", "socks5://127.0.0.1:1", "socks9://x", "http://["]
)
def test_relayers_here_are_asked_without_a_proxy_and_others_by_one_that_is_named(
    home, cli, signed, monkeypatch, proxy
):
    file = signed("consent", "revoke-all")
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    here = cli("submit", file, "--relay", "http://127.0.0.1:1")
    assert here.refused("RelayUnreachable")["cause"] == "ConnectError"
    away = cli("submit", file, "--relay", "http://u:SECRET@relay.example/SECRET?SECRET")
    assert away.refused("RelayUnreachable")["relay"] == "http://relay.example"
    assert "SECRET" not in away.out
    assert "by way of the proxy" in away.out


@pytest.mark.parametrize("values", [None, 7, [1], {"self": 1, "message": 2, "ticket": None}])
def test_a_relayer_whose_refusal_holds_anything(home, cli, signed, server, values):
    file = signed("consent", "revoke-all")
    server.always(
        422, {"error": "ConsentNotPermittedNeverGranted", "detail": "a\x1b[8m", "values": values}
    )
    told = cli("submit", file, "--relay", server.endpoint).refused(
        "ConsentNotPermittedNeverGranted"
    )
    assert told == (values if isinstance(values, dict) else {})


def test_something_else_at_the_address(home, cli, signed):
    file = signed("consent", "revoke-all")
    node = networks.load(home=home).endpoint
    cli("submit", file, "--relay", node).refused("RelayUnreachable")


def test_it_ends_in_good_order_and_one_works_at_a_time(relaying, cli, addresses):
    with relaying() as (told, process):
        assert told["payer"] == addresses["hospital"]
        second = cli("relay", "serve", "--port", "0", "--as", "clinic").refused("RelayBusy")
        assert second["path"].endswith(".sqlite3")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=240) == 0
        assert process.stderr.read() == ""
    with relaying("--as", "clinic") as (told, process):
        assert told["payer"] == addresses["clinic"]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=240) == 0


def test_without_the_packages_that_serve_it(home, cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    refused = cli("relay", "serve", "--port", "0", "--as", "hospital")
    assert refused.refused("RelayNotInstalled", 2) == {"missing": "uvicorn"}
    assert "radledger[relay]" in refused.object["message"]


def test_addresses_to_listen_at(home, cli):
    serve = ("relay", "serve", "--as", "hospital")
    elsewhere = cli(*serve, "--host", "192.0.2.1", "--port", "0").refused("RelayNotListening")
    assert elsewhere == {"host": "192.0.2.1", "port": 0}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = cli(*serve, "--port", port).refused("RelayNotListening")
        assert refused == {"host": "127.0.0.1", "port": port}
    nowhere = cli(*serve, "--host", "nowhere.invalid").refused("RelayNotListening")
    assert nowhere["host"] == "nowhere.invalid"
    assert cli(*serve, "--port", "70000").code == 2
    assert cli(*serve, "--queue-limit", "0").code == 2
    cli("relay", "serve").refused("AccountNotNamed", 2)

"""What is shown of addresses, and which are on this machine."""

from __future__ import annotations

import pytest

from radledger.endpoints import hidden, is_loopback, proxy_for, shown
from radledger.texts import decoded


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("https://sepolia.example/v3/KEY", "https://sepolia.example"),
        ("https://user:KEY@sepolia.example:8545/?key=KEY#KEY", "https://sepolia.example:8545"),
        ("https://KEY@sepolia.example", "https://sepolia.example"),
        ("https://user:K@EY@sepolia.example", "https://sepolia.example"),
        ("https://user:KE/Y@sepolia.example", "https://…"),
        ("https://sepolia.example/a@KEY", "https://sepolia.example"),
        ("https://sepolia.example?a=KEY", "https://sepolia.example"),
        ("HTTPS://Sepolia.Example/KEY", "HTTPS://Sepolia.Example"),
        ("http://[::1]:8545/KEY", "http://[::1]:8545"),
        ("wss://sepolia.example/ws/v3/KEY", "wss://sepolia.example"),
        ("sepolia.example/v3/KEY", "sepolia.example"),
        ("user:KEY@sepolia.example", "sepolia.example"),
        ("http:/sepolia.example/KEY", "…"),
        ("http://[:", "http://…"),
        ("http:", "…"),
        ("http://http://user:KEY@sepolia.example", "http://http://sepolia.example"),
        ("http://", "http://"),
        ("http://[", "http://["),
        ("http://[KEY@", "http://…"),
        ("http://user:KEY", "http://…"),
        ("user:KEY", "…"),
        ("my network", "my network"),
        ("http://sepolia.example\\KEY", "http://sepolia.example"),
        ("http://user%3AKEY%40sepolia.example", "http://…"),
        ("http://[fe80::1%25eth0]:8545/KEY", "http://[fe80::1%25eth0]:8545"),
        ("https://KEY4567890abcdef1234567890.eth.example/", "https://….eth.example"),
        ("https://KEY4567890abcdef1234567890.eth.example:1", "https://….eth.example:1"),
        (
            "https://node-0.internal-network-of-the-hospital.example",
            "https://node-0.internal-network-of-the-hospital.example",
        ),
        ("ganache", "ganache"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url, told):
    assert shown(url) == told
    assert "KEY" not in shown(url)


def test_texts_of_a_server_do_not_repeat_what_is_secret():
    url = "https://user:p%40ssword@node.example/v3/0123456789?token=abcdef&short=1"
    said = f"{url}: user p@ssword (p%40ssword) /v3/0123456789 token=abcdef at node.example v3 1"
    told = hidden(said, url)
    assert told == "https://node.example: … … (…) /v3/… token=… at node.example v3 1"
    assert hidden("all is well", "http://[") == "all is well"
    assert hidden("P@SSWORD, Basic dXNlcjpwQHNzd29yZA==", url) == "…, Basic …"
    host = "https://a123456789abcdef0123456789.eth.example"
    assert hidden("no project A123456789ABCDEF0123456789", host) == "no project …"


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8545/x", True),
        ("http://127.8.9.1", True),
        ("http://localhost:1", True),
        ("http://LOCALHOST.", True),
        ("http://node.localhost", True),
        ("http://user:word@[::1]:8545", True),
        ("http://[::ffff:127.0.0.1]", True),
        ("http://0.0.0.0:1", True),
        ("http://127.1:8545", True),
        ("http://2130706433", True),
        ("http://0x7f.1", True),
        ("http://[::1%25lo]", True),
        ("http://localhost.localdomain", True),
        ("http://ip6-localhost", True),
        ("http://10.1", False),
        ("http://167772161", False),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1.example", False),
        ("http://localhost.example", False),
        ("http://node.example/localhost", False),
        ("http://localhost@node.example", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_which_addresses_are_on_this_machine(url, here):
    assert is_loopback(url) == here


def test_proxies_are_those_of_the_environment(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert proxy_for("http://node.example") is None
    monkeypatch.setenv("HTTPS_PROXY", "http://user:KEY@proxy.example:3128/KEY")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for("https://node.example") == "http://proxy.example:3128"
    for other in ("http://node.example", "https://inside.example", "https://localhost", "http://["):
        assert proxy_for(other) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_texts_are_read_in_the_encoding_that_they_name(encoding):
    assert decoded("geheim ñ\n".encode(encoding)) == "geheim ñ\n"


@pytest.mark.parametrize("content", [b"\xe4", "geheim".encode("utf-16-le"), b"\xff\xfea", b"a\0b"])
def test_undecodable_text_is_refused_without_being_shown(content):
    with pytest.raises(ValueError, match="not text in UTF-8") as refusal:
        decoded(content)
    assert refusal.value.__context__ is None or "a" not in repr(refusal.value.__context__.object)

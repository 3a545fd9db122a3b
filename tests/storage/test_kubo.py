"""A Kubo daemon that lies, breaks off, stalls, is another program or is away."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import pickle
from collections.abc import Callable

import pytest

from radledger.errors import UsageError
from radledger.storage import MemoryStore
from radledger.storage.errors import (
    ContentMismatch,
    ContentNotFound,
    StorageSilent,
    StorageUnavailable,
)
from radledger.storage.kubo import KuboStore
from radledger.transport import deadline
from tests.storage.kubo_double import (
    CID,
    CONTENT,
    Answer,
    FakeDaemon,
    Handler,
    all_uses,
    daemon,
    impatient,
    sending,
    store,
)

__all__ = ["daemon", "impatient", "store"]


def test_an_honest_daemon_is_believed(daemon: FakeDaemon, store: KuboStore) -> None:
    daemon.answer = lambda request: request.send(
        CONTENT if "/cat?" in request.path else json.dumps({"Hash": CID}).encode()
    )
    with store.get(CID) as stream:
        assert stream.read() == CONTENT
    stored = store.put(io.BytesIO(CONTENT))
    assert (stored.cid, stored.size) == (CID, len(CONTENT))


@pytest.mark.parametrize("sent", [b"", CONTENT[:-1], CONTENT + b"\0", b"P" + CONTENT[1:], b"other"])
def test_other_bytes_are_a_mismatch(daemon: FakeDaemon, store: KuboStore, sent: bytes) -> None:
    daemon.answer = sending(sent)
    with pytest.raises(ContentMismatch) as refusal:
        store.get(CID)
    got = MemoryStore().put(io.BytesIO(sent)).cid
    assert refusal.value.values == {"cid": CID, "got": got, "size": len(sent)}


def test_compression_is_not_undone(daemon: FakeDaemon, store: KuboStore) -> None:
    sent = gzip.compress(CONTENT)
    daemon.answer = sending(sent, Content_Encoding="gzip")
    with pytest.raises(ContentMismatch) as refusal:
        store.get(CID)
    assert refusal.value.values["size"] == len(sent)


def test_content_that_breaks_off_is_refused(daemon: FakeDaemon, store: KuboStore) -> None:
    daemon.answer = sending(CONTENT[:1000], Content_Length=str(len(CONTENT)))
    with pytest.raises(StorageUnavailable) as refusal:
        store.get(CID)
    assert refusal.value.values["address"] == daemon.address


def test_content_that_stalls_half_way_is_refused(daemon: FakeDaemon, impatient: KuboStore) -> None:
    def answer(request: Handler) -> None:
        sending(CONTENT[:1000], Content_Length=str(len(CONTENT)))(request)
        if "/cat?" in request.path:
            request.stall()

    daemon.answer = answer
    with pytest.raises(StorageSilent):
        impatient.get(CID)


@pytest.mark.parametrize("use", range(6))
def test_a_daemon_that_stalls_is_refused(
    daemon: FakeDaemon, impatient: KuboStore, use: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radledger.storage.kubo._COLLECTING", 0.1)
    daemon.answer = Handler.stall
    with pytest.raises(StorageSilent) as refusal:
        all_uses(impatient)[use]()
    assert refusal.value.values["address"] == daemon.address


@pytest.mark.parametrize("use", range(6))
def test_a_daemon_that_is_away_is_refused(use: int) -> None:
    server = FakeDaemon()
    server.server_close()  # its port is closed now
    with pytest.raises(StorageUnavailable) as refusal:
        all_uses(KuboStore(server.address, timeout=5))[use]()
    assert refusal.value.values["address"] == server.address


@pytest.fixture
def proxy(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> FakeDaemon:
    """The environment names the daemon's server as a proxy, with a password."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://user:SECRET@127.0.0.1:{daemon.server_port}")
    daemon.answer = lambda request: request.send(b"no way", status=502)
    return daemon


@pytest.mark.parametrize("host", ["ip4/127.0.0.1", "dns/localhost", "ip6/::1"])
@pytest.mark.parametrize("use", range(6))
def test_a_daemon_on_this_machine_is_asked_without_a_proxy(
    proxy: FakeDaemon, host: str, use: int
) -> None:
    reached: list[str] = []
    proxy.answer = lambda request: reached.append(request.path)
    with pytest.raises(StorageUnavailable) as refusal:
        all_uses(KuboStore(f"/{host}/tcp/1", timeout=1))[use]()
    assert reached == []
    assert "proxy" not in refusal.value.message


@pytest.mark.parametrize("use", range(6))
def test_a_daemon_elsewhere_is_asked_by_the_proxy_which_is_named(
    proxy: FakeDaemon, use: int
) -> None:
    with pytest.raises(StorageUnavailable) as refusal:
        all_uses(KuboStore("/dns/ipfs.example/tcp/5001", timeout=5))[use]()
    assert f"by way of the proxy http://127.0.0.1:{proxy.server_port}" in refusal.value.message
    assert "SECRET" not in refusal.value.message


@pytest.mark.parametrize("use", range(6))
def test_another_program_at_the_address_is_refused(
    daemon: FakeDaemon, store: KuboStore, use: int
) -> None:
    daemon.answer = lambda request: request.send(b"<h1>Not found</h1>", status=404)
    with pytest.raises(StorageUnavailable):
        all_uses(store)[use]()


@pytest.mark.parametrize("use", [0, 4])
@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"Size": "many"}'])
def test_an_answer_that_is_not_kubos_is_refused(
    daemon: FakeDaemon, store: KuboStore, use: int, body: bytes
) -> None:
    daemon.answer = lambda request: request.send(body, Content_Type="application/json")
    with pytest.raises(StorageUnavailable):
        all_uses(store)[use]()


def test_a_daemon_that_stored_something_else_is_refused(
    daemon: FakeDaemon, store: KuboStore
) -> None:
    other = MemoryStore().put(io.BytesIO(b"other")).cid
    daemon.answer = lambda request: request.send(json.dumps({"Hash": other}).encode())
    with pytest.raises(ContentMismatch) as refusal:
        store.put(io.BytesIO(CONTENT))
    assert refusal.value.values == {"cid": CID, "got": other, "size": len(CONTENT)}


def test_content_that_the_daemon_does_not_have_is_not_found(
    daemon: FakeDaemon, store: KuboStore
) -> None:
    body = json.dumps({"Message": "block was not found locally", "Code": 0, "Type": "error"})

    def answer(request: Handler) -> None:
        if "/swarm/peers" in request.path:
            request.send(b'{"Peers": null}', Content_Type="application/json")
        else:
            request.send(body.encode(), status=500, Content_Type="application/json")

    daemon.answer = answer
    for use in (store.get, store.pin, store.stat):
        with pytest.raises(ContentNotFound) as refusal:
            use(CID)
        assert refusal.value.values == {"cid": CID, "reason": "block was not found locally"}


def _pinning(lines: Callable[[Handler], None]) -> Answer:
    """Has the beginning of the content, and tells of its pinning by these lines."""

    def answer(request: Handler) -> None:
        if "/pin/add?" in request.path:
            request.send(b"", Transfer_Encoding="chunked")
            lines(request)
            request.line(None)
        else:
            request.send(b"{}", Content_Type="application/json")

    return answer


def test_a_pinning_is_followed_to_its_end(daemon: FakeDaemon, store: KuboStore) -> None:
    sent = []

    def lines(request: Handler) -> None:
        for progress in range(1, 10):
            request.line({"Progress": progress})
            sent.append(progress)
        sent.append("Pins")
        request.line({"Pins": [CID]})

    daemon.answer = _pinning(lines)
    store.pin(CID)
    assert sent == [*range(1, 10), "Pins"]


def test_a_content_that_stops_coming_is_not_found(
    daemon: FakeDaemon, store: KuboStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "_now", itertools.count(step=20.0).__next__)

    def stops(request: Handler) -> None:
        while not request.server.over.wait(0.01):
            request.line({"Progress": 7})

    def breaks_off(request: Handler) -> None:
        request.line({"Progress": 7})

    for lines in (stops, breaks_off):
        daemon.answer = _pinning(lines)
        with pytest.raises(ContentNotFound) as refusal:
            store.pin(CID)
        assert refusal.value.values == {"cid": CID, "reason": "its peers stopped sending it"}


def test_a_pinning_that_is_not_kubo_s_is_refused(daemon: FakeDaemon, store: KuboStore) -> None:
    daemon.answer = _pinning(lambda request: request.line({"Progress": "some"}))
    with pytest.raises(StorageUnavailable, match="its answer is not Kubo's"):
        store.pin(CID)


def test_what_no_connected_node_has_is_not_found(daemon: FakeDaemon, store: KuboStore) -> None:
    local = json.dumps({"Message": "block was not found locally", "Code": 0, "Type": "error"})

    def answer(request: Handler) -> None:
        if "/swarm/peers" in request.path:
            request.send(b'{"Peers": [{}, {}]}', Content_Type="application/json")
        elif "offline=true" in request.path:
            request.send(local.encode(), status=500, Content_Type="application/json")
        else:
            request.stall()

    daemon.answer = answer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("radledger.storage.kubo._PATIENCE", 0.1)
        for use in (store.get, store.pin):
            with pytest.raises(ContentNotFound, match="connected to it, 2 in all"):
                use(CID)


def test_a_daemon_that_cannot_store_is_refused_with_its_reason(
    daemon: FakeDaemon, store: KuboStore
) -> None:
    body = json.dumps({"Message": "no space left on device", "Code": 0, "Type": "error"})
    daemon.answer = lambda request: request.send(
        body.encode(), status=500, Content_Type="application/json"
    )
    for use in (lambda: store.put(io.BytesIO(CONTENT)), store.collect):
        with pytest.raises(StorageUnavailable) as refusal:
            use()
        assert refusal.value.values == {
            "address": daemon.address,
            "reason": "no space left on device",
        }


def test_a_collection_that_fails_half_way_is_refused(daemon: FakeDaemon, store: KuboStore) -> None:
    lines = [{"Key": {"/": CID}}, {"Error": "could not delete a block"}]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    daemon.answer = lambda request: request.send(body)
    with pytest.raises(StorageUnavailable) as refusal:
        store.collect()
    assert refusal.value.values["reason"] == "could not delete a block"
    daemon.answer = lambda request: request.send(body.splitlines(keepends=True)[0])
    store.collect()


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("/ip4/127.0.0.1/tcp/5001", "http://127.0.0.1:5001/api/v0/"),
        ("/ip4/127.0.0.1/tcp/5001/", "http://127.0.0.1:5001/api/v0/"),
        ("/ip6/::1/tcp/5001/http", "http://[::1]:5001/api/v0/"),
        ("/dns/ipfs.example/tcp/8443/https", "https://ipfs.example:8443/api/v0/"),
    ],
)
def test_the_address_is_a_multiaddr(address: str, url: str) -> None:
    assert str(KuboStore(address)._http.base_url) == url


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost:5001",
        "http://localhost:5001",
        "/ip4/127.0.0.1",
        "/ip4/300.0.0.1/tcp/5001",
        "/ip4/127.0.0.1/udp/5001",
        "/ip4/127.0.0.1/tcp/70000",
        "/unix/run/ipfs",
        "/dns//tcp/5001",
    ],
)
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError) as refusal:
        KuboStore(address)
    assert refusal.value.values == {"address": address}


def test_survives_pickling_with_connections_of_its_own():
    store = KuboStore("/dns/localhost/tcp/5001", timeout=7.0)
    copy = pickle.loads(pickle.dumps(store))  # noqa: S301 - written just now
    assert (copy.address, copy._timeout) == (store.address, 7.0)

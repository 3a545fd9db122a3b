"""A Kubo daemon that lies, breaks off, stalls, is another program or is away."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from radledger.errors import UsageError
from radledger.storage import MemoryStore, Storage
from radledger.storage.errors import ContentMismatch, ContentNotFound, StorageUnavailable
from radledger.storage.kubo import KuboStore

_CONTENT = b"pixels" * 100_000
_CID = MemoryStore().put(io.BytesIO(_CONTENT)).cid

Answer = Callable[["_Handler"], None]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeDaemon

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while (length := int(self.rfile.readline(), 16)) or self.rfile.readline() != b"\r\n":
                self.rfile.read(length + 2)
        self.close_connection = True
        self.server.answer(self)

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        length = {} if "Transfer_Encoding" in headers else {"Content_Length": str(len(body))}
        for name, value in {**length, "Connection": "close", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def line(self, value: object) -> None:
        """One line of a chunked answer, which None ends."""
        data = b"" if value is None else json.dumps(value).encode() + b"\n"
        with contextlib.suppress(OSError):  # the client may have gone
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

    def stall(self) -> None:
        """Say nothing more until the test is over."""
        self.server.over.wait()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name upstream)
        pass


class FakeDaemon(ThreadingHTTPServer):
    """An HTTP server on a port of the system's choice that answers as the test says."""

    answer: Answer

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.over = threading.Event()

    @property
    def address(self) -> str:
        return f"/ip4/127.0.0.1/tcp/{self.server_port}"


@pytest.fixture
def daemon() -> Iterator[FakeDaemon]:
    server = FakeDaemon()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def store(daemon: FakeDaemon) -> Iterator[KuboStore]:
    kubo = KuboStore(daemon.address, timeout=0.3)
    yield kubo
    kubo.close()


def _all_uses(store: Storage) -> list[Callable[[], object]]:
    return [
        lambda: store.put(io.BytesIO(_CONTENT)),
        lambda: store.get(_CID),
        lambda: store.pin(_CID),
        lambda: store.unpin(_CID),
        lambda: store.stat(_CID),
        store.collect,
    ]


def test_an_honest_daemon_is_believed(daemon: FakeDaemon, store: KuboStore) -> None:
    daemon.answer = lambda request: request.send(
        _CONTENT if "/cat?" in request.path else json.dumps({"Hash": _CID}).encode()
    )
    with store.get(_CID) as stream:
        assert stream.read() == _CONTENT
    stored = store.put(io.BytesIO(_CONTENT))
    assert (stored.cid, stored.size) == (_CID, len(_CONTENT))


def _sending(body: bytes, **headers: str) -> Answer:
    """Has the content, and sends this for it."""

    def answer(request: _Handler) -> None:
        if "/cat?" in request.path:
            request.send(body, **headers)
        else:
            request.send(b"{}", Content_Type="application/json")

    return answer


@pytest.mark.parametrize(
    "sent", [b"", _CONTENT[:-1], _CONTENT + b"\0", b"P" + _CONTENT[1:], b"other"]
)
def test_other_bytes_are_a_mismatch(daemon: FakeDaemon, store: KuboStore, sent: bytes) -> None:
    daemon.answer = _sending(sent)
    with pytest.raises(ContentMismatch) as refusal:
        store.get(_CID)
    got = MemoryStore().put(io.BytesIO(sent)).cid
    assert refusal.value.values == {"cid": _CID, "got": got, "size": len(sent)}


def test_compression_is_not_undone(daemon: FakeDaemon, store: KuboStore) -> None:
    sent = gzip.compress(_CONTENT)
    daemon.answer = _sending(sent, Content_Encoding="gzip")
    with pytest.raises(ContentMismatch) as refusal:
        store.get(_CID)
    assert refusal.value.values["size"] == len(sent)


def test_content_that_breaks_off_is_refused(daemon: FakeDaemon, store: KuboStore) -> None:
    daemon.answer = _sending(_CONTENT[:1000], Content_Length=str(len(_CONTENT)))
    with pytest.raises(StorageUnavailable) as refusal:
        store.get(_CID)
    assert refusal.value.values["address"] == daemon.address


def test_content_that_stalls_half_way_is_refused(daemon: FakeDaemon, store: KuboStore) -> None:
    def answer(request: _Handler) -> None:
        _sending(_CONTENT[:1000], Content_Length=str(len(_CONTENT)))(request)
        if "/cat?" in request.path:
            request.stall()

    daemon.answer = answer
    with pytest.raises(StorageUnavailable):
        store.get(_CID)


@pytest.mark.parametrize("use", range(6))
def test_a_daemon_that_stalls_is_refused(
    daemon: FakeDaemon, store: KuboStore, use: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radledger.storage.kubo._COLLECTING", 0.3)
    daemon.answer = _Handler.stall
    with pytest.raises(StorageUnavailable) as refusal:
        _all_uses(store)[use]()
    assert refusal.value.values["address"] == daemon.address


@pytest.mark.parametrize("use", range(6))
def test_a_daemon_that_is_away_is_refused(use: int) -> None:
    server = FakeDaemon()
    server.server_close()  # nobody listens at its port any more
    with pytest.raises(StorageUnavailable) as refusal:
        _all_uses(KuboStore(server.address, timeout=5))[use]()
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
        _all_uses(KuboStore(f"/{host}/tcp/1", timeout=1))[use]()
    assert reached == []
    assert "proxy" not in refusal.value.message


@pytest.mark.parametrize("use", range(6))
def test_a_daemon_elsewhere_is_asked_by_the_proxy_which_is_named(
    proxy: FakeDaemon, use: int
) -> None:
    with pytest.raises(StorageUnavailable) as refusal:
        _all_uses(KuboStore("/dns/ipfs.example/tcp/5001", timeout=5))[use]()
    assert f"by way of the proxy http://127.0.0.1:{proxy.server_port}" in refusal.value.message
    assert "SECRET" not in refusal.value.message


@pytest.mark.parametrize("use", range(6))
def test_another_program_at_the_address_is_refused(
    daemon: FakeDaemon, store: KuboStore, use: int
) -> None:
    daemon.answer = lambda request: request.send(b"<h1>Not found</h1>", status=404)
    with pytest.raises(StorageUnavailable):
        _all_uses(store)[use]()


@pytest.mark.parametrize("use", [0, 4])
@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"Size": "many"}'])
def test_an_answer_that_is_not_kubos_is_refused(
    daemon: FakeDaemon, store: KuboStore, use: int, body: bytes
) -> None:
    daemon.answer = lambda request: request.send(body, Content_Type="application/json")
    with pytest.raises(StorageUnavailable):
        _all_uses(store)[use]()


def test_a_daemon_that_stored_something_else_is_refused(
    daemon: FakeDaemon, store: KuboStore
) -> None:
    other = MemoryStore().put(io.BytesIO(b"other")).cid
    daemon.answer = lambda request: request.send(json.dumps({"Hash": other}).encode())
    with pytest.raises(ContentMismatch) as refusal:
        store.put(io.BytesIO(_CONTENT))
    assert refusal.value.values == {"cid": _CID, "got": other, "size": len(_CONTENT)}


def test_content_that_the_daemon_does_not_have_is_not_found(
    daemon: FakeDaemon, store: KuboStore
) -> None:
    body = json.dumps({"Message": "block was not found locally", "Code": 0, "Type": "error"})

    def answer(request: _Handler) -> None:
        if "/swarm/peers" in request.path:
            request.send(b'{"Peers": null}', Content_Type="application/json")
        else:
            request.send(body.encode(), status=500, Content_Type="application/json")

    daemon.answer = answer
    for use in (store.get, store.pin, store.stat):
        with pytest.raises(ContentNotFound) as refusal:
            use(_CID)
        assert refusal.value.values == {"cid": _CID, "reason": "block was not found locally"}


def _without_end(status: int, piece: bytes) -> tuple[Answer, list[int]]:
    """Says the same for ever, and how many bytes of it were taken."""
    sent = [0]

    def answer(request: _Handler) -> None:
        if "/cat?" not in request.path and status == 200 and b"Key" not in piece:
            request.send(b"{}", Content_Type="application/json")
            return
        with contextlib.suppress(OSError):
            request.send(piece, status, Content_Length=str(1 << 50))
            while not request.server.over.is_set():
                request.wfile.write(piece)
                sent[0] += len(piece)

    return answer, sent


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    "piece", [b"A" * 65_536, b'{"Keys": {"a": 1}}\n' * 4_000], ids=["one line", "many lines"]
)
def test_answers_without_end_are_not_read_to_their_end(
    daemon: FakeDaemon,
    store: KuboStore,
    status: int,
    piece: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("radledger.storage.kubo._COLLECTING", 0.1)
    daemon.answer, sent = _without_end(status, piece)
    most = len(_CONTENT)
    uses = [lambda: store.get(_CID, most), lambda: store.missing([_CID]), *_all_uses(store)[2:]]
    for use in uses:
        sent[0] = 0
        with contextlib.suppress(StorageUnavailable, ContentNotFound, ContentMismatch):
            use()
        # The last one reads lines, of which it keeps none, for as long as a collection may take.
        assert sent[0] < 64 << 20 or use is uses[-1]


def test_a_content_without_end_is_a_mismatch(daemon: FakeDaemon, store: KuboStore) -> None:
    daemon.answer, sent = _without_end(200, _CONTENT)
    with pytest.raises(ContentMismatch) as refusal:
        store.get(_CID, most=len(_CONTENT))
    assert refusal.value.values == {"cid": _CID, "most": len(_CONTENT)}
    assert sent[0] < 64 << 20
    daemon.answer = _sending(_CONTENT)
    with store.get(_CID, most=len(_CONTENT)) as stream:
        assert stream.read() == _CONTENT


def _pinning(lines: Callable[[_Handler], None]) -> Answer:
    """Has the beginning of the content, and tells of its pinning by these lines."""

    def answer(request: _Handler) -> None:
        if "/pin/add?" in request.path:
            request.send(b"", Transfer_Encoding="chunked")
            lines(request)
            request.line(None)
        else:
            request.send(b"{}", Content_Type="application/json")

    return answer


def test_a_pinning_is_followed_to_its_end(daemon: FakeDaemon, store: KuboStore) -> None:
    def lines(request: _Handler) -> None:
        for progress in range(1, 10):
            request.line({"Progress": progress})
        request.line({"Pins": [_CID]})

    daemon.answer = _pinning(lines)
    store.pin(_CID)


def test_a_content_that_stops_coming_is_not_found(daemon: FakeDaemon, store: KuboStore) -> None:
    def stops(request: _Handler) -> None:
        while not request.server.over.wait(0.05):
            request.line({"Progress": 7})

    def breaks_off(request: _Handler) -> None:
        request.line({"Progress": 7})

    for lines in (stops, breaks_off):
        daemon.answer = _pinning(lines)
        with pytest.raises(ContentNotFound) as refusal:
            store.pin(_CID)
        assert refusal.value.values == {"cid": _CID, "reason": "its peers stopped sending it"}


def test_a_pinning_that_is_not_kubo_s_is_refused(daemon: FakeDaemon, store: KuboStore) -> None:
    daemon.answer = _pinning(lambda request: request.line({"Progress": "some"}))
    with pytest.raises(StorageUnavailable, match="its answer is not Kubo's"):
        store.pin(_CID)


def test_what_no_connected_node_has_is_not_found(daemon: FakeDaemon, store: KuboStore) -> None:
    local = json.dumps({"Message": "block was not found locally", "Code": 0, "Type": "error"})

    def answer(request: _Handler) -> None:
        if "/swarm/peers" in request.path:
            request.send(b'{"Peers": [{}, {}]}', Content_Type="application/json")
        elif "offline=true" in request.path:
            request.send(local.encode(), status=500, Content_Type="application/json")
        else:
            request.stall()

    daemon.answer = answer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("radledger.storage.kubo._PATIENCE", 0.3)
        for use in (store.get, store.pin):
            with pytest.raises(ContentNotFound, match="connected to it, 2 in all"):
                use(_CID)


def test_a_daemon_that_cannot_store_is_refused_with_its_reason(
    daemon: FakeDaemon, store: KuboStore
) -> None:
    body = json.dumps({"Message": "no space left on device", "Code": 0, "Type": "error"})
    daemon.answer = lambda request: request.send(
        body.encode(), status=500, Content_Type="application/json"
    )
    for use in (lambda: store.put(io.BytesIO(_CONTENT)), store.collect):
        with pytest.raises(StorageUnavailable) as refusal:
            use()
        assert refusal.value.values == {
            "address": daemon.address,
            "reason": "no space left on device",
        }


def test_a_collection_that_fails_half_way_is_refused(daemon: FakeDaemon, store: KuboStore) -> None:
    lines = [{"Key": {"/": _CID}}, {"Error": "could not delete a block"}]
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

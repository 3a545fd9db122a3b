"""A Kubo daemon that sends without end fills neither memory nor disk."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Sequence

import pytest

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
    sending,
    store,
)
from tests.trickling import PARTS, Trickling, trickling

__all__ = ["daemon", "store", "trickling"]


def _without_end(status: int, piece: bytes) -> tuple[Answer, list[int]]:
    """Says the same for ever, and how many bytes of it were taken."""
    sent = [0]

    def answer(request: Handler) -> None:
        if "/cat?" not in request.path and status == 200 and b"Key" not in piece:
            request.send(b"{}", Content_Type="application/json")
            return
        with contextlib.suppress(OSError):
            request.send(piece, status, Content_Length=str(1 << 50), Location="/elsewhere")
            while not request.server.over.is_set():
                request.wfile.write(piece)
                sent[0] += len(piece)

    return answer, sent


@pytest.mark.parametrize("status", [200, 301, 500])
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
    most = len(CONTENT)
    uses = [lambda: store.get(CID, most), lambda: store.missing([CID]), *all_uses(store)[2:]]
    for use in uses:
        sent[0] = 0
        with contextlib.suppress(StorageUnavailable, ContentNotFound, ContentMismatch):
            use()
        # The last one reads lines, of which it keeps none, for as long as a collection may take.
        assert sent[0] < 64 << 20 or use is uses[-1]


def test_a_content_without_end_is_a_mismatch(daemon: FakeDaemon, store: KuboStore) -> None:
    daemon.answer, sent = _without_end(200, CONTENT)
    with pytest.raises(ContentMismatch) as refusal:
        store.get(CID, most=len(CONTENT))
    assert refusal.value.values == {"cid": CID, "most": len(CONTENT)}
    assert sent[0] < 64 << 20
    daemon.answer = sending(CONTENT)
    with store.get(CID, most=len(CONTENT)) as stream:
        assert stream.read() == CONTENT


@pytest.mark.parametrize("use", range(6))
@pytest.mark.parametrize("part", PARTS)
def test_an_answer_that_trickles_is_not_waited_for(
    trickling: Trickling, part: str, use: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radledger.storage.kubo._COLLECTING", 300.0)
    trickling.part = part
    with pytest.raises(StorageSilent, match="its answer comes too slowly"):
        all_uses(KuboStore(f"/ip4/127.0.0.1/tcp/{trickling.port}"))[use]()


@pytest.mark.parametrize("part", PARTS)
def test_nor_is_a_content_or_a_pinning_that_trickles(trickling: Trickling, part: str) -> None:
    trickling.part = part
    store = KuboStore(f"/ip4/127.0.0.1/tcp/{trickling.port}")
    uses: dict[str, Callable[[], object]] = {
        "/cat?": lambda: store.get(CID, most=len(CONTENT)),
        "/pin/add?": lambda: store.pin(CID, most=len(CONTENT)),
    }
    for trickling.at, use in uses.items():
        with pytest.raises(StorageSilent, match="its answer comes too slowly"):
            use()


def test_a_slow_pinning_that_goes_on_is_waited_for(
    daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "_now", itertools.count(step=20.0).__next__)
    lines = [*({"Progress": number} for number in range(1, 100)), {"Pins": [CID]}]
    daemon.answer = _pinning(lines)
    KuboStore(daemon.address).pin(CID)


def test_more_blocks_than_a_content_has_are_not_pinned(
    daemon: FakeDaemon, store: KuboStore
) -> None:
    daemon.answer = _pinning([{"Progress": 4}, {"Pins": [CID]}])
    store.pin(CID, most=len(CONTENT))  # three chunks and the root
    store.pin(CID)
    daemon.answer = _pinning([{"Progress": 4}, {"Progress": 5}, {"Pins": [CID]}])
    with pytest.raises(ContentMismatch) as refusal:
        store.pin(CID, most=len(CONTENT))
    assert refusal.value.values == {"cid": CID, "most": len(CONTENT)}


def _pinning(lines: Sequence[object]) -> Answer:
    """Has the beginning of the content, and these lines of its pinning."""

    def answer(request: Handler) -> None:
        if "/pin/add?" in request.path:
            request.send(b"", Transfer_Encoding="chunked")
            for line in [*lines, None]:
                request.line(line)
        else:
            request.send(b'{"Keys": {}}', Content_Type="application/json")

    return answer

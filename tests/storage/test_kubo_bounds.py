"""A Kubo daemon that sends without end fills neither memory nor disk."""

from __future__ import annotations

import contextlib

import pytest

from radledger.storage.errors import ContentMismatch, ContentNotFound, StorageUnavailable
from radledger.storage.kubo import KuboStore
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

__all__ = ["daemon", "store"]


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

"""What every store does alike: a folder, memory, and a Kubo daemon."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Callable

import httpx
import pytest

from radledger.storage import (
    MemoryStore,
    Stat,
    Storage,
    Stored,
    cid_digest,
    get_by_digest,
)
from radledger.storage.errors import ContentMismatch, ContentNotFound, InvalidCid

_CHUNK = 262144

# What `ipfs add --cid-version=1 --raw-leaves --chunker=size-262144` of Kubo 0.42 printed for the
# bytes 0, 1, … 255, 0, 1, … of each size.
_KUBO_CIDS = {
    0: "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    1: "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu",
    262144: "bafkreibdci4uxwmvixm54ey4etx3paphmwwbv3beh4xnsndvs6tzhjav5e",
    262145: "bafybeibp4affrl5svfd2wwp3l2srpu76awzmvyc37zmrtap5iqydfxffuy",
    1048577: "bafybeie625n3xdbykl67p5ubr7mjaonhwq3uagw2gkhtk7y4agxck3dz5u",
    5000000: "bafybeicpcqqowtrjdzhcx5q37tc6in66cls5t3be2bxju2ugssxv4jaehu",
}


def _counting(size: int) -> bytes:
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def test_kubo_itself_gives_these_cids(kubo_address: str) -> None:
    _, _, host, _, port = kubo_address.split("/")
    for size, cid in _KUBO_CIDS.items():
        answer = httpx.post(
            f"http://{host}:{port}/api/v0/add",
            params={"cid-version": 1, "raw-leaves": True, "chunker": "size-262144"},
            files={"file": _counting(size)},
            timeout=240,
        )
        assert answer.json()["Hash"] == cid


@pytest.mark.parametrize(("size", "cid"), _KUBO_CIDS.items())
def test_content_has_the_cid_that_kubo_gives_and_comes_back(
    store: Storage, size: int, cid: str
) -> None:
    content = _counting(size)
    assert store.put(io.BytesIO(content)) == Stored(cid, size)
    with store.get(cid) as stream:
        assert stream.read() == content
        assert stream.seek(0) == 0
        assert stream.read(10) == content[:10]


def test_content_is_held_to_the_name_that_it_was_given(store: Storage) -> None:
    content = os.urandom(_CHUNK + 1)
    name = MemoryStore().put(io.BytesIO(content)).cid

    def put_and_get_another() -> None:
        store.put(io.BytesIO(b"another"), name)
        store.get(name)

    with pytest.raises(ContentMismatch) as mismatch:
        put_and_get_another()
    assert name in mismatch.value.values.values()
    store.unpin(name)
    store.collect()
    assert store.put(io.BytesIO(content), name) == Stored(name, len(content))
    with store.get(name) as stream:
        assert stream.read() == content


def test_several_contents_are_stored_together(store: Storage) -> None:
    contents = [os.urandom(size) for size in (0, 10, _CHUNK + 1, 10)]
    names = [MemoryStore().put(io.BytesIO(content)).cid for content in contents]
    store.put(io.BytesIO(contents[1]))
    store.put_all((io.BytesIO(content), cid) for content, cid in zip(contents, names, strict=True))
    for content, cid in zip(contents, names, strict=True):
        assert store.stat(cid) == Stat(cid, len(content), pinned=True)
        with store.get(cid) as stream:
            assert stream.read() == content


def test_a_stream_that_fails_among_several_is_raised(store: Storage) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("the disk is gone")

    content = os.urandom(10)
    name, another = (MemoryStore().put(io.BytesIO(each)).cid for each in (content, os.urandom(10)))
    with pytest.raises(OSError, match="the disk is gone"):
        store.put_all([(io.BytesIO(content), name), (Failing(), another)])
    store.put_all([(io.BytesIO(content), name)])
    with store.get(name) as stream:
        assert stream.read() == content


def test_a_stream_is_read_from_where_it_stands(store: Storage) -> None:
    content = os.urandom(100)
    stream = io.BytesIO(b"header" + content)
    stream.seek(6)
    stored = store.put(stream)
    with store.get(stored.cid) as got:
        assert got.read() == content


def test_putting_again_changes_nothing(store: Storage) -> None:
    content = os.urandom(_CHUNK + 1)
    stored = store.put(io.BytesIO(content))
    assert store.put(io.BytesIO(content)) == stored
    assert store.stat(stored.cid) == Stat(stored.cid, _CHUNK + 1, pinned=True)


@pytest.mark.parametrize("size", [10, 2 * _CHUNK])
def test_only_what_is_unpinned_is_collected(store: Storage, size: int) -> None:
    kept, unpinned = (store.put(io.BytesIO(os.urandom(size))).cid for _ in range(2))
    store.unpin(unpinned)
    assert store.stat(unpinned) == Stat(unpinned, size, pinned=False)
    with store.get(unpinned) as stream:
        assert len(stream.read()) == size

    store.collect()
    assert store.stat(kept) == Stat(kept, size, pinned=True)
    with store.get(kept) as stream:
        assert len(stream.read()) == size
    for use in (store.get, store.stat, store.pin):
        with pytest.raises(ContentNotFound) as refusal:
            use(unpinned)
        assert refusal.value.values["cid"] == unpinned


def test_what_is_pinned_again_is_kept(store: Storage) -> None:
    by_pin, by_put = (os.urandom(20) for _ in range(2))
    cids = [store.put(io.BytesIO(content)).cid for content in (by_pin, by_put)]
    for cid in cids:
        store.unpin(cid)
    store.pin(cids[0])
    store.pin(cids[0])
    store.put(io.BytesIO(by_put))
    store.collect()
    assert [store.stat(cid).pinned for cid in cids] == [True, True]


def test_what_is_longer_than_it_can_be_is_not_pinned(store: Storage) -> None:
    cid = store.put(io.BytesIO(os.urandom(2 * _CHUNK))).cid
    store.unpin(cid)
    with pytest.raises(ContentMismatch) as refusal:
        store.pin(cid, most=_CHUNK - 1)
    assert refusal.value.values == {"cid": cid, "most": _CHUNK - 1}
    assert not store.stat(cid).pinned
    store.pin(cid, most=2 * _CHUNK)
    assert store.stat(cid).pinned


def test_unpinning_twice_or_what_is_not_there_is_not_an_error(store: Storage) -> None:
    content = os.urandom(20)
    cid = store.put(io.BytesIO(content)).cid
    store.unpin(cid)
    store.unpin(cid)
    store.collect()
    store.unpin(cid)
    with pytest.raises(ContentNotFound):
        store.stat(cid)


@pytest.mark.parametrize("size", [10, 2 * _CHUNK])
def test_content_is_found_by_its_digest_alone(store: Storage, size: int) -> None:
    content = b"{" + os.urandom(size)
    cid = store.put(io.BytesIO(content)).cid
    with get_by_digest(store, cid_digest(cid)) as stream:
        assert stream.read() == content


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "not-a-cid"])
def test_what_is_not_a_cid_is_refused(store: Storage, text: str) -> None:
    uses: list[Callable[[str], object]] = [store.get, store.pin, store.unpin, store.stat]
    for use in uses:
        with pytest.raises(InvalidCid) as refusal:
            use(text)
        assert refusal.value.values == {"cid": text}


class _Failing(io.RawIOBase):
    """A source whose medium fails after a first piece."""

    def __init__(self, first: bytes) -> None:
        self._pieces = [first]

    def read(self, size: int = -1) -> bytes:
        if self._pieces:
            return self._pieces.pop()
        raise OSError("the medium failed")


def test_a_source_that_fails_is_named_as_such_and_can_be_put_again(
    streaming_store: Storage,
) -> None:
    piece = os.urandom(1000)
    with pytest.raises(OSError, match="the medium failed"):
        streaming_store.put(_Failing(piece))  # type: ignore[arg-type]
    cid = streaming_store.put(io.BytesIO(piece)).cid
    assert streaming_store.stat(cid) == Stat(cid, 1000, pinned=True)


class _Zeros(io.RawIOBase):
    """A stream of zeros that takes no memory."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        assert size > 0
        count = min(size, self._left)
        self._left -= count
        return bytes(count)


def test_memory_does_not_grow_with_the_content(streaming_store: Storage) -> None:
    size = 48 << 20
    tracemalloc.start()
    try:
        cid = streaming_store.put(_Zeros(size)).cid  # type: ignore[arg-type]
        with streaming_store.get(cid) as stream:
            assert stream.seek(0, io.SEEK_END) == size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # two buffers of 1 MiB and what is spooled in memory before it goes to a file
    assert peak < 24 << 20


def test_what_is_missing_among_many_is_named(store: Storage) -> None:
    kept = [store.put(io.BytesIO(bytes([number]) * 10)).cid for number in range(120)]
    never = [MemoryStore().put(io.BytesIO(name)).cid for name in (b"never 1", b"never 2")]
    assert store.missing(kept) == set()
    assert store.missing([]) == set()
    assert store.missing([never[0], *kept, never[1]]) == set(never)
    store.unpin(kept[7])
    assert store.missing(kept) == {kept[7]}
    with pytest.raises(InvalidCid):
        store.missing(["../../etc"])

"""Several nodes as one store: copies, and what the loss of a node does."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from typing import IO

import pytest

from radledger.storage import LocalStore, MemoryStore, Stored
from radledger.storage.errors import (
    ContentMismatch,
    ContentNotFound,
    StorageSilent,
    StorageUnavailable,
    TooFewCopies,
)
from radledger.storage.protocol import Holding
from radledger.storage.replicated import ReplicatedStore
from tests.storage.node import Node

_CONTENT = b"pixels" * 1000


class FailingNode(Node):
    """A node that may go away while it is given something."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_away = False

    def put(self, source: IO[bytes], cid: str | None = None) -> Stored:
        if self.goes_away:
            self.away = True
            source.read(10)
        return super().put(source, cid)


@pytest.fixture
def nodes() -> dict[str, FailingNode]:
    return {name: FailingNode() for name in ("first", "second", "third")}


@pytest.fixture
def store(nodes: dict[str, FailingNode]) -> ReplicatedStore:
    return ReplicatedStore(nodes, copies=2)


def put(store: ReplicatedStore, content: bytes = _CONTENT) -> str:
    return store.put(io.BytesIO(content)).cid


def states(store: ReplicatedStore, cid: str) -> list[str]:
    return [each.value for each in store.holdings(cid).values()]


def test_the_first_nodes_keep_as_many_copies_as_asked_for(store):
    cid = put(store)
    assert store.holdings(cid) == {
        "first": Holding.PINNED,
        "second": Holding.PINNED,
        "third": Holding.MISSING,
    }
    assert put(store) == cid
    assert states(store, cid) == ["pinned", "pinned", "missing"]


def test_another_node_takes_the_place_of_one_that_is_away(store, nodes):
    nodes["first"].away = True
    assert states(store, put(store)) == ["unreachable", "pinned", "pinned"]


def test_another_node_takes_the_place_of_one_that_goes_away(store, nodes):
    nodes["second"].goes_away = True
    cid = put(store)
    assert states(store, cid) == ["pinned", "unreachable", "pinned"]
    with store.get(cid) as content:
        assert content.read() == _CONTENT


def test_too_few_nodes_keep_nothing(store, nodes):
    nodes["first"].away = nodes["second"].away = True
    with pytest.raises(TooFewCopies) as error:
        put(store)
    assert error.value.values == {
        "cid": MemoryStore().put(io.BytesIO(_CONTENT)).cid,
        "copies": 2,
        "kept": [],
    }
    assert error.value.message.endswith("third; start first, second and try again")
    assert nodes["third"].contents == {}


def test_too_few_nodes_in_the_middle_keep_nothing_new(store, nodes):
    kept = put(store)
    nodes["second"].goes_away = nodes["third"].goes_away = True
    with pytest.raises(TooFewCopies) as error:
        put(store, b"other")
    assert error.value.values["kept"] == ["first"]
    assert error.value.message.endswith("first; start second, third and try again")
    nodes["first"].collect()
    assert list(nodes["first"].contents) == [kept]


def test_what_was_kept_before_stays_although_its_copies_cannot_be_made(store, nodes):
    cid = put(store)
    nodes["second"].away = nodes["third"].away = True
    with pytest.raises(TooFewCopies) as error:
        put(store)
    assert error.value.values["kept"] == ["first"]
    assert nodes["first"].stat(cid).pinned


def test_a_node_that_keeps_silent_is_not_waited_for_again_and_again(store, nodes, monkeypatch):
    cid = put(store)
    now, asked = [1000.0], []

    def keep_silent(cid):
        asked.append(now[0])
        now[0] += 30
        raise StorageSilent("no answer in time")

    monkeypatch.setattr("radledger.storage.replicated.time.time", lambda: now[0])
    monkeypatch.setattr(nodes["first"], "stat", keep_silent)
    for _ in range(3):
        store.get(cid).close()
    assert asked == [1000]
    now[0] += 60
    assert store.holdings(cid)["first"] is Holding.UNREACHABLE
    assert asked == [1000, 1090]


def test_a_node_that_refuses_late_is_asked_again(store, nodes, monkeypatch):
    cid = put(store)
    now = [1000.0]

    def refuse(cid):
        now[0] += 30  # the machine is busy
        raise StorageUnavailable("nobody listens")

    monkeypatch.setattr("radledger.storage.replicated.time.time", lambda: now[0])
    with monkeypatch.context() as patch:
        patch.setattr(nodes["first"], "stat", refuse)
        assert store.holdings(cid)["first"] is Holding.UNREACHABLE
    assert store.holdings(cid)["first"] is Holding.PINNED


def test_unpinning_waits_for_a_silent_node_once_and_reports_it_each_time(store, nodes, monkeypatch):
    cids = [put(store, bytes([number])) for number in range(3)]
    now, asked = [1000.0], []

    def keep_silent(cid):
        asked.append(cid)
        now[0] += 30
        raise StorageSilent("no answer in time")

    monkeypatch.setattr("radledger.storage.replicated.time.time", lambda: now[0])
    monkeypatch.setattr(nodes["first"], "unpin", keep_silent)
    for cid in cids:
        with pytest.raises(StorageUnavailable):
            store.unpin(cid)
    assert asked == cids[:1]
    assert not any(nodes["second"].stat(cid).pinned for cid in cids)


def test_a_copy_that_is_damaged_or_away_is_passed_over(store, nodes):
    cid = put(store)
    nodes["first"].contents[cid] = b"damaged"
    with store.get(cid) as content:
        assert content.read() == _CONTENT
    nodes["first"].away = True
    with store.get(cid) as content:
        assert content.read() == _CONTENT
    nodes["first"].away, nodes["second"].away = False, True
    with pytest.raises(ContentMismatch) as error:
        store.get(cid)
    assert error.value.values["cid"] == cid


def test_content_of_unavailable_nodes_differs_from_lost_content(store, nodes):
    cid = put(store)
    nodes["first"].away = nodes["second"].away = True
    for use in (store.get, store.stat, store.pin):
        with pytest.raises(StorageUnavailable, match="no answer from first, second") as error:
            use(cid)
        assert error.value.values == {
            "cid": cid,
            "nodes": {"first": "unreachable", "second": "unreachable", "third": "missing"},
        }
    nodes["first"].away = nodes["second"].away = False
    nobodys = MemoryStore().put(io.BytesIO(b"nobody's")).cid
    for use in (store.get, store.stat, store.pin):
        with pytest.raises(ContentNotFound) as refusal:
            use(nobodys)
        assert set(refusal.value.values["nodes"].values()) == {"missing"}


def test_pinning_makes_the_copies_that_are_missing(store, nodes):
    nodes["first"].away = True
    cid = put(store)
    nodes["first"].away, nodes["second"].away = False, True
    assert states(store, cid) == ["missing", "unreachable", "pinned"]
    store.pin(cid)
    assert states(store, cid) == ["pinned", "unreachable", "pinned"]

    nodes["first"].unpin(cid)
    assert states(store, cid) == ["cached", "unreachable", "pinned"]
    store.pin(cid)
    assert states(store, cid) == ["pinned", "unreachable", "pinned"]


def test_pinning_makes_the_copies_that_can_be_made(nodes):
    store = ReplicatedStore(nodes, copies=3)
    cid = put(store)
    nodes["first"].away = True
    del nodes["second"].contents[cid]
    with pytest.raises(TooFewCopies) as error:
        store.pin(cid)
    assert error.value.values == {"cid": cid, "copies": 3, "kept": ["third", "second"]}
    assert states(store, cid) == ["unreachable", "pinned", "pinned"]


def test_unpinning_and_collecting_reach_every_node_that_answers(store, nodes):
    cid = put(store)
    nodes["first"].away = True
    acts: list[Callable[[], None]] = [lambda: store.unpin(cid), store.collect]
    for act in acts:
        with pytest.raises(StorageUnavailable):
            act()
    assert states(store, cid) == ["unreachable", "missing", "missing"]
    nodes["first"].away = False
    for act in acts:
        act()
    assert states(store, cid) == ["missing"] * 3


def test_survives_pickling(tmp_path):
    store = ReplicatedStore({name: LocalStore(tmp_path / name) for name in "ab"}, copies=2)
    cid = put(store)
    copy = pickle.loads(pickle.dumps(store))  # noqa: S301 - written just now
    assert states(copy, cid) == ["pinned", "pinned"]


def test_a_stream_that_cannot_be_rewound_is_stored_as_well(store):
    read, write = os.pipe()
    os.write(write, b"piped")
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        cid = store.put(pipe).cid
    with store.get(cid) as content:
        assert content.read() == b"piped"
    assert states(store, cid) == ["pinned", "pinned", "missing"]


def test_missing_is_what_no_node_keeps(store, nodes):
    here, nowhere = put(store), MemoryStore().put(io.BytesIO(b"elsewhere")).cid
    assert store.missing([here, nowhere]) == {nowhere}
    nodes["first"].away = True
    assert store.missing([here]) == set()  # the second keeps it
    with pytest.raises(StorageUnavailable):  # the first might keep it
        store.missing([here, nowhere])

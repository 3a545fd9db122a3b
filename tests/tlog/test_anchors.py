"""Checkpoints on a chain: a monitor that remembers nothing sees by them what a log did before."""

from __future__ import annotations

import json

import pytest

from radledger.tlog import Anchor, Anchors, Log, Monitor, TiledTree
from radledger.tlog.anchors import anchor_before, anchor_of
from radledger.tlog.errors import LogForked, LogShrunk
from radledger.verify.logged.policy import read_policy
from radledger.verify.logged.tree import included, leaf_hash
from tests.tlog.cast import LOG, entry, publish, reference

NOW = 1_800_000_000
SIZES = (1, 2, 3, 7, 255, 256, 257, 300)


@pytest.fixture(scope="module")
def policy():
    return read_policy(f"log {LOG.vkey}\nquorum none\n".encode())


@pytest.fixture
def monitor(log, policy, tmp_path):
    return Monitor(log.source, policy, tmp_path / "monitor.json")


@pytest.fixture
def other(tmp_path, signer):
    """A log with the same key, to be filled otherwise."""
    other = Log(tmp_path / "other", signer)
    yield other
    other.close()


def anchors(*sizes, now=NOW, time=NOW, root=reference):
    """What the chain has of the log, each a block later, of one time."""
    made = [Anchor(size, root(size), 10 + n, time) for n, size in enumerate(sizes)]
    return Anchors(made, now)


def test_what_continues_the_chain_is_accepted(log, monitor):
    for size in (1, 256, 300):
        publish(log, size)
        seen = monitor.check(NOW, anchors=anchors(*(each for each in SIZES if each <= size)))
        assert (seen.checkpoint.size, seen.lag) == (size, 0)


@pytest.mark.parametrize("anchored", SIZES)
@pytest.mark.parametrize("size", [300, 301, 600])
def test_an_entry_that_was_dropped_or_replaced_is_seen_at_the_first_look(
    monitor, policy, tmp_path, other, anchored, size
):
    """At the latest by the first checkpoint on the chain that had the entry."""
    for at in (0, anchored - 1):
        for name, changed in (("dropped", []), ("replaced", [(at, b"another")])):
            log = Log(tmp_path / f"{name} {at}", other._signer)
            log.append([(n, entry(n)) for n in range(at)] + changed)
            log.append((n, entry(n)) for n in range(at + 1, size + 2))
            publish(log)
            fresh = Monitor(log.source, policy, tmp_path / "fresh.json")
            with pytest.raises(LogForked) as refusal:
                fresh.check(NOW, anchors=anchors(anchored))
            assert not (tmp_path / "fresh.json").exists()
            values = refusal.value.values
            assert (values["log"], values["block"], values["size"]) == (LOG.key.name, 10, anchored)
            assert values["root"] == "0x" + reference(anchored).hex()
            assert values["now"] == log.published().note
            log.close()


def test_a_fork_that_was_anchored_is_seen_by_those_who_have_the_other(log, monitor):
    """Both sides see it: the chain has one root for a size, and the log only one that goes on."""
    publish(log, 20)
    assert monitor.check(NOW, anchors=anchors(10)).lag == 0
    forked = anchors(10, 15).checkpoints[0], Anchor(15, reference(15, 1), 30, NOW)
    with pytest.raises(LogForked) as refusal:
        monitor.check(NOW, anchors=Anchors(forked, NOW))
    assert refusal.value.values["block"] == 30
    assert monitor.check(NOW, anchors=anchors(10, 15)).lag == 0
    # The last one is compared again: the chain may have left the branch that had it.
    with pytest.raises(LogForked):
        monitor.check(NOW, anchors=Anchors(forked, NOW))
    # One that is not there any more is compared when it comes again.
    assert monitor.check(NOW, anchors=anchors(10)).lag == 0
    with pytest.raises(LogForked):
        monitor.check(NOW, anchors=Anchors(forked, NOW))


@pytest.mark.parametrize("size", [0, 1, 299])
def test_a_log_that_was_set_back_is_seen_at_the_first_look(log, monitor, size):
    publish(log, size)
    with pytest.raises(
        LogShrunk, match=f"shows {size} entries, and had 300 in block 10"
    ) as refusal:
        monitor.check(NOW, anchors=anchors(300))
    assert refusal.value.values["size"] == 300


def test_the_chain_is_not_compared_unless_it_is_given(log, monitor):
    publish(log, 5)
    assert monitor.check(NOW).lag == 0


# --- delay --------------------------------------------------------------------------------------


def test_entries_wait_for_the_chain_from_when_they_were_seen(log, monitor):
    publish(log, 5)
    assert monitor.check(NOW, anchors=anchors()).lag == 0
    publish(log, 9)
    assert monitor.check(NOW, anchors=anchors(now=NOW + 100)).lag == 100
    # Half of it is not what is waited for; the rest counts from the next look.
    assert monitor.check(NOW, anchors=anchors(4, now=NOW + 150)).lag == 150
    assert monitor.check(NOW, anchors=anchors(4, 6, now=NOW + 700, time=NOW + 60)).lag == 60
    assert monitor.check(NOW, anchors=anchors(4, 6, now=NOW + 900)).lag == 200
    assert monitor.check(NOW, anchors=anchors(4, 6, 9, now=NOW + 950, time=NOW + 940)).lag == 240
    assert monitor.check(NOW, anchors=anchors(4, 6, 9, now=NOW + 9_000)).lag == 0


def test_what_was_on_the_chain_before_it_was_seen_did_not_wait(log, monitor):
    publish(log, 5)
    monitor.check(NOW, anchors=anchors())
    assert monitor.check(NOW, anchors=anchors(5, now=NOW + 50, time=NOW - 50)).lag == 0


def test_what_waits_is_remembered(log, monitor, policy, tmp_path):
    publish(log, 5)
    monitor.check(NOW, anchors=anchors(2))
    assert json.loads((tmp_path / "monitor.json").read_text())["anchored"] == [2, [5, NOW]]
    again = Monitor(log.source, policy, tmp_path / "monitor.json")
    assert again.check(NOW, anchors=anchors(2, now=NOW + 70)).lag == 70
    assert again.check(NOW, anchors=anchors(2, 5, now=NOW + 70)).lag == 0
    assert json.loads((tmp_path / "monitor.json").read_text())["anchored"] == [5, None]


# --- which checkpoint ---------------------------------------------------------------------------


def test_an_entry_came_between_two_checkpoints():
    made = anchors(2, 5, 6).checkpoints
    assert [anchor_of(made, index) for index in (0, 1, 2, 4, 5)] == [
        made[n] for n in (0, 0, 1, 1, 2)
    ]
    assert anchor_of(made, 6) is None
    assert [anchor_before(made, index) for index in (2, 4, 5, 6)] == [made[n] for n in (0, 0, 1, 2)]
    assert anchor_before(made, 1) is None


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 300])
def test_a_tree_has_the_roots_and_proofs_of_its_smaller_sizes(log, size):
    publish(log, 3)
    publish(log, 300)
    tree = TiledTree(log.source, 300)
    assert tree.root(size) == reference(size)
    for index in {0, size // 2, size - 1}:
        proof = tree.inclusion(index, size)
        included(index, size, leaf_hash(entry(index)), reference(size), proof)

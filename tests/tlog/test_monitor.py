"""A monitor sees a log that drops, forks, hides or alters entries, or dates them back."""

from __future__ import annotations

import http.server
import shutil
import threading
from functools import partial

import pytest

from radledger.tlog import FolderSource, HttpSource, Log, LogSigner, Monitor, Sighting
from radledger.tlog.errors import (
    CheckpointInvalid,
    LogAltered,
    LogBackdated,
    LogForked,
    LogShrunk,
    LogStale,
    LogUnreadable,
    MonitorUnusable,
)
from radledger.tlog.monitor import CURRENT
from radledger.verify.logged.notes import read_checkpoint
from radledger.verify.logged.policy import read_policy
from tests.tlog.cast import LOG, WITNESS, entry, fill, reference

NOW = 1_800_000_000


@pytest.fixture
def policy():
    return read_policy(f"log {LOG.vkey}\nwitness w {WITNESS.vkey}\nquorum w\n".encode())


@pytest.fixture
def monitor(log, policy, tmp_path):
    return Monitor(log.source, policy, tmp_path / "monitor.json")


def shown(log, size, time=NOW):
    """Publish the log with a cosignature of a time."""
    fill(log, size)
    with log.publishing() as draft:
        log.publish(draft, WITNESS.line(draft.checkpoint, time))
    return log.published()


def evidence(refusal):
    """The sizes of the checkpoints in an error, each signed by the log."""
    notes = (refusal.value.values.get(name) for name in ("before", "now"))
    return [read_checkpoint(note.encode()).size for note in notes if note]


def test_a_log_that_grows_is_followed(log, monitor):
    size = 0
    for number, more in enumerate((3, 3, 4, 256, 257, 700)):
        checkpoint = shown(log, more, NOW + number)
        seen = monitor.check(NOW + number)
        assert (seen.checkpoint, seen.added) == (checkpoint, more - size)
        assert (seen.witnesses, seen.found, seen.missing) == ({"w": NOW + number}, {}, ())
        size = more


def test_an_empty_log_is_followed(log, monitor):
    shown(log, 0)
    assert monitor.check(NOW).added == 0
    shown(log, 2)
    assert monitor.check(NOW).added == 2


def test_entries_are_looked_for(log, monitor):
    shown(log, 3)
    seen = monitor.check(NOW, [entry(1), entry(5)])
    assert seen.found == {entry(1): Sighting(1, None, NOW)}
    assert seen.missing == (entry(5),)
    shown(log, 6, NOW + 60)
    seen = monitor.check(NOW + 60, [entry(1), entry(5)])
    assert seen.found == {
        entry(1): Sighting(1, None, NOW),
        entry(5): Sighting(5, NOW, NOW + 60),
    }
    # One that was not looked for before is found though it was read then.
    seen = monitor.check(NOW + 61, [entry(2), entry(9)])
    assert seen.found == {entry(2): Sighting(2, None, NOW + 61)}
    assert seen.missing == (entry(9),)


def test_a_dropped_entry_is_missing(log, tmp_path, signer, policy):
    log.append((number, entry(number)) for number in range(20) if number != 7)
    shown(log, log.size)
    seen = Monitor(log.source, policy, tmp_path / "m").check(NOW, [entry(6), entry(7), entry(8)])
    assert (sorted(each.index for each in seen.found.values()), seen.missing) == (
        [6, 7],
        (entry(7),),
    )


@pytest.mark.parametrize("size", [299, 300, 301, 600])
@pytest.mark.parametrize("sought", [(), (entry(0),)])
def test_a_fork_is_seen(log, monitor, tmp_path, signer, policy, size, sought):
    shown(log, 300)
    monitor.check(NOW)
    fork = Log(tmp_path / "fork", signer)
    fork.append((n, b"other" if n == 7 else entry(n)) for n in range(size))
    shown(fork, fork.size, NOW + 1)
    forked = Monitor(fork.source, policy, tmp_path / "monitor.json")
    with pytest.raises(LogShrunk if size < 300 else LogForked) as refusal:
        forked.check(NOW + 1, sought)
    assert evidence(refusal) == [300, size]
    fork.close()
    # What was seen before stays.
    shown(log, 301, NOW + 2)
    assert monitor.check(NOW + 2).added == 1


@pytest.mark.parametrize("size", [299, 300])
def test_a_fork_that_was_shown_to_others_is_seen(log, monitor, tmp_path, signer, size):
    ours = shown(log, 250)
    theirs = shown(log, 300)
    with pytest.raises(LogUnreadable, match="check the log first"):
        monitor.compare(ours.note.encode())
    monitor.check(NOW)
    for checkpoint in (ours, theirs):
        assert monitor.compare(checkpoint.note.encode()) == checkpoint
    fork = Log(tmp_path / "fork", signer)
    fork.append((n, b"other" if n == 7 else entry(n)) for n in range(size))
    split = shown(fork, fork.size)
    fork.close()
    with pytest.raises(LogForked, match="showed another history to others") as refusal:
        monitor.compare(split.note.encode())
    assert evidence(refusal) == [size, 300]
    larger = shown(log, 301)
    with pytest.raises(LogUnreadable, match="300 entries of the log were seen"):
        monitor.compare(larger.note.encode())


def test_an_older_checkpoint_is_seen(log, monitor, folder):
    path = folder / "public/checkpoint"
    shown(log, 3)
    old = path.read_bytes()
    shown(log, 5, NOW + 60)
    monitor.check(NOW + 60)
    path.write_bytes(old)
    with pytest.raises(LogShrunk, match="shows 3 entries and showed 5") as refusal:
        monitor.check(NOW + 61)
    assert evidence(refusal) == [5, 3]


def test_a_checkpoint_that_is_dated_back_is_seen(log, monitor):
    shown(log, 3)
    monitor.check(NOW)
    shown(log, 5, NOW - 60)
    with pytest.raises(LogBackdated, match=f"cosigned at {NOW - 60}") as refusal:
        monitor.check(NOW)
    assert evidence(refusal) == [3, 5]
    shown(log, 5, NOW)
    assert monitor.check(NOW).added == 2


def test_an_entry_that_came_late_cannot_pass_for_an_early_one(log, monitor):
    shown(log, 3)
    monitor.check(NOW, [entry(3)])
    shown(log, 4, NOW + 3_000)
    seen = monitor.check(NOW + 3_000, [entry(3)])
    assert seen.found[entry(3)] == Sighting(3, NOW, NOW + 3_000)


@pytest.mark.parametrize("time", [NOW - CURRENT - 1, NOW + 301])
def test_cosignatures_of_another_time_are_seen(log, monitor, time):
    shown(log, 3, time)
    with pytest.raises(LogStale) as refusal:
        monitor.check(NOW)
    assert evidence(refusal) == [3]
    assert monitor.check(time).added == 3


def test_a_checkpoint_without_its_signatures_is_not_believed(log, monitor, folder, policy):
    path = folder / "public/checkpoint"
    checkpoint = shown(log, 3)
    log_line, witness_line = (f"\u2014 {line}" for line in checkpoint.note.split("\u2014 ")[1:])
    for lines, why in (
        (log_line, "is cosigned by no witness"),
        (witness_line, "is of no log of the policy"),
        (log_line.replace("A", "B", 1) + witness_line, "not to be believed"),
    ):
        path.write_text(f"{checkpoint.text}\n{lines}")
        with pytest.raises(CheckpointInvalid, match=why) as refusal:
            monitor.check(NOW)
        assert refusal.value.values["note"].startswith(LOG.key.name)
        with pytest.raises(CheckpointInvalid, match=why):
            monitor.compare(path.read_bytes())


@pytest.mark.parametrize("seen_before", [0, 300])
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("tile/entries/001.p/100", LogAltered),
        ("tile/0/001.p/100", LogAltered),
        ("tile/1/000.p/1", LogAltered),
    ],
)
def test_a_changed_tile_is_seen(log, monitor, folder, name, error, seen_before):
    if seen_before:
        shown(log, seen_before)
        monitor.check(NOW)
    shown(log, 356)
    path = folder / "public" / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(error) as refusal:
        monitor.check(NOW)
    assert evidence(refusal)[-1] == 356
    path.write_bytes(whole[:-1])
    with pytest.raises(LogUnreadable):
        monitor.check(NOW)
    path.unlink()
    with pytest.raises(LogUnreadable):
        monitor.check(NOW)
    path.write_bytes(whole)
    assert monitor.check(NOW).added == 356 - seen_before


def test_bundle_and_tile_that_were_changed_alike_are_seen(log, monitor, folder, tmp_path, signer):
    shown(log, 300)
    other = Log(tmp_path / "other", signer)
    other.append((n, b"other" if n == 290 else entry(n)) for n in range(300))
    shown(other, 300)
    other.close()
    for name in ("tile/entries/001.p/44", "tile/0/001.p/44"):
        shutil.copy(tmp_path / "other/public" / name, folder / "public" / name)
    with pytest.raises(LogAltered, match="do not give its root"):
        monitor.check(NOW)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"note": ""}', "\ud800", "[" * 100_000])
def test_what_is_remembered_is_checked(log, monitor, tmp_path, text):
    shown(log, 3)
    (tmp_path / "monitor.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(MonitorUnusable, match="begin again"):
        monitor.check(NOW)


def test_each_log_has_a_file_of_its_own(log, monitor, tmp_path):
    shown(log, 3)
    monitor.check(NOW)
    signer = LogSigner.new("another.example/log")
    other = Log(tmp_path / "other", signer)
    with other.publishing() as draft:
        other.publish(draft, "")
    policy = read_policy(f"log {signer.key.vkey}\nquorum none\n".encode())
    with pytest.raises(MonitorUnusable, match="each log in a file of its own"):
        Monitor(other.source, policy, tmp_path / "monitor.json").check(NOW)
    other.close()


@pytest.fixture
def server(folder):
    """A static server of the log's public files."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    (folder / "public").mkdir(parents=True)
    handler = partial(Quiet, directory=folder / "public")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_log_is_read_from_any_static_server(log, server, policy, tmp_path):
    shown(log, 300)
    monitor = Monitor(HttpSource(server), policy, tmp_path / "monitor.json")
    assert monitor.check(NOW).checkpoint.root == reference(300)
    with pytest.raises(LogUnreadable, match="answers 404"):
        HttpSource(server).read("tile/7/000")
    with pytest.raises(LogUnreadable, match="cannot be reached"):
        HttpSource("http://127.0.0.1:1").read("checkpoint")
    with pytest.raises(LogUnreadable):
        FolderSource(tmp_path / "nothing").read("checkpoint")

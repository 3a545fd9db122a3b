"""A log in a folder: what it publishes, what it proves, and what a crash leaves of it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from radledger.tlog import FolderSource, Log, LogSigner, TiledTree
from radledger.tlog import log as log_module
from radledger.tlog.errors import (
    EntryPending,
    EntryUnknown,
    InvalidLogKey,
    InvalidOrigin,
    LogDiffers,
    LogUnreadable,
)
from radledger.tlog.tiles import entries_of, root_of, tile_name
from radledger.verify.form import Invalid
from radledger.verify.logged.notes import proof_text, read_key, read_proof, signed_at
from radledger.verify.logged.tree import EMPTY, consistent, included, leaf_hash
from tests.tlog.cast import LOG, entry, fill, publish, reference

SIZES = [*range(20), 255, 256, 257, 300, 511, 512, 513, 600]


def files(folder):
    """The public files of a log, by name."""
    public = folder / "public"
    return {
        str(path.relative_to(public)): path.read_bytes()
        for path in public.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def grown(tmp_path_factory, signer):
    """A log that was published at each of `SIZES`, with its checkpoints."""
    log = Log(tmp_path_factory.mktemp("grown"), signer)
    yield log, [publish(log, size) for size in SIZES]
    log.close()


def test_checkpoints_are_of_the_tree_of_rfc_6962(grown):
    _, checkpoints = grown
    for size, checkpoint in zip(SIZES, checkpoints, strict=True):
        assert (checkpoint.size, checkpoint.root) == (size, reference(size))
        assert checkpoint.origin == LOG.key.name
        assert signed_at(checkpoint, LOG.key) == 0


def test_every_entry_is_proven(grown):
    log, checkpoints = grown
    last = checkpoints[-1]
    for index in (*range(0, last.size, 7), 255, 256, 511, 512, last.size - 1):
        proof = read_proof(proof_text(log.prove(entry(index), b"extra")).encode())
        assert (proof.index, proof.checkpoint, proof.extra) == (index, last, b"extra")
        leaf = leaf_hash(entry(index))
        included(index, last.size, leaf, last.root, proof.hashes)
        with pytest.raises(Invalid):
            included(index, last.size, leaf_hash(b"another"), last.root, proof.hashes)


def test_every_tree_is_consistent_with_those_before(grown):
    log, checkpoints = grown
    for number, new in enumerate(checkpoints):
        tree = TiledTree(log.source, new.size)
        for old in checkpoints[1:number]:
            proof = tree.consistency(old.size)
            consistent(old.size, new.size, old.root, new.root, proof)
            if old.size < new.size:
                with pytest.raises(Invalid):
                    consistent(old.size, new.size, reference(1, 9), new.root, proof)
        assert tree.consistency(new.size) == tree.consistency(0) == ()


def test_entries_are_read_by_bundles(grown):
    log, checkpoints = grown
    tree = TiledTree(log.source, checkpoints[-1].size)
    read = [each for index in range(3) for each in tree.bundle(index)]
    assert read == [entry(number) for number in range(600)]
    # Partial bundles were removed when the full one was there; their readers are given that.
    assert TiledTree(log.source, 300).bundle(1) == [entry(number) for number in range(256, 300)]
    assert TiledTree(log.source, 300).root() == reference(300)


def test_files_are_those_of_c2sp(grown):
    log, _ = grown
    names = set(files(log._folder))
    assert names == {
        "checkpoint",
        *(f"tile/{level}/{index:03d}" for level in ("entries", 0) for index in (0, 1)),
        *(f"tile/{level}/002.p/{width}" for level in ("entries", 0) for width in (1, 88)),
        *(f"tile/1/000.p/{width}" for width in (1, 2)),
    }
    tile = (log._folder / "public/tile/1/000.p/2").read_bytes()
    assert tile == reference(256) + reference(256, 256)
    assert not [name for name in names if ".new." in name]
    for path in (log._folder / "public").rglob("*"):
        assert path.stat().st_mode & stat.S_IROTH, path


def test_a_tree_of_three_levels(folder, signer):
    log = Log(folder, signer)
    fill(log, 65_800)
    published = publish(log)
    leaves = [leaf_hash(entry(number)) for number in range(65_800)]
    assert published.root == root_of(leaves)
    assert (folder / "public/tile/2/000.p/1").read_bytes() == root_of(leaves[: 1 << 16])
    for index in (0, 65_535, 65_536, 65_799):
        proof = log.prove(entry(index))
        included(index, 65_800, leaves[index], published.root, proof.hashes)
    log.close()


def test_tiles_written_in_several_spans_are_the_same(folder, tmp_path, signer, monkeypatch):
    at_once = Log(folder, signer)
    publish(at_once, 1_500)
    monkeypatch.setattr(log_module, "_AT_ONCE", 512)
    in_spans = Log(tmp_path / "spans", signer)
    publish(in_spans, 100)
    publish(in_spans, 1_500)
    one, other = files(folder), files(tmp_path / "spans")
    assert one == {name: other[name] for name in one}
    # Beside them a reader may find the partial tiles of the ends of the spans.
    assert all(".p/" in name for name in other.keys() - one.keys())


def test_an_entry_is_logged_once(log):
    assert log.append([(1, b"one"), (2, b"two"), (1, b"one")]) == 2
    assert log.append([(7, b"two"), (9, b"three")]) == 1
    assert log.last() == (2, b"three", 9)
    assert log.size == 3


def test_all_or_none_of_a_batch_is_appended(log):
    def entries():
        yield 1, b"one"
        raise ValueError("a reader that fails")

    with pytest.raises(ValueError, match="a reader that fails"):
        log.append(entries())
    assert log.last() is None
    assert log.size == 0


def test_entries_are_never_changed(log, folder):
    fill(log, 2)
    database = sqlite3.connect(folder / "entries.sqlite3")
    for change in ("DELETE FROM entries", "UPDATE entries SET number = 7"):
        with pytest.raises(sqlite3.IntegrityError, match="is kept"):
            database.execute(change)
    database.close()
    assert stat.S_IMODE((folder / "entries.sqlite3").stat().st_mode) == 0o600


def test_what_is_not_logged_or_not_published_is_not_proven(log):
    with pytest.raises(EntryUnknown):
        log.prove(entry(0))
    fill(log, 1)
    with pytest.raises(EntryPending) as pending:
        log.prove(entry(0))
    assert (pending.value.values["index"], pending.value.values["published"]) == (0, 0)
    publish(log)
    assert log.prove(entry(0)).hashes == ()
    fill(log, 2)
    with pytest.raises(EntryPending) as pending:
        log.prove(entry(1))
    assert (pending.value.values["index"], pending.value.values["published"]) == (1, 1)


def test_an_empty_log_is_published(log):
    assert log.published() is None
    assert publish(log).root == EMPTY
    assert publish(log, 3).root == reference(3)


def test_a_draft_is_published_with_cosignatures_and_not_without_being_asked(log):
    fill(log, 3)
    with log.publishing() as draft:
        assert log.published() is None
        line = LOG.line(draft.checkpoint, 0).replace(LOG.key.name, "witness.example")
        log.publish(draft, line)
    assert log.published().note == draft.checkpoint.note + line


# --- crashes ------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process ended here."""


def test_a_crash_at_any_step_leaves_a_whole_log_and_loses_nothing(tmp_path, signer, monkeypatch):
    expected = tmp_path / "expected"
    whole = Log(expected, signer)
    publish(whole, 250)
    publish(whole, 260)
    before = Log(tmp_path / "before", signer)
    publish(before, 250)
    before.close()
    steps = 0
    while True:
        folder = shutil.copytree(tmp_path / "before", tmp_path / f"crash{steps}")
        log, left = Log(folder, signer), [steps]
        fill(log, 260)
        with monkeypatch.context() as patch:
            for name in ("fsync", "fchmod"):
                patch.setattr(os, name, crashing(getattr(os, name), left))
            patch.setattr(Path, "replace", crashing(Path.replace, left))
            try:
                publish(log)
            except Crash:
                log.close()
            else:
                break
        log = Log(folder, signer)
        published = log.published()
        assert published.root == reference(published.size)
        assert TiledTree(log.source, published.size).root() == published.root
        assert log.size == 260
        assert publish(log).root == reference(260)
        found = files(folder)
        assert files(expected).items() <= found.items()
        # What is left over is of no harm: partial tiles of before, and files that were not whole.
        assert all(".p/" in name or ".new." in name for name in found.keys() - files(expected))
        log.close()
        steps += 1
    assert steps > 20


def crashing(function, left):
    """A function that ends the process when none of its calls are left."""

    def call(*arguments):
        if not left[0]:
            raise Crash
        left[0] -= 1
        return function(*arguments)

    return call


@pytest.mark.parametrize("name", ["tile/0/001.p/44", "tile/1/000.p/1"])
@pytest.mark.parametrize("kept", [0, 1, 31])
def test_a_tile_that_was_cut_short_is_written_again(log, folder, name, kept):
    publish(log, 300)
    path = folder / "public" / name
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(LogUnreadable) as refusal:
        TiledTree(log.source, 300).root()
    assert refusal.value.values["found"] == kept
    assert publish(log, 301).root == reference(301)
    included(0, 301, leaf_hash(entry(0)), reference(301), log.prove(entry(0)).hashes)


def test_all_tiles_are_written_again_where_they_are_missing(log, folder):
    publish(log, 600)
    expected = files(folder)
    shutil.rmtree(folder / "public/tile")
    publish(log)
    restored = files(folder)
    assert restored == {name: expected[name] for name in restored}
    assert publish(log, 601).root == reference(601)


def test_a_checkpoint_that_is_missing_is_written_again(log, folder):
    expected = publish(log, 300)
    (folder / "public/checkpoint").unlink()
    assert publish(log) == expected


@pytest.mark.parametrize("content", [b"", b"\xff", b"cut", None])
def test_a_checkpoint_that_is_not_the_logs_stops_the_log(log, folder, content):
    published = publish(log, 3)
    path = folder / "public/checkpoint"
    text = published.note.replace("\n3\n", "\n2\n") if content is None else None
    path.write_bytes(content if text is None else text.encode())
    with pytest.raises(LogDiffers, match="is not signed with the key of this log"):
        publish(log, 4)


# --- what would be a fork -----------------------------------------------------------------------


def test_a_log_whose_entries_are_of_an_older_backup_publishes_nothing(log, folder, signer):
    publish(log, 3)
    log.close()
    shutil.copy(folder / "entries.sqlite3", folder / "backup")
    log = Log(folder, signer)
    expected = publish(log, 5)
    log.close()
    for each in folder.glob("entries.sqlite3*"):
        each.unlink()
    (folder / "backup").rename(folder / "entries.sqlite3")
    log = Log(folder, signer)
    for size in (3, 4, 5):
        log.append((number, b"other %d" % number) for number in range(log.size, size))
        with pytest.raises(LogDiffers, match="restore its entries") as refusal:
            publish(log)
        assert (refusal.value.values["published"], refusal.value.values["here"]) == (5, size)
    assert log.published() == expected
    log.close()


def test_a_log_of_another_key_is_not_continued(log, folder):
    publish(log, 3)
    other = Log(folder, LogSigner.new(LOG.key.name))
    with pytest.raises(LogDiffers):
        publish(other, 4)
    other.close()


# --- keys and sources ---------------------------------------------------------------------------


def test_a_key_is_kept_in_the_form_of_go(tmp_path):
    vectors = Path(__file__).with_name("vectors") / "notes.json"
    vector = json.loads(vectors.read_text("utf-8"))["notes"][1]
    text, _, line = vector["note"].partition("\n\n")
    signer = LogSigner.from_text(vector["skey"])
    assert (signer.text, signer.key) == (vector["skey"], read_key(vector["vkey"]))
    assert signer.sign(text + "\n") == line
    path = tmp_path / "new" / "key"
    signer.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert LogSigner.read(path).text == signer.text
    with pytest.raises(FileExistsError):
        signer.write(path)
    skey = vector["skey"]
    for wrong in (skey[:-1], skey[1:], skey.replace("c74f", "c74e"), skey.replace("AYEK", "BYEK")):
        path.write_text(wrong)
        with pytest.raises(InvalidLogKey) as refusal:
            LogSigner.read(path)
        assert wrong not in str(refusal.value)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "nul\0"])
def test_a_name_that_no_signature_can_have_is_refused(name):
    with pytest.raises(InvalidOrigin) as refusal:
        LogSigner.new(name)
    assert refusal.value.values == {"origin": name}


def test_a_source_without_a_log_is_refused(tmp_path):
    source = FolderSource(tmp_path)
    with pytest.raises(LogUnreadable) as refusal:
        source.read("checkpoint")
    assert refusal.value.values == {"path": str(tmp_path), "file": "checkpoint"}
    (tmp_path / "tile/entries").mkdir(parents=True)
    for bundle in (b"", b"\0", b"\0\2a", b"\0\1a"):
        (tmp_path / "tile/entries/000").write_bytes(bundle)
        with pytest.raises(LogUnreadable):
            TiledTree(source, 2).bundle(0)
    with pytest.raises(ValueError, match="ends within"):
        entries_of(b"\0")
    assert tile_name(0, 999_999) == "tile/0/x999/999"

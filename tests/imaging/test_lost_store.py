"""Additions and re-keyings that go on where the store, or the journal, has lost something."""

from __future__ import annotations

import shutil

import pytest

from radledger.imaging.errors import NothingToAdd, SecretUnknown
from radledger.imaging.ingest import anchoring
from radledger.imaging.ingest.run import Ingest
from radledger.imaging.journal.journal import Journal
from radledger.imaging.maintenance import Maintenance
from radledger.imaging.reading import write_files
from radledger.imaging.service import Images
from radledger.storage import LocalStore
from tests.imaging.test_resume import Killed, anchored, kill_at, originals

__all__ = ["kill_at"]


@pytest.fixture
def run(ledger, tmp_path, who):
    """Add files of the patient to a store, with the one journal of the test."""

    def run(store, *paths):
        images = Images(ledger, store, tmp_path / "home")
        results = images.add(
            list(paths), who.patient.address, custodian=who.hospital, keep_identity=True
        )
        return images, results

    return run


def read(images, store, result, folder):
    """The digests of an image set's files after fetching them."""
    manifest, secret = images.contents(result.image_id), images.secret(result.image_id)
    write_files(store, manifest, secret, folder)
    return originals(folder)


@pytest.mark.parametrize("nth", range(1, 9))
def test_killed_at_any_write_and_continued_on_an_empty_store(
    run, kill_at, ledger, tmp_path, who, series, nth
):
    events = len(anchored(ledger, who))
    first, second = LocalStore(tmp_path / "first"), LocalStore(tmp_path / "second")
    with kill_at(nth, after=True), pytest.raises(Killed):
        run(first, series)
    on_chain = len(anchored(ledger, who)) > events
    now = first if on_chain else second
    images, (result,) = run(now, series)
    assert read(images, now, result, tmp_path / "out") == originals(series)
    assert len(anchored(ledger, who)) == events + 1


@pytest.mark.parametrize("place", [0, 4], ids=["first", "last"])
def test_one_content_that_was_lost_is_stored_again(run, kill_at, tmp_path, series, place):
    store = LocalStore(tmp_path / "store")
    with kill_at(6, after=True), pytest.raises(Killed):  # all files stored, nothing sealed
        run(store, series)
    contents = sorted((tmp_path / "store" / "pinned").glob("*/*"))
    assert len(contents) >= 5
    contents[place].unlink()
    images, (result,) = run(store, series)
    assert result.instances == 5
    assert read(images, store, result, tmp_path / "out") == originals(series)


def test_what_was_sealed_is_not_anchored_while_its_content_is_lost(
    run, ledger, tmp_path, who, series, sample, monkeypatch
):
    store = LocalStore(tmp_path / "store")

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(anchoring, "anchor", killed)
        with pytest.raises(Killed):
            run(store, series)
    shutil.rmtree(tmp_path / "store")
    empty = LocalStore(tmp_path / "store")
    # A run with other files does not anchor it, and a run with its files does.
    run(empty, sample("CT_small.dcm"))
    assert [event.args["instances"] for event in anchored(ledger, who)] == [1]
    images, (result,) = run(empty, series)
    assert sorted(event.args["instances"] for event in anchored(ledger, who)) == [1, 5]
    assert read(images, empty, result, tmp_path / "out") == originals(series)


def test_what_is_on_the_chain_already_is_noted_although_its_content_is_lost(
    run, ledger, tmp_path, who, series, sample, monkeypatch
):
    store = LocalStore(tmp_path / "store")

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(type(ledger.sender), "_followed", killed)
        with pytest.raises(Killed):
            run(store, series)
    empty = LocalStore(tmp_path / "empty")
    run(empty, sample("CT_small.dcm"))
    _, (result,) = run(empty, series)
    assert (result.instances, result.added) == (5, False)
    assert sorted(event.args["instances"] for event in anchored(ledger, who)) == [1, 5]


def test_a_series_is_not_sealed_without_the_files_that_were_lost(
    run, kill_at, ledger, tmp_path, who, series
):
    files = sorted(series.iterdir())
    with kill_at(6, after=True), pytest.raises(Killed):
        run(LocalStore(tmp_path / "first"), *files[:3])
    second = LocalStore(tmp_path / "second")
    with pytest.raises(NothingToAdd) as refusal:
        run(second, *files[3:])
    reasons = {each["reason"] for each in refusal.value.values["skipped"]}
    assert reasons == {
        "the store has lost this file of the series; add all files of the series again"
    }
    assert len(refusal.value.values["skipped"]) == 3
    assert anchored(ledger, who) == []
    images, (result,) = run(second, *files)
    assert result.instances == 5
    assert read(images, second, result, tmp_path / "out") == originals(series)


def test_sealing_asks_the_store_a_few_times_for_many_files(tmp_path, run, series, monkeypatch):
    asked = []
    missing = LocalStore.missing

    def counted(store, cids):
        asked.append(len(cids))
        return missing(store, cids)

    monkeypatch.setattr(LocalStore, "missing", counted)
    run(LocalStore(tmp_path / "store"), series)
    assert asked == [5]


def test_every_addition_makes_sure_of_the_store(ledger, tmp_path, who, series, run, monkeypatch):
    """A content that disappears between being stored and being sealed is not anchored."""
    store = LocalStore(tmp_path / "store")
    sealed = Ingest.add

    def losing(self, *arguments):
        run_ = sealed(self, *arguments)
        monkeypatch.setattr(LocalStore, "missing", lambda store, cids: set(cids))
        yield from run_

    monkeypatch.setattr(Ingest, "add", losing)
    with pytest.raises(NothingToAdd):
        run(store, series)
    assert anchored(ledger, who) == []


@pytest.mark.parametrize(
    ("owner", "step", "sent"),
    [
        pytest.param(Journal, "seal_rekey", 1, id="encrypted"),
        pytest.param(Maintenance, "_point_chain_to", 1, id="sealed"),
        pytest.param(Journal, "finish_rekey", 2, id="sent"),
    ],
)
@pytest.mark.parametrize("lost", ["one file", "everything new"])
def test_a_rekeying_stores_again_what_was_lost_before_it_gives_the_old_up(
    run, ledger, tmp_path, who, series, monkeypatch, stored_files, owner, step, sent, lost
):
    store = LocalStore(tmp_path / "store")
    images, (result,) = run(store, series)
    before = {each.cid for each in images.contents(result.image_id).instances}

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, killed)
        with pytest.raises(Killed):
            images.rekey(result.image_id, custodian=who.hospital)
    new = [
        path
        for path in sorted((tmp_path / "store" / "pinned").glob("*/*"))
        if path.name not in {*before, result.manifest_cid}
    ]
    for path in new if lost == "everything new" else new[:1]:
        path.unlink()
    rekeyed = images.rekey(result.image_id, custodian=who.hospital)
    after = {each.cid for each in images.contents(result.image_id).instances}
    assert after.isdisjoint(before)
    assert stored_files() == sorted({*after, rekeyed.manifest_cid})
    assert read(images, store, result, tmp_path / "out") == originals(series)
    assert len(ledger.events("ImageRegistry", "ImageRekeyed")) == sent


def test_a_journal_from_an_old_backup_gives_no_old_secret(
    run, worker, ledger, tmp_path, who, series, home_path
):
    store = LocalStore(tmp_path / "store")
    images, (result,) = run(store, series)
    worker("VACUUM INTO :path", path=str(tmp_path / "backup"))
    images.rekey(result.image_id, custodian=who.hospital)
    images._home.journal.close()
    for path in home_path.glob("journal.sqlite3*"):
        path.unlink()
    shutil.copy(tmp_path / "backup", home_path / "journal.sqlite3")
    now = Images(ledger, store, tmp_path / "home")
    with pytest.raises(SecretUnknown, match="from a later backup"):
        now.secret(result.image_id)


def test_a_journal_from_before_its_set_was_sealed_finds_it_on_the_chain(
    run, kill_at, worker, ledger, tmp_path, who, series, home_path, stored_files
):
    store = LocalStore(tmp_path / "store")
    with kill_at(6, after=True), pytest.raises(Killed):  # all files stored, nothing sealed
        run(store, series)
    worker("VACUUM INTO :path", path=str(tmp_path / "backup"))
    images, (first,) = run(store, series)
    images._home.journal.close()
    for path in home_path.glob("journal.sqlite3*"):
        path.unlink()
    shutil.copy(tmp_path / "backup", home_path / "journal.sqlite3")
    now, (again,) = run(store, series)
    assert again.image_id == first.image_id
    assert len(anchored(ledger, who)) == 1
    assert read(now, store, again, tmp_path / "out") == originals(series)
    # it was sealed twice, and erasing gives both manifests up
    now.erase(again.image_id, custodian=who.hospital)
    assert stored_files() == []

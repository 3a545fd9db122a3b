"""Killed anywhere, a second run finishes: nothing is lost, nothing is anchored twice."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import stat
from multiprocessing import get_context

import pytest

from radledger.imaging.errors import HomeBusy
from radledger.imaging.home import exclusive_workdir, imaging_folder
from radledger.imaging.journal.journal import Journal
from radledger.imaging.service import Images


class Killed(BaseException):
    """What no code may catch, as a kill is."""


@pytest.fixture
def journal(each_journal):
    return each_journal


@pytest.fixture
def pair(series):
    """The first and the last file of the series, for tests that add it again and again."""
    for path in sorted(series.iterdir())[1:-1]:
        path.unlink()
    return series


@pytest.fixture
def kill_at(monkeypatch):
    """Kill at the n-th write of the journal, before it takes effect or after."""

    @contextlib.contextmanager
    def killing(nth, *, after):
        written = 0
        write = Journal._write

        @contextlib.contextmanager
        def counted(journal, **options):
            nonlocal written
            written += 1
            if written == nth and not after:
                raise Killed
            with write(journal, **options) as execute:
                yield execute
            if written == nth:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(Journal, "_write", counted)
            yield

    return killing


def originals(folder):
    return sorted("0x" + hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir())


def rekeyings(ledger):
    return ledger.events("ImageRegistry", "ImageRekeyed")


def anchored(ledger, who):
    return ledger.events("ImageRegistry", "ImageAnchored", patient=who.patient.address)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_each_write_of_the_journal(
    ledger, store, tmp_path, who, pair, kill_at, after, new_journal
):
    kills = 0
    for nth in range(1, 100):
        home, journal = tmp_path / f"home-{nth}", new_journal()
        events = len(anchored(ledger, who))

        def run(home=home, journal=journal):
            images = Images(ledger, store, home, journal)
            return images, images.add(
                [pair], who.patient.address, custodian=who.hospital, keep_identity=True
            )

        with kill_at(nth, after=after):
            try:
                run()
            except Killed:
                kills += 1
                survived = False
            else:
                survived = True
        images, (result,) = run()
        assert result.instances == 2
        manifest = images.contents(result.image_id)
        assert sorted(each.file_digest for each in manifest.instances) == originals(pair)
        assert len(anchored(ledger, who)) == events + 1
        assert result.gas > 30_000
        if survived:
            break
    # home's key, key of the patient, visit, set, files listed and taken, manifest listed, set
    # sealed, confirmed
    assert kills == 9


SLIP = {"visit": "a slip of the pen"}
STATED = {"visit": "follow-up", "course": "trial arm A"}


@pytest.mark.parametrize(
    ("nth", "first", "second", "visit"),
    [
        pytest.param(4, SLIP, STATED, "follow-up", id="begun"),
        pytest.param(5, SLIP, STATED, "follow-up", id="listed"),
        pytest.param(6, SLIP, STATED, "follow-up", id="stored"),
        pytest.param(8, SLIP, STATED, "a slip of the pen", id="sealed"),
        pytest.param(6, STATED, {}, "follow-up", id="stated-once"),
    ],
)
def test_a_second_run_with_another_visit_finishes_the_one_set(
    ledger, store, tmp_path, who, series, kill_at, nth, first, second, visit
):
    events = len(anchored(ledger, who))

    def run(**groups):
        images = Images(ledger, store, tmp_path / "home")
        return images, images.add(
            [series], who.patient.address, custodian=who.hospital, keep_identity=True, **groups
        )

    with kill_at(nth, after=True), pytest.raises(Killed):
        run(**first)
    images, (result,) = run(**second)
    manifest = images.contents(result.image_id)
    assert manifest.visit.name == visit
    # what was sealed has its id, and so its visit and course, already
    course = None if visit == SLIP["visit"] else "trial arm A"
    assert (manifest.course.name if manifest.course else None) == course
    assert sorted(each.file_digest for each in manifest.instances) == originals(series)
    assert len(anchored(ledger, who)) == events + 1


def test_killed_between_sending_and_the_receipt(ledger, images, who, series, monkeypatch):
    """The transaction is mined after the process has died."""
    sender = type(ledger.sender)

    def lost(*_):
        raise Killed

    def add():
        return images.add([series], who.patient.address, custodian=who.hospital)

    nonce = ledger.web3.eth.get_transaction_count(who.hospital.address)
    with monkeypatch.context() as patch:
        patch.setattr(sender, "_followed", lost)
        with pytest.raises(Killed):
            add()
    (result,) = add()
    events = anchored(ledger, who)
    assert [event.args["image"] for event in events] == [result.image_id]
    assert result.transaction == events[0].transaction
    # nothing was paid a second time
    assert ledger.web3.eth.get_transaction_count(who.hospital.address) == nonce + 1


def test_files_that_join_before_the_end_are_all_anchored(images, who, series, kill_at):
    files = sorted(series.iterdir())
    with kill_at(6, after=True), pytest.raises(Killed):
        images.add(files[:4], who.patient.address, custodian=who.hospital)
    (result,) = images.add(files[2:], who.patient.address, custodian=who.hospital)
    assert result.instances == 5


def test_what_was_sealed_is_anchored_by_any_later_run(
    images, ledger, who, series, sample, monkeypatch
):
    from radledger.imaging.ingest import anchoring

    def lost(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(anchoring, "anchor", lost)
        with pytest.raises(Killed):
            images.add([series], who.patient.address, custodian=who.hospital)
    assert anchored(ledger, who) == []
    images.add([sample("CT_small.dcm")], who.patient.address, custodian=who.hospital)
    assert sorted(event.args["instances"] for event in anchored(ledger, who)) == [1, 5]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_rekeying_killed_at_each_write(
    add, images, ledger, who, pair, kill_at, after, store, stored_files
):
    image_id, before = add(pair)[0].image_id, None
    for nth in range(1, 100):
        secret, rekeyed = images.secret(image_id), len(rekeyings(ledger))
        before = before or images.contents(image_id)
        with kill_at(nth, after=after):
            try:
                images.rekey(image_id, custodian=who.hospital)
            except Killed:
                killed = True
            else:
                killed = False
        if killed:
            images.rekey(image_id, custodian=who.hospital)
        now = images.contents(image_id)
        assert images.secret(image_id) != secret
        assert now.image_set == before.image_set
        cids = {each.cid for each in now.instances}
        assert cids.isdisjoint(each.cid for each in before.instances)
        assert cids < set(stored_files())
        assert len(stored_files()) == 3
        assert len(rekeyings(ledger)) > rekeyed
        if not killed:
            break
        before = now
    # begun, each file listed and taken, manifest listed, sealed, finished, collected
    assert nth == 10


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("nth", [1, 2])
def test_erasing_killed_at_each_write(
    add, images, ledger, who, series, kill_at, after, nth, stored_files
):
    image_id = add(series)[0].image_id
    with kill_at(nth, after=after), pytest.raises(Killed):
        images.erase(image_id, custodian=who.hospital)
    result = images.erase(image_id, custodian=who.hospital)
    certified = ledger.events("ImageRegistry", "ImageErased")
    assert [event.args["certificate"] for event in certified] == [result.digest]
    assert stored_files() == []


def test_one_addition_at_a_time(add, images, ledger, home, series):
    folder = imaging_folder(home, ledger)
    with exclusive_workdir(folder, "adding"), pytest.raises(HomeBusy) as error:
        add(series)
    assert error.value.values == {"folder": str(folder)}
    assert add(series)[0].added


def test_what_an_interrupted_run_left_is_deleted(ledger, home, tmp_path):
    folder = imaging_folder(home, ledger)
    child = get_context("spawn").Process(target=_die_at_work, args=(folder,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert [path.name for path in (folder / "adding").iterdir()] == ["plain"]
    with exclusive_workdir(folder, "adding") as place:
        assert list(place.iterdir()) == []


def _die_at_work(folder):
    with exclusive_workdir(folder, "adding") as place:
        (place / "plain").write_text("pixels")
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_journal_is_its_owners_alone(add, ledger, home, series):
    add(series)
    folder = imaging_folder(home, ledger)
    for path in (folder, *folder.glob("journal*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0

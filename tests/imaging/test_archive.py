"""An archive of many studies: in batches, in little memory, through all that goes away."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tracemalloc
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import psycopg
import pytest

from radledger.imaging.errors import HomeBusy
from radledger.imaging.ingest import retry
from radledger.imaging.ingest.run import Ingest
from radledger.imaging.ingest.storing import FileOutcome, Task
from radledger.imaging.journal import database
from radledger.imaging.journal.journal import Journal
from radledger.imaging.journal.tables import Purpose
from radledger.imaging.model import NONE, SkippedFile
from radledger.storage.errors import StorageUnavailable
from tests.imaging.archive import FlickeringStore, make_archive

NOTHING_WRONG = {"lost": 0, "twice": 0, "orphaned": 0}


def test_a_hundred_image_sets_are_one_transaction(run_of, tmp_path, wrong):
    studies = make_archive(tmp_path / "archive", 103, 1)
    images, done = run_of(studies, workers=2).add()
    assert len(done) == 103
    transactions = [result.transaction for each in done for result in each.results]
    assert sorted(map(transactions.count, set(transactions))) == [3, 100]
    assert wrong(images, studies) == NOTHING_WRONG


def test_progress_tells_all_and_comes_to_its_end(run_of, tmp_path):
    studies = make_archive(tmp_path / "archive", 4, 3)
    (studies[2] / "text").write_text("not DICOM")
    size = sum(path.stat().st_size for study in studies for path in study.iterdir())
    told = []
    run_of(studies, workers=1, total=size).add(told.append)
    assert told[-1].size == told[-1].total == size
    assert (told[-1].files, told[-1].skipped) == (13, 1)
    assert (told[-1].sealed, told[-1].anchored) == (4, 4)
    assert [each.size for each in told] == sorted(each.size for each in told)


@pytest.fixture
def impatient(monkeypatch):
    """Try again a moment after a server was away."""
    monkeypatch.setattr(retry, "_FIRST", 0.01)


@pytest.mark.usefixtures("impatient")
def test_a_store_that_is_away_for_a_while_is_waited_for(run_of, tmp_path, wrong, caplog):
    studies = make_archive(tmp_path / "archive", 5, 16)
    store = FlickeringStore(tmp_path / "store", failures=3)
    images, _ = run_of(studies, store, workers=1).add(
        lambda progress: store.go() if progress.files >= 16 else None
    )
    assert store.failed == 3
    assert wrong(images, studies) == NOTHING_WRONG
    assert any("waiting for it" in each.getMessage() for each in caplog.records)


def test_a_store_that_was_never_there_is_reported_at_once(run_of, tmp_path):
    store = FlickeringStore(tmp_path / "store", failures=1000)
    store.go()
    with pytest.raises(StorageUnavailable):
        run_of(make_archive(tmp_path / "archive", 1, 20), store).add()
    # what was under way, and nothing a second time
    assert store.failed <= 20


def test_an_interrupted_run_is_resumed(run_of, tmp_path, wrong):
    studies = make_archive(tmp_path / "archive", 6, 10)
    run = run_of(studies, workers=2)
    for files in (5, 30):
        assert run.killed_when(files)
    images, done = run.add()
    assert len(done) == 6
    assert wrong(images, studies) == NOTHING_WRONG


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_run_that_is_killed_again_and_again(run_of, tmp_path, wrong, capsys):
    studies = make_archive(tmp_path / "archive", 12, 10)
    run = run_of(studies, workers=2)
    kills = sum(run.killed_when(files) for files in range(2, 121, 7))
    images, _ = run.add()
    found = wrong(images, studies)
    with capsys.disabled():
        print(f"\ncoordinator killed: {kills} times; {dict(found)}")
    assert kills == 17
    assert found == NOTHING_WRONG


def test_a_killed_worker_is_replaced(run_of, tmp_path, wrong):
    studies = make_archive(tmp_path / "archive", 5, 16)
    killed = []

    def kill(progress):
        if progress.files >= 16 and not killed:
            killed.append(active_children()[0])
            killed[0].kill()

    images, done = run_of(studies, workers=2).add(kill)
    assert killed
    assert all(each.skipped == () for each in done)
    assert wrong(images, studies) == NOTHING_WRONG


WAITING = """
import os, sys
from pathlib import Path
from radledger.imaging.journal.journal import Journal
from radledger.imaging.ingest.workers import WorkerPool
from radledger.storage import LocalStore
from tests.imaging.test_hostile import Order, blame
from tests.imaging.test_archive import wait_forever

folder = Path(sys.argv[1])
Journal(folder / "journal").close()
store = LocalStore(folder / "store")
pool = WorkerPool(folder / "journal", store, folder, processes=1, isolated=True)
list(pool.run(wait_forever, [Order(int(sys.argv[2]), False)], blame))
"""


def wait_forever(_worker, orders):
    os.write(orders[0].number, f"{os.getpid()}\n".encode())
    signal.pause()


def test_workers_end_with_who_started_them(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    script = tmp_path / "script.py"
    script.write_text(WAITING)
    root = Path(__file__).parents[2]
    path = f"{root / 'src'}{os.pathsep}{root}"
    owner = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path), "1"],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
    )
    worker = os.pidfd_open(int(owner.stdout.readline()))
    owner.kill()
    owner.wait()
    ended = select.poll()
    ended.register(worker, select.POLLIN)
    assert ended.poll(240_000)
    os.close(worker)


class Refusing:
    """Workers that take no file, in no time."""

    def run(self, _work, tasks, _crashed):
        for task in tasks:
            yield FileOutcome(task, reason="left out")


def test_memory_does_not_grow_with_the_archive(ledger, store, tmp_path, who):
    purpose = Purpose(who.hospital.address, who.patient.address, "basic")

    def lot(number):
        for file in range(10):
            path = Path(f"/archive/{number}/{file}")
            yield Task(path, str(path), 1, purpose, None, NONE)
        yield SkippedFile(f"/archive/{number}", "empty")

    def peak(lots):
        ingest = Ingest(ledger, store, tmp_path, tmp_path / "journal.sqlite3")
        tracemalloc.start()
        done = ingest.add(
            map(lot, range(lots)), purpose.custodian, who.hospital, lambda _: Refusing()
        )
        left_out = sum(len(each.skipped) for each in done)
        assert left_out == 11 * lots
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    # two batches of image sets, or of additions without any, are held
    assert peak(450) < 1.2 * peak(220)


@pytest.fixture
def end_all_sessions(postgresql):
    def end():
        with psycopg.connect(postgresql, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    return end


@pytest.mark.usefixtures("impatient")
def test_a_journal_that_is_away_for_a_while_is_waited_for(
    postgresql, run_of, tmp_path, wrong, end_all_sessions
):
    studies = make_archive(tmp_path / "archive", 6, 16)
    cut = []

    def cut_off(progress):
        if progress.files >= 16 and not cut:
            cut.append(True)
            end_all_sessions()

    run = replace(run_of(studies, workers=2), journal=postgresql)
    run.add(cut_off)
    images, _ = run.add()
    assert cut
    assert wrong(images, studies) == NOTHING_WRONG


def test_a_journal_that_another_addition_has_taken_over_ends_this_one(
    postgresql, run_of, tmp_path, wrong, end_all_sessions, monkeypatch
):
    monkeypatch.setattr(database, "_CLAIM_WITHIN", "100ms")
    studies = make_archive(tmp_path / "archive", 6, 16)
    run = replace(run_of(studies, workers=2), journal=postgresql)
    images, _ = replace(run, additions=run.additions[:1]).add()
    with ExitStack() as other:

        def take_over(progress):
            if progress.files >= 32 and not claims:
                end_all_sessions()
                claims.append(Journal(images._home.journal.location).claimed("adding"))
                other.enter_context(claims[0])

        claims = []
        with pytest.raises(HomeBusy, match="another process is adding images on it since"):
            run.add(take_over)
        assert claims
    images, _ = run.add()
    assert wrong(images, studies) == NOTHING_WRONG

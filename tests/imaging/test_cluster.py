"""Files stored by the workers of a Dask cluster, through the loss of any part of it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from dataclasses import replace

import pytest

from radledger.imaging.errors import ClusterUnavailable, ClusterUnusable, HomeBusy
from radledger.imaging.ingest import cluster as cluster_
from radledger.imaging.ingest.cluster import Cluster
from radledger.imaging.journal.journal import Journal
from radledger.storage import LocalStore
from tests.imaging.archive import FlickeringStore, make_archive
from tests.imaging.test_hostile import Order, blame, fail, obey

distributed = pytest.importorskip("distributed", reason="needs distributed")

NOTHING_WRONG = {"lost": 0, "twice": 0, "orphaned": 0}


@pytest.fixture
def journal(postgresql):
    return postgresql


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers under nannies, each a process of its own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


@pytest.fixture
def pool(journal, cluster, tmp_path):
    return Cluster(cluster.scheduler_address, journal, LocalStore(tmp_path / "store"))


@pytest.fixture
def kill_worker(cluster):
    """Kill a worker when so many files are stored."""

    def when(files):
        with distributed.Client(cluster) as client:
            processes = sorted(client.run(os.getpid).values())

        def kill(progress):
            if progress.files >= files and processes:
                os.kill(processes.pop(), signal.SIGKILL)
                processes.clear()

        return kill, lambda: not processes

    return when


def test_the_cluster_stores_and_this_process_anchors(run_of, cluster, tmp_path, wrong, monkeypatch):
    monkeypatch.setattr(cluster_, "_CHUNK_FILES", 10)
    studies = make_archive(tmp_path / "archive", 3, 16)
    (studies[1] / "text").write_text("not DICOM")
    images, done = run_of(studies, scheduler=cluster.scheduler_address).add()
    assert [len(each.results) for each in done] == [1, 1, 1]
    assert [each.reason for left in done for each in left.skipped] == [
        "the file does not begin as a DICOM file does; leave it out"
    ]
    (studies[1] / "text").unlink()
    assert wrong(images, studies) == NOTHING_WRONG


def test_a_killed_worker_is_replaced(run_of, cluster, tmp_path, wrong, kill_worker, monkeypatch):
    monkeypatch.setattr(cluster_, "_CHUNK_FILES", 10)
    studies = make_archive(tmp_path / "archive", 5, 16)
    kill, killed = kill_worker(20)
    images, done = run_of(studies, scheduler=cluster.scheduler_address).add(kill)
    assert killed()
    assert all(each.skipped == () for each in done)
    assert wrong(images, studies) == NOTHING_WRONG


@pytest.mark.soak
def test_a_killed_coordinator_is_followed_by_another(run_of, cluster, tmp_path, wrong):
    studies = make_archive(tmp_path / "archive", 6, 40)
    run = run_of(studies, scheduler=cluster.scheduler_address)
    assert run.killed_when(65)
    images, done = run.add()
    assert len(done) == 6
    assert wrong(images, studies) == NOTHING_WRONG


@pytest.mark.soak
def test_a_store_that_is_away_for_a_while_is_waited_for(
    run_of, cluster, tmp_path, wrong, monkeypatch
):
    monkeypatch.setattr(cluster_, "_CHUNK_FILES", 10)
    studies = make_archive(tmp_path / "archive", 4, 20)
    store = FlickeringStore(tmp_path / "store", failures=3)
    run = run_of(studies, store, scheduler=cluster.scheduler_address)
    images, _ = run.add(lambda progress: store.go() if progress.files >= 20 else None)
    assert store.failed >= 3
    assert wrong(images, studies) == NOTHING_WRONG


def test_a_file_that_kills_its_process_is_blamed_and_the_others_are_done(pool, journal):
    orders = [Order(number, deadly=number in (4, 17)) for number in range(1, 25)]
    done = sorted(pool.run(obey, orders, blame))
    assert done == sorted(-n if n in (4, 17) else n for n in range(1, 25))


def test_what_no_file_caused_is_raised(pool):
    with pytest.raises(OSError, match="No space left"):
        list(pool.run(fail, [Order(1, deadly=False), Order(2, deadly=False)], blame))


def test_one_coordinator_at_a_time(run_of, cluster, tmp_path, journal, ledger, home):
    run = run_of(make_archive(tmp_path / "archive", 1, 1), scheduler=cluster.scheduler_address)
    images, _ = run.add()
    shutil.copytree(home, tmp_path / "another")
    with Journal(images._home.journal.location).claimed("adding"), pytest.raises(HomeBusy):
        replace(run, home=tmp_path / "another").add()


def test_what_is_not_a_cluster(cluster, journal, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_, "_SECONDS", 1)
    store, orders = LocalStore(tmp_path / "store"), [Order(1, deadly=False)]

    def run(scheduler, location):
        return list(Cluster(scheduler, location, store).run(obey, orders, blame))

    with pytest.raises(ClusterUnusable, match="--journal"):
        run(cluster.scheduler_address, tmp_path / "journal")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ClusterUnavailable) as error:
            run(nobody, journal)
    assert error.value.values == {"scheduler": nobody}
    with pytest.raises(ClusterUnavailable):
        run("no address", journal)


def test_a_scheduler_without_workers(journal, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_, "_SECONDS", 1)
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as empty:
        pool = Cluster(empty.scheduler_address, journal, LocalStore(tmp_path / "store"))
        with pytest.raises(ClusterUnavailable, match="workers"):
            list(pool.run(obey, [Order(1, deadly=False)], blame))


def test_workers_of_another_version(pool, monkeypatch):
    monkeypatch.setattr(cluster_, "version", lambda _: "9.9")
    with pytest.raises(ClusterUnusable, match=r"this is 9\.9"):
        list(pool.run(obey, [Order(1, deadly=False)], blame))

"""How fast an archive is added by one worker and by two, in which memory, and what it leaves.

    python benchmarks/backfill.py                          # 600 slices, 315 MB, twice
    python benchmarks/backfill.py --journal postgresql://… # and on a Dask cluster of two workers

``workers``      the same studies by one process, by two, and by a cluster of two, which take turns;
                 anchoring on a local anvil and flushing to the disk included
``memory``       the most resident memory of the coordinator and of a worker; of the coordinator
                 also with a number of small files, and with four times as many
``again``        how fast a second run finds that everything is there
``image_set``    gas and bytes that one image set, or one instance, leaves on the chain, in the
                 store and in the journal

The figures of the workers are medians of the rounds; a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from chain import account, chain
from measuring import peak_memory, ratio, timed

from radledger.chain.ledger import Ledger
from radledger.chain.rpc import request
from radledger.dicom.synthetic import make_ct_series
from radledger.imaging.model import Addition, AddResult
from radledger.imaging.service import Images
from radledger.storage import LocalStore

PATIENT = "0x" + "11" * 20


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--studies", type=int, default=12)
    parser.add_argument("--slices", type=int, default=50, help="of 512 x 512 pixels in each")
    parser.add_argument("--small-files", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--journal", help="URL of a PostgreSQL database that may be emptied")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="radledger-benchmark-") as name:
        folder = Path(name)
        with chain(folder) as ledger:
            bench = WorkerContext(ledger, folder, options.journal)
            archive = make_archive(folder / "archive", options.studies, options.slices, 512)
            report = {
                "megabytes": round(size_of(archive) / 1e6),
                "instances": options.studies * options.slices,
                **bench.workers(archive, options.rounds),
                "coordinator_mebibytes": bench.coordinator(options.small_files),
            }
    print(json.dumps(report, indent=2))


class WorkerContext:
    """One chain, and a new home and store for each run."""

    def __init__(self, ledger: Ledger, folder: Path, journal: str | None) -> None:
        self.ledger = ledger
        self.folder = folder
        self.journal = journal
        self.runs = 0

    def workers(self, archive: list[Path], rounds: int) -> dict[str, Any]:
        """Speed of one worker, of two and of a cluster, and what the last run left."""
        size, instances = size_of(archive), sum(len(list(each.iterdir())) for each in archive)
        kinds: dict[str, dict[str, Any]] = {"one": {"workers": 1}, "two": {"workers": 2}}
        seconds: dict[str, list[float]] = {}
        with cluster() if self.journal else nullcontext() as scheduler:
            if scheduler:
                kinds["cluster"] = {"scheduler": scheduler}
            for _ in range(rounds):
                for name, kind in kinds.items():
                    images, place = self.images(self.journal if name == "cluster" else None)
                    with peak_memory() as peaks:
                        taken = timed(lambda images=images, kind=kind: add(images, archive, **kind))
                    seconds.setdefault(name, []).append(taken)
                    if name == "two":
                        memory = sorted(peaks.values())
                        last = images, place
        images, place = last
        again = timed(lambda: add(images, archive, workers=2))
        return {
            "workers": {
                name: {
                    "instances_per_second": round(instances / statistics.median(taken), 1),
                    "megabytes_per_second": round(size / 1e6 / statistics.median(taken), 1),
                    "ratio_to_one": ratio(seconds["one"], taken),
                }
                for name, taken in seconds.items()
            },
            "processors": os.cpu_count(),
            "again_megabytes_per_second": round(size / 1e6 / again, 1),
            "worker_mebibytes": round(memory[-2] / 1024),
            "image_set": self.left(images, place, archive, instances),
        }

    def left(
        self, images: Images, place: Path, archive: list[Path], instances: int
    ) -> dict[str, float]:
        """What one image set, and one instance, leave behind."""
        sets = len(archive)
        results = add(images, archive, workers=2)
        transactions = {result.transaction for result in results}
        sent = [
            request(self.ledger.web3, "eth_getTransactionByHash", [each]) for each in transactions
        ]
        receipts = [
            request(self.ledger.web3, "eth_getTransactionReceipt", [each]) for each in transactions
        ]
        logged = sum(
            20 + 32 * len(log["topics"]) + len(log["data"]) // 2 - 1
            for receipt in receipts
            for log in receipt["logs"]
        )
        stored = [path.stat().st_size for path in (place / "store" / "pinned").glob("*/*")]
        images._home.journal.close()  # what is in the write-ahead log goes into the file
        journal = sum(path.stat().st_size for path in place.rglob("journal.sqlite3*"))
        manifests = [images._home.storage.stat(result.manifest_cid).size for result in results]
        return {
            "instances": instances / sets,
            "gas": round(sum(int(each["gasUsed"], 16) for each in receipts) / sets),
            "calldata_bytes": round(sum(len(each["input"]) // 2 - 1 for each in sent) / sets),
            "log_bytes": round(logged / sets),
            "manifest_bytes_per_instance": round(sum(manifests) / instances),
            "ciphertext_to_file": round((sum(stored) - sum(manifests)) / size_of(archive), 4),
            "journal_bytes_per_instance": round(journal / instances),
        }

    def coordinator(self, files: int) -> dict[str, int]:
        """The most memory of this process while it adds small files, and four times as many."""
        found = {}
        for times in (1, 4):
            archive = make_archive(self.folder / f"small-{times}", files * times // 20, 20, 16)
            images, _ = self.images(None)
            with peak_memory() as peaks:
                for _ in images.add_all(
                    additions(archive), custodian=account("hospital"), workers=2
                ):
                    pass
            found[f"{files * times}_files"] = round(peaks[os.getpid()] / 1024)
        return found

    def images(self, journal: str | None) -> tuple[Images, Path]:
        """The service in a new home with a new store."""
        self.runs += 1
        place = self.folder / f"run-{self.runs}"
        if journal:
            empty(journal)
        store = LocalStore(place / "store")
        return Images(self.ledger, store, place / "home", journal), place


def add(images: Images, archive: list[Path], **options: Any) -> list[AddResult]:
    """What is measured."""
    done = images.add_all(additions(archive), custodian=account("hospital"), **options)
    results = [result for each in done for result in each.results]
    assert len(results) == len(archive)
    return results


def additions(archive: list[Path]) -> list[Addition]:
    """Each study by itself."""
    return [Addition((study,), PATIENT) for study in archive]


def make_archive(folder: Path, studies: int, slices: int, size: int) -> list[Path]:
    """Studies of one series each."""
    for number in range(studies):
        make_ct_series(folder / f"{number:05}", slices, size=size, seed=number + 1)
    return sorted(folder.iterdir())


def size_of(archive: list[Path]) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for study in archive for path in study.iterdir())


@contextmanager
def cluster() -> Iterator[str]:
    """Address of a Dask scheduler with two workers, which are processes of their own."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def empty(journal: str) -> None:
    """Drop the schemas of earlier runs."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(journal, autocommit=True) as connection:
        schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'imaging%'"
        for (name,) in connection.execute(schemas).fetchall():
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))


if __name__ == "__main__":
    main()

"""Store files on a Dask cluster.

Each task of the cluster is a chunk of files, for which its worker has a process of its own: a
file that kills that process is blamed as on one machine, and the worker lives on.  What a lost
worker had, the scheduler gives to another one.

A worker has what it is given: paths, where journal and store are, and a patient's key of
pseudonyms.  It has neither the signing key nor the journal's key (:mod:`.homekey`), so that it
knows the secrets of the image sets that it begins, and no others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import current_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from radledger.imaging.errors import ClusterUnavailable, ClusterUnusable
from radledger.imaging.ingest.workers import (
    Crashed,
    Sized,
    Work,
    WorkerPool,
    as_finished,
    in_chunks,
)
from radledger.storage import Storage

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Cluster"]

_CHUNK_FILES, _CHUNK_BYTES = 128, 128 << 20
_AHEAD = 2
_SECONDS = 60
"""How long a scheduler, and then its first worker, may take to answer."""

T = TypeVar("T", bound=Sized)
R = TypeVar("R")


@dataclass(frozen=True)
class Cluster:
    """The workers of a Dask scheduler; does what a `WorkerPool` does.

    Attributes
    ----------
    scheduler
        Its address, such as ``tcp://10.0.0.1:8786``.
    journal
        URL of the journal in PostgreSQL.
    storage
        Must survive pickling and reach the same content from any worker.
    """

    scheduler: str
    journal: Path | str
    storage: Storage

    def run(self, work: Work[T, R], tasks: Iterable[T], crashed: Crashed[T, R]) -> Iterator[R]:
        """The result of each task, in any order; see :meth:`.WorkerPool.run`.

        Raises
        ------
        ClusterUnusable
            If the journal is a file, or the workers have another version of this package.
        ClusterUnavailable
            If there is no scheduler or no worker, or both are lost.
        """
        if isinstance(self.journal, Path):
            raise ClusterUnusable(
                "the workers of a cluster need a journal in PostgreSQL; give its URL with "
                "--journal, or in RADLEDGER_JOURNAL"
            )
        from distributed.scheduler import KilledWorker

        lost: list[T] = []
        with _connected(self.scheduler) as client:
            executor: Any = client.get_executor(pure=False)  # type: ignore[no-untyped-call]

            def submit(chunk: list[T]) -> Future[list[R]]:
                future: Future[list[R]] = executor.submit(
                    _store, work, crashed, self.journal, self.storage, chunk
                )
                return future

            def ahead() -> int:
                threads = sum(client.ncores().values())  # type: ignore[no-untyped-call]
                return 0 if lost else _AHEAD * max(1, threads)

            chunks = in_chunks(tasks, _CHUNK_FILES, _CHUNK_BYTES)
            yield from as_finished(submit, chunks, ahead, KilledWorker, lost)
        if lost:
            raise ClusterUnavailable(
                f"the scheduler {self.scheduler} lost worker after worker over some files; see "
                "their logs, and run again to go on",
                scheduler=self.scheduler,
            )


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    """A client of a scheduler that has at least one worker, of this version."""
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ClusterUnusable(
            "a cluster needs dask.distributed; install it with `pip install 'radledger[cluster]'`"
        ) from error
    from distributed.comm.core import CommClosedError

    # it would print the traceback of what is raised here
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)

    def away(error: BaseException) -> ClusterUnavailable:
        return ClusterUnavailable(
            f"the scheduler {scheduler} or its workers are unavailable: "
            f"{str(error) or 'the connection was lost'}; run again to go on",
            scheduler=scheduler,
        )

    try:
        client: Client = Client(scheduler, timeout=_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise away(error) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_SECONDS)
            versions = set(client.run(_version).values())
        except ModuleNotFoundError as error:
            raise ClusterUnusable(f"the workers lack a package: {error}") from error
        except OSError as error:
            raise away(error) from error
        if versions != {_version()}:
            raise ClusterUnusable(
                f"the workers have radledger {', '.join(sorted(versions))}, this is "
                f"{_version()}; install the same",
                versions=sorted(versions),
            )
        try:
            yield client
        except (CommClosedError, CancelledError) as error:
            raise away(error) from error


def _version() -> str:
    return version("radledger")


def _store(
    work: Callable[..., Any],
    crashed: Callable[..., Any],
    journal: str,
    storage: Storage,
    chunk: list[Any],
) -> list[Any]:
    """Work on a chunk of files in a process of this worker's own."""
    from distributed import get_worker

    # Under its nanny a worker is a daemonic process, which would be refused a process of its own;
    # that one ends with it anyway.
    current_process().daemon = False
    WorkerPool.prepare()
    with TemporaryDirectory(dir=get_worker().local_directory) as folder:
        pool = WorkerPool(journal, storage, Path(folder), processes=1, isolated=True)
        return list(pool.run(work, chunk, crashed))

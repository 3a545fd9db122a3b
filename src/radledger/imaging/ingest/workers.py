"""Run a function on many files in processes that may be lost to a hostile one.

Workers are forked from a server that has the imports done, so that a pool starts in
milliseconds after the first; the server starts while the caller is busy with something else.
The caller's script is not run again in them, as multiprocessing would by default: it may have no
guard against that, and its imports cost more than the work.
Each worker is held to an amount of memory.  When one dies, the files that were under way are
tried again, each alone, and the one that kills its process again is blamed.

A few small files are not worth a pool: they are tried in this process first.

A store or journal that is unavailable for a while is waited for.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing import context, forkserver, parent_process, popen_forkserver, process
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar

from radledger.dicom.limits import limit_worker
from radledger.imaging.ingest.retry import AWAY, Retry
from radledger.imaging.journal.journal import Journal
from radledger.storage import Storage

__all__ = ["Crashed", "Work", "WorkerContext", "WorkerPool", "as_finished", "in_chunks"]

_FEW_FILES, _FEW_BYTES = 8, 16 << 20
_CHUNK_FILES, _CHUNK_BYTES = 16, 8 << 20
_GARBAGE = 20_000
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 32 << 20
_AHEAD = 3
_CRASHED = "reading the file crashed its process; leave it out"


class Sized(Protocol):
    """A task about some bytes."""

    @property
    def size(self) -> int:
        """How many."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What a process works with.

    Attributes
    ----------
    journal, storage, folder
        Where secrets are, where ciphertext goes, and a folder for temporary files.
    isolated
        Whether this process may be lost: only then are compressed pixels decoded in it.
    deferred
        Tasks that this process leaves to an isolated one.
    """

    journal: Journal
    storage: Storage
    folder: Path
    isolated: bool
    deferred: list[Any] = field(default_factory=list)


T = TypeVar("T", bound=Sized)
R = TypeVar("R")
Work = Callable[[WorkerContext, Sequence[T]], list[R]]
Crashed = Callable[[T, str], R]


@dataclass(frozen=True)
class WorkerPool:
    """Worker processes over one journal and one store.

    Attributes
    ----------
    journal
        Where it is; each process opens it for itself.
    storage
        Must survive pickling and reach the same content from any process.
    folder
        For temporary files.
    processes
        How many; default: as many as there are processors.
    isolated
        Run nothing in this process, however little there is to do.
    """

    journal: Path | str
    storage: Storage
    folder: Path
    processes: int | None = None
    isolated: bool = False

    @staticmethod
    def prepare() -> None:
        """Start the server that workers are forked from, without waiting for it."""
        # the driver where it is there; it would be imported by each process otherwise
        driver = ["psycopg", "sqlalchemy.dialects.postgresql.psycopg"]
        work = ["radledger.imaging.ingest.storing", "radledger.imaging.verifying"]
        _Context().set_forkserver_preload([__name__, *work, *driver])
        forkserver.ensure_running()

    def run(self, work: Work[T, R], tasks: Iterable[T], crashed: Crashed[T, R]) -> Iterator[R]:
        """The result of each task, in any order.

        Tasks are taken as they are needed, so that there may be any number of them.

        Parameters
        ----------
        work
            A function of a module that gives the results of a chunk of tasks, called in a worker.
            It is tried first in this process on few files, some of which it may defer.
        tasks
            What it is given; must survive pickling, and so must the results.
        crashed
            Makes the result of a task that killed its process twice.

        Raises
        ------
        Exception
            What `work` raises; results before it stand.
        """
        left = iter(tasks)
        first = list(islice(left, _FEW_FILES + 1))
        if self.isolated or len(first) > _FEW_FILES or sum(t.size for t in first) > _FEW_BYTES:
            left = chain(first, left)
        else:
            results, deferred = self._tried(work, first)
            yield from results
            if not deferred:
                return
            left = iter(deferred)
        chunks = in_chunks(left, _CHUNK_FILES, _CHUNK_BYTES)
        processes = self.processes or os.cpu_count() or 1
        while True:
            suspects: list[T] = []
            yield from self._pooled(work, chunks, processes, suspects)
            if not suspects:
                return
            for task in suspects:
                again: list[T] = []
                yield from self._pooled(work, iter([[task]]), 1, again, check=True)
                yield from (crashed(each, _CRASHED) for each in again)

    def _tried(self, work: Work[T, R], tasks: list[T]) -> tuple[list[R], list[T]]:
        """Work in this process: results, and the tasks that need an isolated one."""
        journal = Journal(self.journal)
        try:
            worker = WorkerContext(journal, self.storage, self.folder, isolated=False)
            return work(worker, tasks), worker.deferred
        finally:
            journal.close()

    def _pooled(
        self,
        work: Work[T, R],
        chunks: Iterator[list[T]],
        processes: int,
        lost: list[T],
        *,
        check: bool = False,
    ) -> Iterator[R]:
        """Take chunks and give results until a process dies; what was under way is `lost`.

        With `check`, a process that cannot even start is an error, and no task's fault.
        """
        pool = ProcessPoolExecutor(
            processes,
            mp_context=_Context(),
            initializer=_start,
            initargs=(self.journal, self.storage, self.folder),
        )

        def submit(chunk: list[T]) -> Future[list[R]]:
            try:
                return pool.submit(_work, work, chunk)
            except OSError as error:
                # A process died while another was being started with the pool's closed pipes.
                raise BrokenProcessPool(str(error)) from error

        def ahead() -> int:
            return 0 if lost else processes * _AHEAD

        idle = False
        try:
            if check:
                pool.submit(int).result()
            yield from as_finished(submit, chunks, ahead, BrokenProcessPool, lost)
            idle = not lost
        finally:
            # Idle workers end by themselves; giving their memory back takes them a while.
            pool.shutdown(wait=not idle, cancel_futures=True)


def as_finished(
    submit: Callable[[list[T]], Future[list[R]]],
    chunks: Iterator[list[T]],
    ahead: Callable[[], int],
    broken: type[Exception],
    lost: list[T],
) -> Iterator[R]:
    """Give chunks of tasks to workers, and their results as they come.

    Parameters
    ----------
    submit
        Gives a chunk to the workers.
    chunks
        Taken as they are needed.
    ahead
        How many chunks may be under way now.
    broken
        Raised for a chunk whose worker died; its tasks are then `lost`.
    lost
        Where they are put.
    """
    under_way: dict[Future[list[R]], list[T]] = {}
    patience = Retry()

    def begin(chunk: list[T]) -> None:
        try:
            under_way[submit(chunk)] = chunk
        except broken:
            lost.extend(chunk)

    while True:
        while len(under_way) < ahead() and (chunk := next(chunks, None)):
            begin(chunk)
        if not under_way:
            return
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            chunk = under_way.pop(future)
            try:
                results = future.result()
            except broken:
                lost += chunk
            except AWAY as error:
                patience.wait(error)
                begin(chunk)
            else:
                patience.succeeded()
                yield from results


def in_chunks(tasks: Iterable[T], most: int, most_bytes: int) -> Iterator[list[T]]:
    """Small files together, so that handing over costs little."""
    chunk: list[T] = []
    size = 0
    for task in tasks:
        if chunk and (len(chunk) == most or size + task.size > most_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(task)
        size += task.size
    if chunk:
        yield chunk


class _Process(context.ForkServerProcess):
    """A process that knows nothing of the caller's script."""

    _hiding = threading.Lock()

    @staticmethod
    def _Popen(process_obj: process.BaseProcess) -> popen_forkserver.Popen:  # noqa: N802
        # What is found as __main__ while a process starts is what runs again in it.
        with _Process._hiding:
            script = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                return popen_forkserver.Popen(process_obj)
            finally:
                sys.modules["__main__"] = script


class _Context(context.ForkServerContext):
    Process = _Process


_worker: WorkerContext | None = None  # what this process works with, once it is a worker


def _start(journal: Path | str, storage: Storage, folder: Path) -> None:
    global _worker
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = WorkerContext(Journal(journal), storage, folder, isolated=True)
    # What was imported stays; data sets are full of cycles, each of which would be looked for.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    _keep_freed_memory()
    limit_worker()


def _keep_freed_memory() -> None:
    """Take the buffers of the next file from where those of the last one were.

    Given back to the kernel in between, they cost a tenth of the time that a file takes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # of glibc, mallopt(3)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_TRIM_THRESHOLD, 2 * _KEPT_BYTES)


def _end_with_parent() -> None:
    """End when the pool's owner was killed, instead of waiting for a task forever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(work: Work[T, R], chunk: list[T]) -> list[R]:
    if _worker is None:
        raise AssertionError("the worker was not started")
    return work(_worker, chunk)

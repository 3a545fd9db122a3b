"""Run a function on many files in processes that may be lost to a hostile one.

Workers are forked from a server that has the imports done, so that a pool starts in
milliseconds after the first; the server starts while the caller is busy with something else.
The caller's script is not run again in them, as multiprocessing would by default: it may have no
guard against that, and its imports cost more than the work.
Each worker is held to an amount of memory.  When one dies, the files that were under way are
tried again, each alone, and the one that kills its process again is blamed.

A few small files are not worth a pool: they are tried in this process first.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import context, forkserver, popen_forkserver, process
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar

from radledger.dicom.limits import limit_worker
from radledger.imaging.journal import Journal
from radledger.imaging.storing import Bench, Rest
from radledger.storage import Storage

__all__ = ["Crew"]

_FEW_FILES, _FEW_BYTES = 8, 16 << 20
_CHUNK_FILES, _CHUNK_BYTES = 16, 8 << 20
# Flushing to the disk takes longer than all else, and many flushes together no longer than one.
_FLUSHERS = 8
_GARBAGE = 20_000
_CHUNKS_AHEAD = 3
_CRASHED = "reading the file crashed its process; leave it out"


class Sized(Protocol):
    """A task about some bytes."""

    @property
    def size(self) -> int: ...


T = TypeVar("T", bound=Sized)
R = TypeVar("R")
Work = Callable[[Bench, T], R | Rest[R] | None]


@dataclass(frozen=True)
class Crew:
    """Worker processes over one journal and one store.

    Attributes
    ----------
    journal
        Where it is; each process opens it for itself.
    storage
        Must survive pickling and reach the same content from any process.
    folder
        For temporary files.
    """

    journal: Path | str
    storage: Storage
    folder: Path

    @staticmethod
    def prepare() -> None:
        """Start the server that workers are forked from, without waiting for it."""
        _Context().set_forkserver_preload([__name__, "radledger.imaging.verifying"])
        forkserver.ensure_running()

    def run(
        self,
        work: Work[T, R],
        tasks: Sequence[T],
        crashed: Callable[[T, str], R],
    ) -> Iterator[R]:
        """The result of each task, in any order.

        Parameters
        ----------
        work
            A function of a module, called in a worker; in this process, where it is tried first
            on few files, it gives `None` for a file that it leaves to a worker.  What of its
            work waits for the disk, it may leave as a `Rest`.
        tasks
            What to call it with; must survive pickling, and so must the results.
        crashed
            Makes the result of a task that killed its process twice.

        Raises
        ------
        Exception
            What `work` raises; results before it stand.
        """
        left = list(tasks)
        if len(tasks) <= _FEW_FILES and sum(task.size for task in tasks) <= _FEW_BYTES:
            left = []
            with self._bench() as bench:
                for task in tasks:
                    result = work(bench, task)
                    if result is None:
                        left.append(task)
                    else:
                        yield result.finish() if isinstance(result, Rest) else result
        chunks = deque(_chunks(left))
        while chunks:
            suspects: list[T] = []
            yield from self._pooled(work, chunks, os.cpu_count() or 1, suspects)
            for task in suspects:
                again: list[T] = []
                yield from self._pooled(work, deque([[task]]), 1, again, check=True)
                yield from (crashed(each, _CRASHED) for each in again)

    @contextmanager
    def _bench(self) -> Iterator[Bench]:
        journal = Journal(self.journal)
        try:
            yield Bench(journal, self.storage, self.folder, isolated=False)
        finally:
            journal.close()

    def _pooled(
        self,
        work: Work[T, R],
        chunks: deque[list[T]],
        processes: int,
        lost: list[T],
        *,
        check: bool = False,
    ) -> Iterator[R]:
        """Take chunks and give results until a process dies; what was under way is `lost`.

        With `check`, a process that cannot even start is an error, and no task's fault.
        """
        pool = ProcessPoolExecutor(
            min(processes, len(chunks)),
            mp_context=_Context(),
            initializer=_start,
            initargs=(self.journal, self.storage, self.folder),
        )
        under_way: deque[tuple[list[T], Future[list[R]]]] = deque()
        try:
            if check:
                pool.submit(int).result()
            while (chunks and not lost) or under_way:
                if chunks and not lost and len(under_way) < processes * _CHUNKS_AHEAD:
                    under_way.append((chunks[0], pool.submit(_work, work, chunks[0])))
                    chunks.popleft()
                    continue
                chunk, future = under_way.popleft()
                try:
                    yield from future.result()
                except BrokenProcessPool:
                    lost += chunk
        except BrokenProcessPool:
            if not under_way:
                raise  # no file is to blame
            for chunk, _ in under_way:
                lost += chunk
        finally:
            pool.shutdown(cancel_futures=True)


def _chunks(tasks: Sequence[T]) -> Iterator[list[T]]:
    """Small files together, so that handing over costs little."""
    chunk: list[T] = []
    size = 0
    for task in tasks:
        if chunk and (len(chunk) == _CHUNK_FILES or size + task.size > _CHUNK_BYTES):
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


@dataclass(frozen=True)
class _Worker:
    """What this process works with, once it is a worker."""

    bench: Bench
    flushers: ThreadPoolExecutor


_worker: _Worker | None = None


def _start(journal: Path | str, storage: Storage, folder: Path) -> None:
    global _worker
    bench = Bench(Journal(journal), storage, folder, isolated=True)
    _worker = _Worker(bench, ThreadPoolExecutor(_FLUSHERS))
    # What was imported stays; data sets are full of cycles, each of which would be looked for.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    limit_worker()


def _work(work: Callable[[Bench, Any], Any], chunk: list[Any]) -> list[Any]:
    if _worker is None:
        raise AssertionError("the worker was not started")
    begun: list[Any] = []
    for task in chunk:
        result = work(_worker.bench, task)
        rest = isinstance(result, Rest)
        begun.append(_worker.flushers.submit(result.finish) if rest else result)
    return [each.result() if isinstance(each, Future) else each for each in begun]

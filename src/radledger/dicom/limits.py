"""How much one file may claim, and how to hold a worker process to it."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import ParamSpec, TypeVar

from radledger.dicom.errors import DicomTooLarge, DicomTooSlow

__all__ = [
    "ELEMENT_BYTES",
    "MAX_DEPTH",
    "MAX_ELEMENTS",
    "MAX_FRAGMENTS",
    "MAX_FRAME_SAMPLES",
    "MAX_HEADER_BYTES",
    "MAX_INFLATED_BYTES",
    "WORKER_MEMORY_BYTES",
    "bounded",
    "limit_worker",
    "time_limit",
]

MAX_HEADER_BYTES = 48 << 20
"""Everything but the pixel data; it is held in memory, up to three times."""

ELEMENT_BYTES = 700
"""What pydicom needs for one data element or item beside its value; it counts as header."""

MAX_ELEMENTS = 200_000
"""Data elements and items of one file; they are counted before any is read."""

MAX_DEPTH = 64
"""Sequences within sequences; structured reports of real systems stay below 20."""

MAX_FRAGMENTS = 1 << 20
"""Fragments of encapsulated pixel data; a whole slide has some 100,000."""

MAX_INFLATED_BYTES = 256 << 20
"""What a deflated data set may inflate to, on disk."""

MAX_FRAME_SAMPLES = 1 << 24
"""Samples of one compressed frame that is decoded; a mammogram has 14 million."""

WORKER_MEMORY_BYTES = 640 << 20
"""What a worker may allocate.  The interpreter, NumPy and the codecs take 120 MB of it, and gdcm
350 MB for a lossless JPEG frame of `MAX_FRAME_SAMPLES`; without them it ends its process."""

_AGAIN = 0.5

P = ParamSpec("P")
T = TypeVar("T")


def limit_worker(memory_bytes: int = WORKER_MEMORY_BYTES) -> None:
    """Hold this process to an amount of memory, for good.

    Made to be the ``initializer`` of a process pool.  The limit is on private memory
    (``RLIMIT_DATA``), which address space reserved by libraries and never used does not
    exhaust.  Where the system knows no such limit, nothing is limited.

    Parameters
    ----------
    memory_bytes
        Bytes of private memory, stacks and heap together.

    Examples
    --------
    >>> from concurrent.futures import ProcessPoolExecutor
    >>> with ProcessPoolExecutor(1, initializer=limit_worker) as pool:
    ...     pool.submit(len, b"abc").result()
    3
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        memory_bytes = min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, hard))


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `DicomTooSlow` in the main thread of this process after some seconds.

    A codec that is busy in C is interrupted when it returns from the frame at hand, whose
    size is bounded.

    Parameters
    ----------
    seconds
        Wall-clock time; more than 0.

    Raises
    ------
    DicomTooSlow
        When the block takes longer.
    """

    late = DicomTooSlow(
        f"reading the file took more than {seconds:g} s; leave it out", seconds=seconds
    )
    expired = False

    def expire(_signal: int, _frame: FrameType | None) -> None:
        nonlocal expired
        expired = True
        raise late

    previous = signal.signal(signal.SIGALRM, expire)
    # libraries swallow errors, this one too: it comes again, and is raised at the end anyway
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    except Exception as error:
        if expired and error is not late:
            raise late from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    if expired:
        raise late


def bounded(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function and report exhausted memory or stack as the file's fault.

    Parameters
    ----------
    function, *args, **kwargs
        What to call.

    Raises
    ------
    DicomTooLarge
        When the call runs out of memory.
    """
    try:
        return function(*args, **kwargs)
    except (MemoryError, RecursionError) as error:
        raise DicomTooLarge(
            "reading the file needs more memory than one file may use; leave it out",
            cause=type(error).__name__,
        ) from error

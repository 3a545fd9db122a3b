"""What holds for a file that is read in a process of its own, which a hostile one may take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from radledger.dicom.limits import time_limit
from radledger.dicom.source import DicomSource

__all__ = ["NeedsIsolation", "limited", "require_isolation", "silent_codecs"]

# A file may take two minutes, and a second more for each of these bytes.
_SECONDS, _BYTES_PER_SECOND = 120.0, 4 << 20
_STDERR = 2


class NeedsIsolation(Exception):
    """The file has compressed pixels, which only a process that may be lost decodes."""


def require_isolation(source: DicomSource, *, isolated: bool) -> None:
    """Let an isolated process read any file, and others those without compressed pixels.

    Raises
    ------
    NeedsIsolation
        If this process is not isolated, and would decode compressed pixels.
    """
    if not (isolated or source.native or source.pixels is None):
        raise NeedsIsolation


@contextmanager
def limited(size: int, *, isolated: bool) -> Iterator[None]:
    """Hold the reading of a file to a time, and keep what codecs say of it off the terminal.

    Parameters
    ----------
    size
        Bytes of the file.
    isolated
        Whether this process does nothing else; otherwise nothing is done: only the main thread
        of a process can be interrupted, and other threads may write to the terminal.

    Raises
    ------
    DicomTooSlow
        When the reading takes longer.
    """
    if not isolated:
        yield
        return
    with silent_codecs(), time_limit(_SECONDS + size / _BYTES_PER_SECOND):
        yield


@contextmanager
def silent_codecs() -> Iterator[None]:
    """Drop what is written to standard error: libjpeg writes there even for files that it reads.

    Standard error is the whole process's, so this is for processes that have no other thread
    which writes to it.
    """
    kept, nothing = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(nothing)
        os.close(kept)

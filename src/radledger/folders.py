"""Folders: as their users name them, and used by several processes at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["alone_in", "expanded"]


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait for all others that call this for a folder, and let none in meanwhile.

    The lock is one of flock(2), which ends with the process however it ends.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> with alone_in(Path(tempfile.mkdtemp())):
    ...     "nobody else"
    'nobody else'
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # A process that was forked meanwhile has the descriptor, and would keep the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def expanded(path: Path | str) -> Path:
    """A path with ``~`` and ``~user`` replaced, as a shell does where it sees them.

    Examples
    --------
    >>> expanded("~/radledger") == Path.home() / "radledger"
    True
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:  # there is no such user, so it is a name like any other
        return Path(path)

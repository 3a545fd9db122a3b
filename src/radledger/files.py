"""Files and folders: atomic writes, locks between processes, and expansion of `~`."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["expanded", "locked", "private_folder", "synchronise", "write_atomically"]


def synchronise(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, text: str, *, private: bool = False) -> None:
    """Write ``text`` so that a reader, or a crash, sees the old file or the new one.

    Parameters
    ----------
    path
        Where; its folder is made.
    text
        What, in UTF-8.
    private
        Whether only the owner may read it (mode 0600), from its first byte on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if not private:
            umask = os.umask(0)
            os.umask(umask)
            Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def private_folder(path: Path) -> Path:
    """Make a folder that only the owner can enter (mode 0700), and return it."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Lock a path against other processes and threads that lock it.

    The lock is one of flock(2), which ends with the process however it ends.

    Parameters
    ----------
    path
        A folder, or a file, which is made for its owner alone if it does not exist.
    wait
        Wait for others; default: yes.

    Raises
    ------
    BlockingIOError
        If it is locked, and not to be waited for.
    FileNotFoundError
        If there is not even a folder for the file.

    Examples
    --------
    >>> import tempfile
    >>> with locked(Path(tempfile.mkdtemp())):
    ...     "alone"
    'alone'
    """
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield
        finally:
            # A process that was forked meanwhile has the descriptor, and would keep the lock.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def expanded(path: Path | str) -> Path:
    """A path with ``~`` and ``~user`` expanded, as in a shell.

    Examples
    --------
    >>> expanded("~/radledger") == Path.home() / "radledger"
    True
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:  # there is no such user, so it is a name like any other
        return Path(path)

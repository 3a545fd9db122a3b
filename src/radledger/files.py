"""Files and folders: written as a whole, locked between processes, named as shells name them."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["directory_lock", "expanded", "private_folder", "write_atomically"]


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
def directory_lock(folder: Path) -> Iterator[None]:
    """Wait for all others that call this for a folder, and let none in meanwhile.

    The lock is one of flock(2), which ends with the process however it ends.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> with directory_lock(Path(tempfile.mkdtemp())):
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

"""Which users of a folder are running: each holds a lock that ends with its process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from functools import cached_property
from pathlib import Path

from radledger.files import locked

__all__ = ["LivenessLocks"]


class LivenessLocks:
    """The lock files of the users of a folder.

    A file is locked by flock(2) for as long as its process lives, however that ends.

    Parameters
    ----------
    folder
        Made when the first mark is.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> here, there = LivenessLocks(folder), LivenessLocks(folder)
    >>> here.is_alive(there.own), here.is_alive("other")
    (True, False)
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def own(self) -> str:
        """The name of this user's lock file, created on first use."""
        name = secrets.token_hex(8)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        # Between creating the file and locking it, another process must not sweep it.
        with locked(self._folder):
            self._sweep()
            # Open, and so locked, until the process ends.
            mark = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(mark, fcntl.LOCK_EX)
        return name

    def is_alive(self, name: str) -> bool:
        """Whether the user of a lock file is still running."""
        try:
            mark = os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(mark, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(mark)
        return False

    def _sweep(self) -> None:
        """Delete the files of processes that have ended."""
        for path in self._folder.iterdir():
            if not self.is_alive(path.name):
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()

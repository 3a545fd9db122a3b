"""Small files that are there as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["private_folder", "write_atomically"]


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

"""Find the files under given paths: safely, and always in the same order."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from radledger.texts import visible

__all__ = ["Candidate", "Skipped", "printable", "scan"]

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ordinary, readable file that may be DICOM."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A path that was left out, and why.

    Attributes
    ----------
    path
        As found; it may hold any byte.  Show `name` instead.
    reason
        A few words, such as ``link out of the folder``.
    """

    path: Path
    reason: str

    @property
    def name(self) -> str:
        """The path in printable characters."""
        return printable(self.path)


def printable(path: Path | str) -> str:
    r"""A path on one line, in characters that any terminal, log and JSON text can hold.

    Examples
    --------
    >>> printable("scan\n1.dcm")
    'scan\\n1.dcm'
    >>> printable("a" * 400)[:3], len(printable("a" * 400))
    ('aaa', 200)
    """
    text = visible(os.fspath(path))
    return text if len(text) <= _LONGEST else text[: _LONGEST // 2 - 1] + "…" + text[-100:]


def scan(paths: Iterable[Path]) -> Iterator[Candidate | Skipped]:
    """Walk files and folders, depth first, names in byte order, each file once.

    Links are followed for the paths given themselves; below a folder only if they stay
    within it, and never to a folder, so that no walk is endless.

    Parameters
    ----------
    paths
        Files or folders, any mix.

    Yields
    ------
    Candidate | Skipped
        What to read, and what was left out with its reason; nothing is silently dropped.

    Examples
    --------
    >>> [found.reason for found in scan([Path("no/such/file")])]
    ['not found']
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        try:
            status = path.stat()
            folder = stat.S_ISDIR(status.st_mode)
            root = path.resolve() if folder else path
        except FileNotFoundError:
            yield Skipped(path, "not found")
        except (OSError, ValueError, RuntimeError) as error:
            yield Skipped(path, _reason(error))
        else:
            yield from _folder(path, root, seen) if folder else _file(path, status, seen)


def _folder(folder: Path, root: Path, seen: set[tuple[int, int]]) -> Iterator[Candidate | Skipped]:
    pending = [folder]
    while pending:
        current = pending.pop()
        try:
            with os.scandir(current) as listing:
                entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            yield Skipped(current, _reason(error))
            continue
        folders = []
        for entry in entries:
            path = current / entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            else:
                yield from _entry(path, entry, root, seen)
        pending.extend(reversed(folders))


def _entry(
    path: Path, entry: os.DirEntry[str], root: Path, seen: set[tuple[int, int]]
) -> Iterator[Candidate | Skipped]:
    try:
        if entry.is_symlink():
            if not path.resolve(strict=True).is_relative_to(root):
                yield Skipped(path, "link out of the folder")
                return
            if path.is_dir():
                yield Skipped(path, "link to a folder")
                return
        status = path.stat()
    except FileNotFoundError:
        yield Skipped(path, "link to nothing")
    except (OSError, ValueError, RuntimeError) as error:
        yield Skipped(path, _reason(error))
    else:
        yield from _file(path, status, seen)


def _file(
    path: Path, status: os.stat_result, seen: set[tuple[int, int]]
) -> Iterator[Candidate | Skipped]:
    mode = status.st_mode
    if stat.S_ISFIFO(mode):
        yield Skipped(path, "pipe")
    elif stat.S_ISSOCK(mode):
        yield Skipped(path, "socket")
    elif not stat.S_ISREG(mode):
        yield Skipped(path, "device")
    elif path.name == "DICOMDIR":
        yield Skipped(path, "a DICOMDIR lists other files; give those")
    elif status.st_size == 0:
        yield Skipped(path, "empty")
    elif not os.access(path, os.R_OK):
        yield Skipped(path, "unreadable")
    elif (status.st_dev, status.st_ino) in seen:
        yield Skipped(path, "given twice")
    else:
        seen.add((status.st_dev, status.st_ino))
        yield Candidate(path, status.st_size)


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "unreadable"
    return (error.strerror if isinstance(error, OSError) else None) or "link to itself"

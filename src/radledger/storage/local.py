"""A store in a folder, safe for any number of processes at once.

::

    folder/
      pinned/<character>/<cid>      the bytes, read-only
      unpinned/<character>/<cid>    the same, until they are collected
      temporary/                    being written or read

Where a content lies says whether it is pinned, so each step is one rename and needs no lock: a
process that is killed leaves either the old state or the new one.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from radledger.storage.cid import BUFFER, cid_digest, new_hasher, verified
from radledger.storage.errors import ContentNotFound
from radledger.storage.protocol import Stat, Stored

__all__ = ["LocalStore"]

_ABANDONED_AFTER_SECONDS = 24 * 3600


class LocalStore:
    """A :class:`~radledger.storage.Storage` in a folder, with the CIDs that Kubo gives.

    Parameters
    ----------
    folder
        Made if it does not exist.

    Notes
    -----
    What the operating system refuses (a full disk, a missing permission) is raised as the
    ``OSError`` that it is; nothing half-written stays.

    Examples
    --------
    >>> import io, tempfile
    >>> store = LocalStore(Path(tempfile.mkdtemp()))
    >>> stored = store.put(io.BytesIO(b"pixels"))
    >>> stored.size, store.stat(stored.cid).pinned
    (6, True)
    >>> store.unpin(stored.cid)
    >>> store.collect()
    >>> store.get(stored.cid)
    Traceback (most recent call last):
    radledger.storage.errors.ContentNotFound: ...
    """

    def __init__(self, folder: Path) -> None:
        self._pinned = folder / "pinned"
        self._unpinned = folder / "unpinned"
        self._temporary = folder / "temporary"
        for part in (self._pinned, self._unpinned, self._temporary):
            part.mkdir(parents=True, exist_ok=True)

    def put(self, source: IO[bytes], cid: str | None = None) -> Stored:
        """Store a stream and pin it, on the disk when this returns; see :class:`Storage`."""
        descriptor, name = tempfile.mkstemp(dir=self._temporary)
        aside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                stored = _copy(source, file, cid)
                file.flush()
                os.fchmod(file.fileno(), 0o400)
                os.fsync(file.fileno())
            _move(aside, _place(self._pinned, stored.cid))
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        return stored

    def get(self, cid: str) -> IO[bytes]:
        """Open a content, verified as a whole first; see :class:`Storage`."""
        # A content may be moved either way while this looks for it.
        for part in (self._pinned, self._unpinned, self._pinned):
            try:
                file = _place(part, cid).open("rb")
            except FileNotFoundError:
                continue
            with file:
                return verified(cid, _chunks(file), folder=str(self._temporary))
        raise _not_found(cid)

    def pin(self, cid: str) -> None:
        """Keep a content; see :class:`Storage`."""
        self._move_between(self._unpinned, self._pinned, cid)
        if not _place(self._pinned, cid).exists():
            raise _not_found(cid)

    def unpin(self, cid: str) -> None:
        """Give a content up; see :class:`Storage`."""
        self._move_between(self._pinned, self._unpinned, cid)

    def stat(self, cid: str) -> Stat:
        """Size and pin of a content; see :class:`Storage`."""
        for part in (self._pinned, self._unpinned, self._pinned):
            try:
                size = _place(part, cid).stat().st_size
            except FileNotFoundError:
                continue
            return Stat(cid, size, pinned=part is self._pinned)
        raise _not_found(cid)

    def collect(self) -> None:
        """Delete what is not pinned, and what killed processes left; see :class:`Storage`."""
        for path in self._unpinned.glob("*/*"):
            path.unlink(missing_ok=True)
        for shard in self._unpinned.iterdir():
            _sync_folder(shard)
        long_ago = time.time() - _ABANDONED_AFTER_SECONDS
        for path in self._temporary.iterdir():
            # another process may be done with it by now
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < long_ago:
                    path.unlink()

    def _move_between(self, source: Path, target: Path, cid: str) -> None:
        try:
            _move(_place(source, cid), _place(target, cid))
        except FileNotFoundError:
            return
        _sync_folder(_place(source, cid).parent)


def _place(part: Path, cid: str) -> Path:
    """Where a content lies; the last character of a CID but one is evenly spread."""
    cid_digest(cid)
    return part / cid[-2] / cid


def _move(source: Path, target: Path) -> None:
    """Rename, on the disk when this returns."""
    if not target.parent.exists():
        target.parent.mkdir(exist_ok=True)
        _sync_folder(target.parent.parent)
    source.replace(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: IO[bytes], target: IO[bytes], cid: str | None) -> Stored:
    """Write, and hash in the same pass what has no name yet."""
    hasher = new_hasher()
    size = 0
    for chunk in _chunks(source):
        if cid is None:
            hasher.update(chunk)
        target.write(chunk)
        size += len(chunk)
    return Stored(cid or hasher.finalize(), size)


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: source.read(BUFFER), b"")


def _not_found(cid: str) -> ContentNotFound:
    return ContentNotFound(f"the store has no {cid}; it was deleted or never put here", cid=cid)

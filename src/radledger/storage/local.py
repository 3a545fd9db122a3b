"""A store in a folder, safe for any number of processes at once.

::

    folder/
      pinned/<character>/<cid>      the bytes, read-only
      unpinned/<character>/<cid>    the same, until they are collected
      temporary/                    being written or read

The folder of a content says whether it is pinned, so each step is one rename and needs no lock: a
process that is killed leaves either the old state or the new one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from radledger.files import synchronise
from radledger.storage.cid import BUFFER, cid_digest, new_hasher, too_long, verified
from radledger.storage.errors import ContentNotFound
from radledger.storage.protocol import Holding, Stat, Stored, holding

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
        with self._writing() as write:
            return write(source, cid)

    def put_all(self, contents: Iterable[tuple[IO[bytes], str]]) -> None:
        """Store several streams, on the disk when this returns; see :class:`Storage`."""
        with self._writing() as write:
            for source, cid in contents:
                write(source, cid)

    def get(self, cid: str, most: int | None = None) -> IO[bytes]:
        """Open a content, verified as a whole first; see :class:`Storage`."""
        # A content may be moved either way while this looks for it.
        for part in (self._pinned, self._unpinned, self._pinned):
            try:
                file = _place(part, cid).open("rb")
            except FileNotFoundError:
                continue
            with file:
                return verified(cid, _chunks(file), most, folder=str(self._temporary))
        raise _not_found(cid)

    def pin(self, cid: str, most: int | None = None) -> None:
        """Pin a content; see :class:`Storage`."""
        if most is not None and self.stat(cid).size > most:
            raise too_long(cid, most)
        self._move_between(self._unpinned, self._pinned, cid)
        if not _place(self._pinned, cid).exists():
            raise _not_found(cid)

    def unpin(self, cid: str) -> None:
        """Unpin a content; see :class:`Storage`."""
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

    def missing(self, cids: Collection[str]) -> set[str]:
        """The contents that are not pinned; see :class:`Storage`."""
        return {cid for cid in cids if not _place(self._pinned, cid).exists()}

    @property
    def copies(self) -> int:
        """One; see :class:`Storage`."""
        return 1

    def holdings(self, cid: str) -> dict[str, Holding]:
        """What this node has of a content; see :class:`Storage`."""
        return {"store": holding(self, cid)}

    def collect(self) -> None:
        """Delete what is not pinned, and leftovers of killed processes; see :class:`Storage`."""
        for path in self._unpinned.glob("*/*"):
            path.unlink(missing_ok=True)
        for shard in self._unpinned.iterdir():
            synchronise(shard)
        long_ago = time.time() - _ABANDONED_AFTER_SECONDS
        for path in self._temporary.iterdir():
            # another process may be done with it by now
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < long_ago:
                    path.unlink()

    @contextmanager
    def _writing(self) -> Iterator[Callable[[IO[bytes], str | None], Stored]]:
        """Write contents aside; at the end they are where they belong, and on the disk.

        The disk begins with each at once, and is waited for when it has all of them.
        """
        written: dict[IO[bytes], str] = {}

        def write(source: IO[bytes], cid: str | None) -> Stored:
            file = NamedTemporaryFile(dir=self._temporary, delete=False)  # noqa: SIM115 (opened)
            opened.enter_context(file)
            written[file] = ""
            stored = _copy(source, file, cid)
            written[file] = stored.cid
            file.flush()
            os.fchmod(file.fileno(), 0o400)
            _leave_memory(file)
            return stored

        with ExitStack() as opened:
            try:
                yield write
                for file in written:
                    os.fsync(file.fileno())
                    _leave_memory(file)
                moved = {
                    _moved(Path(file.name), _place(self._pinned, cid))
                    for file, cid in written.items()
                }
                for folder in moved:
                    synchronise(folder)
            except BaseException:
                for file in written:
                    Path(file.name).unlink(missing_ok=True)
                raise

    def _move_between(self, source: Path, target: Path, cid: str) -> None:
        try:
            synchronise(_moved(_place(source, cid), _place(target, cid)))
        except FileNotFoundError:
            return
        synchronise(_place(source, cid).parent)


def _place(part: Path, cid: str) -> Path:
    """The path of a content, by the last character but one of its CID, which is evenly spread."""
    cid_digest(cid)
    return part / cid[-2] / cid


def _moved(source: Path, target: Path) -> Path:
    """Rename, and return the folder that has to be synchronised for it to be on disk."""
    if not target.parent.exists():
        target.parent.mkdir(exist_ok=True)
        synchronise(target.parent.parent)
    return source.replace(target).parent


def _leave_memory(file: IO[bytes]) -> None:
    """Have a file written to the disk, and leave the kernel's cache to what is read."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


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

"""SQLite files that are their owner's alone, for any number of processes and threads."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from radledger.folders import alone_in

__all__ = ["SqliteDatabase", "Write", "opening"]

# One statement of a transaction, and the values of its question marks.
Write = Callable[..., Any]


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Be the only process that opens a database; its file is made unless it is there.

    SQLite waits for nobody when a new database gets its write-ahead log.

    Parameters
    ----------
    path
        The file; it can be read by its owner alone (mode 0600), as its folder if that is new.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "new" / "notes.sqlite3"
    >>> with opening(path):
    ...     oct(path.stat().st_mode), path.stat().st_size
    ('0o100600', 0)

    References
    ----------
    .. [1] SQLite, "How To Corrupt An SQLite Database File", section 2.2: POSIX locks
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone_in(path.parent):
        # SQLite gives its other files the permissions of the first.  One that is there is not
        # opened here: closing it would end the locks that this process has on it.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield


class SqliteDatabase:
    """One connection, made at its first use, which threads take turns with.

    Parameters
    ----------
    path
        The file, made with its folder if it is not there; None: in memory, for as long as this
        object.
    schema
        Statements that make what is not there yet.

    Attributes
    ----------
    lock
        Held for one statement or transaction; hold it over several that belong together.

    Examples
    --------
    >>> visits = SqliteDatabase(None, "CREATE TABLE IF NOT EXISTS visits (day TEXT) STRICT;")
    >>> with visits.writing() as write:
    ...     _ = write("INSERT INTO visits VALUES (?)", "2026-11-26")
    >>> visits.rows("SELECT day FROM visits WHERE day > ?", "2026")
    [('2026-11-26',)]
    """

    def __init__(self, path: Path | None, schema: str) -> None:
        self.lock = threading.RLock()
        self._path = path
        self._schema = schema

    def open(self) -> None:
        """Open it now, so that what is wrong with it is known before it is used."""
        with self.lock:
            _ = self._connection

    def close(self) -> None:
        """Close the connection for good, if there is one."""
        with self.lock:
            if "_connection" in vars(self):
                self._connection.close()

    def rows(self, query: str, *values: Any) -> list[Any]:
        """What a query finds."""
        with self.lock:
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Write]:
        """One transaction, which is all or nothing, and nobody else's meanwhile.

        What is `durable`, and all that was written before it, survives a power failure.
        """
        with self.lock:
            connection = self._connection
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            with connection:  # commits, or takes all back
                yield lambda statement, *values: connection.execute(statement, values)

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        if self._path is None:
            return self._connected(":memory:")
        with opening(self._path):
            return self._connected(self._path)

    def _connected(self, path: Path | str) -> sqlite3.Connection:
        connection = sqlite3.connect(path, 60, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.executescript(self._schema)
        return connection

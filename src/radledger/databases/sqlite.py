"""Private SQLite files, for any number of processes and threads."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from radledger.errors import DatabaseOfLaterRelease, DatabaseUnavailable
from radledger.files import locked

__all__ = ["SqliteDatabase", "Write", "opening"]

# One statement of a transaction, and the values of its question marks.
Write = Callable[..., Any]


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Open a database exclusively: SQLite does not wait while a new one is created.

    Its file and folder are made unless they are there, for their owner alone (0600 and 0700).

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "new" / "notes.sqlite3"
    >>> with opening(path):
    ...     oct(path.stat().st_mode), path.stat().st_size
    ('0o100600', 0)
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(path.parent):
        # SQLite gives its other files the permissions of the first.  One that is there is not
        # opened here: closing it would end the locks that this process has on it
        # (https://sqlite.org/howtocorrupt.html, section 2.2).
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
        Scripts, one for each version of the layout (``PRAGMA user_version``): a new file gets all,
        an older one those that it lacks.  The first also meets files from before there were
        versions.  An empty tuple leaves tables and version to the caller.

    Attributes
    ----------
    lock
        Held for one statement or transaction; hold it over several that belong together.

    Raises
    ------
    DatabaseUnavailable
        By what opens, reads or writes it: if it is not a database, or cannot be written;
        `DatabaseOfLaterRelease` if its version is later than the last script's.

    Examples
    --------
    >>> visits = SqliteDatabase(None, ("CREATE TABLE IF NOT EXISTS visits (day TEXT) STRICT;",))
    >>> with visits.writing() as write:
    ...     _ = write("INSERT INTO visits VALUES (?)", "2026-11-26")
    >>> visits.rows("SELECT day FROM visits WHERE day > ?", "2026")
    [('2026-11-26',)]
    """

    def __init__(self, path: Path | None, schema: tuple[str, ...]) -> None:
        self.lock = threading.RLock()
        self._path = path
        self._schema = schema

    def open(self) -> None:
        """Open it now, so that what is wrong with it is known before it is used."""
        with self._usable():
            pass

    def close(self) -> None:
        """Close the connection for good, if there is one."""
        with self.lock:
            if "_connection" in vars(self):
                self._connection.close()

    def rows(self, query: str, *values: Any) -> list[Any]:
        """The rows that a query finds."""
        with self._usable() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Write]:
        """One transaction; no other begins meanwhile.

        What is `durable`, and all that was written before it, survives a power failure.
        """
        with self._usable() as connection:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            with connection:  # commits, or takes all back
                yield lambda statement, *values: connection.execute(statement, values)

    def forget(self) -> bool:
        """Let no file hold what was deleted: the write-ahead log has the old pages still.

        Returns
        -------
        bool
            Whether that could be done: not while another connection reads, or writes for a minute.
        """
        with self._usable() as connection:
            ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return not busy

    @contextmanager
    def _usable(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time."""
        with self.lock:
            try:
                yield self._connection
            except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
                raise  # not the database's fault
            except sqlite3.Error as error:
                raise DatabaseUnavailable(
                    f"the database {self._path} cannot be used: {error}; run again when it can",
                    path=str(self._path),
                ) from error

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        if self._path is None:
            return self._connected(":memory:")
        with opening(self._path):
            return self._connected(self._path)

    def _connected(self, path: Path | str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, timeout=60, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            connection.execute("PRAGMA secure_delete = ON").fetchall()  # with zeros, in its pages
            self._bring_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _bring_up(self, connection: sqlite3.Connection) -> None:
        """Run the scripts that a file lacks, each with its version in one transaction."""
        ((version,),) = connection.execute("PRAGMA user_version")
        if self._schema and version > len(self._schema):
            raise DatabaseOfLaterRelease(
                f"the database {self._path} was written by a later release (layout {version}, here "
                f"{len(self._schema)}); use that release",
                path=str(self._path),
                layout=version,
                supported=len(self._schema),
            )
        for number, script in enumerate(self._schema[version:], version + 1):
            connection.executescript(
                f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;"
            )

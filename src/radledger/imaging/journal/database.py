"""The database of a journal: an SQLite file, or a schema of a PostgreSQL server.

A journal has one connection: a server has to allow as many as there are workers, and one more.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Table, event, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from radledger.databases.engines import Kind, make_schema
from radledger.databases.sqlite import opening
from radledger.imaging.errors import HomeBusy, InvalidJournalUrl, JournalUnavailable
from radledger.imaging.journal import migrations
from radledger.imaging.journal.tables import metadata, sets

__all__ = ["Database", "in_schema", "open_database", "require_url"]

_SCHEMA = "schema"
_KIND = Kind("journal", JournalUnavailable, InvalidJournalUrl)
_CLAIM_WITHIN = "5s"  # a server lets go of a lost session's locks a moment later


def open_database(location: Path | str) -> Database:
    """Open a journal's database, made if it is not there, and brought up to this release's tables.

    Parameters
    ----------
    location
        Path of an SQLite file, or ``postgresql://…``, where ``schema=NAME`` in the query says in
        which schema the tables are.

    Raises
    ------
    InvalidJournalUrl
        If the URL cannot be used.
    JournalUnavailable
        If the database does not answer, or is none.
    DatabaseOfLaterRelease
        If a later release has changed its tables.
    """
    return Sqlite(location) if isinstance(location, Path) else Postgresql(location)


def require_url(url: str) -> None:
    """Check that a URL is one of a PostgreSQL database; nothing is opened.

    Raises
    ------
    InvalidJournalUrl
        If it is not.
    """
    _KIND.parsed(url)


def in_schema(url: str, schema: str) -> str:
    """The URL of a PostgreSQL database with the schema in which a journal is.

    Raises
    ------
    InvalidJournalUrl
        If it is not a PostgreSQL URL.

    Examples
    --------
    >>> in_schema("postgresql://hospital@localhost/journals", "imaging_1")
    'postgresql://hospital@localhost/journals?schema=imaging_1'
    """
    full = _KIND.parsed(url).set(drivername="postgresql").update_query_dict({_SCHEMA: schema})
    return full.render_as_string(hide_password=False)


class Database:
    """One connection, and what the two kinds of database do differently."""

    def __init__(self, url: sqlalchemy.URL, **options: Any) -> None:
        self._name = url.render_as_string(hide_password=True)
        # Transactions are begun by hand: the driver would begin one with the first writing, after
        # what decides about it was read.
        self._engine = _KIND.engine(url, isolation_level="AUTOCOMMIT", **options)
        event.listen(self._engine, "connect", self._listener())
        with self.errors():
            self.connection = self._engine.connect()
            try:
                if not migrations.is_latest(self.connection):
                    self._lay_out()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close the connection; so does the end of this object."""
        self.connection.close()
        self._engine.dispose()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise `JournalUnavailable` for whatever the database raises inside.

        `HomeBusy` if the connection was lost, and with it a claim that another process has now.
        """
        with _KIND.errors(self._name):
            try:
                yield
            except SQLAlchemyError:
                # what a lost connection had begun; the next statement opens another one
                if hasattr(self, "connection") and not self.connection.closed:
                    self.connection.rollback()
                raise

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[None]:
        """All or nothing; `durable` ones, and with them all before, survive a power failure."""
        with self.errors():
            self._begin(durable=durable)
            try:
                yield
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()

    @contextmanager
    def claimed(self, work: str) -> Iterator[bool]:
        """Whether no other process does some work on the same journal; none begins it inside."""
        yield True  # a lock in the folder of a file has seen to it

    def insert_new(self, table: Table) -> Any:
        """A statement that inserts a row, unless one of its keys is taken."""
        raise NotImplementedError

    def forget(self) -> None:
        """Let no file hold what was deleted, as far as that is in a client's power."""

    def _lay_out(self) -> None:
        """Make the tables, or migrate those of an earlier release, in one transaction.

        Another process may have done so since the version was read.
        """
        with self.transaction(durable=True):
            self._make_room()
            if inspect(self.connection).has_table(sets.name):
                migrations.upgrade(self.connection)
            else:
                metadata.create_all(self.connection)
                migrations.stamp(self.connection)

    def _make_room(self) -> None:
        """Make where the tables will be, and let no other process do so at the same time."""

    def _listener(self) -> Callable[..., None]:
        # SQLAlchemy keeps a listener for as long as a connection is open, and this object would
        # never end if that listener were a method of it.
        method = weakref.WeakMethod(self._prepare)

        def prepare(*made: Any) -> None:
            if alive := method():
                alive(*made)

        return prepare

    def _begin(self, *, durable: bool) -> None:
        raise NotImplementedError

    def _prepare(self, connection: Any, _record: Any) -> None:
        raise NotImplementedError


class Sqlite(Database):
    """A file that is readable by its owner alone, and whose deleted rows are overwritten."""

    def __init__(self, path: Path) -> None:
        self._durable = False  # the connection's present setting
        url = sqlalchemy.URL.create("sqlite", database=str(path))
        with opening(path):
            super().__init__(url, connect_args={"timeout": 60, "check_same_thread": False})

    def insert_new(self, table: Table) -> Any:
        """See `Database`."""
        return sqlite.insert(table).on_conflict_do_nothing()

    def forget(self) -> None:
        """See `Database`; the write-ahead log still holds the old pages.

        Raises
        ------
        JournalUnavailable
            If another process reads the journal for as long as this waits for it.
        """
        done = self.connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        busy = done[0][0]
        if busy:
            raise JournalUnavailable(
                f"the journal {self._name} is being read by another process, so what was deleted "
                "is still in its files; run again when that has ended",
                journal=self._name,
            )

    def _lay_out(self) -> None:
        # Alembic changes a table by making it again, which must not delete the rows that name its
        # own; within a transaction the setting cannot be changed.
        self.connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        super()._lay_out()
        self.connection.exec_driver_sql("PRAGMA foreign_keys = ON")

    def _begin(self, *, durable: bool) -> None:
        if durable != self._durable:
            level = "FULL" if durable else "NORMAL"
            self.connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
            self._durable = durable
        self.connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _prepare(self, connection: Any, _record: Any) -> None:
        for setting in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "secure_delete = ON",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {setting}")
        self._durable = False


class Postgresql(Database):
    """A schema of a server, whose administrator decides who reads it and what becomes of it.

    Parameters
    ----------
    location
        URL of the database, with the name of the schema.

    Raises
    ------
    InvalidJournalUrl
        If it is not such a URL, or psycopg is not installed.
    """

    def __init__(self, location: str) -> None:
        url = _KIND.parsed(location)
        self._schema = str(url.query.get(_SCHEMA, "radledger"))
        self._claims: set[str] = set()
        super().__init__(url.difference_update_query([_SCHEMA]))

    @contextmanager
    def claimed(self, work: str) -> Iterator[bool]:
        """See `Database`; the server releases the lock of a client that disconnects."""
        key = sqlalchemy.func.hashtextextended(self._claim(work), 0)
        with self.errors():
            lock = sqlalchemy.select(sqlalchemy.func.pg_try_advisory_lock(key))
            taken = bool(self.connection.scalar(lock))
        if not taken:
            yield False
            return
        self._claims.add(work)
        try:
            yield True
        finally:
            self._claims.remove(work)
            with self.errors():
                unlock = sqlalchemy.func.pg_advisory_unlock(key)
                self.connection.execute(sqlalchemy.select(unlock))

    def insert_new(self, table: Table) -> Any:
        """See `Database`."""
        return postgresql.insert(table).on_conflict_do_nothing()

    def _make_room(self) -> None:
        make_schema(self.connection, self._schema)

    def _begin(self, *, durable: bool) -> None:
        self.connection.exec_driver_sql("BEGIN")
        if durable:
            self.connection.exec_driver_sql("SET LOCAL synchronous_commit = on")

    def _prepare(self, connection: Any, _record: Any) -> None:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SELECT set_config('search_path', %s, false)", (self._schema,))
        for work in self._claims:
            self._claim_again(connection, work)

    def _claim(self, work: str) -> str:
        """What a claim is of; its hash is the key of the lock."""
        return f"{self._schema} {work}"

    def _claim_again(self, connection: Any, work: str) -> None:
        """Take a lock that went with the session before this one."""
        from psycopg.errors import LockNotAvailable

        try:
            connection.execute("SELECT set_config('lock_timeout', %s, false)", (_CLAIM_WITHIN,))
            lock = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
            connection.execute(lock, (self._claim(work),))
            connection.execute("RESET lock_timeout")
        except LockNotAvailable:
            connection.close()
            raise HomeBusy(
                f"the connection to the journal {self._name} was lost, and another process is "
                f"{work} images on it since; wait until it is done, then run again",
                journal=self._name,
            ) from None

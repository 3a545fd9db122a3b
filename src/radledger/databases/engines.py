"""What the databases on SQLAlchemy share: URLs, drivers, schemas and errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.schema import CreateSchema

from radledger.endpoints import shown
from radledger.errors import DatabaseUnavailable, InvalidDatabaseUrl, RadLedgerError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

__all__ = ["Kind", "make_schema"]

_POSTGRESQL = {"postgres", "postgresql", "postgresql+psycopg"}
# The key of the lock that every process takes that makes tables in PostgreSQL, whatever the number.
_CREATING = 0x7261646C


@dataclass(frozen=True)
class Kind:
    """A kind of database, and its errors.

    Attributes
    ----------
    name
        ``journal`` or ``index``, as messages and the values of errors call it.
    unavailable, invalid
        The errors for a database that cannot be used, and for a URL of none.
    sqlite
        Whether a URL may be that of an SQLite file.
    """

    name: str
    unavailable: type[DatabaseUnavailable]
    invalid: type[InvalidDatabaseUrl]
    sqlite: bool = False

    def parsed(self, url: str | URL) -> URL:
        """A URL, with the driver that is used here.

        Raises
        ------
        InvalidDatabaseUrl
            If it is not that of a database that can be used for this.
        """
        try:
            parsed = sqlalchemy.make_url(url)
        except (ArgumentError, ValueError):
            parsed = None
        if parsed is not None and parsed.drivername in _POSTGRESQL:
            return parsed.set(drivername="postgresql+psycopg")
        if parsed is not None and self.sqlite and parsed.drivername == "sqlite":
            return parsed
        forms = "sqlite:///PATH or " if self.sqlite else ""
        given = shown(str(url))  # it may hold a password
        raise self.invalid(
            f"{given!r} is not the URL of a database for the {self.name}; give {forms}"
            "postgresql://USER:PASSWORD@HOST/DATABASE",
            **{self.name: given},
        )

    def engine(self, url: URL, **options: Any) -> Engine:
        """SQLAlchemy's engine for a parsed URL.

        Raises
        ------
        InvalidDatabaseUrl
            If psycopg is not installed.
        """
        try:
            return sqlalchemy.create_engine(url, **options)
        except ModuleNotFoundError as error:
            raise self.invalid(
                f"the {self.name} in PostgreSQL needs psycopg; install it with "
                "`pip install 'radledger[postgresql]'`"
            ) from error

    @contextmanager
    def errors(self, url: str) -> Iterator[None]:
        """Raise `unavailable`, with a URL that shows no password, for what a database raises."""
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            if isinstance(cause, RadLedgerError):
                raise cause from None
            reason = str(cause).strip().splitlines()[0]
            raise self.unavailable(
                f"the {self.name} {url} cannot be used: {reason}; run again when it can",
                **{self.name: url},
            ) from error


def make_schema(connection: Connection, name: str) -> None:
    """Create a schema of a PostgreSQL server; other processes wait until the transaction ends."""
    lock = sqlalchemy.func.pg_advisory_xact_lock(_CREATING)
    connection.execute(sqlalchemy.select(lock))
    connection.execute(CreateSchema(name, if_not_exists=True))

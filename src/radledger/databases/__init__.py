"""Databases: private SQLite files, and schemas of PostgreSQL servers.

================  ==========================================================================
``sqlite``        :class:`~radledger.databases.sqlite.SqliteDatabase`, small files of the home
``engines``       what the journal of secrets and the index share, on SQLAlchemy
================  ==========================================================================

Each says by a version in it which layout it has.  One of an earlier release is brought up when it
is opened, or refused if it can be made again; one of a later release is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.databases.sqlite import SqliteDatabase, Write

__all__ = ["SqliteDatabase", "Write"]

__getattr__ = lazily(
    __name__,
    {
        "sqlite": ("SqliteDatabase", "Write"),
    },
)

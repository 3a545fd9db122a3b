"""Which layout a journal has, and the steps from each layout to the next, run by Alembic.

A new journal is made with the tables of :mod:`.tables`.  A change of them is a new file in
``versions``, which must end at the same tables, and a new `LATEST`.  What is there is brought up in
the transaction in which its version was read: whatever ends it, the journal is as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, String, Table, insert, inspect, select

from radledger.errors import DatabaseOfLaterRelease

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["LATEST", "is_latest", "stamp", "upgrade"]

LATEST = "0003"
"""The revision of the tables of this release."""

_SCRIPTS = "radledger.imaging.journal:migrations"
# As Alembic makes it.
_version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def is_latest(connection: Connection) -> bool:
    """Whether a journal has the tables of this release."""
    return _revision(connection) == LATEST


def stamp(connection: Connection) -> None:
    """Note in a new journal, in the transaction that makes its tables, which they are."""
    _version.create(connection)
    connection.execute(insert(_version).values(version_num=LATEST))


def upgrade(connection: Connection) -> None:
    """Bring a journal's tables up to those of this release, in the transaction that is begun.

    Raises
    ------
    DatabaseOfLaterRelease
        If its tables are later than that.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.attributes["connection"] = connection
    known = {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}
    found = _revision(connection)
    if found is not None and found not in known:
        raise DatabaseOfLaterRelease(
            f"the journal was written by a later release (layout {found}, here {LATEST}); use that "
            "release",
            layout=found,
            supported=LATEST,
        )
    command.upgrade(config, LATEST)


def _revision(connection: Connection) -> str | None:
    """The revision of a journal, None where it has none."""
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.scalar(select(_version.c.version_num))

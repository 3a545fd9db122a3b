"""The database of an index: opened, added to block by block, taken back to a block."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy

from radledger.databases.engines import Kind, make_schema
from radledger.files import locked
from radledger.index import tables
from radledger.index.errors import (
    IndexOfAnotherChain,
    IndexOfAnotherRelease,
    IndexUnavailable,
    InvalidIndexUrl,
)
from radledger.index.rows import mentions_of, rows_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

    from radledger.index.source import Blocks

__all__ = ["REORG_DEPTH", "IndexDatabase", "IndexMoved", "IndexOwner", "Lacking", "Position"]

REORG_DEPTH = 256
"""Of so many last blocks the hashes are kept: so far back a reorganisation is followed."""

_WRITING = "radledger_writing"
# Where PostgreSQL keeps the tables, apart from whatever else is in the database.
_SCHEMA = "radledger_index"
_KIND = Kind("index", IndexUnavailable, InvalidIndexUrl, sqlite=True)


@dataclass(frozen=True)
class IndexOwner:
    """The owner of an index: the chain, its contracts, and the block in which each was created."""

    chain_id: int
    genesis: str
    contracts: Mapping[str, str]
    blocks: Mapping[str, int]

    @property
    def start(self) -> int:
        """The block in which the first contract was made."""
        return min(self.blocks.values())

    @property
    def row(self) -> dict[str, Any]:
        """The recorded owner of an index, as text so that two can be compared in SQL."""
        return {
            "layout": tables.layout(),
            "chain_id": self.chain_id,
            "genesis": self.genesis,
            "contracts": json.dumps(dict(self.contracts), sort_keys=True),
        }


@dataclass(frozen=True)
class Position:
    """The last block in the index; its hash is empty before the first."""

    number: int
    hash: str


@dataclass(frozen=True)
class Lacking:
    """Contracts that an index does not follow yet: their first block, and what it does follow."""

    first: int
    followed: str


class IndexMoved(Exception):
    """Another process has changed the index meanwhile."""


class IndexDatabase:
    """The tables of one index.

    Parameters
    ----------
    url
        SQLAlchemy URL, or its text: ``sqlite:///PATH`` or ``postgresql://…``.
    belonging
        Whose index it is, or is to be.

    Raises
    ------
    InvalidIndexUrl
        If the URL cannot be used.
    IndexOfAnotherChain
        If another index is there.
    IndexUnavailable
        If the database does not answer.
    """

    def __init__(self, url: str | sqlalchemy.URL, belonging: IndexOwner) -> None:
        self.engine = _engine(url)
        self._writing = self.engine.execution_options(**{_WRITING: True})
        self.url = self.engine.url.render_as_string(hide_password=True)
        self._belonging = belonging

    def open(self) -> None:
        """Create the tables if they are missing, and check their owner.

        An index of the same deployment with fewer contracts is accepted too: see :meth:`lacking`.

        Raises
        ------
        IndexOfAnotherChain
            If another deployment's index is there, or something else.
        IndexOfAnotherRelease
            If its tables are another release's.
        IndexUnavailable
            If the database does not answer.
        """
        with self.errors(), self._opening(), self._writing.begin() as connection:
            if self._present(connection):
                self._require_own(connection)
                return
            if connection.dialect.name == "postgresql":
                make_schema(connection, _SCHEMA)
            tables.metadata.create_all(connection)
            # Another process may have made them meanwhile.
            if connection.execute(sqlalchemy.select(tables.position)).first() is None:
                first = {"number": self._belonging.start - 1, "hash": ""}
                row = {**self._belonging.row, **first}
                connection.execute(sqlalchemy.insert(tables.position), row)

    def lacking(self) -> Lacking | None:
        """The contracts that the index does not follow yet; None: it follows all.

        Raises
        ------
        IndexOfAnotherChain, IndexOfAnotherRelease
            As `open`: another process may have replaced it.
        """
        with self.reading() as connection:
            followed = self._require_own(connection)
        added = self._belonging.contracts.keys() - json.loads(followed).keys()
        if not added:
            return None
        return Lacking(min(self._belonging.blocks[name] for name in added), followed)

    def clear(self) -> None:
        """Drop everything, and begin again.

        Raises
        ------
        IndexOfAnotherChain
            If something else than an index is there; it is left alone.
        IndexUnavailable
            If the database does not answer.
        """
        with self.errors(), self._opening(), self._writing.begin() as connection:
            if self._present(connection):
                _drop_all(connection)
        self.open()

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """Be alone where SQLite, which does not wait then, gives a file its write-ahead log."""
        path = self.engine.url.database if self.engine.dialect.name == "sqlite" else None
        folder = Path(path).parent if path else None
        with ExitStack() as stack:
            try:
                if folder and folder.is_dir():
                    stack.enter_context(locked(folder))
            except OSError as error:
                raise IndexUnavailable(
                    f"the index {self.url} cannot be used: {error.filename}: {error.strerror}; "
                    "run again when it can",
                    index=self.url,
                ) from error
            yield

    def _present(self, connection: Connection) -> bool:
        """Whether there is an index; a database with something else is refused and left alone."""
        schema = _SCHEMA if connection.dialect.name == "postgresql" else None
        present = set(sqlalchemy.inspect(connection).get_table_names(schema))
        if present and tables.position.name not in present:
            raise IndexOfAnotherChain(
                f"{self.url} holds something else than an index; name another database",
                url=self.url,
                differing=sorted(present),
            )
        return bool(present)

    def _require_own(self, connection: Connection) -> str:
        """The branch that an index follows; refuse an index of another deployment."""
        own = self._belonging
        wanted = [tables.position.c[name] for name in own.row]
        found = connection.execute(sqlalchemy.select(*wanted)).mappings().one()
        if found["layout"] != own.row["layout"]:
            raise IndexOfAnotherRelease(
                f"the index {self.url} has the tables of another release; replace it with "
                "`radledger index rebuild`",
                url=self.url,
            )
        followed = json.loads(found["contracts"])
        differing = [name for name in ("chain_id", "genesis") if found[name] != getattr(own, name)]
        if any(own.contracts.get(name, address) != address for name, address in followed.items()):
            differing.append("contracts")
        if differing:
            raise IndexOfAnotherChain(
                f"{self.url} holds the index of another deployment (its {differing[0]} differs); "
                "name another database, or replace it with `radledger index rebuild`",
                url=self.url,
                differing=differing,
            )
        if unknown := sorted(followed.keys() - own.contracts.keys()):
            raise IndexOfAnotherChain(
                f"the index {self.url} follows {', '.join(unknown)} as well, which this home's "
                "record of the deployment lacks; take it over with `radledger deploy import`",
                url=self.url,
                differing=unknown,
            )
        return str(found["contracts"])

    def errors(self) -> AbstractContextManager[None]:
        """Raise `IndexUnavailable` for any error of the database."""
        return _KIND.errors(self.url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for queries."""
        with self.errors(), self.engine.connect() as connection:
            yield connection

    def position(self) -> Position:
        """The last block in the index."""
        wanted = sqlalchemy.select(tables.position.c.number, tables.position.c.hash)
        with self.reading() as connection:
            number, hash_ = connection.execute(wanted).one()
        return Position(number, hash_)

    def kept(self) -> dict[int, str]:
        """Hash of each of the last blocks, the newest first."""
        table = tables.blocks
        wanted = sqlalchemy.select(table.c.number, table.c.hash).order_by(table.c.number.desc())
        with self.reading() as connection:
            return {row.number: row.hash for row in connection.execute(wanted)}

    def append(self, position: Position, blocks: Blocks) -> Position:
        """Add the blocks that follow ``position``, in one transaction.

        Raises
        ------
        IndexMoved
            If the index is not at that position any more.
        """
        last = max(blocks.hashes)
        reached = Position(last, blocks.hashes[last])
        rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        for event in blocks.events:
            rows[tables.events].append({name: getattr(event, name) for name in event.__slots__})
            of_event = list(rows_of(event))
            for table, row in of_event:
                rows[table].append(row)
            rows[tables.mentions] += mentions_of(event, of_event)
        rows[tables.blocks] = [
            {"number": number, "hash": hash_}
            for number, hash_ in blocks.hashes.items()
            if number > last - REORG_DEPTH
        ]
        with self._moving(position, reached) as connection:
            for table, of_table in rows.items():
                connection.execute(sqlalchemy.insert(table), of_table)
            old = sqlalchemy.delete(tables.blocks).where(
                tables.blocks.c.number <= last - REORG_DEPTH
            )
            connection.execute(old)
        return reached

    def take_back(self, position: Position, to: Position, lacking: Lacking | None = None) -> None:
        """Take back all blocks after ``to``.

        Parameters
        ----------
        position, to
            Where the index is, and where it is to be.
        lacking
            Contracts that are followed from there on.

        Raises
        ------
        IndexMoved
            If the index is not at that position any more.
        """
        with self._moving(position, to, lacking) as connection:
            for table in (tables.events, tables.mentions, *tables.typed):
                connection.execute(sqlalchemy.delete(table).where(table.c.block > to.number))
            left = sqlalchemy.delete(tables.blocks).where(tables.blocks.c.number >= to.number)
            connection.execute(left)
            if to.hash:
                row = {"number": to.number, "hash": to.hash}
                connection.execute(sqlalchemy.insert(tables.blocks), row)

    @contextmanager
    def _moving(
        self, position: Position, to: Position, lacking: Lacking | None = None
    ) -> Iterator[Connection]:
        """A transaction that moves the index from one position to another.

        It begins by moving the position: a second process waits for it, and finds it moved.
        """
        table = tables.position
        own = self._belonging.row["contracts"]
        move = (
            sqlalchemy.update(table)
            .where(table.c.number == position.number, table.c.hash == position.hash)
            .where(table.c.contracts == (own if lacking is None else lacking.followed))
            .values(number=to.number, hash=to.hash, contracts=own)
        )
        with self.errors(), self._writing.begin() as connection:
            if connection.execute(move).rowcount != 1:
                raise IndexMoved
            yield connection


def _drop_all(connection: Connection) -> None:
    """Drop the tables of an index, of any release: most have the place of an event."""
    schema = _SCHEMA if connection.dialect.name == "postgresql" else None
    present = sqlalchemy.MetaData()
    present.reflect(connection, schema=schema)
    own = {tables.position.name, tables.blocks.name}
    dropped = [
        each
        for each in present.tables.values()
        if each.name in own or {"block", "log_index"} <= set(each.columns.keys())
    ]
    present.drop_all(connection, tables=dropped)


def _engine(url: str | sqlalchemy.URL) -> Engine:
    parsed = _KIND.parsed(url)
    engine = _KIND.engine(parsed)
    if parsed.get_backend_name() == "sqlite":
        sqlalchemy.event.listen(engine, "connect", _prepare_sqlite)
        sqlalchemy.event.listen(engine, "begin", _begin_sqlite)
        return engine
    return engine.execution_options(schema_translate_map={None: _SCHEMA})


def _begin_sqlite(connection: Connection) -> None:
    """Begin explicitly, since sqlite3 does not do so for changes of tables.

    A writer takes the lock at once: a reader that starts to write could fail to get it.
    """
    writing = connection.get_execution_options().get(_WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """Readers do not wait for writers, nor these for the disk: a rebuild restores the index."""
    connection.isolation_level = None
    # Rows are long and their ids random: larger pages are written less often. For new files only.
    connection.execute("PRAGMA page_size = 16384")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA busy_timeout = 60000")
    connection.execute("PRAGMA cache_size = -65536")  # 64 MiB, for indexes of random ids

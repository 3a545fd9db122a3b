"""What the tables of the areas' events are made of.

``events`` holds every event as it was, ``mentions`` every address and id in it, by which the
history of anything is one look-up.

The areas' tables hold what each event changed, one row for each change, so nothing in them is ever
overwritten: what holds now is the latest change.  Each row is named by the place of its event,
``(block, log_index)``; taking back the blocks of a branch that the chain has left is the deletion
of their rows.

Ids and digests are ``0x…`` in lower case, addresses in EIP-55 form, times Unix seconds, amounts
base units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    TypeDecorator,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

__all__ = [
    "MENTIONED",
    "Amount",
    "Maker",
    "Rows",
    "amount_column",
    "events",
    "id_column",
    "key_column",
    "mentions",
    "metadata",
    "number_column",
    "table",
    "text_column",
]

Rows = Iterable[tuple[Table, dict[str, Any]]]
"""Rows, each with its table; of each the columns that are not null."""

MENTIONED = "mentioned"
"""In a column's ``info``: what is in it is mentioned by the event."""

Maker = Callable[[Mapping[str, Any]], Rows]
"""Makes the rows of an event from its arguments."""


class Amount(TypeDecorator[int]):
    """A whole number of up to 256 bits; SQLite, whose numbers end at 64, keeps its digits."""

    impl = Numeric(78, 0)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Digits where the database is SQLite."""
        exact = String(78) if dialect.name == "sqlite" else Numeric(78, 0)
        return dialect.type_descriptor(exact)

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """As the database takes it."""
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """As Python has it."""
        return None if value is None else int(value)


metadata = MetaData()


def table(name: str, comment: str, *columns: Column[Any] | Index) -> Table:
    """A table with a row for each change that an event made."""
    return Table(
        name,
        metadata,
        Column("block", BigInteger, primary_key=True, autoincrement=False),
        Column("log_index", Integer, primary_key=True, autoincrement=False),
        *columns,
        comment=comment,
        sqlite_with_rowid=False,  # the place is the row, not an index beside it
    )


def text_column(name: str, *, optional: bool = False) -> Column[Any]:
    """A text, digest or address."""
    return Column(name, String, nullable=optional)


def key_column(name: str, *, optional: bool = False) -> Column[Any]:
    """An id or address by which rows are looked up."""
    return Column(name, String, index=True, nullable=optional)


def id_column(name: str, *, optional: bool = False, key: bool = False) -> Column[Any]:
    """An id that the event lacks or has without a type, which is mentioned nevertheless.

    The contract computes or checks it: if its author could choose it, the event could be written
    into the history of anything.
    """
    return Column(name, String, index=key, nullable=optional, info={MENTIONED: True})


def number_column(name: str, *, optional: bool = False) -> Column[Any]:
    """A number of up to 63 bits, or a time."""
    return Column(name, BigInteger, nullable=optional)


def amount_column(name: str, *, optional: bool = False) -> Column[Any]:
    """A number of up to 256 bits."""
    return Column(name, Amount, nullable=optional)


events = table(
    "events",
    "every event of the contracts, as it was",
    text_column("contract"),
    text_column("name"),
    text_column("who"),
    Column("args", JSON, nullable=False),
    key_column("transaction"),
    number_column("timestamp"),
    Index("events_by_kind", "contract", "name", "block"),
)

mentions = Table(
    "mentions",
    metadata,
    Column("term", String, primary_key=True),
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    comment="which events name an address or an id, or were caused by an address",
    sqlite_with_rowid=False,
)

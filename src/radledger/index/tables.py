"""The tables of the index itself; those of the areas are in their ``tables`` modules."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

from sqlalchemy import BigInteger, Column, String, Table

from radledger.area.declaration import load
from radledger.area.tables import events, mentions, metadata
from radledger.areas import CONTRACTS

__all__ = ["blocks", "events", "layout", "mentions", "metadata", "position", "typed"]

position = Table(
    "position",
    metadata,
    Column("layout", String, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis", String, nullable=False),
    Column("contracts", String, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", String, nullable=False),
    comment="one row: whose index this is, and the last block in it",
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String, nullable=False),
    comment="the last blocks, by which a reorganisation is noticed",
)


# Each area's tables are known once its module was imported.
for _contract in CONTRACTS.values():
    if _contract.rows:
        load(_contract.rows)

typed: Sequence[Table] = tuple(
    each for each in metadata.sorted_tables if each not in {position, blocks, events, mentions}
)
"""The areas' tables of what the events changed."""


@cache
def layout() -> str:
    """A digest of all tables: names and types of their columns, keys, and what a row means."""
    described = [
        (
            *(each.name, each.comment),
            *(
                (column.name, repr(column.type), column.nullable, column.primary_key, column.index)
                for column in each.columns
            ),
        )
        for each in metadata.sorted_tables
    ]
    return hashlib.sha256(repr(described).encode()).hexdigest()[:16]

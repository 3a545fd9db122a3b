"""The tables of the index itself; those of the areas are in their ``tables`` modules."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table

from radledger.area.declaration import load
from radledger.area.tables import events, mentions, metadata
from radledger.areas import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["blocks", "events", "mentions", "metadata", "position", "typed"]

position = Table(
    "position",
    metadata,
    Column("layout", Integer, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis", String, nullable=False),
    Column("contracts", JSON, nullable=False),
    Column("start", BigInteger, nullable=False),
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


@cache
def typed() -> Sequence[Table]:
    """The areas' tables of what the events changed."""
    own = {position, blocks, events, mentions}
    for contract in CONTRACTS.values():
        if contract.rows:
            load(contract.rows)
    return tuple(each for each in metadata.sorted_tables if each not in own)

"""What the tables of an index have in them."""

from __future__ import annotations

import sqlalchemy


def rows(index, table):
    """All rows of a table."""
    with index.database.reading() as connection:
        return connection.execute(sqlalchemy.select(table)).mappings().all()

"""What the tests of the index share: a chain on which all happened, and an index of it."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import sqlalchemy

from radledger.chain.rpc import request
from radledger.index import tables
from radledger.index.service import Index
from tests.identity.cast import who
from tests.index.story import Narrator

__all__ = ["who"]


@contextmanager
def undone(ledger):
    """Take back what happens inside."""
    snapshot = request(ledger.web3, "evm_snapshot", [])
    try:
        yield
    finally:
        request(ledger.web3, "evm_revert", [snapshot])


@pytest.fixture(scope="module")
def narrated(deployed_ledger, who):
    """The ledger after the story, and what the story was about; not to be changed."""
    with undone(deployed_ledger):
        narrator = Narrator(deployed_ledger, who)
        yield deployed_ledger, narrator.tell()


@pytest.fixture
def ledger(narrated):
    """The ledger after the story; what a test does is taken back."""
    with undone(narrated[0]):
        yield narrated[0]


@pytest.fixture
def story(narrated):
    return narrated[1]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty database, of each kind."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql")
    return f"sqlite:///{tmp_path / 'index.sqlite3'}"


@pytest.fixture
def index(ledger, tmp_path, url):
    """An index that is up to the chain."""
    index = Index(ledger, tmp_path, url)
    index.sync()
    yield index
    index.database.engine.dispose()


@pytest.fixture
def content():
    """Every row of every table of an index."""
    return read_all


def read_all(index):
    with index.database.reading() as connection:
        return {
            table.name: sorted(map(str, connection.execute(sqlalchemy.select(table))))
            for table in tables.metadata.sorted_tables
            if table is not tables.blocks
        }

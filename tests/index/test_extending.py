"""The index when contracts were added to the deployment, or its tables are another release's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy

from radledger.chain import deployments
from radledger.chain.ledger import Ledger
from radledger.chain.rpc import request
from radledger.deployment.deploy import deploy
from radledger.imaging.tables import images
from radledger.index import tables
from radledger.index.errors import IndexOfAnotherChain, IndexOfAnotherRelease
from radledger.index.service import Index
from radledger.research.tables import fundings
from tests.index.contents import rows


@pytest.fixture
def earlier(ledger):
    """The deployment before a release, or another participant, added data sets."""
    left = {n: it for n, it in ledger.deployment.contracts.items() if n != "DatasetRegistry"}
    return Ledger(ledger.web3, replace(ledger.deployment, contracts=left))


@pytest.fixture
def open_index(tmp_path, url):
    """Opens the same index with a ledger."""
    opened = []

    def of(ledger):
        opened.append(Index(ledger, tmp_path, url))
        return opened[-1]

    yield of
    for index in opened:
        index._unopened.engine.dispose()


def test_an_area_that_is_not_deployed_is_missed_nowhere_else(earlier, story, open_index):
    index = open_index(earlier)
    index.sync()
    assert rows(index, fundings) == []
    assert index.audit().differences == ()
    image = rows(index, images)[0]["image"]
    assert "ImageAnchored" in [entry.event for entry in index.history(image)]


def test_what_was_read_before_a_contract_was_known_is_read_again(
    ledger, earlier, open_index, content
):
    open_index(earlier).sync()
    index = open_index(ledger)
    head = ledger.block_number()
    first = ledger.deployment.contracts["DatasetRegistry"].block
    assert index.sync().added_blocks == head - first + 1
    extended = content(index)
    assert index.sync().added_blocks == 0
    index.rebuild()
    assert content(index) == extended


def test_contracts_that_begin_after_the_position_are_followed(
    ledger, earlier, open_index, people, tmp_path, content
):
    open_index(earlier).sync()
    position = earlier.block_number()
    folder = tmp_path / "deployments"
    deployments.save(folder, earlier.deployment)
    now = deploy(ledger.web3, people["governor"], folder)
    assert now.contracts["DatasetRegistry"].block > position
    index = open_index(Ledger(ledger.web3, now))
    assert index.sync().added_blocks == ledger.block_number() - position
    extended = content(index)
    index.rebuild()
    assert content(index) == extended


def test_killed_while_it_is_extended(ledger, earlier, open_index, content):
    open_index(earlier).sync()
    index = open_index(ledger)

    def killed(*_):
        raise KeyboardInterrupt

    index.source.read = killed
    with pytest.raises(KeyboardInterrupt):
        index.sync()
    index = open_index(ledger)
    index.sync()
    extended = content(index)
    index.rebuild()
    assert content(index) == extended


def test_who_knows_fewer_contracts_does_not_write(ledger, earlier, open_index, content):
    behind = open_index(earlier)
    behind.sync()
    index = open_index(ledger)
    index.sync()
    before = content(index)
    request(ledger.web3, "evm_mine", [])
    for each in (behind, open_index(earlier)):
        with pytest.raises(IndexOfAnotherChain, match="radledger deploy import") as refused:
            each.sync()
        assert refused.value.values["differing"] == ["DatasetRegistry"]
    assert content(index) == before


def test_an_index_of_another_release_is_left_alone_until_it_is_rebuilt(
    ledger, index, open_index, content
):
    before = content(index)
    schema = "" if index.database.engine.dialect.name == "sqlite" else "radledger_index."
    with index.database.engine.begin() as connection:
        connection.execute(tables.position.update().values(layout="2"))
        place = "block BIGINT, log_index INTEGER"
        connection.exec_driver_sql(f"CREATE TABLE {schema}trials ({place})")
    other = open_index(ledger)
    for use in (other.sync, other.status):
        with pytest.raises(IndexOfAnotherRelease, match="radledger index rebuild"):
            use()
    other.rebuild()
    assert content(other) == before
    names = sqlalchemy.inspect(other.database.engine).get_table_names(schema.rstrip(".") or None)
    assert set(names) == {table.name for table in tables.metadata.sorted_tables}


def test_a_table_of_another_meaning_is_another_layout(monkeypatch):
    present = tables.layout()
    with monkeypatch.context() as patch:
        patch.setattr(tables.blocks, "comment", "the last blocks, with another meaning")
        assert tables.layout.__wrapped__() != present
    assert tables.layout.__wrapped__() == present

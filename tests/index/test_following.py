"""The index follows the chain: whatever happens, it equals one that was rebuilt."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from multiprocessing import get_context
from random import Random
from signal import SIGKILL

import pytest

from radledger.areas import CONTRACTS
from radledger.chain import artifacts
from radledger.chain.errors import ConnectionFailed
from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from radledger.identity.tables import participants
from radledger.index import tables
from radledger.index.errors import (
    IndexOfAnotherChain,
    IndexUnavailable,
    InvalidIndexUrl,
    ReorganisationTooDeep,
)
from radledger.index.service import Index
from radledger.research.tables import fundings
from tests.index.contents import rows


def test_every_event_of_every_contract_is_in_it(ledger, index):
    found = {
        (event["block"], event["log_index"]): (event["contract"], event["name"])
        for event in rows(index, tables.events)
    }
    decoded = {}
    for contract in CONTRACTS:
        for entry in artifacts.load(contract).abi:
            if entry["type"] == "event" and entry["name"] != "EIP712DomainChanged":
                of_kind = ledger.events(contract, entry["name"])
                assert of_kind, f"the story lacks {entry['name']}"
                decoded |= {(e.block, e.log_index): (contract, e.name) for e in of_kind}
    assert found == decoded


def test_arguments_are_those_that_web3_decodes(ledger, index):
    for event in rows(index, tables.events):
        receipt = ledger.web3.eth.get_transaction_receipt(event["transaction"])
        (log,) = [each for each in receipt["logs"] if each["logIndex"] == event["log_index"]]
        decoded = ledger.contract(event["contract"]).events[event["name"]]().process_log(log)
        block = ledger.web3.eth.get_block(receipt["blockNumber"])
        assert event["args"] == as_json(decoded.args), event["name"]
        assert (event["timestamp"], event["block"]) == (block["timestamp"], block["number"])


def as_json(value):
    """A value of web3's as the index has it."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    return value


def test_who_acted_is_the_signer_and_not_who_paid(index, story, who):
    def acted(name):
        return [each["who"] for each in rows(index, tables.events) if each["name"] == name]

    # Sent by the hospital, forwarded for it by the stranger, signed by the patient.
    assert set(acted("ImageAnchored")) == {who.hospital.address}
    assert acted("DatasetFreeSet") == [who.hospital.address] * 2
    assert who.patient.address in acted("ConsentGranted")
    assert acted("DatasetRewardClaimed")[-1] == who.relatives[2].address
    forwarded = [e for e in rows(index, tables.events) if e["name"] == "ExecutedForwardRequest"]
    for event in forwarded:
        inner = [e for e in rows(index, tables.events) if e["transaction"] == event["transaction"]]
        assert {each["who"] for each in inner} == {event["args"]["signer"]}


def test_amounts_are_exact(index, story):
    received = [row["received"] for row in rows(index, fundings)]
    assert received == [10**18, 10**18 + 1, 12_345, 54_321]
    assert all(type(amount) is int for amount in received)


def test_a_second_run_adds_nothing(index, content):
    before = content(index)
    synced = index.sync()
    assert (synced.added_blocks, synced.added_events, synced.taken_back) == (0, 0, 0)
    assert content(index) == before


def test_what_comes_later_is_added(ledger, index, who, content):
    before = len(rows(index, tables.events))
    ledger.send(who.hospital, "ParticipantRegistry", "suspend", who.clinician.address)
    assert index.sync().added_events == 1
    assert len(rows(index, tables.events)) == before + 1
    grown = content(index)
    index.rebuild()
    assert content(index) == grown


def test_a_reorganisation_is_followed(ledger, index, who, content):
    request(ledger.web3, "evm_mine", [])
    snapshot = request(ledger.web3, "evm_snapshot", [])
    ledger.send(who.hospital, "ParticipantRegistry", "suspend", who.clinician.address)
    for _ in range(63):
        request(ledger.web3, "evm_mine", [])
    index.sync()
    assert rows(index, participants)[-1]["change"] == "suspended"

    request(ledger.web3, "evm_revert", [snapshot])
    request(ledger.web3, "evm_increaseTime", [5])
    for _ in range(70):
        request(ledger.web3, "evm_mine", [])

    synced = index.sync()
    assert (synced.taken_back, synced.added_blocks) == (64, 70)
    assert rows(index, participants)[-1]["change"] != "suspended"
    followed = content(index)
    index.rebuild()
    assert content(index) == followed


def test_a_reorganisation_past_the_kept_headers_is_refused(ledger, index, content):
    first = index.status().first_block
    with index.database.engine.begin() as connection:
        connection.execute(tables.blocks.delete().where(tables.blocks.c.number == first))
        connection.execute(tables.blocks.update().values(hash="0x" + "12" * 32))
        connection.execute(tables.position.update().values(hash="0x" + "12" * 32))
    with pytest.raises(ReorganisationTooDeep) as refused:
        index.sync()
    assert refused.value.values["block"] == ledger.block_number()
    index.rebuild()
    assert index.sync().taken_back == 0


def test_status_tells_how_far_it_is(ledger, index):
    status = index.status()
    assert (status.block, status.behind) == (ledger.block_number(), 0)
    request(ledger.web3, "evm_mine", [])
    assert index.status().behind == 1
    assert status.event_count == len(rows(index, tables.events))


def test_the_index_of_another_deployment_is_left_alone(ledger, index, tmp_path, url, content):
    before = content(index)
    with index.database.engine.begin() as connection:
        connection.execute(tables.position.update().values(genesis="0x" + "12" * 32))
    other = Index(ledger, tmp_path, url)
    with pytest.raises(IndexOfAnotherChain) as refused:
        other.sync()
    assert refused.value.values["differing"] == ["genesis"]
    other.rebuild()
    assert content(other) == before
    other.database.engine.dispose()


def test_a_database_with_something_else_is_left_alone(ledger, tmp_path):
    file = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE events (mine TEXT)")
    index = Index(ledger, tmp_path, f"sqlite:///{file}")
    for write in (index.sync, index.rebuild):
        with pytest.raises(IndexOfAnotherChain) as refused:
            write()
        assert refused.value.values["differing"] == ["events"]
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("events",)]


def test_in_postgresql_the_tables_of_others_stay(ledger, tmp_path, postgresql):
    import psycopg

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("CREATE TABLE events (mine TEXT)")
        index = Index(ledger, tmp_path, postgresql)
        index.sync()
        index.rebuild()
        assert connection.execute("SELECT count(*) FROM public.events").fetchone() == (0,)
        count = connection.execute("SELECT count(*) FROM radledger_index.events").fetchone()
        assert count == (index.status().event_count,)
    index.database.engine.dispose()


def test_two_processes_at_once_add_each_event_once(ledger, index, tmp_path, url, content):
    """The second one finds the index moved, and goes on from there."""
    index.rebuild()
    expected = content(index)
    index.database.clear()
    other = Index(ledger, tmp_path, url)
    reading = index.source.read

    def overtaken(*arguments):
        other.sync()
        return reading(*arguments)

    index.source.read = overtaken
    assert index.sync().added_events == 0
    assert content(index) == expected
    other.database.engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/index",
        "nonsense",
        "oracle+nothing://",
        "sqlite:////no/such/folder/index.sqlite3",
    ],
)
def test_a_url_that_cannot_be_used(ledger, tmp_path, url):
    with pytest.raises((InvalidIndexUrl, IndexUnavailable)):
        Index(ledger, tmp_path, url).sync()


def test_a_database_that_does_not_answer(ledger, tmp_path):
    with pytest.raises(IndexUnavailable) as refused:
        Index(ledger, tmp_path, "postgresql://somebody:secret@127.0.0.1:1/index").sync()
    assert "secret" not in refused.value.message
    assert "\n" not in refused.value.message


def test_a_folder_that_cannot_be_locked(ledger, index, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    Index(ledger, tmp_path, url).sync()

    def locked(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("radledger.index.database.locked", locked)
    for act in (Index.sync, Index.rebuild):
        with pytest.raises(IndexUnavailable, match="Permission denied; run again") as refused:
            act(Index(ledger, tmp_path, url))
        assert refused.value.values == {"index": url}


def test_a_node_that_does_not_answer(ledger, index, monkeypatch, content):
    before = content(index)

    def silent(*_):
        raise ConnectionError

    monkeypatch.setattr(ledger.web3.provider, "make_batch_request", silent)
    with pytest.raises(ConnectionFailed):
        index.sync()
    assert content(index) == before


def test_a_process_that_is_killed_leaves_a_whole_index(
    ledger, anvil_endpoint, index, tmp_path, url, content
):
    """Killed wherever it is: dropping, making tables, reading, writing."""
    expected = content(index)
    random = Random(0)
    for _ in range(12):
        child = get_context("fork").Process(
            target=rebuild_for_ever, args=(anvil_endpoint, ledger.deployment, tmp_path, url)
        )
        child.start()
        child.join(random.uniform(0.05, 0.6))
        child.kill()
        child.join()
        assert child.exitcode == -SIGKILL
        after = Index(ledger, tmp_path, url)
        after.sync()
        assert content(after) == expected
        after.database.engine.dispose()


def rebuild_for_ever(endpoint, deployment, folder, url):
    ledger = Ledger(connect(Network("anvil", endpoint)), deployment)
    while True:
        Index(ledger, folder, url).rebuild()

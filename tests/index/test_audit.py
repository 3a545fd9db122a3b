"""The audit: silent where index and chain agree, and it names whatever was altered."""

from __future__ import annotations

import pytest
import sqlalchemy

from radledger.chain.rpc import request
from radledger.index import tables
from radledger.index.service import Index
from radledger.research.tables import payouts
from tests.index.story import digest


@pytest.fixture
def url(tmp_path):
    """SQLite; that PostgreSQL gives the same is shown where the index is built."""
    return f"sqlite:///{tmp_path / 'index.sqlite3'}"


def alter(index, statement):
    with index.database.engine.begin() as connection:
        assert connection.execute(statement).rowcount


def place_of(index, name):
    """Block and log index of the first event of that name."""
    table = tables.events.c
    wanted = sqlalchemy.select(table.block, table.log_index).where(table.name == name)
    with index.database.reading() as connection:
        return tuple(connection.execute(wanted.order_by(table.block)).first())


def at(table, place):
    return sqlalchemy.and_(table.c.block == place[0], table.c.log_index == place[1])


def arguments(index, place):
    with index.database.reading() as connection:
        wanted = sqlalchemy.select(tables.events.c.args).where(at(tables.events, place))
        return connection.execute(wanted).scalar_one()


def test_nothing_differs_after_all_that_can_happen(index):
    audit = index.audit()
    assert audit.differences == ()
    assert audit.compared_events == index.status().event_count
    assert audit.compared_rows >= 70
    assert audit.compared_views >= 100


def test_nothing_differs_in_postgresql(ledger, postgresql, tmp_path):
    index = Index(ledger, tmp_path, postgresql)
    index.sync()
    assert index.audit().differences == ()
    alter(index, payouts.update().values(amount=2**256 - 1))
    changed = index.audit().differences
    assert {each.index["amount"] for each in changed} == {2**256 - 1}
    index.database.engine.dispose()


def test_audit_finds_no_difference_after_delegations_lapsed(ledger, index):
    """Delegations lapse with time and without events."""
    request(ledger.web3, "evm_increaseTime", [31 * 24 * 3600])
    request(ledger.web3, "evm_mine", [])
    index.sync()
    assert index.audit().differences == ()


def test_an_altered_event_is_named_with_what_follows_from_it(index, story, who):
    place = place_of(index, "ImageAnchored")
    args = arguments(index, place)
    stolen = {**args, "patient": who.stranger.address}
    alter(index, tables.events.update().where(at(tables.events, place)).values(args=stolen))

    event, mentions, row, state = index.audit().differences
    assert event.what == f"event {place[0]}/{place[1]}"
    assert event.index == {"args": stolen}
    assert event.chain == {"args": args}
    assert mentions.what == f"mentions of event {place[0]}/{place[1]}"
    assert who.patient.address in mentions.index["terms"]
    assert row.what == f"row of images for event {place[0]}/{place[1]}"
    assert row.index == {"patient": args["patient"]}
    assert state.what == f"ImageRegistry.imageOf({story.original.image_id})"
    assert state.index[0]["patient"] == who.stranger.address
    assert state.chain[0]["patient"] == who.patient.address


def test_a_false_event_is_named(index, story, who):
    place = (place_of(index, "ImageErased")[0], 77)
    args = {"image": story.original.image_id, "certificate": digest("false")}
    false = {
        "block": place[0],
        "log_index": place[1],
        "contract": "ImageRegistry",
        "name": "ImageErased",
        "who": who.hospital.address,
        "args": args,
        "transaction": digest("transaction"),
        "timestamp": 1,
    }
    alter(index, tables.events.insert().values(false))
    found = {each.what: each for each in index.audit().differences}
    assert set(found) == {
        f"event {place[0]}/77",
        f"mentions of event {place[0]}/77",
        f"row of versions for event {place[0]}/77",
        f"ImageRegistry.imageOf({story.original.image_id})",
    }
    assert found[f"event {place[0]}/77"].chain is None
    assert found[f"ImageRegistry.imageOf({story.original.image_id})"].index[0]["state"] == 2


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("ConsentRevoked", "ConsentRegistry.grantOf"),
        ("ConsentRevokedAll", "ConsentRegistry.epochOf"),
        ("ConsentRevokedAll", "ConsentRegistry.revokedAllAt"),
        ("ConsentRequestApproved", "ConsentRegistry.requestedAt"),
        ("EmergencyReviewed", "ConsentRegistry.emergencyOf"),
        ("EmergencyDeclared", "ConsentRegistry.conductOf"),
        ("EmergenciesForbidden", "ConsentRegistry.emergencyChoiceOf"),
        ("AccessRecorderDismissed", "AccessLedger.lastDayOf"),
        ("AccessAnswered", "AccessLedger.demandOf"),
        ("AlgorithmVersionRecalled", "AlgorithmRegistry.versionOf"),
        ("DatasetImageContributed", "DatasetRegistry.contributorOf"),
        ("DatasetImageWithdrawn", "DatasetRegistry.imageSetOf"),
        ("DatasetImageSuspended", "DatasetRegistry.imageSetOf"),
        ("DatasetImageResumed", "DatasetRegistry.contributorOf"),
        ("DatasetCustodyWithdrawn", "DatasetRegistry.imageSetOf"),
        ("DatasetWorkContributed", "DatasetRegistry.contributorOf"),
        ("DatasetWorkWithdrawn", "DatasetRegistry.workOf"),
        ("DatasetFunded", "DatasetRegistry.contributorOf"),
        ("DatasetRewardClaimed", "DatasetRegistry.contributorOf"),
        ("DatasetVersionFrozen", "DatasetRegistry.datasetOf"),
        ("IdentityGuardiansSet", "IdentityRegistry.guardiansHash"),
        ("IdentityRecoveryApproved", "IdentityRegistry.recoveryOf"),
        ("IdentityApprovalWithdrawn", "IdentityRegistry.recoveryOf"),
        ("IdentityRecoveryExecuted", "IdentityRegistry.guardiansHash"),
        ("DIDOwnerChanged", "IdentityRegistry.identityOwner"),
        ("DIDOwnerChanged", "IdentityRegistry.controllerOf"),
        ("DIDOwnerChanged", "IdentityRegistry.validDelegate"),
        ("ParticipantReinstated", "ParticipantRegistry.statusOf"),
        ("ParticipantGovernorVoted", "ParticipantRegistry.governor"),
        ("ParticipantGovernorAdded", "ParticipantRegistry.governorCount"),
    ],
)
def test_an_event_that_is_missing_is_named(index, name, view):
    alter(index, tables.events.delete().where(tables.events.c.name == name))
    found = [each.what for each in index.audit().differences]
    assert any(what.startswith("event ") for what in found)
    assert any(what.startswith(view) for what in found)


@pytest.mark.parametrize("table", tables.typed, ids=lambda table: table.name)
def test_a_row_that_is_missing_is_named(index, table):
    alter(index, table.delete())
    found = index.audit().differences
    assert found
    assert all(each.what.startswith(f"row of {table.name} for event") for each in found)
    assert all(each.index is None for each in found)


def test_a_mention_that_is_missing_is_named(index, who):
    term = tables.mentions.c.term == who.patient.address
    alter(index, tables.mentions.delete().where(term))
    found = index.audit().differences
    assert found
    assert all(each.what.startswith("mentions of event") for each in found)
    assert all(who.patient.address in each.chain["terms"] for each in found)
    left = [each.index["terms"] for each in found if each.index]
    assert left
    assert all(who.patient.address not in terms for terms in left)


def test_an_event_that_no_contract_writes_is_named_and_not_raised(index):
    place = place_of(index, "ConsentGranted")
    alter(index, tables.events.update().where(at(tables.events, place)).values(name="Nonsense"))
    found = [each.what for each in index.audit().differences]
    assert f"event {place[0]}/{place[1]}" in found
    alter(index, tables.events.update().where(at(tables.events, place)).values(contract="None"))
    assert any("cannot be replayed" in each.what for each in index.audit().differences)


@pytest.mark.parametrize("name", ["ConsentGranted", "ImageAnchored", "ParticipantAdmitted"])
@pytest.mark.parametrize("args", [{}, [], None, {"image": None, "kind": 99}])
def test_arguments_that_no_contract_writes_are_named_and_not_raised(index, name, args):
    place = place_of(index, name)
    alter(index, tables.events.update().where(at(tables.events, place)).values(args=args))
    assert f"event {place[0]}/{place[1]}" in [each.what for each in index.audit().differences]


def test_an_event_after_the_last_block_is_named(index):
    beyond = index.status().block + 5
    place = place_of(index, "ImageRekeyed")
    alter(index, tables.events.update().where(at(tables.events, place)).values(block=beyond))
    found = [each.what for each in index.audit().differences]
    assert f"event {beyond}/{place[1]}" in found

"""What services show and list is the same out of an index and out of the chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radledger.access import AccessLedger
from radledger.algorithms import Algorithms
from radledger.chain.ledger import Ledger
from radledger.consent import Consents
from radledger.identity import Identities, Participants
from radledger.identity.state import EVENTS, IdentityState
from radledger.imaging import records
from radledger.index.errors import IndexUnavailable
from radledger.index.service import Index
from radledger.research import Datasets

_ALL = "0x" + "00" * 32


def _bytes(account):
    return bytes.fromhex(account.address[2:])


def everyone(who):
    """The addresses of all people."""
    return [each.address for each in (*vars(who).values(), *who.relatives) if hasattr(each, "key")]


def everything(ledger, story, who):
    """What the services say of all that happened."""
    consents, datasets, identities = Consents(ledger), Datasets(ledger), Identities(ledger)
    algorithms, access = Algorithms(ledger), AccessLedger(ledger, receipts=None)
    people = (who.patient.address, who.hospital.address, who.clinician.address)
    return {
        "image": records.image_record(ledger, story.original.image_id),
        "images": records.find_records(ledger),
        "custodian's": records.find_records(ledger, custodian=who.hospital.address),
        "versions": records.versions(ledger, story.deidentified.image_id),
        "grants": consents.list(),
        "granted": [consents.list(subject=person) for person in people],
        "held": [consents.list(grantee=person) for person in people],
        "requests": consents.requests(),
        "emergencies": consents.emergencies(),
        "conduct": [consents.conduct(person) for person in people],
        "dataset": datasets.show(story.dataset),
        "datasets": datasets.list(),
        "institution's": datasets.list(institution=who.clinic.address),
        "algorithms": algorithms.list(),
        "clinic's": algorithms.list(institution=who.clinic.address),
        "algorithm": algorithms.show(algorithms.list()[0].algorithm_id),
        "version": algorithms.version(story.model.version),
        "recorders": access.recorders(),
        "hospital's recorders": access.recorders(who.hospital.address),
        "roots": access.roots(),
        "demands": access.demands(),
        "demands to the hospital": access.demands(who.hospital.address),
        "demand": access.demand_of(story.demands.answered),
        "identities": [identities.show(person) for person in everyone(who)],
        "participants": [Participants(ledger).show(person) for person in everyone(who)],
    }


@pytest.fixture
def asked(ledger, monkeypatch):
    """The ranges of blocks whose logs were asked for."""
    ranges = []
    make_request = ledger.web3.provider.make_request

    def counted(method, parameters):
        if method == "eth_getLogs":
            ranges.append((parameters[0]["fromBlock"], parameters[0]["toBlock"]))
        return make_request(method, parameters)

    monkeypatch.setattr(ledger.web3.provider, "make_request", counted)
    return ranges


@pytest.fixture
def with_index(ledger, index, monkeypatch):
    monkeypatch.setattr(ledger, "event_store", index)
    return ledger


def test_it_is_the_same_and_the_chain_is_not_asked(ledger, index, story, who, asked, monkeypatch):
    from_chain = everything(ledger, story, who)
    assert asked
    asked.clear()
    monkeypatch.setattr(ledger, "event_store", index)
    assert everything(ledger, story, who) == from_chain
    assert asked == []
    # The comparison is not one of nothing with nothing.
    assert all(from_chain[name] for name in from_chain)


def test_an_identity_shown_from_some_events_is_that_of_all_events(ledger, story, who):
    state = IdentityState.of(ledger.events("IdentityRegistry", *EVENTS))
    now = ledger.present().time
    people = {person: Identities(ledger).show(person) for person in everyone(who)}
    for person, shown in people.items():
        assert shown.owner == state.owner(person)
        assert shown.controller == state.controller(person)
        assert shown.attributes == tuple(state.attributes(person, now))
        assert shown.delegates == tuple(state.delegates(person, now))
        assert shown.guardians == state.guardians(person)
        assert shown.recoveries == tuple(state.recoveries(person, now))
    patient, child = people[who.patient.address], people[who.radiologist.address]
    assert (child.owner, child.controller) == (patient.identity, patient.owner)
    # What the patient's lost key set for the child ended with the recovery.
    assert (child.guardians, child.delegates) == (None, ())
    assert patient.recoveries
    assert any(shown.attributes for shown in people.values())


def test_what_happens_later_is_found(with_index, who):
    def attributes():
        return [each.name for each in Identities(with_index).show(who.hospital.address).attributes]

    before = attributes()
    name, value = b"did/svc/Email".ljust(32, b"\0"), b"x@example.org"
    change = (who.hospital.address, name, value, 3600)
    with_index.send(who.hospital, "IdentityRegistry", "setAttribute", *change)
    assert attributes() == [*before, "did/svc/Email"]


def test_without_a_usable_index_the_chain_answers(with_index, index, story, monkeypatch, caplog):
    def unavailable(*_):
        raise IndexUnavailable("the disk is full")

    record = records.image_record(with_index, story.original.image_id)
    monkeypatch.setattr(index, "sync", unavailable)
    assert records.image_record(with_index, story.original.image_id) == record
    assert records.find_records(with_index, patient=record.image_set.patient)
    assert caplog.text.count("the disk is full; asking the chain") == 1


def test_where_nodes_differ_in_the_latest_block_the_chain_answers(
    with_index, index, story, monkeypatch, caplog
):
    record = records.image_record(with_index, story.original.image_id)
    head = index.source.head()
    monkeypatch.setattr(index.source, "head", lambda: head + 1)
    assert records.image_record(with_index, story.original.image_id) == record
    assert "asking the chain" in caplog.text


def test_an_index_far_behind_is_not_waited_for(with_index, index, story, asked, monkeypatch):
    monkeypatch.setattr("radledger.index.service._MOST_BEHIND", -1)
    record = records.image_record(with_index, story.original.image_id)
    assert record.image_id == story.original.image_id
    assert asked


def test_contracts_that_it_has_yet_to_read_count_as_blocks_behind(
    ledger, story, asked, monkeypatch, tmp_path
):
    left = {n: it for n, it in ledger.deployment.contracts.items() if n != "DatasetRegistry"}
    url = f"sqlite:///{tmp_path / 'earlier.sqlite3'}"
    Index(Ledger(ledger.web3, replace(ledger.deployment, contracts=left)), tmp_path, url).sync()
    monkeypatch.setattr(ledger, "event_store", Index(ledger, tmp_path, url))
    monkeypatch.setattr("radledger.index.service._MOST_BEHIND", 0)
    asked.clear()
    before = Datasets(ledger).list()
    assert asked
    ledger.event_store.sync()
    asked.clear()
    assert Datasets(ledger).list() == before
    assert asked == []


@pytest.mark.parametrize(
    ("names", "filters", "count"),
    [
        (("ConsentGranted",), lambda who: {"subject": who.patient.address.lower()}, 8),
        (("ConsentGranted",), lambda who: {"subject": _bytes(who.patient)}, 8),
        (("ConsentGranted",), lambda who: {"subject": [_bytes(who.patient), b"\1" * 20]}, 8),
        (("ConsentGranted",), lambda who: {"scope": bytes(32)}, 4),
        (("ConsentGranted", "ConsentRevoked"), lambda who: {"scope": [_ALL, "0x" + "11" * 32]}, 7),
        (("ConsentGranted",), lambda who: {"scope": _ALL, "subject": who.patient.address}, 4),
        (("ConsentGranted",), lambda who: {"subject": []}, 0),
    ],
)
def test_a_filter_in_whatever_form_finds_the_same(
    ledger, index, story, who, monkeypatch, names, filters, count
):
    from_chain = ledger.events("ConsentRegistry", *names, **filters(who))
    monkeypatch.setattr(ledger, "event_store", index)
    from_index = ledger.events("ConsentRegistry", *names, **filters(who))
    assert [replace(event, who=None) for event in from_index] == from_chain
    assert len(from_chain) == count


@pytest.mark.parametrize("value", [1, True, b"\1", "0x01"])
def test_a_number_in_whatever_form_finds_the_same(ledger, index, story, monkeypatch, value):
    asked = ("DatasetRegistry", "DatasetVersionFrozen")
    (from_chain,) = ledger.events(*asked, version=value)
    monkeypatch.setattr(ledger, "event_store", index)
    (from_index,) = ledger.events(*asked, version=value)
    assert replace(from_index, who=None) == from_chain


def test_what_the_chain_cannot_filter_by_the_index_does_not_either(with_index, story, who):
    with pytest.raises(AssertionError, match="no indexed actor"):
        with_index.events("ConsentRegistry", "ConsentGranted", actor=who.patient.address)

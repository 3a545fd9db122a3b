"""Image sets on real Kubo nodes: one is killed, content is lost, a partner keeps its own copy."""

from __future__ import annotations

import io
import os
import signal
from functools import partial
from multiprocessing import get_context
from threading import Lock

import pytest

from radledger.access import CustodianKeyService, ReceiptBook
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network as Chain
from radledger.chain.refusals import ConsentNotPermittedNeverGranted
from radledger.consent import Consents, Terms
from radledger.consent.permission import Use
from radledger.dicom.synthetic import make_ct_series
from radledger.facade import RadLedger
from radledger.imaging.copies import Copies
from radledger.imaging.errors import CiphertextRemains
from radledger.imaging.ingest.workers import WorkerPool
from radledger.imaging.model import State
from radledger.imaging.service import Images
from radledger.storage.errors import (
    ContentMismatch,
    StorageUnavailable,
    TooFewCopies,
)
from radledger.storage.kubo import KuboStore
from radledger.storage.protocol import put_at_once
from radledger.storage.replicated import Holding
from tests.identity.cast import who
from tests.kubo import network, running

__all__ = ["network", "running", "who"]

CARE = Use.of(["CC"])
KUBO_CHUNK = 1 << 18


@pytest.fixture
def study(tmp_path):
    """A CT series of four slices, each of several blocks in the store."""
    make_ct_series(tmp_path / "study", 4, size=512)
    return tmp_path / "study"


@pytest.fixture
def add(ledger, who, tmp_path, study):
    """Add the series to a store, as the hospital, for care."""

    def add_to(store):
        images = Images(ledger, store, tmp_path / "home")
        return images, images.add(
            [study], who.patient.address, custodian=who.hospital, keep_identity=True
        )

    return add_to


@pytest.fixture
def fetch(ledger, who, tmp_path, encryption_keys, study):
    """Fetch an image set from a store as the patient, who finds every file as it was."""

    def fetch_from(store, image_id, name="fetched"):
        images = Images(ledger, store, tmp_path / "patient")
        key = encryption_keys["patient"]
        secret = images.own_secret(image_id, reader=who.patient.address, private_key=key)
        done = images.fetch(image_id, tmp_path / name, secret=secret)
        came = {each.path.read_bytes() for each in done.files}
        assert came == {path.read_bytes() for path in study.iterdir()}

    return fetch_from


def test_any_node_may_be_lost(network, add, fetch):
    store = network.replicated("hospital", "clinic", "node-3")
    images, (added,) = add(store)
    copies = Copies(images._home.ledger, store, images._home.path)
    assert copies.status(added.image_id).missing == 0

    network.kill("hospital")
    fetch(store, added.image_id)
    status = copies.status(added.image_id)
    assert status.missing == len(status.contents) == 5
    assert {tuple(each.nodes.values()) for each in status.contents} == {
        ("unreachable", "pinned", "missing")
    }
    # What is missing is made up for, and then the next one may go.
    assert len(copies.repair(added.image_id).repaired) == 5
    network.kill("clinic")
    fetch(store, added.image_id, "again")

    network.restart()
    assert {tuple(each.nodes.values()) for each in copies.status(added.image_id).contents} == {
        ("pinned", "pinned", "pinned")
    }


def test_damage_on_one_disk_is_passed_over_found_and_repaired(network, add, fetch):
    store = network.replicated("hospital", "clinic")
    images, (added,) = add(store)
    copies = Copies(images._home.ledger, store, images._home.path)
    blocks = (network.folder / "hospital" / "repository" / "blocks").rglob("*.data")
    damaged = [path for path in blocks if path.stat().st_size == KUBO_CHUNK]
    assert len(damaged) >= 4  # every slice has one
    for path in damaged:
        data = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    fetch(store, added.image_id)
    with pytest.raises(ContentMismatch):
        fetch(network.store("hospital"), added.image_id, "alone")

    # As `ipfs repo verify --drop` does.
    network.call("hospital", "repo/verify", drop="true")
    status = copies.status(added.image_id)
    assert status.missing == len(status.contents) - 1
    assert len(copies.repair(added.image_id).repaired) == status.missing
    network.kill("clinic")
    fetch(store, added.image_id, "again")


class KillingStore:
    """A store whose node is killed in the middle of the third content that is put."""

    def __init__(self, network, name):
        self.network, self.name, self.count = network, name, 0
        self.store = network.store(name)
        self._one_by_one = Lock()

    def __getattr__(self, name):
        return getattr(self.store, name)

    def put(self, source, cid=None):
        with self._one_by_one:
            self.count += 1
            return self.store.put(_Killing(source, self) if self.count == 3 else source, cid)

    def put_all(self, contents):
        put_at_once(self, contents)


class _Killing(io.RawIOBase):
    def __init__(self, source, store):
        self._source, self._store, self._read = source, store, 0

    def read(self, size=-1):
        self._read += 1
        if self._read == 3:
            self._store.network.kill(self._store.name)
        return self._source.read(size)


def test_a_node_killed_in_the_middle_of_an_addition_leaves_nothing_anchored(network, add, fetch):
    killing = KillingStore(network, "hospital")
    with pytest.raises(StorageUnavailable):
        add(killing)
    assert killing.count == 4  # each of the slices, and no manifest
    network.restart()
    hospital = network.store("hospital")
    images, (added,) = add(hospital)
    assert added.added
    assert [each.image_id for each in images.list()] == [added.image_id]
    fetch(hospital, added.image_id)
    # Nothing is kept but what belongs to the set.
    contents = (
        Copies(images._home.ledger, hospital, images._home.path).status(added.image_id).contents
    )
    assert network.pins("hospital") == {each.cid for each in contents}
    assert not add(hospital)[1][0].added


def test_a_node_killed_in_the_middle_is_replaced_by_another(network, add, fetch):
    store = network.replicated("hospital", "clinic", "node-3")
    store.nodes["clinic"] = KillingStore(network, "clinic")
    images, (added,) = add(store)
    fetch(store, added.image_id)
    copies = Copies(images._home.ledger, store, images._home.path)
    status = copies.status(added.image_id)
    assert {each.nodes["clinic"] for each in status.contents} == {"unreachable"}
    # Missing are the copies of what it had taken before.
    assert status.missing == 2
    assert len(copies.repair(added.image_id).repaired) == 2
    assert copies.status(added.image_id).missing == 0


@pytest.mark.parametrize("puts", [1, 4, 9])
def test_a_run_killed_between_copies_or_after_them_keeps_nothing_else(
    puts, network, add, fetch, ledger, monkeypatch
):
    """Killed after so many of the 10 puts that two copies of four slices and a manifest take."""
    done = []

    def put(self, source, cid=None):
        stored = KuboStore.put(self, source, cid)
        done.append(stored)
        if len(done) >= puts:
            os.kill(os.getpid(), signal.SIGKILL)
        return stored

    def run():
        # The parent's connection and its server of workers are not the child's.
        endpoint = ledger.web3.provider.endpoint_uri
        monkeypatch.setattr(ledger, "web3", connect(Chain("anvil", endpoint)))
        monkeypatch.setattr(WorkerPool, "prepare", lambda: None)
        store = network.replicated("hospital", "clinic")
        for node in store.nodes.values():
            monkeypatch.setattr(node, "put", partial(put, node))
        add(store)

    child = get_context("fork").Process(target=run)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL

    store = network.replicated("hospital", "clinic")
    images, (added,) = add(store)
    assert [each.image_id for each in images.list()] == [added.image_id]
    fetch(store, added.image_id)
    contents = Copies(images._home.ledger, store, images._home.path).status(added.image_id).contents
    assert {each.copies for each in contents} == {2}
    for name in ("hospital", "clinic"):
        assert network.pins(name) == {each.cid for each in contents}


def test_too_few_nodes_refuse_and_keep_nothing(network, add):
    network.kill("clinic")
    with pytest.raises(TooFewCopies) as error:
        add(network.replicated("hospital", "clinic"))
    assert error.value.values["kept"] == []
    assert network.pins("hospital") == set()


def test_a_partner_with_a_grant_keeps_a_copy_that_outlives_the_hospital_s(
    network, add, ledger, who, tmp_path, encryption_keys, study, submit
):
    hospital, (added,) = add(network.store("hospital"))
    clinic = RadLedger(ledger, network.store("clinic"), tmp_path / "clinic")
    copies = clinic.copies
    service = CustodianKeyService(
        ledger,
        ReceiptBook(tmp_path / "receipts.sqlite3"),
        show=hospital.show,
        secret=hospital.secret,
        rekey=partial(hospital.rekey, custodian=who.hospital),
    )

    def released():
        return clinic.reading.secret(
            added.image_id,
            reader=who.clinic,
            private_key=encryption_keys["clinic"],
            key_service=service,
            use=CARE,
        ).secret

    with pytest.raises(ConsentNotPermittedNeverGranted):
        released()
    assert network.pins("clinic") == set()

    consents = Consents(ledger)
    grant = consents.grant(who.clinic.address, Terms(("CC",))).sign(who.patient)
    submit(grant, who.hospital)
    secret = released()
    assert copies.pin(added.image_id, secret=secret).pinned == 5
    assert network.pins("clinic") == network.pins("hospital")

    network.kill("hospital")
    manifest = clinic.images.contents(added.image_id, secret=secret)
    assert len(manifest.instances) == len(list(study.iterdir()))
    assert copies.status(added.image_id).missing == 0
    assert copies.unpin(added.image_id).unpinned == 5
    assert network.pins("clinic") == set()


def test_an_erasure_leaves_no_block_on_any_node(network, add, who):
    store = network.replicated("hospital", "clinic")
    images, (added,) = add(store)

    def blocks():
        places = [network.folder / name / "repository" / "blocks" for name in network.nodes]
        return [path for place in places for path in place.rglob("*.data")]

    cids = [
        each.cid
        for each in Copies(images._home.ledger, store, images._home.path)
        .status(added.image_id)
        .contents
    ]
    before = sum(path.stat().st_size for path in blocks())
    images.erase(added.image_id, custodian=who.hospital)
    assert {each for cid in cids for each in store.holdings(cid).values()} == {Holding.MISSING}
    # Of two copies of four slices of half a megabyte nothing is left.
    assert before - sum(path.stat().st_size for path in blocks()) > 2 * 4 * 512 * 512 * 2


def test_an_erasure_that_a_node_missed_is_finished_when_it_is_back(network, add, who):
    store = network.replicated("hospital", "clinic")
    images, (added,) = add(store)
    network.kill("clinic")
    with pytest.raises(CiphertextRemains, match="run this again") as error:
        images.erase(added.image_id, custodian=who.hospital)
    assert error.value.values["image"] == added.image_id
    assert images.show(added.image_id).state is State.ERASED
    assert network.pins("hospital") == set()
    network.restart()
    assert len(network.pins("clinic")) == 5
    images.erase(added.image_id, custodian=who.hospital)
    assert network.pins("clinic") == set()

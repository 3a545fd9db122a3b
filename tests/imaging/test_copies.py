"""Who holds an image set's ciphertext: copies, their repair, and what a partner keeps."""

from __future__ import annotations

import json

import pytest

from radledger.chain.refusals import ImageIsErased
from radledger.crypto.envelope import longest_ciphertext
from radledger.imaging.copies import Copies
from radledger.imaging.errors import CopiesMissing, SecretUnknown
from radledger.imaging.manifest import LONGEST_MANIFEST
from radledger.imaging.model import State
from radledger.imaging.service import Images
from radledger.storage import MemoryStore
from radledger.storage.errors import ContentNotFound, StorageUnavailable
from radledger.storage.replicated import ReplicatedStore
from tests.storage.node import Node


class ConnectedNode(Node):
    """A node that gets what it lacks from a store to which it is connected."""

    def __init__(self, peer):
        super().__init__()
        self.peer = peer

    def get(self, cid, most=None):
        self._fetch(cid)
        return super().get(cid, most)

    def pin(self, cid, most=None):
        self._fetch(cid)
        super().pin(cid, most)

    def _fetch(self, cid):
        self.answer()
        if cid not in self.contents:
            with self.peer.get(cid) as content:
                self.contents[cid] = content.read()


@pytest.fixture
def nodes():
    return {"hospital": Node(), "branch": Node()}


@pytest.fixture
def store(nodes):
    return ReplicatedStore(nodes, copies=2)


@pytest.fixture
def copies(ledger, store, home):
    return Copies(ledger, store, home)


@pytest.fixture
def image_id(add, series):
    return add(series)[0].image_id


@pytest.fixture
def partner(ledger, store, tmp_path):
    """The clinic's copies, in a home and store of its own that is connected to the hospital's."""
    return Copies(ledger, ConnectedNode(store), tmp_path / "clinic")


def held(status):
    return [tuple(each.nodes.values()) for each in status.contents]


def test_status_names_each_content_and_who_has_it(copies, images, image_id, nodes):
    manifest = images.contents(image_id)
    status = copies.status(image_id)
    assert (status.image_id, status.state) == (image_id, State.ANCHORED)
    assert (status.copies, status.missing) == (2, 0)
    assert [each.instance for each in status.contents] == [
        None,
        *(each.sop_instance for each in manifest.instances),
    ]
    assert [each.cid for each in status.contents[1:]] == [each.cid for each in manifest.instances]
    assert held(status) == [("pinned", "pinned")] * 6

    first, second = (each.cid for each in status.contents[:2])
    del nodes["branch"].contents[first]
    nodes["branch"].unpin(second)
    status = copies.status(image_id)
    assert held(status)[:3] == [("pinned", "missing"), ("pinned", "cached"), ("pinned", "pinned")]
    assert [each.copies for each in status.contents[:3]] == [1, 1, 2]
    assert status.missing == 2
    nodes["branch"].away = True
    assert held(copies.status(image_id)) == [("pinned", "unreachable")] * 6


def test_who_has_the_secret_knows_what_there_is_as_the_custodian_does(
    copies, partner, image_id, images
):
    with pytest.raises(SecretUnknown) as refusal:
        partner.status(image_id)
    assert refusal.value.values == {"image": image_id}
    theirs = partner.status(image_id, secret=images.secret(image_id))
    ours = copies.status(image_id)
    assert [each.cid for each in theirs.contents] == [each.cid for each in ours.contents]


def test_repair_makes_the_copies_that_are_missing(copies, image_id, nodes):
    lost = sorted(nodes["hospital"].contents)[:3]
    for cid in lost:
        del nodes["hospital"].contents[cid]
    result = copies.repair(image_id)
    assert (result.image_id, sorted(result.repaired), result.contents) == (image_id, lost, 6)
    assert copies.status(image_id).missing == 0
    assert copies.repair(image_id).repaired == ()


def test_repair_says_what_it_could_not_make_and_makes_the_rest(copies, image_id, nodes):
    cids = [each.cid for each in copies.status(image_id).contents]
    for node in nodes.values():
        del node.contents[cids[0]]
    del nodes["branch"].contents[cids[1]]
    with pytest.raises(CopiesMissing, match="1 of 6 contents have fewer than 2") as error:
        copies.repair(image_id)
    assert error.value.values["image"] == image_id
    assert error.value.values["repaired"] == [cids[1]]
    assert list(error.value.values["missing"]) == [cids[0]]
    nodes["branch"].away = True
    with pytest.raises(CopiesMissing) as error:
        copies.repair(image_id)
    assert sorted(error.value.values["missing"]) == sorted(cids)


def test_a_node_that_is_away_keeps_a_set_from_being_added_and_nothing_is_anchored(
    add, images, series, nodes
):
    nodes["branch"].away = True
    with pytest.raises(StorageUnavailable):
        add(series)
    assert list(images.list()) == []
    assert nodes["hospital"].contents == {}
    nodes["branch"].away = False
    assert add(series)[0].added


def test_encrypting_again_does_not_wait_for_an_unavailable_node(
    copies, images, image_id, nodes, who
):
    nodes["third"] = Node()
    nodes["branch"].away = True
    old = [each.cid for each in copies.status(image_id).contents]
    images.rekey(image_id, custodian=who.hospital)
    assert held(copies.status(image_id)) == [("pinned", "unreachable", "pinned")] * 6
    nodes["branch"].away = False
    assert set(nodes["branch"].contents) == set(old)
    assert not set(nodes["hospital"]._pins) & set(old)
    # The next time that something is collected, so is this.
    images.rekey(image_id, custodian=who.hospital)
    assert not set(nodes["branch"].contents) & set(old)


def test_a_partner_pins_a_copy_follows_a_new_encryption_and_unpins_it(
    partner, copies, images, image_id, who, nodes
):
    done = partner.pin(image_id, secret=images.secret(image_id))
    assert (done.contents, done.pinned, done.unpinned) == (6, 6, 0)
    # What it keeps it knows without the secret, and has without the hospital.
    for node in nodes.values():
        node.away = True
    assert held(partner.status(image_id)) == [("pinned",)] * 6
    for node in nodes.values():
        node.away = False
    assert partner.pin(image_id, secret=images.secret(image_id)) == done

    images.rekey(image_id, custodian=who.hospital)
    renewed = partner.pin(image_id, secret=images.secret(image_id))
    assert (renewed.pinned, renewed.unpinned) == (6, 6)
    cids = {each.cid for each in copies.status(image_id).contents}
    assert set(partner._home.storage.contents) == cids

    images.erase(image_id, custodian=who.hospital)
    status = partner.status(image_id)
    assert (status.state, status.copies, status.missing) == (State.ERASED, 0, 0)
    assert held(status) == [("pinned",)] * 6
    assert partner.unpin(image_id).unpinned == 6
    assert partner._home.storage.contents == {}
    assert partner.status(image_id).contents == ()
    assert partner.unpin(image_id).unpinned == 0


def test_an_interrupted_pin_goes_on_and_leaves_nothing_behind(partner, images, image_id):
    store, pin = partner._home.storage, partner._home.storage.pin

    def pins_two(cid, most=None):
        if len(store._pins) == 2:
            raise StorageUnavailable("it went away", address="nowhere")
        pin(cid, most)

    store.pin = pins_two
    with pytest.raises(StorageUnavailable):
        partner.pin(image_id, secret=images.secret(image_id))
    assert len(store._pins) == 2
    store.pin = pin
    assert partner.pin(image_id, secret=images.secret(image_id)).pinned == 6
    assert partner.unpin(image_id).unpinned == 6
    assert store.contents == {}


def test_no_more_is_taken_than_a_content_can_have(copies, partner, images, image_id, nodes):
    manifest, secret = images.contents(image_id), images.secret(image_id)
    most = {each.cid: longest_ciphertext(each.size) for each in manifest.instances}
    most[copies.status(image_id).contents[0].cid] = LONGEST_MANIFEST
    asked = {}
    partner._home.storage.pin = lambda cid, most: asked.__setitem__(cid, most)
    partner.pin(image_id, secret=secret)
    assert asked == most

    cid = manifest.instances[0].cid
    del nodes["branch"].contents[cid]
    nodes["hospital"].contents[cid] = bytes(most[cid] + 1)
    with pytest.raises(CopiesMissing, match=f"more than the {most[cid]} bytes"):
        copies.repair(image_id)


def test_what_was_pinned_by_an_earlier_release_is_known(partner, images, image_id):
    secret = images.secret(image_id)
    done = partner.pin(image_id, secret=secret)
    (note,) = partner._home.folder.glob("pinned/*")
    most = json.loads(note.read_text())
    note.write_text(json.dumps(list(most)))
    assert [each.cid for each in partner.status(image_id).contents] == list(most)
    lost = list(most)[1]
    partner._home.storage.unpin(lost)
    assert partner.repair(image_id).repaired == (lost,)
    assert partner.pin(image_id, secret=secret) == done
    assert json.loads(note.read_text()) == most
    assert partner.unpin(image_id).unpinned == 6


def test_what_the_store_keeps_for_its_custodian_is_not_unpinned(copies, images, image_id):
    done = copies.pin(image_id, secret=images.secret(image_id))
    assert (done.contents, done.pinned) == (6, 0)
    assert copies.unpin(image_id).unpinned == 0
    assert copies.status(image_id).missing == 0


def test_an_erased_set_has_no_copies_to_make(copies, partner, images, image_id, who):
    secret = images.secret(image_id)
    images.erase(image_id, custodian=who.hospital)
    status = copies.status(image_id)
    assert (status.state, status.contents) == (State.ERASED, ())
    for use in (lambda: copies.repair(image_id), lambda: partner.pin(image_id, secret=secret)):
        with pytest.raises(ImageIsErased) as refusal:
            use()
        assert refusal.value.values == {"image": image_id}


def test_a_disowned_set_is_to_have_its_copies(copies, images, image_id, nodes, who, ledger, submit):
    # Its custodian keeps it, and the patient may acknowledge it again.
    submit(images.disown(image_id).sign(who.patient), who.hospital)
    del nodes["branch"].contents[images._home.journal.find(image_id).manifest_cid]
    status = copies.status(image_id)
    assert (status.state, status.copies, status.missing) == (State.DISOWNED, 2, 1)
    assert len(copies.repair(image_id).repaired) == 1
    assert copies.status(image_id).missing == 0


def test_a_store_of_one_node_is_to_have_one_copy(ledger, home, who, series):
    node = MemoryStore()
    images, copies = Images(ledger, node, home), Copies(ledger, node, home)
    image_id = images.add([series], who.patient.address, custodian=who.hospital)[0].image_id
    status = copies.status(image_id)
    assert (status.copies, status.missing) == (1, 0)
    assert {name for each in status.contents for name in each.nodes} == {"store"}
    lost = status.contents[0].cid
    del node.contents[lost]
    assert copies.status(image_id).missing == 1
    with pytest.raises(CopiesMissing) as error:
        copies.repair(image_id)
    assert list(error.value.values["missing"]) == [lost]
    with pytest.raises(ContentNotFound):
        node.get(lost)

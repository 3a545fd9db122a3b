"""Re-encryption, erasure, and stores that answer wrongly."""

from __future__ import annotations

import hashlib
import json

import pytest

from radledger.chain.refusals import ImageIsErased, ImageNotCustodian
from radledger.imaging.errors import CommitmentMismatch, SecretUnknown
from radledger.imaging.journal.journal import Journal
from radledger.imaging.model import State
from radledger.storage.errors import ContentMismatch, ContentNotFound
from tests.imaging.test_resume import Killed


@pytest.fixture
def journal(each_journal):
    return each_journal


@pytest.fixture
def fetch(images, who, encryption_keys, tmp_path):
    def fetch_as_patient(image_id, name="fetched"):
        key = encryption_keys["patient"]
        secret = images.own_secret(image_id, reader=who.patient.address, private_key=key)
        return images.fetch(image_id, tmp_path / name, secret=secret)

    return fetch_as_patient


def test_rekeying_keeps_the_root_and_unpins_the_ciphertext(
    add, images, store, who, series, fetch, ledger
):
    added = add(series, keep_identity=True)[0]
    before, secret = images.contents(added.image_id), images.secret(added.image_id)
    record = images.show(added.image_id)
    result = images.rekey(added.image_id, custodian=who.hospital)
    after = images.show(added.image_id)
    assert (after.image_set, after.image_id) == (record.image_set, added.image_id)
    assert after.manifest != record.manifest
    assert after.keyed_in_block > record.keyed_in_block
    assert result.gas == ledger.web3.eth.get_transaction_receipt(result.transaction).gasUsed
    for instance in before.instances:
        with pytest.raises(ContentNotFound):
            store.get(instance.cid)
    with pytest.raises(ContentNotFound):
        store.get(added.manifest_cid)
    with pytest.raises(CommitmentMismatch):
        images.contents(added.image_id, secret=secret)
    assert len(fetch(added.image_id).files) == 5
    assert {each.verdict for each in images.verify(added.image_id, [series])} == {"identical"}


def test_no_secret_is_given_that_the_present_manifest_does_not_open_with(
    add, images, who, series, monkeypatch
):
    """The chain names the new manifest, and the journal the old secret still."""
    image_id = add(series)[0].image_id
    old = images.secret(image_id)

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "finish_rekey", killed)
        with pytest.raises(Killed):
            images.rekey(image_id, custodian=who.hospital)
    with pytest.raises(SecretUnknown, match="finish it with `radledger image rekey`") as error:
        images.secret(image_id)
    assert error.value.values == {"image": image_id}
    images.rekey(image_id, custodian=who.hospital)
    assert images.secret(image_id) != old
    assert len(images.contents(image_id).instances) == 5


def test_only_the_custodian_rekeys_and_erases(add, images, who, series, store, fetch):
    image_id = add(series)[0].image_id
    for use_case in (images.rekey, images.erase):
        with pytest.raises(ImageNotCustodian) as refusal:
            use_case(image_id, custodian=who.clinic)
        assert refusal.value.values["custodian"] == who.hospital.address
    assert images.show(image_id).state is State.ANCHORED
    assert len(fetch(image_id).files) == 5


def test_erasure_leaves_nothing(add, images, who, series, stored_files, journal_holds):
    image_id = add(series, visit="the visit of somebody")[0].image_id
    secret = images._home.journal.find(image_id).secret.encode()
    assert not journal_holds(images.secret(image_id).encode())
    salts = [bytes.fromhex(each.salt[2:]) for each in images.contents(image_id).instances]
    assert journal_holds(secret)
    assert all(journal_holds(salt) for salt in salts)
    assert journal_holds(b"the visit of somebody")
    result = images.erase(image_id, custodian=who.hospital)
    assert not journal_holds(secret)
    assert not any(journal_holds(salt) for salt in salts)
    assert not journal_holds(b"the visit of somebody")
    assert stored_files() == []

    record = images.show(image_id)
    certificate = result.certificate.read_bytes()
    assert (record.state, record.certificate) == (State.ERASED, result.digest)
    assert result.digest == "0x" + hashlib.sha256(certificate).hexdigest()
    statement = json.loads(certificate)
    assert (statement["image_id"], statement["instances"]) == (image_id, 5)
    assert who.patient.address.encode() not in certificate


def test_what_was_erased_is_refused_and_can_be_added_again(add, images, who, series, fetch):
    image_id = add(series)[0].image_id
    images.erase(image_id, custodian=who.hospital)
    for use_case in (
        lambda: fetch(image_id),
        lambda: images.verify(image_id, [series]),
        lambda: images.rekey(image_id, custodian=who.hospital),
        lambda: images.deidentify(image_id, "basic", custodian=who.hospital),
    ):
        with pytest.raises(ImageIsErased) as refusal:
            use_case()
        assert refusal.value.values == {"image": image_id}
    with pytest.raises(SecretUnknown):
        images.secret(image_id)
    again = add(series)[0]
    assert again.added
    assert again.image_id != image_id


def test_erasing_one_set_leaves_the_others(add, images, who, series, sample, fetch):
    kept, gone = add(series)[0].image_id, add(sample("CT_small.dcm"))[0].image_id
    images.erase(gone, custodian=who.hospital)
    assert len(fetch(kept).files) == 5


@pytest.mark.parametrize("damage", ["changed", "cut", "extended", "exchanged"])
def test_a_store_that_lies_is_found_out(add, images, series, tmp_path, fetch, damage):
    image_id = add(series)[0].image_id
    cids = [each.cid for each in images.contents(image_id).instances]
    paths = [next((tmp_path / "store" / "pinned").glob(f"*/{cid}")) for cid in cids]
    content = paths[3].read_bytes()
    lies = {
        "changed": content[:-40] + bytes([content[-40] ^ 1]) + content[-39:],
        "cut": content[:-1],
        "extended": content + b"\0",
        "exchanged": paths[0].read_bytes(),
    }
    paths[3].chmod(0o600)
    paths[3].write_bytes(lies[damage])
    with pytest.raises(ContentMismatch) as error:
        fetch(image_id)
    assert error.value.values["cid"] == cids[3]
    assert [path for path in tmp_path.iterdir() if "fetched" in path.name] == []
    paths[3].write_bytes(content)
    assert len(fetch(image_id).files) == 5


def test_a_manifest_that_was_exchanged_is_found_out(add, images, series, sample, tmp_path, fetch):
    one, other = add(series)[0], add(sample("CT_small.dcm"))[0]
    store = tmp_path / "store" / "pinned"
    path = next(store.glob(f"*/{one.manifest_cid}"))
    path.chmod(0o600)
    path.write_bytes(next(store.glob(f"*/{other.manifest_cid}")).read_bytes())
    with pytest.raises(ContentMismatch):
        fetch(one.image_id)
    assert len(fetch(other.image_id).files) == 1

"""A patient disowns an image set: who may use it then, who may not, and how it is taken back."""

from __future__ import annotations

import pytest
from eth_account import Account

from radledger.chain.refusals import (
    ERC2771ForwarderInvalidSigner,
    ImageIsDisowned,
    ImageIsErased,
    ImageNotAuthorized,
    ImageNotDisowned,
)
from radledger.chain.rpc import request
from radledger.identity import Identities
from radledger.imaging.errors import ImageUnknown
from radledger.imaging.model import State


@pytest.fixture(autouse=True)
def patient_with_ether(ledger, who):
    """The patient holds no Ether; who acts directly needs some."""
    request(ledger.web3, "anvil_setBalance", [who.patient.address, hex(10**18)])


@pytest.fixture
def image_id(add, series):
    return add(series)[0].image_id


@pytest.fixture
def fetch(images, who, encryption_keys, tmp_path):
    def fetch(image_id, name):
        reader, private_key = getattr(who, name).address, encryption_keys[name]
        secret = images.own_secret(image_id, reader=reader, private_key=private_key)
        return images.fetch(image_id, tmp_path / name, secret=secret)

    return fetch


def test_it_is_listed_as_disowned_until_it_is_acknowledged(images, image_id, add, sample, who):
    other = add(sample("CT_small.dcm"))[0].image_id

    def states():
        found = images.list(patient=who.patient.address)
        return {each.image_id: each.state for each in found if each.image_id in (image_id, other)}

    before = images.show(image_id)
    images.disown(who.patient, image_id)
    assert states() == {image_id: State.DISOWNED, other: State.ANCHORED}
    images.acknowledge(who.patient, image_id)
    assert states() == {image_id: State.ANCHORED, other: State.ANCHORED}
    assert images.show(image_id) == before
    images.disown(who.patient, image_id)
    images.acknowledge(who.patient, image_id)
    images.disown(who.patient, image_id)
    assert images.show(image_id).state is State.DISOWNED


def test_the_patient_no_longer_reads_it_and_the_custodian_does(images, image_id, who, fetch):
    images.disown(who.patient, image_id)
    with pytest.raises(ImageIsDisowned) as refusal:
        fetch(image_id, "patient")
    assert refusal.value.values == {"image": image_id}
    assert len(fetch(image_id, "hospital").files) == 5
    images.acknowledge(who.patient, image_id)
    assert len(fetch(image_id, "patient").files) == 5


def test_no_version_is_made_of_it(images, add, series, who):
    image_id = add(series, keep_identity=True)[0].image_id
    images.disown(who.patient, image_id)
    with pytest.raises(ImageIsDisowned) as refusal:
        images.deidentify(image_id, "basic", custodian=who.hospital)
    assert refusal.value.values == {"image": image_id}
    assert [each.image_id for each in images.versions(image_id)] == [image_id]
    images.acknowledge(who.patient, image_id)
    version = images.deidentify(image_id, "basic", custodian=who.hospital)
    assert images.show(version.image_id).parent == image_id


def test_the_same_files_do_not_come_back_under_another_id(images, image_id, add, series, who):
    images.disown(who.patient, image_id)
    (again,) = add(series)
    assert (again.image_id, again.added) == (image_id, False)
    assert images.show(image_id).state is State.DISOWNED


def test_the_custodian_rekeys_and_erases_it(images, image_id, who, stored_files):
    images.disown(who.patient, image_id)
    images.rekey(image_id, custodian=who.hospital)
    assert images.show(image_id).state is State.DISOWNED
    images.erase(image_id, custodian=who.hospital)
    assert images.show(image_id).state is State.ERASED
    assert stored_files() == []
    for change in (images.disown, images.acknowledge):
        with pytest.raises(ImageIsErased) as refusal:
            change(who.patient, image_id)
        assert refusal.value.values == {"image": image_id}


def test_who_may(images, ledger, image_id, who):
    for signer in (who.stranger, who.hospital):
        with pytest.raises(ImageNotAuthorized) as refusal:
            images.disown(signer, image_id)
        assert refusal.value.values == {"patient": who.patient.address, "actor": signer.address}
    with pytest.raises(ImageNotDisowned) as refusal:
        images.acknowledge(who.patient, image_id)
    assert refusal.value.values == {"image": image_id}
    Identities(ledger).add_delegate(who.patient, who.stranger.address, valid_for=3600)
    images.disown(who.stranger, image_id)
    assert images.show(image_id).state is State.DISOWNED
    with pytest.raises(ImageUnknown):
        images.disown(who.patient, "0x" + "11" * 32)


def test_a_patient_without_ether_signs(images, ledger, series, who):
    patient = Account.create()
    (added,) = images.add([series], patient.address, custodian=who.hospital)

    document = images.sign_disown(patient, added.image_id)
    assert images.show(added.image_id).state is State.ANCHORED
    images.submit(document, who.stranger)
    assert images.show(added.image_id).state is State.DISOWNED
    images.submit(images.sign_acknowledge(patient, added.image_id), who.stranger)
    assert images.show(added.image_id).state is State.ANCHORED
    with pytest.raises(ERC2771ForwarderInvalidSigner):
        images.submit(document, who.stranger)
    assert images.show(added.image_id).state is State.ANCHORED
    assert ledger.web3.eth.get_balance(patient.address) == 0


def test_a_stranger_has_nothing_to_sign(images, image_id, who):
    with pytest.raises(ImageNotAuthorized):
        images.sign_disown(who.stranger, image_id)

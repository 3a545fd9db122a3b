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
    images.disown(image_id).send(who.patient)
    assert states() == {image_id: State.DISOWNED, other: State.ANCHORED}
    images.acknowledge(image_id).send(who.patient)
    assert states() == {image_id: State.ANCHORED, other: State.ANCHORED}
    assert images.show(image_id) == before
    images.disown(image_id).send(who.patient)
    images.acknowledge(image_id).send(who.patient)
    images.disown(image_id).send(who.patient)
    assert images.show(image_id).state is State.DISOWNED


def test_the_patient_no_longer_reads_it_and_the_custodian_does(images, image_id, who, fetch):
    images.disown(image_id).send(who.patient)
    with pytest.raises(ImageIsDisowned) as refusal:
        fetch(image_id, "patient")
    assert refusal.value.values == {"image": image_id}
    assert len(fetch(image_id, "hospital").files) == 5
    images.acknowledge(image_id).send(who.patient)
    assert len(fetch(image_id, "patient").files) == 5


def test_no_version_is_made_of_it(images, add, series, who):
    image_id = add(series, keep_identity=True)[0].image_id
    images.disown(image_id).send(who.patient)
    with pytest.raises(ImageIsDisowned) as refusal:
        images.deidentify(image_id, "basic", custodian=who.hospital)
    assert refusal.value.values == {"image": image_id}
    assert [each.image_id for each in images.versions(image_id)] == [image_id]
    images.acknowledge(image_id).send(who.patient)
    version = images.deidentify(image_id, "basic", custodian=who.hospital)
    assert images.show(version.image_id).parent == image_id


def test_the_same_files_do_not_come_back_under_another_id(images, image_id, add, series, who):
    images.disown(image_id).send(who.patient)
    (again,) = add(series)
    assert (again.image_id, again.added) == (image_id, False)
    assert images.show(image_id).state is State.DISOWNED


def test_the_custodian_rekeys_and_erases_it(images, image_id, who, stored_files):
    images.disown(image_id).send(who.patient)
    images.rekey(image_id, custodian=who.hospital)
    assert images.show(image_id).state is State.DISOWNED
    images.erase(image_id, custodian=who.hospital)
    assert images.show(image_id).state is State.ERASED
    assert stored_files() == []
    for change in (images.disown, images.acknowledge):
        with pytest.raises(ImageIsErased) as refusal:
            change(image_id).send(who.patient)
        assert refusal.value.values == {"image": image_id}


def test_who_may(images, ledger, image_id, who):
    for signer in (who.stranger, who.hospital):
        with pytest.raises(ImageNotAuthorized) as refusal:
            images.disown(image_id).send(signer)
        assert refusal.value.values == {"patient": who.patient.address, "actor": signer.address}
    with pytest.raises(ImageNotDisowned) as refusal:
        images.acknowledge(image_id).send(who.patient)
    assert refusal.value.values == {"image": image_id}
    Identities(ledger).add_delegate(who.stranger.address, validity=3600).send(who.patient)
    images.disown(image_id).send(who.stranger)
    assert images.show(image_id).state is State.DISOWNED
    with pytest.raises(ImageUnknown):
        images.disown("0x" + "11" * 32).send(who.patient)


def test_a_patient_without_ether_signs(images, ledger, series, who, submit):
    patient = Account.create()
    (added,) = images.add([series], patient.address, custodian=who.hospital)

    document = images.disown(added.image_id).sign(patient)
    assert images.show(added.image_id).state is State.ANCHORED
    submit(document, who.stranger)
    assert images.show(added.image_id).state is State.DISOWNED
    submit(images.acknowledge(added.image_id).sign(patient), who.stranger)
    assert images.show(added.image_id).state is State.ANCHORED
    with pytest.raises(ERC2771ForwarderInvalidSigner):
        submit(document, who.stranger)
    assert images.show(added.image_id).state is State.ANCHORED
    assert ledger.web3.eth.get_balance(patient.address) == 0


def test_a_stranger_has_nothing_to_sign(images, image_id, who):
    with pytest.raises(ImageNotAuthorized):
        images.disown(image_id).sign(who.stranger)

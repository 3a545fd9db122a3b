"""What is encrypted after an identity got another owner is wrapped to no key from before."""

from __future__ import annotations

import pytest

from radledger.crypto.keys import new_private_key, public_key
from radledger.imaging import reading
from radledger.imaging.errors import SecretUnknown
from tests.imaging.conftest import add, home, images, journal, series, store

__all__ = ["add", "home", "images", "journal", "series", "store"]

pytestmark = pytest.mark.usefixtures("patient_with_ether")


@pytest.fixture
def secret_for(images, store):
    """Opens an image set's secret as the patient, with a private key."""

    def secret_for(image_id, private_key):
        with reading.opened_envelope(store, images.show(image_id)) as envelope:
            return envelope.secret_for("patient", image_id, private_key)

    return secret_for


def recover(ledger, identities, who, travel):
    """The patient's guardian gives the identity to the clinic's key."""
    patient, guardian, new_owner = who.patient, who.relatives[0], who.clinic
    identities.set_guardians([guardian.address], 1).send(patient)
    identities.approve_recovery(patient.address, new_owner.address).send(guardian)
    travel(ledger.call("IdentityRegistry", "recoveryDelay"))
    identities.execute_recovery(patient.address, new_owner.address).send(guardian)


def hand_over(ledger, identities, who, travel):
    identities.change_owner(who.clinic.address).send(who.patient)


@pytest.mark.parametrize("change", [recover, hand_over])
@pytest.mark.parametrize("registered_by", ["patient", "thief"])
def test_a_key_of_an_earlier_owner_opens_nothing_new(
    add, images, ledger, identities, who, series, travel, encryption_keys, secret_for, change,
    registered_by,
):  # fmt: skip
    stolen = encryption_keys["patient"]
    if registered_by == "thief":
        stolen = new_private_key()
        identities.set_key(public_key(stolen)).send(who.patient)
    before = add(series, keep_identity=True)[0].image_id
    assert secret_for(before, stolen)
    change(ledger, identities, who, travel)

    images.rekey(before, custodian=who.hospital)
    after = add(series)[0].image_id
    for image_id in (before, after):
        with pytest.raises(SecretUnknown):
            secret_for(image_id, stolen)

    # The new owner registers a key of its own, and is wrapped to from then on.
    key = new_private_key()
    identities.set_key(public_key(key), identity=who.patient.address).send(who.clinic)
    images.rekey(before, custodian=who.hospital)
    assert secret_for(before, key)


def test_a_lost_parent_registers_no_key_for_the_child(
    images, ledger, identities, who, series, secret_for
):
    """Neither before its own identity got another owner, with an effect afterwards, nor then."""
    child, parent, new_key = who.clinician, who.patient, who.clinic
    identities.change_owner(parent.address).send(child)
    stolen, key = new_private_key(), new_private_key()
    identities.set_key(public_key(stolen), identity=child.address).send(parent)
    add = {"custodian": who.hospital, "keep_identity": True}
    image_id = images.add([series], child.address, **add)[0].image_id
    assert secret_for(image_id, stolen)

    identities.change_owner(new_key.address).send(parent)
    images.rekey(image_id, custodian=who.hospital)
    with pytest.raises(SecretUnknown):
        secret_for(image_id, stolen)
    identities.set_key(public_key(key), identity=child.address).send(new_key)
    images.rekey(image_id, custodian=who.hospital)
    assert secret_for(image_id, key)

"""To whom the secret in a manifest is wrapped, by which key, and what is said of it."""

from __future__ import annotations

import pytest

from radledger.crypto.keys import Kem, PrivateKey, public_key
from radledger.imaging import reading
from radledger.imaging.errors import SecretUnknown
from tests.imaging.conftest import add, home, images, journal, series, store

__all__ = ["add", "home", "images", "journal", "series", "store"]

X25519 = PrivateKey(x25519=bytes(range(32)))


@pytest.fixture
def kems(images, store):
    """By which KEM the secret of an image set is wrapped, by role."""

    def kems(image_id):
        with reading.opened_envelope(store, images.show(image_id)) as envelope:
            return {role: wrapped.kem for role, wrapped in envelope.wrapped.items()}

    return kems


@pytest.fixture
def new_patient(identities, ledger, who):
    """A patient whose registered key is the one given."""
    ledger.web3.provider.make_request("anvil_setBalance", [who.relatives[0].address, hex(10**18)])

    def register(key):
        identities.set_key(key).send(who.relatives[0])
        return who.relatives[0].address

    return register


def test_hybrid_keys_are_wrapped_to_without_a_word(add, series, kems, caplog):
    image_id = add(series)[0].image_id
    assert kems(image_id) == {"custodian": Kem.HYBRID, "patient": Kem.HYBRID}
    assert caplog.messages == []


def test_a_patient_without_one_is_wrapped_to_by_x25519_and_named_once(
    images, series, kems, new_patient, who, caplog
):
    patient = new_patient(public_key(X25519))
    image_id = images.add([series], patient, custodian=who.hospital)[0].image_id
    assert kems(image_id) == {"custodian": Kem.HYBRID, "patient": Kem.X25519}
    assert images.own_secret(image_id, reader=patient, private_key=X25519)
    (line,) = caplog.messages
    assert f"registered by {patient}, so that" in line

    # Once there is a hybrid key, encrypting again is the way to it.
    images.rekey(image_id, custodian=who.hospital)
    assert len(caplog.messages) == 2
    key = PrivateKey(hybrid=bytes(range(96)), x25519=X25519.x25519)
    new_patient(public_key(key))
    images.rekey(image_id, custodian=who.hospital)
    assert kems(image_id) == {"custodian": Kem.HYBRID, "patient": Kem.HYBRID}
    assert images.own_secret(image_id, reader=patient, private_key=key)
    assert len(caplog.messages) == 2


def test_a_key_that_is_none_does_not_keep_a_custodian_from_adding(
    images, ledger, series, kems, who, encryption_keys
):
    name = b"did/pub/X25519/enc/base64".ljust(32, b"\0")
    patient = who.stranger
    ledger.send(
        patient, "IdentityRegistry", "setAttribute", patient.address, name, bytes(32), 10**6
    )
    image_id = images.add([series], patient.address, custodian=who.hospital)[0].image_id
    assert kems(image_id) == {"custodian": Kem.HYBRID}
    with pytest.raises(SecretUnknown):
        images.own_secret(image_id, reader=patient.address, private_key=encryption_keys["patient"])

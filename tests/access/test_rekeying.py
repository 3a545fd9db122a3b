"""Re-keying: a reader who was locked out has no use of the secret that it was given."""

from __future__ import annotations

import sqlite3

import pytest

from radledger.access import CustodianKeyService
from radledger.chain.refusals import ConsentNotPermittedRevoked
from radledger.consent import Terms
from radledger.crypto.keys import new_private_key, public_key
from tests.access.holding import PRIVATE_KEY, opened

pytestmark = pytest.mark.usefixtures("patient_with_ether")

HOUR = 3600
CARE = Terms(("CC",))


def test_after_a_revocation_the_next_release_has_a_new_secret(
    consents, holding, identities, image_set, other_image_set, reader, service, receipts, who, ask
):
    key = new_private_key()
    identities.set_key(public_key(key)).send(who.clinician)
    for grantee in (reader, who.clinician):
        consents.grant(grantee.address, CARE).send(who.patient)
    first, second = service.release(ask(reader)), service.release(ask(who.clinician))
    assert opened(first) == opened(second, key)
    service.release(ask(who.clinician, image_set=other_image_set))
    others = holding.secret(other_image_set.image_id)

    consents.revoke(reader.address).send(who.patient)
    # Revoking is one transaction: nothing is re-encrypted before the next read.
    assert holding.secret(image_set.image_id) == opened(first)
    third = opened(service.release(ask(who.clinician)), key)
    assert third == holding.secret(image_set.image_id) != opened(first)

    # A locked-out reader stays so; nothing is re-encrypted twice for the same revocation,
    # and not where the revoked reader has read nothing.
    fourth = service.release(ask(who.clinician))
    assert opened(fourth, key) == third
    service.release(ask(who.clinician, image_set=other_image_set))
    assert holding.secret(other_image_set.image_id) == others
    manifests = [release.manifest for release in receipts.releases(image_set.image_id)]
    assert manifests[0] == manifests[1] != manifests[2] == manifests[3]


def test_a_set_is_encrypted_again_once_an_hour_at_most(
    consents, holding, image_set, ledger, reader, service, travel, who, ask
):
    """A patient and a friend would otherwise have the hospital encrypt as often as they like."""

    def rekeyed():
        image = bytes.fromhex(image_set.image_id[2:])
        return len(ledger.events("ImageRegistry", "ImageRekeyed", image=image))

    def read_and_be_revoked():
        consents.grant(reader.address, CARE).send(who.patient)
        secret = opened(service.release(ask(reader)))
        consents.revoke(reader.address).send(who.patient)
        return secret

    secrets = set()
    for _ in range(3):
        secrets.add(read_and_be_revoked())
        service.release(ask(who.patient))
    assert rekeyed() == 1
    assert len(secrets) == 2
    travel(HOUR - 60)
    service.release(ask(who.patient))
    assert rekeyed() == 1
    # What had to wait is made up for.
    travel(60)
    service.release(ask(who.patient))
    assert rekeyed() == 2
    assert holding.secret(image_set.image_id) not in secrets


def test_who_is_revoked_while_it_is_encrypted_again_gets_nothing(
    consents, holding, ledger, receipts, reader, who, ask
):
    """Encrypting a large image set takes minutes, and so does waiting until it is done."""

    def rekey(image_id):
        holding.rekey(image_id)
        consents.revoke(reader.address).send(who.patient)

    service = CustodianKeyService(
        ledger, receipts, show=holding.show, secret=holding.secret, rekey=rekey
    )
    consents.grant(reader.address, CARE).send(who.patient)
    service.release(ask(reader))
    consents.grant(reader.address, Terms(("GRU",))).send(who.patient)
    with pytest.raises(ConsentNotPermittedRevoked):
        service.release(ask(reader, purposes=("GRU",)))
    assert len(receipts.releases()) == 1


def test_who_may_still_read_is_asked_once_for_each_reader(
    consents, holding, image_set, ledger, monkeypatch, reader, service, receipts, who, ask
):
    consents.grant(reader.address, Terms(("CC", "GRU"))).send(who.patient)
    for fulfilled in range(8):
        service.release(ask(reader, fulfilled=fulfilled_terms(fulfilled)))
    service.release(ask(reader, purposes=("GRU",)))
    (last,) = receipts.holders(image_set.image_id, holding.show(image_set.image_id).manifest)
    assert last == receipts.releases()[-1]

    asked, call = [], ledger.call
    monkeypatch.setattr(
        ledger, "call", lambda *question: (asked.append(question[1]), call(*question))[1]
    )
    service.release(ask(reader))
    # By the reader for its receipt, and by the service about this reader.
    assert asked.count("permitted") == 2

    # By what was read for last: a purpose that was taken back locks the reader out.
    before = holding.secret(image_set.image_id)
    service.release(ask(reader, purposes=("GRU",)))
    consents.grant(reader.address, CARE).send(who.patient)
    assert opened(service.release(ask(reader))) != before


def fulfilled_terms(bits):
    return [term for bit, term in enumerate(("IRB", "PUB", "COL")) if bits >> bit & 1]


def test_each_owner_of_a_readers_key_is_a_holder(
    consents, holding, identities, image_set, ledger, receipts, reader, service, who, ask
):
    consents.grant(reader.address, CARE).send(who.patient)
    service.release(ask(reader))
    patients = CustodianKeyService(ledger, receipts, show=holding.show, secret=holding.secret)
    ledger.send(reader, "IdentityRegistry", "changeOwner", reader.address, who.clinic.address)
    identities.set_key(public_key(PRIVATE_KEY), identity=reader.address).send(who.clinic)
    patients.release(ask(reader).receipt.sign(who.clinic))
    manifest = holding.show(image_set.image_id).manifest
    owners = [each.signed.signer for each in receipts.holders(image_set.image_id, manifest)]
    assert owners == [reader.address, who.clinic.address]


def test_a_book_from_before_signers_were_named_is_understood(
    consents, holding, image_set, reader, receipts, service, tmp_path, who, ask
):
    consents.grant(reader.address, CARE).send(who.patient)
    for _ in range(2):
        service.release(ask(reader))
    database = sqlite3.connect(tmp_path / "receipts.sqlite3")
    database.execute("DROP TRIGGER no_update")
    database.execute("UPDATE releases SET receipt = json_remove(receipt, '$.signer')")
    database.commit()
    database.close()
    manifest = holding.show(image_set.image_id).manifest
    assert receipts.holders(image_set.image_id, manifest) == receipts.releases()
    before = holding.secret(image_set.image_id)
    consents.revoke(reader.address).send(who.patient)
    service.release(ask(who.patient))
    assert holding.secret(image_set.image_id) != before

"""Reading: the secret goes to whom the chain permits it, against a receipt, and to nobody else."""

from __future__ import annotations

import sqlite3
import stat
from dataclasses import replace

import pytest

from radledger.chain.refusals import (
    ConsentConditionUnmet,
    ConsentExpired,
    ConsentImageErased,
    ConsentNeverGranted,
    ConsentNotYet,
    ConsentPurposeNotPermitted,
    ConsentReaderSuspended,
    ConsentRevoked,
)
from radledger.consent import Terms, duo
from radledger.consent.errors import (
    ReaderReplaced,
    ReceiptForAnotherChain,
    ReceiptGrantDiffers,
    ReceiptReplayed,
    ReceiptStale,
)
from radledger.consent.receipts import Receipts
from radledger.consent.release import CustodianKeyService, keep_own_reading
from radledger.crypto.errors import UnwrapFailed
from radledger.crypto.keys import new_private_key, public_key
from radledger.identity.errors import NoEncryptionKey
from radledger.imaging.errors import ReceiptInvalid
from radledger.imaging.keys import SignedReceipt
from radledger.imaging.model import NONE
from tests.consent.holding import PRIVATE_KEY, opened

pytestmark = pytest.mark.usefixtures("patient_with_ether")

HOUR = 3600
CARE = Terms(("CC",))


def test_who_is_permitted_gets_the_secret_and_the_receipt_stays(
    consents, holding, image_set, ledger, reader, receipts, service, who, ask
):
    consents.grant(who.patient, reader.address, CARE)
    request = ask(reader)
    answer = service.release(request)
    (grant,) = consents.list(subject=who.patient.address)
    assert opened(answer) == holding.secret(image_set.image_id)
    assert (answer.image_id, answer.grant_id) == (image_set.image_id, grant.grant_id)
    with pytest.raises(UnwrapFailed):
        opened(answer, new_private_key())
    with pytest.raises(UnwrapFailed):
        opened(replace(answer, grant_id=NONE))

    (kept,) = receipts.releases(image_set.image_id)
    assert (kept.signed, kept.released_at) == (request, ledger.now())
    assert kept.signed.signer == reader.address
    assert receipts.releases() == (kept,)
    assert receipts.releases(NONE) == ()


def test_a_receipt_counts_in_each_form_of_its_signature(
    consents, holding, image_set, reader, service, who, ask
):
    consents.grant(who.patient, reader.address, CARE)
    for length in (64, 65):
        request = ask(reader)
        signature = bytes.fromhex(request.signature[2:])
        parity = signature[64] - 27
        compact = signature[:32] + bytes([signature[32] | parity << 7]) + signature[33:64]
        form = compact if length == 64 else signature[:64] + bytes([parity])
        answer = service.release(replace(request, signature="0x" + form.hex()))
        assert opened(answer) == holding.secret(image_set.image_id)


def test_a_patient_reads_and_releases_by_themselves(
    consents, holding, identities, ledger, image_set, reader, receipts, who, ask
):
    key = new_private_key()
    identities.set_key(who.patient, public_key(key))
    own = CustodianKeyService(ledger, receipts, show=holding.show, secret=holding.secret)
    assert opened(own.release(ask(who.patient)), key) == holding.secret(image_set.image_id)

    consents.grant(who.patient, reader.address, CARE)
    assert opened(own.release(ask(reader))) == holding.secret(image_set.image_id)
    consents.revoke(who.patient, reader.address)
    with pytest.raises(ConsentRevoked):
        own.release(ask(reader))


def refused(service, receipts, request, error):
    with pytest.raises(error) as refusal:
        service.release(request)
    assert receipts.releases() == ()
    return refusal.value.values


def test_a_stranger_is_refused(service, receipts, who, ask):
    assert refused(service, receipts, ask(who.stranger), ConsentNeverGranted) == {
        "subject": who.patient.address,
        "reader": who.stranger.address,
    }


def test_another_purpose_is_refused(consents, service, receipts, reader, who, ask):
    consents.grant(who.patient, reader.address, CARE)
    request = ask(reader, purposes=("GRU",))
    assert refused(service, receipts, request, ConsentPurposeNotPermitted) == {
        "granted": duo.purpose_bits(["CC"]),
        "used": duo.purpose_bits(["GRU"]),
    }


def test_an_unmet_condition_is_refused(consents, service, receipts, reader, who, ask):
    consents.grant(who.patient, reader.address, Terms(("CC",), ("IRB",)))
    assert refused(service, receipts, ask(reader), ConsentConditionUnmet) == {
        "required": duo.condition_bits(["IRB"]),
        "fulfilled": 0,
    }
    assert opened(service.release(ask(reader, fulfilled=("IRB",))))


def test_too_early_and_too_late_are_refused(
    consents, ledger, service, receipts, reader, who, travel, ask
):
    start, until = ledger.now() + HOUR, ledger.now() + 2 * HOUR
    consents.grant(who.patient, reader.address, Terms(("CC",), start=start, until=until))
    whose = {"subject": who.patient.address, "reader": reader.address}
    early = refused(service, receipts, ask(reader), ConsentNotYet)
    assert early == whose | {"from": start}
    travel(2 * HOUR)
    late = refused(service, receipts, ask(reader), ConsentExpired)
    assert late == whose | {"until": until}


def test_what_was_revoked_is_refused(consents, service, receipts, reader, who, ask):
    consents.grant(who.patient, reader.address, CARE)
    signed_before = ask(reader)
    consents.revoke_all(who.patient)
    assert refused(service, receipts, signed_before, ConsentRevoked) == {
        "subject": who.patient.address,
        "reader": reader.address,
    }


def test_a_suspended_reader_is_refused(consents, participants, service, receipts, reader, who, ask):
    consents.grant(who.patient, reader.address, CARE)
    participants.suspend(who.hospital, reader.address)
    values = refused(service, receipts, ask(reader), ConsentReaderSuspended)
    assert values == {"reader": reader.address}


def test_an_erased_image_set_is_refused(
    consents, ledger, service, image_set, receipts, reader, who, ask
):
    consents.grant(who.patient, reader.address, CARE)
    request = ask(reader)
    ledger.send(who.hospital, "ImageRegistry", "erase", image_set.struct, b"\1" * 32)
    values = refused(service, receipts, request, ConsentImageErased)
    assert values == {"image": image_set.image_id}


def test_a_reader_without_an_encryption_key_is_refused(consents, service, receipts, who, ask):
    consents.grant(who.patient, who.clinician.address, CARE)
    values = refused(service, receipts, ask(who.clinician), NoEncryptionKey)
    assert values == {"identity": who.clinician.address}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image_id", "0x" + "11" * 32),
        ("purposes", 511),
        ("fulfilled", 1),
        ("disease", "0x" + "11" * 13),
        ("grant_id", "0x" + "11" * 32),
        ("time", 1),
        ("chain_id", 1),
        ("contract", "0x" + "11" * 20),
    ],
)
def test_a_receipt_that_was_changed_is_refused(
    consents, service, receipts, reader, who, ask, field, value
):
    consents.grant(who.patient, reader.address, CARE)
    request = ask(reader)
    changed = SignedReceipt(replace(request.receipt, **{field: value}), request.signature)
    assert refused(service, receipts, changed, ReceiptInvalid)["reader"] == reader.address


def test_a_receipt_that_another_signed_is_refused(consents, service, receipts, reader, who, ask):
    consents.grant(who.patient, reader.address, CARE)
    forged = ask(who.stranger, reader=reader.address)
    values = refused(service, receipts, forged, ReceiptInvalid)
    assert values == {"reader": reader.address, "signer": who.stranger.address}


def test_a_receipt_is_answered_once(
    consents, ledger, service, image_set, receipts, reader, who, ask
):
    consents.grant(who.patient, reader.address, CARE)
    request = ask(reader)
    service.release(request)
    with pytest.raises(ReceiptReplayed) as refusal:
        service.release(request)
    assert refusal.value.values == {
        "reader": reader.address,
        "image": image_set.image_id,
        "released_at": ledger.now(),
    }
    service.release(ask(reader))
    assert len(receipts.releases()) == 2


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_receipt_of_another_time_is_refused(
    consents, ledger, service, receipts, reader, who, ask, seconds
):
    consents.grant(who.patient, reader.address, CARE)
    now = ledger.now()
    values = refused(service, receipts, ask(reader, time=now + seconds), ReceiptStale)
    assert values == {"time": now + seconds, "now": now}
    assert opened(service.release(ask(reader, time=now + seconds // 301 * 300)))


@pytest.mark.parametrize(("field", "value"), [("chain_id", 1), ("contract", "0x" + "11" * 20)])
def test_a_receipt_for_elsewhere_is_refused(
    consents, ledger, service, receipts, reader, who, ask, field, value
):
    consents.grant(who.patient, reader.address, CARE)
    values = refused(service, receipts, ask(reader, **{field: value}), ReceiptForAnotherChain)
    assert values["expected"] == (ledger.chain_id, ledger.address("ConsentRegistry"))
    assert value in values["signed_for"]


def test_a_receipt_names_the_grant_that_permits(
    consents, service, receipts, image_set, reader, who, ask
):
    consents.grant(who.patient, reader.address, CARE, scope=image_set.visit)
    request = ask(reader)
    consents.grant(who.patient, reader.address, CARE)
    values = refused(service, receipts, request, ReceiptGrantDiffers)
    assert values == {"signed": request.receipt.grant_id, "permits": ask(reader).receipt.grant_id}


def test_who_took_over_a_readers_identity_reads_and_the_old_key_does_not(
    consents, holding, identities, image_set, ledger, service, receipts, reader, who, ask
):
    consents.grant(who.patient, reader.address, CARE)
    first = opened(service.release(ask(reader)))
    key = new_private_key()
    ledger.send(reader, "IdentityRegistry", "changeOwner", reader.address, who.clinic.address)
    identities.set_key(who.clinic, public_key(key), identity=reader.address)

    with pytest.raises(ReaderReplaced) as refusal:
        service.release(ask(reader))
    assert refusal.value.values == {"reader": reader.address}
    taken_over = ask(reader).receipt.sign(who.clinic)
    second = opened(service.release(taken_over), key)
    # Whoever has the old key was given the first secret, and is locked out by another.
    assert second == holding.secret(image_set.image_id) != first
    assert [release.signed.signer for release in receipts.releases()] == [
        reader.address,
        who.clinic.address,
    ]
    third = ask(reader).receipt.sign(who.clinic)
    assert opened(service.release(third), key) == second


def test_the_new_owner_has_no_more_than_the_readers_permission(
    consents, ledger, service, receipts, reader, who, ask
):
    ledger.send(reader, "IdentityRegistry", "changeOwner", reader.address, who.clinic.address)
    taken_over = ask(reader).receipt.sign(who.clinic)
    values = refused(service, receipts, taken_over, ConsentNeverGranted)
    assert values == {"subject": who.patient.address, "reader": reader.address}


def test_nobody_reads_as_an_identity_that_was_given_up(
    consents, ledger, service, receipts, reader, who, ask
):
    consents.grant(who.patient, reader.address, CARE)
    ledger.send(reader, "IdentityRegistry", "changeOwner", reader.address, "0x" + "00" * 20)
    assert refused(service, receipts, ask(reader), ReaderReplaced) == {"reader": reader.address}


def test_who_took_over_a_patients_identity_grants_and_reads_and_the_old_key_does_not(
    consents, holding, identities, image_set, ledger, service, who, ask
):
    key, patient, heir = new_private_key(), who.patient, who.clinic
    identities.set_key(heir, public_key(key))
    ledger.send(patient, "IdentityRegistry", "changeOwner", patient.address, heir.address)
    with pytest.raises(ReaderReplaced):
        service.release(ask(patient))
    with pytest.raises(ConsentNeverGranted):
        service.release(ask(heir))
    consents.grant(heir, heir.address, CARE, subject=patient.address)
    assert opened(service.release(ask(heir)), key) == holding.secret(image_set.image_id)
    with pytest.raises(ReaderReplaced):
        service.release(ask(patient))


def test_after_a_revocation_the_next_release_has_a_new_secret(
    consents, holding, identities, image_set, other_image_set, reader, service, receipts, who, ask
):
    key = new_private_key()
    identities.set_key(who.clinician, public_key(key))
    for grantee in (reader, who.clinician):
        consents.grant(who.patient, grantee.address, CARE)
    first, second = service.release(ask(reader)), service.release(ask(who.clinician))
    assert opened(first) == opened(second, key)
    service.release(ask(who.clinician, image_set=other_image_set))
    others = holding.secret(other_image_set.image_id)

    consents.revoke(who.patient, reader.address)
    # Revoking is one transaction: nothing is encrypted anew until somebody reads.
    assert holding.secret(image_set.image_id) == opened(first)
    third = opened(service.release(ask(who.clinician)), key)
    assert third == holding.secret(image_set.image_id) != opened(first)

    # Whoever was locked out stays so; nothing is encrypted anew for the same revocation again,
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
        consents.grant(who.patient, reader.address, CARE)
        secret = opened(service.release(ask(reader)))
        consents.revoke(who.patient, reader.address)
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


def test_who_may_still_read_is_asked_once_for_each_reader(
    consents, holding, image_set, ledger, monkeypatch, reader, service, receipts, who, ask
):
    consents.grant(who.patient, reader.address, Terms(("CC", "GRU")))
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
    # By whoever asks for the receipt, and by the service about this reader.
    assert asked.count("permitted") == 2

    # By what was read for last: a purpose that was taken back locks the reader out.
    before = holding.secret(image_set.image_id)
    service.release(ask(reader, purposes=("GRU",)))
    consents.grant(who.patient, reader.address, CARE)
    assert opened(service.release(ask(reader))) != before


def fulfilled_terms(bits):
    return [term for bit, term in enumerate(("IRB", "PUB", "COL")) if bits >> bit & 1]


def test_each_owner_of_a_readers_key_is_a_holder(
    consents, holding, identities, image_set, ledger, receipts, reader, service, who, ask
):
    consents.grant(who.patient, reader.address, CARE)
    service.release(ask(reader))
    patients = CustodianKeyService(ledger, receipts, show=holding.show, secret=holding.secret)
    ledger.send(reader, "IdentityRegistry", "changeOwner", reader.address, who.clinic.address)
    identities.set_key(who.clinic, public_key(PRIVATE_KEY), identity=reader.address)
    patients.release(ask(reader).receipt.sign(who.clinic))
    manifest = holding.show(image_set.image_id).manifest
    owners = [each.signed.signer for each in receipts.holders(image_set.image_id, manifest)]
    assert owners == [reader.address, who.clinic.address]


def test_a_book_from_before_signers_were_named_is_understood(
    consents, holding, image_set, reader, receipts, service, tmp_path, who, ask
):
    consents.grant(who.patient, reader.address, CARE)
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
    consents.revoke(who.patient, reader.address)
    service.release(ask(who.patient))
    assert holding.secret(image_set.image_id) != before


def test_a_reading_of_their_own_leaves_a_receipt_of_the_custodian(
    consents, holding, image_set, ledger, reader, receipts, service, who, ask
):
    keep_own_reading(ledger, receipts, holding.show(image_set.image_id), who.hospital)
    (kept,) = receipts.releases(image_set.image_id)
    receipt = kept.signed.receipt
    assert kept.signed.signer == receipt.reader == who.hospital.address
    assert (receipt.grant_id, receipt.purposes, kept.released_at) == (NONE, 0, ledger.now())
    # The custodian needs no grant to hold the secret: nothing is encrypted again for it.
    before = holding.secret(image_set.image_id)
    consents.grant(who.patient, reader.address, CARE)
    assert opened(service.release(ask(reader))) == before


def test_a_book_of_receipts_is_private_and_only_added_to(
    consents, tmp_path, service, receipts, reader, who, ask
):
    consents.grant(who.patient, reader.address, CARE)
    service.release(ask(reader))
    path = tmp_path / "receipts.sqlite3"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Receipts(path).releases() == receipts.releases()
    database = sqlite3.connect(path)
    for change in ("DELETE FROM releases", "UPDATE releases SET released_at = 0"):
        with pytest.raises(sqlite3.IntegrityError, match="is kept"):
            database.execute(change)
    database.close()
    with pytest.raises(ReceiptReplayed):
        receipts.keep(receipts.releases()[0])

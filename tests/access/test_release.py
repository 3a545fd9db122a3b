"""Reading: the secret goes only to readers whom the chain permits it, against a receipt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radledger.access import CustodianKeyService, SignedReceipt
from radledger.access.errors import (
    ReaderReplaced,
    ReceiptForAnotherChain,
    ReceiptGrantDiffers,
    ReceiptInvalid,
    ReceiptReplayed,
    ReceiptStale,
)
from radledger.chain.refusals import (
    ConsentNotPermittedCondition,
    ConsentNotPermittedDisowned,
    ConsentNotPermittedErased,
    ConsentNotPermittedExpired,
    ConsentNotPermittedNeverGranted,
    ConsentNotPermittedNotYet,
    ConsentNotPermittedPurpose,
    ConsentNotPermittedReaderSuspended,
    ConsentNotPermittedRevoked,
)
from radledger.consent import Terms, duo
from radledger.crypto.errors import UnwrapFailed
from radledger.crypto.keys import PrivateKey, new_private_key, public_key
from radledger.identity.errors import NoEncryptionKey
from radledger.imaging.model import NONE
from tests.access.holding import opened

pytestmark = pytest.mark.usefixtures("patient_with_ether")

HOUR = 3600
CARE = Terms(("CC",))


def test_who_is_permitted_gets_the_secret_and_the_receipt_stays(
    consents, holding, image_set, ledger, reader, receipts, service, who, ask
):
    consents.grant(reader.address, CARE).send(who.patient)
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
    consents.grant(reader.address, CARE).send(who.patient)
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
    identities.set_key(public_key(key)).send(who.patient)
    own = CustodianKeyService(ledger, receipts, show=holding.show, secret=holding.secret)
    assert opened(own.release(ask(who.patient)), key) == holding.secret(image_set.image_id)

    consents.grant(reader.address, CARE).send(who.patient)
    assert opened(own.release(ask(reader))) == holding.secret(image_set.image_id)
    consents.revoke(reader.address).send(who.patient)
    with pytest.raises(ConsentNotPermittedRevoked):
        own.release(ask(reader))


def refused(service, receipts, request, error):
    with pytest.raises(error) as refusal:
        service.release(request)
    assert receipts.releases() == ()
    return refusal.value.values


def test_a_stranger_is_refused(service, receipts, who, ask):
    assert refused(service, receipts, ask(who.stranger), ConsentNotPermittedNeverGranted) == {
        "subject": who.patient.address,
        "reader": who.stranger.address,
    }


def test_another_purpose_is_refused(consents, service, receipts, reader, who, ask):
    consents.grant(reader.address, CARE).send(who.patient)
    request = ask(reader, purposes=("GRU",))
    assert refused(service, receipts, request, ConsentNotPermittedPurpose) == {
        "granted": duo.purpose_bits(["CC"]),
        "used": duo.purpose_bits(["GRU"]),
    }


def test_an_unmet_condition_is_refused(consents, service, receipts, reader, who, ask):
    consents.grant(reader.address, Terms(("CC",), ("IRB",))).send(who.patient)
    assert refused(service, receipts, ask(reader), ConsentNotPermittedCondition) == {
        "required": duo.condition_bits(["IRB"]),
        "fulfilled": 0,
    }
    assert opened(service.release(ask(reader, fulfilled=("IRB",))))


def test_too_early_and_too_late_are_refused(
    consents, ledger, service, receipts, reader, who, travel, ask
):
    start, until = ledger.now() + HOUR, ledger.now() + 2 * HOUR
    consents.grant(reader.address, Terms(("CC",), start=start, until=until)).send(who.patient)
    whose = {"subject": who.patient.address, "reader": reader.address}
    early = refused(service, receipts, ask(reader), ConsentNotPermittedNotYet)
    assert early == whose | {"from": start}
    travel(2 * HOUR)
    late = refused(service, receipts, ask(reader), ConsentNotPermittedExpired)
    assert late == whose | {"until": until}


def test_what_was_revoked_is_refused(consents, service, receipts, reader, who, ask):
    consents.grant(reader.address, CARE).send(who.patient)
    signed_before = ask(reader)
    consents.revoke_all().send(who.patient)
    assert refused(service, receipts, signed_before, ConsentNotPermittedRevoked) == {
        "subject": who.patient.address,
        "reader": reader.address,
    }


def test_a_suspended_reader_is_refused(consents, participants, service, receipts, reader, who, ask):
    consents.grant(reader.address, CARE).send(who.patient)
    participants.suspend(reader.address).send(who.hospital)
    values = refused(service, receipts, ask(reader), ConsentNotPermittedReaderSuspended)
    assert values == {"reader": reader.address}


def test_an_erased_image_set_is_refused(
    consents, ledger, service, image_set, receipts, reader, who, ask
):
    consents.grant(reader.address, CARE).send(who.patient)
    request = ask(reader)
    ledger.send(who.hospital, "ImageRegistry", "erase", image_set.struct, b"\1" * 32)
    values = refused(service, receipts, request, ConsentNotPermittedErased)
    assert values == {"image": image_set.image_id}


def test_a_disowned_image_set_is_refused_until_it_is_acknowledged(
    consents, ledger, service, image_set, receipts, reader, who, ask
):
    consents.grant(reader.address, CARE).send(who.patient)
    request = ask(reader)
    ledger.send(who.patient, "ImageRegistry", "disown", image_set.struct)
    values = refused(service, receipts, request, ConsentNotPermittedDisowned)
    assert values == {"image": image_set.image_id}
    ledger.send(who.patient, "ImageRegistry", "acknowledge", image_set.struct)
    assert service.release(request).image_id == image_set.image_id


def test_a_hybrid_key_is_wrapped_to_without_a_word(consents, service, reader, who, ask, caplog):
    consents.grant(reader.address, CARE).send(who.patient)
    assert service.release(ask(reader)).wrapped.kem == "MLKEM768-X25519"
    assert caplog.messages == []


def test_a_reader_without_a_hybrid_key_is_wrapped_to_by_x25519_and_named(
    consents, identities, service, image_set, holding, who, ask, caplog
):
    key, reader = PrivateKey(x25519=bytes(range(32))), who.clinician
    identities.set_key(public_key(key)).send(reader)
    consents.grant(reader.address, CARE).send(who.patient)
    answer = service.release(ask(reader))
    assert answer.wrapped.kem == "X25519"
    assert opened(answer, key) == holding.secret(image_set.image_id)
    (line,) = caplog.messages
    assert line.startswith(
        f"no usable hybrid key is registered by {reader.address}, so that a later "
    )
    assert line.endswith("`radledger identity set-key` registers one")


def test_a_reader_without_an_encryption_key_is_refused(consents, service, receipts, who, ask):
    consents.grant(who.clinician.address, CARE).send(who.patient)
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
    consents.grant(reader.address, CARE).send(who.patient)
    request = ask(reader)
    changed = SignedReceipt(replace(request.receipt, **{field: value}), request.signature)
    assert refused(service, receipts, changed, ReceiptInvalid)["reader"] == reader.address


def test_a_receipt_that_another_signed_is_refused(consents, service, receipts, reader, who, ask):
    consents.grant(reader.address, CARE).send(who.patient)
    forged = ask(who.stranger, reader=reader.address)
    values = refused(service, receipts, forged, ReceiptInvalid)
    assert values == {"reader": reader.address, "signer": who.stranger.address}


def test_a_receipt_is_answered_once(
    consents, ledger, service, image_set, receipts, reader, who, ask
):
    consents.grant(reader.address, CARE).send(who.patient)
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
    consents.grant(reader.address, CARE).send(who.patient)
    now = ledger.now()
    values = refused(service, receipts, ask(reader, time=now + seconds), ReceiptStale)
    assert values == {"time": now + seconds, "now": now}
    assert opened(service.release(ask(reader, time=now + seconds // 301 * 300)))


@pytest.mark.parametrize(("field", "value"), [("chain_id", 1), ("contract", "0x" + "11" * 20)])
def test_a_receipt_for_elsewhere_is_refused(
    consents, ledger, service, receipts, reader, who, ask, field, value
):
    consents.grant(reader.address, CARE).send(who.patient)
    values = refused(service, receipts, ask(reader, **{field: value}), ReceiptForAnotherChain)
    assert values["expected"] == (ledger.chain_id, ledger.address("ConsentRegistry"))
    assert value in values["signed_for"]


def test_a_receipt_names_the_grant_that_permits(
    consents, service, receipts, image_set, reader, who, ask
):
    consents.grant(reader.address, CARE, scope=image_set.visit).send(who.patient)
    request = ask(reader)
    consents.grant(reader.address, CARE).send(who.patient)
    values = refused(service, receipts, request, ReceiptGrantDiffers)
    assert values == {"signed": request.receipt.grant_id, "permits": ask(reader).receipt.grant_id}


def test_who_took_over_a_readers_identity_reads_and_the_old_key_does_not(
    consents, holding, identities, image_set, ledger, service, receipts, reader, who, ask
):
    consents.grant(reader.address, CARE).send(who.patient)
    first = opened(service.release(ask(reader)))
    key = new_private_key()
    ledger.send(reader, "IdentityRegistry", "changeOwner", reader.address, who.clinic.address)
    identities.set_key(public_key(key), identity=reader.address).send(who.clinic)

    with pytest.raises(ReaderReplaced) as refusal:
        service.release(ask(reader))
    assert refusal.value.values == {"reader": reader.address}
    taken_over = ask(reader).receipt.sign(who.clinic)
    second = opened(service.release(taken_over), key)
    # The holder of the old key has the first secret, and is locked out by another.
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
    values = refused(service, receipts, taken_over, ConsentNotPermittedNeverGranted)
    assert values == {"subject": who.patient.address, "reader": reader.address}


def test_no_account_reads_as_a_deactivated_identity(
    consents, ledger, service, receipts, reader, who, ask
):
    consents.grant(reader.address, CARE).send(who.patient)
    ledger.send(reader, "IdentityRegistry", "changeOwner", reader.address, "0x" + "00" * 20)
    assert refused(service, receipts, ask(reader), ReaderReplaced) == {"reader": reader.address}


def test_who_took_over_a_patients_identity_grants_and_reads_and_the_old_key_does_not(
    consents, holding, identities, image_set, ledger, service, who, ask
):
    key, patient, heir = new_private_key(), who.patient, who.clinic
    identities.set_key(public_key(key)).send(heir)
    ledger.send(patient, "IdentityRegistry", "changeOwner", patient.address, heir.address)
    with pytest.raises(ReaderReplaced):
        service.release(ask(patient))
    with pytest.raises(ConsentNotPermittedNeverGranted):
        service.release(ask(heir))
    consents.grant(heir.address, CARE, subject=patient.address).send(heir)
    assert opened(service.release(ask(heir)), key) == holding.secret(image_set.image_id)
    with pytest.raises(ReaderReplaced):
        service.release(ask(patient))

"""A key service acknowledges the receipt; the reader keeps that, and refuses what does not bind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from radledger.access import Acknowledgement
from radledger.access.days import DAY, day_of, parse_day
from radledger.access.errors import AcknowledgementInvalid, InvalidDay
from radledger.chain.refusals import AccessRecorderNotAppointed
from radledger.consent import Terms
from radledger.consent.permission import Use
from tests.access.holding import PRIVATE_KEY

pytestmark = pytest.mark.usefixtures("patient_with_ether")

CARE = Use.of(["CC"])


@pytest.fixture
def granted(consents, reader, who):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)


@pytest.fixture
def read(reading, image_set, reader, granted):
    """Read the image set through a key service."""
    return lambda service: reading.secret(
        image_set.image_id, reader=reader, private_key=PRIVATE_KEY, key_service=service, use=CARE
    )


class Changing:
    """A key service that changes what another one acknowledges."""

    def __init__(self, service, change):
        self._service, self._change = service, change

    def release(self, request):
        answer = self._service.release(request)
        return replace(answer, acknowledgement=self._change(answer.acknowledgement))


def test_reader_keeps_what_was_acknowledged(
    ledger, read, acknowledging, receipts, holding, image_set, recorder, who
):
    assert read(acknowledging).secret == holding.secret(image_set.image_id)
    (kept,), (release,) = receipts.acknowledged(), receipts.releases()
    assert kept.signed == release.signed
    made = kept.acknowledgement
    assert made.receipt == "0x" + release.signed.receipt.digest.hex()
    assert made.institution == who.hospital.address
    assert made.day == day_of(release.released_at)
    assert made.signer(ledger) == recorder.address
    assert receipts.acknowledged(release.signed.receipt.digest) == (kept,)
    assert receipts.acknowledged(bytes(32)) == ()


def test_contract_and_library_hash_the_same(ledger, read, acknowledging, receipts):
    """The contract recovers the recorder from what the library signed."""
    read(acknowledging)
    (kept,) = receipts.acknowledged()
    id_ = ledger.call("AccessLedger", "demandIdOf", kept.acknowledgement.struct)
    from eth_account.messages import encode_typed_data

    message = encode_typed_data(full_message=kept.acknowledgement.typed_data(ledger))
    assert bytes(id_) == bytes(message.body)


def test_key_service_without_a_recorder_acknowledges_nothing(read, service, receipts):
    read(service)
    assert receipts.acknowledged() == ()
    assert len(receipts.releases()) == 1


def test_key_service_whose_recorder_was_not_appointed_releases_nothing(
    read, acknowledging, access, receipts, recorder, who
):
    access.dismiss(recorder.address).send(who.hospital)
    with pytest.raises(AccessRecorderNotAppointed) as refusal:
        read(acknowledging)
    assert refusal.value.values == {
        "institution": who.hospital.address,
        "recorder": recorder.address,
    }
    assert receipts.releases() == receipts.acknowledged() == ()


@pytest.mark.parametrize(
    "field", ["receipt", "institution", "day before", "day after", "signature", "no signature"]
)
def test_reader_refuses_what_does_not_bind(read, acknowledging, receipts, who, field):
    def changed(made):
        return {
            "receipt": replace(made, receipt="0x" + "11" * 32),
            "institution": replace(made, institution=who.clinic.address),
            "day before": replace(made, day=made.day - timedelta(days=1)),
            "day after": replace(made, day=made.day + timedelta(days=1)),
            "signature": replace(made, signature="0x" + "11" * 65),
            "no signature": replace(made, signature="none"),
        }[field]

    with pytest.raises(AcknowledgementInvalid) as refusal:
        read(Changing(acknowledging, changed))
    assert refusal.value.values["institution"] == who.hospital.address
    assert receipts.acknowledged() == ()
    assert read(acknowledging).secret
    assert len(receipts.acknowledged()) == 1


def test_reader_refuses_a_key_that_is_not_a_recorder(ledger, read, acknowledging, receipts, who):
    def changed(made):
        digest = bytes.fromhex(made.receipt[2:])
        return Acknowledgement.sign(ledger, who.hospital, digest, made.institution, made.day)

    with pytest.raises(AcknowledgementInvalid) as refusal:
        read(Changing(acknowledging, changed))
    assert refusal.value.values["signer"] == who.hospital.address
    assert receipts.acknowledged() == ()


def test_acknowledgement_of_a_recorder_that_was_just_dismissed_binds(
    read, acknowledging, access, receipts, recorder, who
):
    def dismissed(made):
        access.dismiss(recorder.address).send(who.hospital)
        return made

    read(Changing(acknowledging, dismissed))
    assert len(receipts.acknowledged()) == 1


@pytest.mark.parametrize("seconds", [-250, 250])
def test_at_midnight_either_day_binds(ledger, ask, recorder, travel, image_set, seconds, who):
    """The reader's clock and the key service's may differ by five minutes."""
    travel(DAY - ledger.now() % DAY)
    receipt = ask(who.radiologist, time=ledger.now() - seconds).receipt
    day = day_of(ledger.now() + seconds)
    made = Acknowledgement.sign(ledger, recorder, receipt.digest, image_set.custodian, day)
    made.require_binding(ledger, receipt, image_set.custodian)


def test_kept_once_and_for_good(read, acknowledging, receipts):
    read(acknowledging)
    (kept,) = receipts.acknowledged()
    later = replace(kept.acknowledgement, day=date(2020, 1, 1))
    receipts.keep_acknowledged(replace(kept, acknowledgement=later))
    assert receipts.acknowledged() == (kept,)


@pytest.mark.parametrize("text", ["", "2026-13-01", "2026-02-30", "yesterday", "1969-12-31", "0x1"])
def test_what_is_not_a_day_is_refused(text):
    with pytest.raises(InvalidDay) as refusal:
        parse_day(text)
    assert refusal.value.values == {"text": text}
    assert parse_day("1970-01-01") == date(1970, 1, 1)

"""Receipts that are recorded one by one, as their digest, also with the signature checked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from radledger.access import Receipt
from tests.contracts.access_ledger.conftest import RECORDER_KEY
from tests.contracts.conftest import NOBODY, PATIENT_KEY, digest, error


@pytest.fixture(scope="module")
def receipt(consents, patient):
    """A receipt of the patient, as the library makes it."""
    _, _, _, chain_id, *_ = consents.eip712Domain()
    return Receipt(
        patient.address, digest("image"), 32, 0, "0x" + "00" * 13, digest("grant"),
        1_800_000_000, chain_id, consents.address, "0x" + "5a" * 16,
    )  # fmt: skip


def content(receipt):
    """The hash of a receipt as a struct."""
    return "0x" + bytes(encode_typed_data(full_message=receipt.typed_data).body).hex()


def signature(receipt, key=PATIENT_KEY):
    return receipt.sign(Account.from_key(key)).signature


def test_receipt_is_recorded_by_its_digest_alone(appointed, hospital, recorder):
    transaction = appointed.record(hospital, digest("receipt"), {"from": recorder})
    (log,) = transaction.logs
    assert transaction.events["AccessReceiptRecorded"] == {
        "receipt": digest("receipt"),
        "institution": hospital,
        "signer": NOBODY,
    }
    assert log["data"] in ("0x", b"")


def test_receipt_that_its_reader_signed(appointed, hospital, recorder, receipt, patient):
    given = (hospital, content(receipt), patient, signature(receipt))
    transaction = appointed.recordSigned(*given, {"from": recorder})
    assert transaction.events["AccessReceiptRecorded"] == {
        "receipt": "0x" + receipt.digest.hex(),
        "institution": hospital,
        "signer": patient,
    }


def test_receipt_that_a_contract_signed(deploy, appointed, hospital, recorder, receipt, patient):
    wallet = deploy("ContractWallet", patient)
    given = (hospital, content(receipt), wallet, signature(receipt))
    transaction = appointed.recordSigned(*given, {"from": recorder})
    assert transaction.events["AccessReceiptRecorded"]["signer"] == wallet


def test_signature_of_another_is_refused(appointed, hospital, recorder, receipt, patient):
    for wrong in (signature(receipt, RECORDER_KEY), "0x", "0x" + "00" * 65):
        with error("AccessBadSignature", patient):
            appointed.recordSigned(hospital, content(receipt), patient, wrong, {"from": recorder})
    with error("AccessBadSignature", NOBODY):
        appointed.recordSigned(
            hospital, content(receipt), NOBODY, "0x" + "00" * 65, {"from": recorder}
        )


def test_signature_of_another_message_is_not_one_of_a_receipt(
    appointed, hospital, recorder, receipt, patient, acknowledged
):
    """Whatever else the reader signed, for this contract or the consent registry."""
    signed = signature(receipt)
    with error("AccessBadSignature", patient):
        other = "0x" + receipt.digest.hex()
        appointed.recordSigned(hospital, other, patient, signed, {"from": recorder})
    elsewhere = acknowledged(key=PATIENT_KEY)
    made = appointed.demandIdOf(elsewhere.acknowledgement)
    vs = int(elsewhere.vs, 16)
    s, v = vs & (1 << 255) - 1, 27 + (vs >> 255)
    whole = elsewhere.r + s.to_bytes(32).hex() + f"{v:02x}"
    with error("AccessBadSignature", patient):
        appointed.recordSigned(hospital, made, patient, whole, {"from": recorder})


@pytest.mark.parametrize("field", ["chain_id", "contract"])
def test_receipt_for_another_chain_or_deployment_is_refused(
    appointed, hospital, recorder, receipt, patient, field
):
    changed = replace(receipt, **{field: {"chain_id": 2, "contract": NOBODY}[field]})
    with error("AccessBadSignature", patient):
        appointed.recordSigned(
            hospital, content(changed), patient, signature(changed), {"from": recorder}
        )


def test_others_record_nothing(appointed, hospital, clinic, recorder, other_recorder, receipt):
    given = (hospital, content(receipt), recorder, "0x")
    for sender in (hospital, other_recorder):
        with error("AccessRecorderNotAppointed", hospital, sender):
            appointed.record(hospital, digest("receipt"), {"from": sender})
        with error("AccessRecorderNotAppointed", hospital, sender):
            appointed.recordSigned(*given, {"from": sender})
    appointed.record(clinic, digest("receipt"), {"from": other_recorder})

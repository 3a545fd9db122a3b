"""A receipt: who signed it, and what of its form is refused."""

from __future__ import annotations

import json

import pytest
from eth_account import Account

from radledger.access import Receipt, SignedReceipt
from radledger.access.errors import ReceiptInvalid

READER, STRANGER = (Account.from_key(bytes([number]) * 32) for number in (1, 2))

RECEIPT = Receipt(
    reader=READER.address,
    image_id="0x" + "ab" * 32,
    purposes=32,
    fulfilled=0,
    disease="0x" + "00" * 13,
    grant_id="0x" + "cd" * 32,
    time=1_800_000_000,
    chain_id=1337,
    contract="0x" + "11" * 20,
)
SIGNED = RECEIPT.sign(READER)


def test_a_receipt_says_who_signed_it():
    assert SIGNED.signer == READER.address
    assert RECEIPT.sign(STRANGER).signer == STRANGER.address
    for nothing in ("0x" + "00" * 65, "none", ""):
        assert SignedReceipt(RECEIPT, nothing).signer is None
    for change in ({"purposes": 33}, {"nonce": "0x" + "00" * 16}):
        changed = SignedReceipt.from_json({**SIGNED.to_json(), **change})
        assert changed.signer != READER.address


def test_a_receipt_comes_back_from_json_in_one_spelling():
    assert SignedReceipt.from_json(json.loads(json.dumps(SIGNED.to_json()))) == SIGNED
    lower = {"reader": READER.address.lower(), "image_id": "0x" + "AB" * 32}
    assert SignedReceipt.from_json({**SIGNED.to_json(), **lower}) == SIGNED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reader", "0x12"),
        ("reader", 7),
        ("image_id", "0x" + "ab" * 31),
        ("image_id", "ab" * 32),
        ("purposes", 1 << 16),
        ("purposes", "32"),
        ("purposes", True),
        ("fulfilled", -1),
        ("disease", "0x"),
        ("disease", None),
        ("grant_id", ["0x" + "cd" * 32]),
        ("time", 1 << 40),
        ("time", 1.5),
        ("chain_id", 1 << 256),
        ("contract", "0x" + "11" * 21),
        ("nonce", "0x" + "zz" * 16),
        ("signature", None),
    ],
)
def test_a_field_of_another_form_is_refused(field, value):
    with pytest.raises(ReceiptInvalid) as refusal:
        SignedReceipt.from_json({**SIGNED.to_json(), field: value})
    assert refusal.value.values == {"field": field}


@pytest.mark.parametrize(
    "value",
    [
        {"signature": "0x"},
        {**SIGNED.to_json(), "more": 1},
        {},
        [],
        None,
        "0x",
    ],
)
def test_what_lacks_a_field_or_has_another_is_refused(value):
    with pytest.raises(ReceiptInvalid) as refusal:
        SignedReceipt.from_json(value)
    expected = sorted(value) if isinstance(value, dict) else None
    assert refusal.value.values == {"fields": expected}

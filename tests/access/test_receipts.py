"""A receipt: who signed it, and what of its form is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from radledger.access import Receipt, SignedReceipt
from radledger.access.errors import ReceiptInvalid
from radledger.chain.signatures import typed_data_digest

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


def words(size):
    return st.binary(min_size=size, max_size=size).map(lambda value: "0x" + value.hex())


RECEIPTS = st.builds(
    Receipt,
    reader=words(20).map(to_checksum_address),
    image_id=words(32),
    purposes=st.integers(0, 2**16 - 1),
    fulfilled=st.integers(0, 2**16 - 1),
    disease=words(13),
    grant_id=words(32),
    time=st.integers(0, 2**40 - 1),
    chain_id=st.integers(0, 2**256 - 1),
    contract=words(20).map(to_checksum_address),
    nonce=words(16),
)


@given(RECEIPTS)
def test_its_digest_is_that_of_wallets(receipt):
    message = encode_typed_data(full_message=receipt.typed_data)
    assert receipt.content == message.body
    assert receipt.digest == typed_data_digest(receipt.typed_data)


@pytest.mark.parametrize(
    "changes",
    [
        *({"purposes": 1 << 16}, {"purposes": -1}, {"time": 1 << 40}, {"reader": "0x" + "11" * 19}),
        *({"nonce": "0x" + "11" * 15}, {"disease": "0x" + "11" * 14}, {"chain_id": 1 << 256}),
    ],
)
def test_what_is_not_a_receipts_value_has_no_digest(changes):
    receipt = replace(RECEIPT, **changes)
    with pytest.raises(ValueError, match="is not of the type"):
        receipt.digest  # noqa: B018
    assert replace(SIGNED, receipt=receipt).signer is None

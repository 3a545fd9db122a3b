"""Calls by people without Ether: once, in time, by who signed, and refused like any other."""

from __future__ import annotations

import copy
import json

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from radledger.chain import refusals
from radledger.chain.errors import OutOfGas
from radledger.errors import UsageError

NAME = b"did/svc/Email".ljust(32, b"\0")


@pytest.fixture(params=["deployed_ledger", "geth_ledger"], ids=["anvil", "geth"])
def ledger(request):
    """Each kind of node in turn; what a test leaves there is its own patient's."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def cast(people):
    """Everybody, with a patient whom no test has seen."""
    return {**people, "patient": Account.create()}


@pytest.fixture
def sign(ledger, cast):
    """Let the patient sign a change of an identity's attribute."""

    def sign(identity="patient", deadline=None):
        change = (cast[identity].address, NAME, "0x" + b"x@example.org".hex(), 3600)
        return ledger.sign_forward(
            cast["patient"],
            "IdentityRegistry",
            "setAttribute",
            *change,
            deadline=deadline or ledger.now() + 3600,
        )

    return sign


def test_a_patient_without_ether_acts(ledger, cast, sign):
    patient = cast["patient"]
    assert ledger.web3.eth.get_balance(patient.address) == 0
    document = json.loads(json.dumps(sign()))
    receipt = ledger.submit_forward(document, cast["stranger"])
    changed = receipt.event("DIDAttributeChanged")
    assert changed.args["identity"] == patient.address
    assert changed.args["value"] == "0x" + b"x@example.org".hex()


def test_it_is_void_the_second_time(ledger, cast, sign):
    document = sign()
    ledger.submit_forward(document, cast["stranger"])
    with pytest.raises(refusals.ERC2771ForwarderInvalidSigner) as refusal:
        ledger.submit_forward(document, cast["stranger"])
    assert refusal.value.values["from"] == cast["patient"].address


def test_it_is_void_after_its_deadline(ledger, cast, sign):
    deadline = ledger.now() - 1
    with pytest.raises(refusals.ERC2771ForwarderExpiredRequest) as refusal:
        ledger.submit_forward(sign(deadline=deadline), cast["stranger"])
    assert refusal.value.values == {"deadline": deadline}


def test_nobody_can_change_what_was_signed(ledger, cast, sign):
    for field, value in (("from", cast["researcher"].address), ("gas", 5_000_000)):
        document = copy.deepcopy(sign())
        document["typedData"]["message"][field] = value
        with pytest.raises(refusals.ERC2771ForwarderInvalidSigner):
            ledger.submit_forward(document, cast["stranger"])


def test_the_contract_refuses_with_its_own_error(ledger, cast, sign):
    with pytest.raises(refusals.IdentityNotOwner) as signing:
        sign(identity="hospital")
    expected = {"identity": cast["hospital"].address, "actor": cast["patient"].address}
    assert signing.value.values == expected

    document = sign()
    patient, heir = cast["patient"], cast["researcher"].address
    handed = ledger.sign_forward(
        patient,
        "IdentityRegistry",
        "changeOwner",
        *(patient.address, heir),
        deadline=ledger.now() + 60,
    )
    ledger.submit_forward(handed, cast["hospital"])
    # The forwarder's nonce was used by that, so the earlier document is void already there.
    with pytest.raises(refusals.ERC2771ForwarderInvalidSigner):
        ledger.submit_forward(document, cast["stranger"])


def test_a_refusal_that_arises_after_signing_keeps_its_name(ledger, cast, sign):
    document = sign()
    patient = cast["patient"]
    _change_owner_by_signature(ledger, cast, patient.address, cast["researcher"].address)
    with pytest.raises(refusals.IdentityNotOwner) as refusal:
        ledger.submit_forward(document, cast["stranger"])
    assert refusal.value.values == {"identity": patient.address, "actor": patient.address}


def test_a_signature_for_too_little_gas(ledger, cast, sign):
    typed = sign()["typedData"]
    typed["message"]["gas"] = 10_000
    signed = cast["patient"].sign_message(encode_typed_data(full_message=typed))
    document = {"typedData": typed, "signature": "0x" + bytes(signed.signature).hex()}
    with pytest.raises(OutOfGas) as failure:
        ledger.submit_forward(document, cast["stranger"])
    assert failure.value.values["gas_limit"] == 10_000 < failure.value.values["needed"]
    assert "signed again" in failure.value.message
    assert ledger.submit_forward(sign(), cast["stranger"]).events


def _change_owner_by_signature(ledger, cast, identity, owner):
    """ERC-1056's own meta transaction, which leaves the forwarder's nonce alone."""
    from eth_utils.crypto import keccak

    patient = cast["patient"]
    digest = keccak(
        b"\x19\x00"
        + bytes.fromhex(ledger.address("IdentityRegistry")[2:])
        + ledger.call("IdentityRegistry", "nonce", identity).to_bytes(32)
        + bytes.fromhex(identity[2:])
        + b"changeOwner"
        + bytes.fromhex(owner[2:])
    )
    signed = patient.unsafe_sign_hash(digest)
    signature = (signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32))
    ledger.send(
        cast["hospital"], "IdentityRegistry", "changeOwnerSigned", identity, *signature, owner
    )


def test_documents_for_elsewhere_and_no_documents(ledger, cast, sign):
    document = sign()
    for field, value in (("chainId", 1), ("verifyingContract", cast["clinic"].address)):
        other = copy.deepcopy(document)
        other["typedData"]["domain"][field] = value
        with pytest.raises(UsageError) as error:
            ledger.submit_forward(other, cast["stranger"])
        assert error.value.values["signed_for"][field] == value
    for broken in ({}, {"typedData": {}}, {"typedData": document["typedData"]}):
        with pytest.raises(UsageError):
            ledger.submit_forward(broken, cast["stranger"])


def test_another_wallet_signs_the_same(ledger, cast, sign):
    from eth_account.messages import encode_typed_data

    document = sign()
    typed = encode_typed_data(full_message=document["typedData"])
    signer = Account.recover_message(typed, signature=document["signature"])
    assert signer == cast["patient"].address


@pytest.mark.parametrize("form", ["v of 0 or 1", "EIP-2098"])
def test_a_wallet_may_write_it_otherwise(ledger, cast, sign, form):
    document = sign()
    signature = bytes.fromhex(document["signature"][2:])
    rs, parity = signature[:64], signature[64] - 27
    if form == "EIP-2098":
        rs = rs[:32] + bytes([rs[32] | parity << 7]) + rs[33:]
    document["signature"] = "0x" + (rs + bytes([parity]) if form != "EIP-2098" else rs).hex()
    typed = document["typedData"]
    typed["domain"]["chainId"] = hex(typed["domain"]["chainId"])
    typed["domain"]["verifyingContract"] = typed["domain"]["verifyingContract"].lower()
    for name, value in typed["message"].items():
        typed["message"][name] = str(value) if isinstance(value, int) else value.lower()
    del typed["types"]["EIP712Domain"]
    changed = ledger.submit_forward(document, cast["stranger"]).event("DIDAttributeChanged")
    assert changed.args["identity"] == cast["patient"].address


@pytest.mark.parametrize("signature", [None, "", "0xzz", "0x12"])
def test_what_is_no_signature(ledger, cast, sign, signature):
    with pytest.raises((UsageError, refusals.ERC2771ForwarderInvalidSigner)):
        ledger.submit_forward({**sign(), "signature": signature}, cast["stranger"])

"""Calls by people without Ether: once, in time, by who signed, and refused like any other."""

from __future__ import annotations

import copy
import json

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from radledger.chain import documents, refusals
from radledger.chain.action import Action, one_call
from radledger.chain.documents import when
from radledger.chain.errors import (
    DocumentExpired,
    DocumentForAnotherChain,
    DocumentMalformed,
    DocumentTampered,
    NotSignable,
    OutOfGas,
)
from radledger.chain.forward import KIND, forward_typed_data
from radledger.chain.ledger import Call
from radledger.errors import UsageError
from radledger.identity import Identities
from radledger.signed import submit

NAME = b"did/svc/Email".ljust(32, b"\0")


@pytest.fixture(params=["deployed_ledger", "geth_ledger"], ids=["anvil", "geth"])
def ledger(request):
    """Each kind of node in turn; what a test leaves there is its own patient's."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def cast(people):
    """All people, with a patient who is new in each test."""
    return {**people, "patient": Account.create()}


@pytest.fixture
def sign(ledger, cast):
    """Let the patient sign a change of an identity's attribute."""

    def sign(identity="patient", valid_for=3600):
        change = (cast[identity].address, NAME, "0x" + b"x@example.org".hex(), 3600)
        call = Call("IdentityRegistry", "setAttribute", change)
        return one_call(ledger, lambda _: call).sign(cast["patient"], valid_for=valid_for)

    return sign


def test_a_patient_without_ether_acts(ledger, cast, sign):
    patient = cast["patient"]
    assert ledger.web3.eth.get_balance(patient.address) == 0
    document = json.loads(json.dumps(sign()))
    receipt = submit(ledger, document, cast["stranger"])
    changed = receipt.event("DIDAttributeChanged")
    assert changed.args["identity"] == patient.address
    assert changed.args["value"] == "0x" + b"x@example.org".hex()


def test_it_is_void_the_second_time(ledger, cast, sign):
    document = sign()
    submit(ledger, document, cast["stranger"])
    with pytest.raises(refusals.ERC2771ForwarderInvalidSigner) as refusal:
        submit(ledger, document, cast["stranger"])
    assert refusal.value.values["from"] == cast["patient"].address


def test_it_is_void_after_its_deadline(ledger, cast, sign):
    document = sign(valid_for=-1)
    with pytest.raises(DocumentExpired) as refusal:
        submit(ledger, document, cast["stranger"])
    assert refusal.value.values == {"deadline": document["typedData"]["message"]["deadline"]}


def test_a_changed_document_is_refused(ledger, cast, sign):
    for field, value in (("from", cast["researcher"].address), ("gas", 5_000_000)):
        document = copy.deepcopy(sign())
        document["typedData"]["message"][field] = value
        with pytest.raises(DocumentTampered):
            submit(ledger, document, cast["stranger"])


def test_it_says_in_words_what_is_called(ledger, cast, sign):
    patient = cast["patient"].address
    document = sign()
    deadline = document["typedData"]["message"]["deadline"]
    assert document["summary"] == (
        f"{patient} calls setAttribute of IdentityRegistry with identity {patient}, "
        f"name 'did/svc/Email', value 0x{b'x@example.org'.hex()}, validity 3600. "
        f"To be submitted by {when(deadline)}."
    )
    claim = Call("DatasetRegistry", "claimFor", (b"\1" * 32, 1, patient, patient))
    assert one_call(ledger, lambda _: claim).words(patient) == (
        f"{patient} calls claimFor of DatasetRegistry with dataset 0x{'01' * 32}, class custody, "
        f"beneficiary {patient}, to {patient}"
    )


def words(ledger, contract, function, *arguments):
    """What a call says, after its function."""
    call = Call(contract, function, arguments)
    said = one_call(ledger, lambda _: call).words("0x" + "11" * 20)
    return said.partition(" with ")[2]


def test_names_are_read_and_ids_are_not(ledger):
    """What has a type of its own is an id or a digest, even if it is readable by chance."""
    readable = b"readable".ljust(32, b"\0")
    family = b"DCM:123110".ljust(16, b"\0")
    assert words(ledger, "AlgorithmRegistry", "register", "Nodules", family) == (
        "name 'Nodules', family 'DCM:123110'"
    )
    unreadable = words(ledger, "AlgorithmRegistry", "register", "", b"\xff" * 16)
    assert unreadable == f"name '', family 0x{'ff' * 16}"
    work = words(ledger, "DatasetRegistry", "withdrawWork", readable, 2, readable)
    assert work == f"dataset 0x{readable.hex()}, class annotation, work 0x{readable.hex()}"


def test_nothing_in_words_hides(ledger):
    """A person signs what these words say."""
    family = bytes(16)
    hidden = "Nodules\u3164\u202e, family \u0336x\ufe0f"
    said = words(ledger, "AlgorithmRegistry", "register", hidden, family)
    assert said == rf"name 'Nodules\u3164\u202e, family \u0336x\ufe0f', family 0x{'00' * 16}"
    long = "Nodules" + " " * 10_000 + "and more"
    said = words(ledger, "AlgorithmRegistry", "register", long, family)
    assert len(said) < 400
    assert "… (10015 characters with SHA-256 0x" in said
    assert "Müller 王小明 क्षि" in words(
        ledger, "AlgorithmRegistry", "register", "Müller 王小明 क्षि", family
    )


def test_a_long_list_says_how_long_it_is(ledger):
    guardians = ["0x" + f"{number:02d}" * 20 for number in range(10, 99)] * 2
    said = words(ledger, "IdentityRegistry", "setGuardians", guardians[0], guardians, 2)
    assert said.count("0x") == 101
    assert said.endswith("… (178 in all)], threshold 2")


def test_words_of_a_call_have_the_values_of_its_structs(ledger, cast):
    hospital, patient = cast["hospital"].address, cast["patient"].address
    image_set = (hospital, patient, *(bytes([number]) * 32 for number in (1, 2, 3)))
    disown = Call("ImageRegistry", "disown", (image_set,))
    assert one_call(ledger, lambda _: disown).words(patient) == (
        f"{patient} calls disown of ImageRegistry with imageSet (custodian {hospital}, patient "
        f"{patient}, root 0x{'01' * 32}, visit 0x{'02' * 32}, course 0x{'03' * 32})"
    )


def test_words_that_are_not_those_of_the_call_are_refused(ledger, cast, sign):
    document = sign()
    other = document["summary"].replace("did/svc/Email", "did/svc/Phone")
    for summary in (other, "", None, [other]):
        with pytest.raises(DocumentTampered):
            submit(ledger, {**document, "summary": summary}, cast["stranger"])


def test_another_account_cannot_sign_for_the_caller(ledger, cast, sign):
    document, thief = sign(), cast["stranger"]
    forged = documents.sign(thief, KIND, document["summary"], document["typedData"])
    with pytest.raises(DocumentTampered) as refusal:
        submit(ledger, forged, thief)
    assert refusal.value.values == {"signer": thief.address, "account": cast["patient"].address}


@pytest.mark.parametrize(
    ("to", "data"),
    [("clinic", "0x"), ("IdentityRegistry", "0x"), ("IdentityRegistry", "0xdeadbeef")],
)
def test_a_call_without_words_is_refused(ledger, cast, sign, to, data):
    typed = sign()["typedData"]
    address = cast[to].address if to in cast else ledger.address(to)
    message = {**typed["message"], "to": address, "data": data}
    document = documents.sign(
        cast["patient"], KIND, "Something.", forward_typed_data(ledger, message)
    )
    with pytest.raises(DocumentMalformed, match="cannot be put into words"):
        submit(ledger, document, cast["stranger"])


def test_what_a_contract_takes_from_its_sender_alone_is_not_signed(ledger, cast):
    call = Call("ConsentRegistry", "revokeAll", (cast["patient"].address,))
    with pytest.raises(NotSignable) as refusal:
        one_call(ledger, lambda _: call).sign(cast["patient"])
    assert refusal.value.values == {"contract": "ConsentRegistry", "function": "revokeAll"}


def test_a_signature_covers_one_call(ledger, cast):
    call = Call("ParticipantRegistry", "leaveInstitution")
    action = Action(ledger, lambda _: [call, call], list)
    with pytest.raises(UsageError, match="sign them one by one") as refusal:
        action.sign(cast["radiologist"])
    assert refusal.value.values == {"calls": 2}


def test_the_contract_refuses_with_its_own_error(ledger, cast, sign):
    with pytest.raises(refusals.IdentityNotOwner) as signing:
        sign(identity="hospital")
    expected = {"identity": cast["hospital"].address, "actor": cast["patient"].address}
    assert signing.value.values == expected

    document = sign()
    patient, heir = cast["patient"], cast["researcher"].address
    handed = Identities(ledger).change_owner(heir).sign(patient)
    submit(ledger, handed, cast["hospital"])
    # The forwarder's nonce was used by that, so the earlier document is void already there.
    with pytest.raises(refusals.ERC2771ForwarderInvalidSigner):
        submit(ledger, document, cast["stranger"])


def test_a_refusal_that_arises_after_signing_keeps_its_name(ledger, cast, sign):
    document = sign()
    patient = cast["patient"]
    _change_owner_by_signature(ledger, cast, patient.address, cast["researcher"].address)
    with pytest.raises(refusals.IdentityNotOwner) as refusal:
        submit(ledger, document, cast["stranger"])
    assert refusal.value.values == {"identity": patient.address, "actor": patient.address}


def test_a_signature_for_too_little_gas(ledger, cast, sign):
    document = sign()
    typed = document["typedData"]
    typed["message"]["gas"] = 10_000
    document = documents.sign(cast["patient"], KIND, document["summary"], typed)
    with pytest.raises(OutOfGas) as failure:
        submit(ledger, document, cast["stranger"])
    assert failure.value.values["gas_limit"] == 10_000 < failure.value.values["needed"]
    assert "signed again" in failure.value.message
    assert submit(ledger, sign(), cast["stranger"]).events


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
        with pytest.raises(DocumentForAnotherChain) as error:
            submit(ledger, other, cast["stranger"])
        assert error.value.values["signed_for"][field] == value
    unknown = [{**document, "format": each} for each in (0, 2, "1", None, True, 1.0)]
    kinds = [{**document, "kind": each} for each in ("radledger.dataset", None, [])]
    for broken in ({}, {"typedData": {}}, {"typedData": document["typedData"]}, *unknown, *kinds):
        with pytest.raises(DocumentMalformed):
            submit(ledger, broken, cast["stranger"])


def test_another_wallet_signs_the_same(ledger, cast, sign):

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
    changed = submit(ledger, document, cast["stranger"]).event("DIDAttributeChanged")
    assert changed.args["identity"] == cast["patient"].address


@pytest.mark.parametrize("signature", [None, "", "0xzz", "0x12"])
def test_what_is_not_a_signature(ledger, cast, sign, signature):
    with pytest.raises((DocumentMalformed, DocumentTampered)):
        submit(ledger, {**sign(), "signature": signature}, cast["stranger"])

"""The same signature in the forms in which wallets write it and what they signed."""

from __future__ import annotations

import json

import pytest
from eth_account.messages import encode_typed_data

from radledger.chain.errors import DocumentForAnotherChain, DocumentMalformed, DocumentTampered
from radledger.chain.refusals import ConsentBadSignature
from radledger.chain.signatures import recover, standard
from radledger.chain.typed_data import Domain, typed_data
from radledger.consent.model import Terms
from tests.consent.tampering import altered

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def document(consents, who):
    return consents.grant(who.radiologist.address, Terms(("CC",))).sign(who.patient)


@pytest.fixture
def permits(consents, who, image_set, submit):
    """Submit a document, and say whether the radiologist may use the image set then."""

    def permits(document):
        submit(json.loads(json.dumps(document)), who.stranger)
        return consents.check(who.radiologist.address, image_set, ["CC"]).permitted

    return permits


def split(document):
    """r, s and parity of a document's signature."""
    signature = bytes.fromhex(document["signature"][2:])
    return signature[:32], int.from_bytes(signature[32:64]), signature[64] - 27


FORMS = {
    "0 or 1": lambda r, s, parity: r + s.to_bytes(32) + bytes([parity]),
    "27 or 28": lambda r, s, parity: r + s.to_bytes(32) + bytes([27 + parity]),
    "EIP-155, chain 1": lambda r, s, parity: r + s.to_bytes(32) + bytes([37 + parity]),
    "EIP-155, two bytes": lambda r, s, parity: (
        r + s.to_bytes(32) + (35 + 2 * 31337 + parity).to_bytes(3)
    ),
    "EIP-2098": lambda r, s, parity: r + (parity << 255 | s).to_bytes(32),
    "s in the upper half": lambda r, s, parity: r + (ORDER - s).to_bytes(32) + bytes([28 - parity]),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_signature_counts_in_each_form(document, permits, form):
    signature = FORMS[form](*split(document))
    assert permits(altered(document, "signature", "0x" + signature.hex()))


@pytest.mark.parametrize(
    "write",
    [str.upper, lambda text: text[2:], lambda text: " " + text[2:], lambda text: f"\n {text}\r\n"],
)
def test_a_signature_counts_in_each_spelling(document, permits, write):
    assert permits(altered(document, "signature", write(document["signature"])))


@pytest.mark.parametrize("form", FORMS)
def test_the_other_parity_is_another_signer_s(consents, who, document, form, submit):
    r, s, parity = split(document)
    signature = FORMS[form](r, s, 1 - parity)
    with pytest.raises(DocumentTampered) as refusal:
        submit(altered(document, "signature", "0x" + signature.hex()), who.stranger)
    assert refusal.value.values["signer"] == who.patient.address
    assert refusal.value.values["recovered"] not in (None, who.patient.address)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\1" * 63,
        b"\1" * 64 + b"\2",
        b"\1" * 64 + b"\x22",
        b"\1" * 73,
        bytes(65),
        b"\xff" * 65,
    ],
    ids=lambda signature: signature.hex()[-4:] + f"-{len(signature)}",
)
def test_an_invalid_signature_is_refused(consents, who, document, signature, submit):
    with pytest.raises(DocumentTampered) as refusal:
        submit(altered(document, "signature", "0x" + signature.hex()), who.stranger)
    assert refusal.value.values == {"signer": who.patient.address, "recovered": None}


@pytest.mark.parametrize("signature", [None, 12, ["0x"], "0xé", "0x0"])
def test_a_malformed_signature_is_refused(consents, who, document, signature, submit):
    with pytest.raises(DocumentMalformed, match="its signature is"):
        submit(altered(document, "signature", signature), who.stranger)


def test_a_wallet_that_is_a_contract_is_asked_about_the_bytes_as_they_came(
    consents, ledger, who, document, submit
):
    """Their meaning is the contract's own: Safe writes 0 and 1 for other things than a parity."""
    wallet = ledger.address("Forwarder")
    changed = altered(document, "signer", wallet)
    raw = "0x" + FORMS["0 or 1"](*split(document)).hex()
    seen = []
    send = ledger.send

    def note(signer, contract, function, *arguments):
        seen.append(arguments[-1][-1])
        return send(signer, contract, function, *arguments)

    ledger.send = note
    try:
        with pytest.raises(ConsentBadSignature):
            submit(altered(changed, "signature", raw), who.stranger)
    finally:
        del ledger.send
    assert "0x" + seen[0].hex() == raw


def everywhere(value, change):
    """A copy of typed data's message in which each value is changed."""
    message = {name: change(each) for name, each in value["typedData"]["message"].items()}
    return altered(value, "typedData", "message", message)


def texts(of):
    return lambda value: of(value) if isinstance(value, int) else value


@pytest.mark.parametrize("change", [texts(str), texts(hex)], ids=["decimal", "hexadecimal"])
def test_numbers_may_be_texts(document, permits, change):
    domain = document["typedData"]["domain"]
    changed = altered(document, "typedData", "domain", {k: change(v) for k, v in domain.items()})
    assert isinstance(changed["typedData"]["domain"]["chainId"], str)
    assert permits(everywhere(changed, change))


@pytest.mark.parametrize(
    "change",
    [str.lower, lambda text: "0x" + text[2:].upper(), lambda text: "0x" + text[2:].swapcase()],
    ids=["lower", "upper", "swapped"],
)
def test_addresses_and_bytes_may_be_in_any_case(document, permits, change):
    contract = document["typedData"]["domain"]["verifyingContract"]
    changed = altered(document, "typedData", "domain", "verifyingContract", change(contract))
    changed = altered(changed, "signer", change(document["signer"]))
    assert permits(
        everywhere(changed, lambda value: change(value) if isinstance(value, str) else value)
    )


DOMAIN = [
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
    {"name": "version", "type": "string"},
    {"name": "name", "type": "string"},
]


@pytest.mark.parametrize("domain", [None, DOMAIN, [*DOMAIN, {"name": "salt", "type": "bytes32"}]])
def test_the_domain_s_fields_may_be_declared_in_any_order_or_not_at_all(document, permits, domain):
    types = {"Grant": document["typedData"]["types"]["Grant"]}
    types = types if domain is None else {**types, "EIP712Domain": domain}
    changed = altered(document, "typedData", "types", types)
    assert permits(altered(changed, "typedData", "domain", "salt", None))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chainId", "0x1"),
        ("chainId", "1"),
        ("chainId", "Ethereum"),
        ("chainId", None),
        ("salt", "0x" + "00" * 32),
        ("verifyingContract", "0x" + "ab" * 20),
    ],
)
def test_another_domain_in_any_form_is_another_chain_s(
    consents, who, document, name, value, submit
):
    with pytest.raises(DocumentForAnotherChain) as refusal:
        submit(altered(document, "typedData", "domain", name, value), who.stranger)
    assert refusal.value.values["signed_for"][name] == value


@pytest.mark.parametrize(
    "types",
    [
        {"EIP712Domain": DOMAIN},
        {"Grant": DOMAIN},
        {"EIP712Domain": DOMAIN[:3]},
        {"EIP712Domain": None},
        {"Other": []},
    ],
)
def test_other_types_are_another_document(consents, who, document, types, submit):
    declared = document["typedData"]["types"]
    kept = {} if types == {"EIP712Domain": DOMAIN} else declared
    with pytest.raises(DocumentMalformed, match="types"):
        submit(altered(document, "typedData", "types", {**kept, **types}), who.stranger)


def test_a_signature_s_standard_form_recovers_the_same_key(people):
    """Also where r or s begins with zeros, over many signatures."""
    domain = Domain("RadLedger Consent", "1", 31337, "0x" + "11" * 20)
    fields, patient = (("address", "subject"), ("uint64", "nonce")), people["patient"]
    short = 0
    for number in range(600):
        message = {"subject": patient.address, "nonce": number}
        data = typed_data(domain, "Mail", fields, message)
        signed = bytes(patient.sign_message(encode_typed_data(full_message=data)).signature)
        r, s, parity = signed[:32], int.from_bytes(signed[32:64]), signed[64] - 27
        short += r[0] == 0 or s >> 248 == 0
        for form in FORMS.values():
            assert standard(form(r, s, parity)) == signed
            assert recover(data, form(r, s, parity)) == patient.address
    assert short > 0

"""Diseases on the chain: salted digests, which only who was given the salt can read."""

from __future__ import annotations

import json

import pytest
from eth_hash.auto import keccak

from radledger.chain.errors import DocumentMalformed, DocumentTampered
from radledger.chain.refusals import ConsentNotPermittedDisease
from radledger.consent import Consents, SealedNote, Terms, permission
from radledger.consent.diseases import (
    Diseases,
    decode_disease,
    disease_code,
    encode_disease,
    seal_disease,
)
from radledger.consent.errors import DiseaseUnknown, InvalidDisease
from radledger.consent.messages import without_disease
from radledger.consent.model import unpack
from radledger.signed import submit as submit_signed

CANCER, DIABETES = "MONDO:0004992", "MONDO:0005015"
SALT = "00112233445566778899aabbccddeeff"
NOTHING = bytes(13)


@pytest.fixture
def book():
    """The diseases of another home, which knows no salt yet."""
    return Diseases(None)


@pytest.fixture
def elsewhere(ledger, book):
    """The service of that other home."""
    return Consents(ledger, book)


@pytest.fixture
def hand_over(ledger, who, book):
    """Have that other home submit a document."""
    return lambda document: submit_signed(ledger, document, who.stranger, book)


def on_chain(ledger, event="ConsentGranted", word="given"):
    """What the chain has of the disease in the last event."""
    return unpack(ledger.events("ConsentRegistry", event)[-1].args[word]).terms[-1]


@pytest.mark.parametrize("code", [CANCER, "DOID:162", "ICD10CM:C50.911", "A:" + "x" * 47])
def test_the_chain_has_the_digest_of_code_and_salt(code):
    digest = keccak(code.encode() + bytes.fromhex(SALT))[:13]
    assert encode_disease(f"{code}@{SALT}") == digest
    assert decode_disease(digest) == "0x" + digest.hex()
    assert encode_disease(decode_disease(digest)) == digest
    assert (encode_disease(None), decode_disease(NOTHING)) == (NOTHING, None)


def test_each_salt_is_new():
    sealed = {seal_disease(CANCER) for _ in range(100)}
    assert len({encode_disease(each) for each in sealed}) == 100
    assert {disease_code(each) for each in sealed} == {CANCER}


@pytest.mark.parametrize(
    "code",
    ["", "MONDO", "mondo:1", "MONDO:", ":1", "A:ä", "A:1 2", "A:\0", "A:1\n", "A:" + "x" * 48],
)
def test_an_invalid_disease_code_is_refused(code):
    for refuses in (seal_disease, encode_disease, Diseases(None).sealed):
        with pytest.raises(InvalidDisease, match="not a disease code") as refusal:
            refuses(code)
        assert refusal.value.values == {"disease": code}


@pytest.mark.parametrize("disease", [f"{CANCER}@", f"{CANCER}@{SALT}0", f"{CANCER}@{'x' * 32}"])
def test_a_salt_that_is_none_is_refused(disease):
    with pytest.raises(InvalidDisease, match="CODE@SALT"):
        encode_disease(disease)


def test_a_code_without_a_salt_never_reaches_the_chain():
    with pytest.raises(InvalidDisease, match="anyone could read it") as refusal:
        Terms(("DS",), disease=CANCER).encode(0)
    assert refusal.value.values == {"disease": CANCER}


def test_a_book_is_kept_for_its_owner_alone(tmp_path):
    path = tmp_path / "diseases.sqlite3"
    sealed = Diseases(path).sealed(CANCER)
    digest = decode_disease(encode_disease(sealed))
    later = Diseases(path)
    assert later.named(digest) == later.sealed(sealed) == sealed
    assert later.sealed(CANCER) != sealed
    assert later.named("0x" + "ab" * 13) == "0x" + "ab" * 13
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_grant_by_signature_tells_its_receiver(
    consents, elsewhere, ledger, who, image_set, hand_over
):
    reader = who.radiologist.address
    document = consents.grant(reader, Terms(("DS",), disease=CANCER)).sign(who.patient)
    assert disease_code(document["disease"]) == CANCER
    assert f"disease-specific research ({CANCER})" in document["summary"]
    assert "not the disease" in document["summary"]
    hand_over(json.loads(json.dumps(document)))
    assert on_chain(ledger) == encode_disease(document["disease"])
    for service in (consents, elsewhere):
        assert service.check(reader, image_set, ["DS"], disease=CANCER).permitted
        assert service.check(reader, image_set, ["DS"], disease=DIABETES).reason == "disease"
        assert service.list(grantee=reader)[0].terms.disease == document["disease"]


def test_without_the_salt_the_code_is_not_enough(
    consents, elsewhere, ledger, who, image_set, submit
):
    reader = who.radiologist.address
    document = consents.grant(reader, Terms(("DS",), disease=CANCER)).sign(who.patient)
    submit(document, who.stranger)
    digest = decode_disease(on_chain(ledger))
    assert elsewhere.list(grantee=reader)[0].terms.disease == digest
    assert elsewhere.check(reader, image_set, ["DS"], disease=CANCER).reason == "disease"
    use = elsewhere.use(reader, image_set, ["DS"], disease=CANCER)
    with pytest.raises(ConsentNotPermittedDisease) as refusal:
        permission.require(ledger, ledger.present(), reader, image_set, use.struct)
    assert refusal.value.values["granted"] == digest
    assert elsewhere.check(reader, image_set, ["DS"], disease=document["disease"]).permitted
    # Stated once, it is known.
    assert elsewhere.check(reader, image_set, ["DS"], disease=CANCER).permitted


def test_a_grant_that_names_no_disease_needs_no_salt(elsewhere, who, image_set, consents, submit):
    reader = who.radiologist.address
    submit(consents.grant(reader, Terms(("HMB",))).sign(who.patient), who.stranger)
    assert elsewhere.check(reader, image_set, ["DS"], disease=CANCER).permitted


def test_of_several_grants_on_one_disease_the_one_that_permits_counts(
    consents, who, image_set, other_image_set, submit
):
    reader, patient = who.radiologist.address, who.patient

    def grant(*conditions, scope):
        terms = Terms(("DS",), conditions, CANCER)
        submit(consents.grant(reader, terms, scope=scope).sign(patient), who.stranger)

    for open_scope, strict in ((image_set.image_id, "all"), ("all", image_set.image_id)):
        grant("IRB", scope=strict)
        grant(scope=open_scope)
        assert consents.check(reader, image_set, ["DS"], disease=CANCER).permitted
        submit(consents.revoke_all().sign(patient), who.stranger)
    assert not consents.check(reader, other_image_set, ["DS"], disease=CANCER).permitted


def test_a_request_is_approved_by_who_knows_its_disease(
    consents, elsewhere, ledger, who, image_set, hand_over
):
    patient, requester = who.patient, who.researcher
    asked = consents.request(patient.address, Terms(("DS",), disease=CANCER)).send(requester)
    assert disease_code(asked.disease) == CANCER
    digest = decode_disease(encode_disease(asked.disease))
    assert decode_disease(on_chain(ledger, "ConsentRequested", "asked")) == digest
    assert elsewhere.requests(subject=patient.address)[0].terms.disease == digest
    assert consents.requests(subject=patient.address)[0].terms.disease == asked.disease

    other = seal_disease(CANCER)
    for stated, told in ((None, "CODE@SALT"), (CANCER, "CODE@SALT"), (other, "CODE@SALT")):
        approval = elsewhere.approve(asked.request_id, disease=stated)
        for approve in (approval.sign, approval.send):
            with pytest.raises(DiseaseUnknown, match=told) as refusal:
                approve(patient)
            assert refusal.value.values == {"digest": digest, "stated": stated}
    with pytest.raises(DiseaseUnknown, match=f", not {DIABETES};"):
        consents.approve(asked.request_id, disease=DIABETES).sign(patient)

    document = elsewhere.approve(asked.request_id, disease=asked.disease).sign(patient)
    assert f"({CANCER})" in document["summary"]
    hand_over(document)
    reader = requester.address
    assert consents.check(reader, image_set, ["DS"], disease=CANCER).permitted


def test_a_request_without_a_disease_is_not_approved_for_one(consents, who):
    asked = consents.request(who.patient.address, Terms(("HMB",))).send(who.researcher)
    assert asked.disease is None
    with pytest.raises(DiseaseUnknown):
        consents.approve(asked.request_id, disease=CANCER).sign(who.patient)
    assert "disease" not in consents.approve(asked.request_id).sign(who.patient)


@pytest.mark.parametrize(
    "disease", [f"{DIABETES}@{SALT}", "0x" + "00" * 13, CANCER, "", 7, None, [], {}]
)
def test_another_disease_in_a_document_is_found(consents, who, disease, hand_over):
    terms = Terms(("DS",), disease=CANCER)
    document = consents.grant(who.radiologist.address, terms).sign(who.patient)
    with pytest.raises(DocumentTampered):
        hand_over({**document, "disease": disease})


def test_who_submits_need_not_know_the_disease(consents, who, image_set, hand_over):
    reader = who.radiologist.address
    document = consents.grant(reader, Terms(("DS",), disease=CANCER)).sign(who.patient)
    handed = without_disease(document)
    assert CANCER not in json.dumps(handed)
    assert document["disease"].partition("@")[2] not in json.dumps(handed)
    hand_over(handed)
    assert consents.check(reader, image_set, ["DS"], disease=CANCER).permitted
    care = consents.grant(reader, Terms(("CC",))).sign(who.patient)
    assert without_disease(care) == care


@pytest.mark.parametrize("data", [None, 7, [], {}, {"types": {}, "message": {}}])
def test_a_disease_beside_nonsense_is_not_a_document(data):
    with pytest.raises(DocumentMalformed, match="have it signed again"):
        without_disease({"kind": "radledger.consent", "disease": CANCER, "typedData": data})


def test_an_emergency_names_no_disease(consents, ledger, who):
    consents.break_glass(who.patient.address, SealedNote.of("unconscious")).send(who.clinician)
    (declared,) = ledger.events("ConsentRegistry", "EmergencyDeclared")
    assert "disease" not in declared.args


def test_an_unknown_disease_is_neither_granted_nor_requested(consents, who):
    digest = "0x" + "ab" * 13
    terms, patient = Terms(("DS",), disease=digest), who.patient
    with pytest.raises(DiseaseUnknown) as refusal:
        consents.grant(who.radiologist.address, terms)
    assert refusal.value.values == {"digest": digest, "stated": None}
    with pytest.raises(DiseaseUnknown):
        consents.request(patient.address, terms).send(who.researcher)

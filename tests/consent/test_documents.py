"""Signed by a subject without Ether, submitted by anyone, refused when anything differs."""

from __future__ import annotations

import json

import pytest

from radledger.chain.documents import when
from radledger.chain.errors import (
    DocumentExpired,
    DocumentForAnotherChain,
    DocumentMalformed,
    DocumentTampered,
    NotSignable,
)
from radledger.chain.refusals import (
    ConsentBadSignature,
    ConsentNotAuthorized,
    ConsentSuperseded,
)
from radledger.consent.model import Terms
from tests.consent.tampering import altered

HOUR = 3600
UNTIL = 4_000_000_000


@pytest.fixture
def document(consents, who):
    terms = Terms(("DS", "CC"), ("NPUNCU",), "MONDO:0004992", start=0, until=UNTIL)
    return consents.grant(who.radiologist.address, terms, exact=True).sign(who.patient)


def test_a_patient_without_ether_grants_and_revokes(consents, ledger, who, image_set, submit):
    patient, payer, reader = who.patient, who.stranger, who.radiologist.address
    assert ledger.web3.eth.get_balance(patient.address) == 0

    def reason(document):
        # Documents travel as JSON.
        submit(json.loads(json.dumps(document)), payer)
        return consents.check(reader, image_set, ["CC"]).reason

    care = Terms(("CC",))
    assert reason(consents.grant(reader, care).sign(patient)) == "permitted"
    assert reason(consents.revoke(reader).sign(patient)) == "revoked"
    visit = consents.grant(reader, care, scope=image_set.visit).sign(patient)
    assert reason(visit) == "permitted"
    assert reason(consents.revoke_all().sign(patient)) == "revoked"
    consents.request(patient.address, care, scope=image_set.image_id).send(who.radiologist)
    (waiting,) = consents.requests(subject=patient.address)
    assert reason(consents.approve(waiting.request_id).sign(patient)) == "permitted"
    assert consents.requests(subject=patient.address) == ()
    assert [grant.granted_by for grant in consents.list(subject=patient.address)] == [
        patient.address
    ] * 3


def test_a_document_says_in_words_what_it_does(consents, who, document, image_set):
    patient, reader = who.patient.address, who.radiologist.address
    message = document["typedData"]["message"]
    signed, deadline = message["signed"], message["deadline"]
    assert document["summary"].startswith(
        f"{patient} lets {reader} use all images, today's and later ones for disease-specific "
        "research (MONDO:0004992), clinical care, method development; on condition: by a "
        "not-for-profit organisation only, for non-commercial use only; from 1970-01-01 00:00:00 "
        f"UTC until 2096-10-02 07:06:40 UTC. Signed {when(signed)}, to be submitted by "
    )
    revocation = consents.revoke(reader, scope=image_set.visit).sign(who.patient)
    assert (
        f"no longer lets {reader} use the images under {image_set.visit}" in (revocation["summary"])
    )
    assert (
        consents.revoke_all()
        .sign(who.patient)["summary"]
        .startswith(f"{patient} takes back every permission given so far.")
    )
    assert deadline > UNTIL // 4


def test_an_action_says_in_words_what_is_sent_or_signed(consents, who, image_set):
    patient, reader = who.patient, who.radiologist.address
    grant = consents.grant(reader, Terms(("CC",)), scope=image_set.image_id)
    words = grant.words(patient.address)
    assert words.startswith(
        f"{patient.address} lets {reader} use the images under {image_set.image_id} for clinical "
        "care; from "
    )
    assert grant.sign(patient)["summary"].startswith(f"{words}. Signed ")
    asked = consents.request(patient.address, Terms(("CC",)))
    assert asked.words(reader).startswith(
        f"{reader} calls request of ConsentRegistry with subject {patient.address}, grantee "
        f"{reader}, scope 0x{'00' * 32}, terms (from "
    )
    with pytest.raises(NotSignable) as refusal:
        asked.sign(who.radiologist)
    assert refusal.value.values == {"contract": "ConsentRegistry", "function": "request"}
    for action in (consents.revoke(reader), consents.revoke_all(), consents.forbid_emergencies()):
        words = action.words(patient.address)
        assert action.sign(patient, valid_for=HOUR)["summary"].startswith(f"{words}. Signed ")


def test_a_document_counts_once(consents, who, document, submit):
    submit(document, who.stranger)
    with pytest.raises(ConsentSuperseded) as refusal:
        submit(document, who.stranger)
    assert refusal.value.values == {
        "subject": who.patient.address,
        "grantee": who.radiologist.address,
        "scope": "0x" + "00" * 32,
        "signed": document["typedData"]["message"]["signed"],
    }


def test_a_delegate_signs_for_a_patient_and_a_stranger_does_not(
    consents, identities, who, image_set, submit
):
    parent, patient = who.relatives[0], who.patient
    reader = who.radiologist.address
    signed = consents.grant(reader, Terms(("CC",)), subject=patient.address).sign(parent)
    with pytest.raises(ConsentNotAuthorized) as refusal:
        submit(signed, who.stranger)
    assert refusal.value.values == {"subject": patient.address, "actor": parent.address}
    submit(identities.add_delegate(parent.address, validity=HOUR).sign(patient), who.stranger)
    submit(signed, who.stranger)
    assert consents.check(reader, image_set, ["CC"]).permitted


@pytest.mark.parametrize(
    "path_and_value",
    [
        ("typedData", "message", "purposes", ["clinical care", "teaching"]),
        ("typedData", "message", "conditions", ["with ethics approval"]),
        ("typedData", "message", "until", UNTIL + 1),
        ("typedData", "message", "signed", 1),
        ("typedData", "message", "seen", 1),
        ("typedData", "message", "epoch", 1),
        ("typedData", "message", "deadline", UNTIL),
        ("typedData", "message", "grantee", "0x" + "11" * 20),
        ("typedData", "message", "scope", "0x" + "11" * 32),
        ("summary", "The patient permits everything."),
        ("signer", "0x" + "22" * 20),
        ("signature", "0x" + "33" * 65),
        ("signature", "0x"),
    ],
    ids=lambda path: ".".join(map(str, path[:-1])),
)
def test_a_document_that_was_changed_is_refused(consents, who, document, path_and_value, submit):
    with pytest.raises(DocumentTampered) as refusal:
        submit(altered(document, *path_and_value), who.stranger)
    assert refusal.value.values["recovered"] != refusal.value.values["signer"] or (
        path_and_value[0] == "summary"
    )
    assert consents.list(subject=who.patient.address) == ()


def test_a_contract_that_signs_is_asked_by_the_chain(consents, ledger, who, document, submit):
    contract = ledger.address("Forwarder")
    with pytest.raises(ConsentBadSignature) as refusal:
        submit(altered(document, "signer", contract), who.stranger)
    assert refusal.value.values == {"signer": contract}


@pytest.mark.parametrize(
    ("name", "value"),
    [("chainId", 1), ("verifyingContract", "0x" + "11" * 20), ("name", "Other"), ("version", "2")],
)
def test_a_document_for_elsewhere_is_refused(consents, who, document, name, value, submit):
    with pytest.raises(DocumentForAnotherChain) as refusal:
        submit(altered(document, "typedData", "domain", name, value), who.stranger)
    assert refusal.value.values["signed_for"][name] == value
    assert refusal.value.values["expected"][name] == document["typedData"]["domain"][name]


def test_a_document_is_refused_after_its_deadline(consents, who, travel, submit):
    patient, reader = who.patient, who.radiologist.address
    late = consents.grant(reader, Terms(("CC",))).sign(patient, valid_for=HOUR)
    travel(HOUR + 1)
    with pytest.raises(DocumentExpired) as refusal:
        submit(late, who.stranger)
    assert refusal.value.values == {"deadline": late["typedData"]["message"]["deadline"]}
    assert consents.list(subject=patient.address) == ()


@pytest.mark.parametrize(
    "path_and_value",
    [
        ("kind", "radledger.other"),
        ("typedData", None),
        ("typedData", "primaryType", "Permit"),
        ("typedData", "types", {}),
        ("typedData", "types", "Grant", []),
        ("typedData", "message", {}),
        ("typedData", "message", "extra", 1),
        ("typedData", "message", "purposes", "clinical care"),
        ("typedData", "message", "purposes", 34),
        ("typedData", "message", "purposes", [34]),
        ("typedData", "message", "purposes", ["Clinical care"]),
        ("typedData", "message", "purposes", ["teaching", "clinical care"]),
        ("typedData", "message", "purposes", ["clinical care", "clinical care"]),
        ("typedData", "message", "conditions", ["clinical care"]),
        ("typedData", "message", "until", "3 4"),
        ("typedData", "message", "until", 34.0),
        ("typedData", "message", "until", 1 << 32),
        ("typedData", "message", "until", True),
        ("typedData", "message", "disease", "0x00"),
        ("typedData", "message", "grantee", 7),
        ("signature", "0xzz"),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_what_is_no_such_document_is_refused(consents, who, document, path_and_value, submit):
    with pytest.raises(DocumentMalformed):
        submit(altered(document, *path_and_value), who.stranger)


@pytest.mark.parametrize(
    "path", [("kind",), ("signer",), ("signature",), ("typedData", "message", "grantee")]
)
@pytest.mark.parametrize("value", ["x" * 10**5, int("9" * 4300), [[[["x" * 10**5]]]]], ids=type)
def test_an_error_quotes_a_part_of_what_is_long(consents, who, document, path, value, submit):
    with pytest.raises(DocumentMalformed, match="not a document for this") as refusal:
        submit(altered(document, *path, value), who.stranger)
    assert len(refusal.value.message) < 300


@pytest.mark.parametrize("missing", ["kind", "summary", "signer", "typedData", "signature"])
def test_a_document_lacks_nothing(consents, who, document, missing, submit):
    del document[missing]
    with pytest.raises(DocumentMalformed, match=missing):
        submit(document, who.stranger)


@pytest.mark.parametrize("other", [None, [], "text", 7])
def test_a_document_is_an_object(consents, who, other, submit):
    with pytest.raises(DocumentMalformed):
        submit(other, who.stranger)

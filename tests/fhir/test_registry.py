"""Recording Consents: proposed until signed, active while the chain holds it, inactive after."""

from __future__ import annotations

import pytest

from radledger import signed
from radledger.chain.errors import ChainStale, DocumentForAnotherSigner, DocumentTampered
from radledger.consent import Terms, messages
from radledger.consent.diseases import seal_disease
from radledger.fhir.errors import (
    ConsentNotHeld,
    ConsentRecordChanged,
    ConsentRecordUnknown,
    RecorderNotAllowed,
)
from radledger.fhir.policies import (
    CONDITION,
    DISEASE,
    POLICY_BREAK_GLASS,
    POLICY_DENY,
)
from radledger.fhir.purposes import DUO
from radledger.fhir.references import COURSE, DID, IMAGE_SET, VISIT
from radledger.fhir.times import end_of, instant
from tests.fhir.conftest import RECIPIENT, data, purpose, refused

HOUR = 3600
ROOT = "Consent.provision"


def inactive(shown):
    return shown.resource | {"status": "inactive"}


@pytest.fixture
def patient_with_ether(ledger, who):
    ledger.web3.provider.make_request("anvil_setBalance", [who.patient.address, hex(10**18)])


# ------------------------------------------------------------------------------------------- a life


def test_a_consent_is_proposed_then_active_then_inactive(
    registry, consent, consents, carry_out, who, image_set, found
):
    hospital, reader = who.hospital.address, who.radiologist.address
    shown = registry.create(hospital, consent())
    assert (shown.status, shown.version) == ("proposed", "1.0")
    assert consents.check(reader, image_set, ["CC"]).reason == "never granted"

    (document,) = carry_out(shown)
    assert document["summary"].startswith(
        f"{who.patient.address} lets {reader} use all images, today's and later ones for clinical "
        "care; from "
    )
    assert document.keys() == {"format", "kind", "summary", "signer", "typedData"}
    active = registry.read(hospital, shown.id)
    assert (active.status, active.version) == ("active", "1.2")
    assert active.resource["provision"] == consent()["provision"]
    assert consents.check(reader, image_set, ["CC"]).permitted
    assert registry.documents(hospital, shown.id) == []
    assert [each.id for each in found()] == [shown.id]

    withdrawn = registry.update(hospital, shown.id, inactive(active))
    assert (withdrawn.status, withdrawn.version) == ("active", "2.2")
    assert consents.check(reader, image_set, ["CC"]).permitted
    (document,) = carry_out(withdrawn)
    assert "no longer lets" in document["summary"]
    assert registry.read(hospital, shown.id).status == "inactive"
    assert consents.check(reader, image_set, ["CC"]).reason == "revoked"
    assert [each.status for each in found()] == ["inactive"]


def test_a_proposal_that_is_taken_back_is_rejected_and_asks_for_nothing(
    registry, consent, who, found
):
    hospital = who.hospital.address
    shown = registry.create(hospital, consent())
    rejected = registry.update(hospital, shown.id, inactive(shown))
    assert (rejected.status, registry.documents(hospital, shown.id)) == ("rejected", [])
    assert [each.status for each in found()] == ["rejected"]


def test_other_terms_of_the_same_grant_make_a_consent_inactive(
    registry, consent, record, consents, patient_with_ether, who, found
):
    shown = record(consent())
    consents.grant(who.radiologist.address, Terms(("CC", "TEACHING"))).send(who.patient)
    assert registry.read(who.hospital.address, shown.id).status == "inactive"
    # What stands is shown beside it, as what the chain holds.
    past, stands = found()
    assert (past.id, past.status, stands.status) == (shown.id, "inactive", "active")
    assert stands.resource["provision"]["purpose"] == purpose("TREAT", "TRAIN")


def test_a_consent_ends_with_its_period(registry, consent, record, ledger, who, travel):
    end = ledger.now() + HOUR
    shown = record(consent(period={"end": instant(end)}))
    (status, until) = shown.status, shown.statement.terms.until
    assert (status, until) == ("active", end + 1)
    travel(HOUR + 2)
    assert registry.read(who.hospital.address, shown.id).status == "inactive"


def test_an_update_is_proposed_while_the_former_grant_stands(
    registry, consent, record, carry_out, consents, who, image_set, found
):
    hospital, reader = who.hospital.address, who.radiologist.address
    shown = record(consent())
    wider = consent(purpose=purpose("TREAT", "TRAIN")) | {"id": shown.id}
    updated = registry.update(hospital, shown.id, wider, "1.2")
    assert (updated.status, updated.version) == ("proposed", "2.0")
    assert [each.status for each in found()] == ["proposed", "active"]
    assert not consents.check(reader, image_set, ["TEACHING"]).permitted
    carry_out(updated)
    assert [each.version for each in found()] == ["2.2"]
    assert consents.check(reader, image_set, ["TEACHING"]).permitted
    assert registry.read(hospital, shown.id, "1.0").status == "proposed"
    assert registry.read(hospital, shown.id, "2.0").status == "proposed"
    for version in ("1.2", "2.1", "2.3", "3.0", "2", "0.0", "x"):
        with pytest.raises(ConsentRecordUnknown):
            registry.read(hospital, shown.id, version)


def test_an_update_for_another_version_or_another_grant_is_refused(registry, consent, record, who):
    hospital = who.hospital.address
    shown = record(consent())
    with pytest.raises(ConsentRecordChanged) as caught:
        registry.update(hospital, shown.id, inactive(shown), "1.0")
    assert caught.value.values == {"id": shown.id, "version": "1.2"}
    other = consent(f"Practitioner/{who.clinician.address}") | {"id": shown.id}
    for wrong, element in ((other, ROOT), (consent() | {"id": "other"}, "Consent.id")):
        with pytest.raises(ConsentNotHeld) as refusal:
            registry.update(hospital, shown.id, wrong)
        assert [issue.element for issue in refusal.value.issues] == [element]
    assert registry.read(hospital, shown.id).version == "1.2"


# --------------------------------------------------------------------------------- what it can say


@pytest.mark.parametrize(
    ("system", "meaning", "type_"),
    [
        (IMAGE_SET, "instance", "ImagingStudy"),
        (VISIT, "related", "Encounter"),
        (COURSE, "related", "EpisodeOfCare"),
        (COURSE, "related", "CarePlan"),
    ],
)
def test_one_image_set_visit_or_course(
    record, consent, consents, who, image_set, other_image_set, system, meaning, type_
):
    name = {IMAGE_SET: "image_id", VISIT: "visit", COURSE: "course"}[system]
    digest = getattr(image_set, name)
    shown = record(consent(data=data(system, digest, meaning, type_)))
    assert (shown.status, shown.statement.scope) == ("active", digest)
    reader = who.radiologist.address
    assert consents.check(reader, image_set, ["CC"]).permitted
    assert not consents.check(reader, other_image_set, ["CC"]).permitted


def test_a_digest_of_another_kind_would_be_a_wider_grant(registry, consent, who, image_set):
    """A course under the name of a visit, and what is not the patient's."""
    for system, meaning, type_, digest in (
        (VISIT, "related", "Encounter", image_set.course),
        (IMAGE_SET, "instance", "ImagingStudy", image_set.visit),
        (IMAGE_SET, "instance", "ImagingStudy", "0x" + "ab" * 32),
    ):
        stated = consent(data=data(system, digest, meaning, type_))
        assert refused(registry, who, stated) == [(f"{ROOT}.data", "not-found")]


def test_conditions_and_a_disease(record, consent, consents, who, image_set):
    sealed = seal_disease("MONDO:0004992")
    limits = [
        {"url": CONDITION, "valueCoding": {"system": DUO, "code": "DUO:0000046"}},
        {"url": DISEASE, "valueString": sealed},
    ]
    shown = record(consent(purpose=purpose("DSRCH"), modifierExtension=limits))
    assert shown.status == "active"
    reader = who.radiologist.address
    use = {"fulfilled": ["NCU"], "disease": sealed}
    assert consents.check(reader, image_set, ["DS"], **use).permitted
    assert consents.check(reader, image_set, ["DS"], disease=sealed).reason == "condition"
    other = use | {"disease": seal_disease("MONDO:0005070")}
    assert consents.check(reader, image_set, ["DS"], **other).reason == "disease"
    # Research on a disease is that on methods for it, and on no others.
    assert consents.check(reader, image_set, ["MDS"], **use).permitted
    assert consents.check(reader, image_set, ["MDS"], fulfilled=["NCU"]).reason == "purpose"


def test_a_did_names_a_person_as_well(registry, consent, who, ledger):
    did = f"did:ethr:{hex(ledger.chain_id)}:{who.radiologist.address}"
    named = {"type": "Practitioner", "identifier": {"system": DID, "value": did}}
    ehr = named | {"reference": "https://ehr.example/Practitioner/7"}
    absolute = {"reference": f"https://gateway.example/fhir/Practitioner/{who.radiologist.address}"}
    for reference in (named, ehr, absolute):
        stated = consent(actor=[{"role": RECIPIENT, "reference": reference}])
        shown = registry.create(who.hospital.address, stated)
        assert shown.statement.grantee == who.radiologist.address


def test_dissent_takes_everything_back_and_leaves_or_forbids_emergencies(
    registry, consent, record, consents, who, image_set, found
):
    record(consent())
    allowed = consent(
        False,
        POLICY_BREAK_GLASS,
        type="deny",
        purpose=None,
        provision=[{"type": "permit", "purpose": purpose("BTG")}],
    )
    shown = record(allowed)
    assert shown.status == "active"
    assert consents.check(who.radiologist.address, image_set, ["CC"]).reason == "revoked"
    assert not consents.forbids_emergencies(who.patient.address)

    shown = record(consent(False, POLICY_DENY, type="deny", purpose=None))
    assert shown.status == "active"
    assert consents.forbids_emergencies(who.patient.address)
    # The two before it, it, and the choice that the chain holds.
    assert sorted(each.status for each in found()) == ["active"] * 2 + ["inactive"] * 2
    with pytest.raises(ConsentNotHeld, match="ends with the next permission"):
        registry.update(who.hospital.address, shown.id, inactive(shown))


def test_a_dissent_of_two_documents_is_active_after_the_second(
    registry, ledger, consent, consents, record, who
):
    hospital = who.hospital.address
    record(consent())
    shown = registry.create(hospital, consent(False, POLICY_DENY, type="deny", purpose=None))
    for left in (2, 1):
        documents = registry.documents(hospital, shown.id)
        assert len(documents) == left
        assert registry.read(hospital, shown.id).status == "proposed"
        signed.submit(ledger, messages.sign(ledger, documents[0], who.patient), who.hospital)
    assert registry.read(hospital, shown.id).status == "active"
    assert registry.documents(hospital, shown.id) == []


def test_emergency_access_alone_is_forbidden_and_allowed(
    registry, consent, record, consents, carry_out, who, found
):
    forbid = consent(False, POLICY_DENY, type="deny", purpose=purpose("BTG"))
    shown = record(forbid)
    assert shown.status == "active"
    assert consents.forbids_emergencies(who.patient.address)
    withdrawn = registry.update(who.hospital.address, shown.id, inactive(shown))
    carry_out(withdrawn)
    assert not consents.forbids_emergencies(who.patient.address)
    allow = consent(False, POLICY_BREAK_GLASS, purpose=purpose("BTG"))
    assert registry.create(who.hospital.address, allow).status == "active"


# ---------------------------------------------------------------------------------- who, and when


def test_patients_and_who_is_accredited_record_and_no_others(registry, consent, who):
    for account in (who.patient, who.hospital, who.clinic, who.radiologist):
        assert registry.create(account.address, consent()).status == "proposed"
    with pytest.raises(RecorderNotAllowed) as caught:
        registry.create(who.stranger.address, consent())
    assert caught.value.values == {
        "account": who.stranger.address,
        "subject": who.patient.address,
    }


def test_a_proposal_is_shown_to_whom_it_concerns_and_the_rest_to_all(
    registry, consent, carry_out, who, found
):
    shown = registry.create(who.clinic.address, consent())
    concerned = (who.clinic, who.hospital, who.patient)
    for account in concerned:
        assert [each.id for each in found(account.address)] == [shown.id]
    for account in (who.stranger, who.radiologist):
        assert found(account.address) == []
        for ask in (registry.read, registry.documents):
            with pytest.raises(ConsentRecordUnknown):
                ask(account.address, shown.id)
    carry_out(shown)
    assert registry.read(who.stranger.address, shown.id).status == "active"


def test_a_chain_that_makes_no_blocks_records_nothing(registry, consent, who, wall, found):
    wall(61, max_block_age=60)
    with pytest.raises(ChainStale):
        registry.create(who.hospital.address, consent(period={"end": "2100"}))


def test_what_was_granted_without_the_registry_is_read_back(
    registry, consents, who, patient_with_ether, image_set, found, carry_out
):
    reader, hospital = who.radiologist.address, who.hospital.address
    until = end_of("2090-01-31")
    terms = Terms(("DS", "CC"), ("NCU",), seal_disease("MONDO:0004992"), until=until)
    consents.grant(reader, terms, scope=image_set.course, exact=True).send(who.patient)
    (shown,) = found(statuses=("active",), actor=reader)
    provision = shown.resource["provision"]
    assert provision["period"]["end"] == instant(until - 1)
    assert [each["code"] for each in provision["purpose"]] == [
        "DUO:0000007",
        "TREAT",
        "DUO:0000031",
    ]
    (data_of_scope,) = provision["data"]
    assert data_of_scope["reference"]["identifier"] == {"system": COURSE, "value": image_set.course}
    limits = {each["url"] for each in provision["modifierExtension"]}
    assert limits == {CONDITION, DISEASE}
    assert len(shown.id) <= 64
    assert registry.read(who.stranger.address, shown.id) == shown
    assert registry.read(hospital, shown.id, shown.version) == shown
    assert registry.documents(hospital, shown.id) == []

    withdrawn = registry.update(hospital, shown.id, inactive(shown), shown.version)
    assert withdrawn.status == "active"
    carry_out(withdrawn)
    assert [(each.id, each.status) for each in found()] == [(shown.id, "inactive")]


def test_what_is_read_back_can_be_recorded_as_it_stands(
    registry, consents, who, patient_with_ether, found, image_set
):
    """So nothing of a grant is lost or added on the way there and back."""
    for number, terms in enumerate(
        (
            Terms(("NRES",)),
            Terms(("GRU",), ("NMDS", "IRB")),
            Terms(("HMB", "POA", "CC")),
            Terms(("POA",), ("NMDS",), until=end_of("2090")),
            Terms(("MDS", "TEACHING", "CTRL")),
        )
    ):
        grantee = who.relatives[number % 2].address
        consents.grant(grantee, terms, exact=True).send(who.patient)
        (shown,) = found(actor=grantee, statuses=("active",))
        again = registry.create(who.hospital.address, shown.resource | {"status": "active"})
        (granted,) = consents.list(subject=who.patient.address, grantee=grantee)
        consents.grant(grantee, again.statement.terms, exact=True).send(who.patient)
        (regranted,) = consents.list(subject=who.patient.address, grantee=grantee)
        assert regranted.terms == granted.terms, terms


# ------------------------------------------------------------------------------ what is signed


def test_what_is_signed_is_what_its_words_say(registry, ledger, consent, who):
    shown = registry.create(who.hospital.address, consent())
    (document,) = registry.documents(who.hospital.address, shown.id)
    with pytest.raises(DocumentForAnotherSigner) as caught:
        messages.sign(ledger, document, who.clinic)
    assert caught.value.values["signer"] == who.patient.address
    forged = document | {"summary": document["summary"].replace("clinical care", "nothing")}
    with pytest.raises(DocumentTampered):
        messages.sign(ledger, forged, who.patient)

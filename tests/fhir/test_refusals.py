"""What of a Consent the chain cannot hold: each is refused by its element, and nothing is kept."""

from __future__ import annotations

import pytest

from radledger.fhir.errors import ResourceInvalid
from radledger.fhir.policies import CONDITION, DISEASE, POLICY_DENY, POLICY_TREATMENT
from radledger.fhir.references import IMAGE_SET, VISIT
from tests.fhir.conftest import RECIPIENT, data, purpose, refused

ROOT = "Consent.provision"


@pytest.mark.parametrize(
    ("changes", "element", "code"),
    [
        ({"status": "draft"}, "status", "business-rule"),
        ({"scope": {"coding": [{"code": "research"}]}}, "scope", "not-supported"),
        ({"implicitRules": "http://example.org/rules"}, "implicitRules", "not-supported"),
        ({"modifierExtension": [{"url": "urn:x"}]}, "modifierExtension", "not-supported"),
        ({"policyRule": {"text": "OPTIN"}}, "policyRule", "not-supported"),
        ({"verification": [{"verified": False}]}, "verification", "not-supported"),
        ({"policy": []}, "policy", "required"),
        ({"policy": [{"uri": "http://example.org/unknown"}]}, "policy", "business-rule"),
        ({"policy": [{"uri": POLICY_DENY}]}, "policy", "conflict"),
        (
            {"sourceReference": None, "sourceAttachment": {"data": "AAAA"}},
            "sourceAttachment.data",
            "not-supported",
        ),
        ({"patient": {"reference": "Patient/4711"}}, "patient", "not-found"),
        ({"patient": {"reference": "#patient"}}, "patient", "not-found"),
        ({"patient": {"display": "Jane Doe"}}, "patient", "not-found"),
    ],
)
def test_what_may_change_the_meaning_is_refused(registry, consent, who, changes, element, code):
    stated = {name: value for name, value in (consent() | changes).items() if value is not None}
    assert refused(registry, who, stated) == [(f"Consent.{element}", code)]


@pytest.mark.parametrize(
    ("changes", "element", "code"),
    [
        ({"action": [{"text": "read"}]}, "action", "not-supported"),
        ({"class": [{"code": "CT"}]}, "class", "not-supported"),
        ({"code": [{"text": "CT"}]}, "code", "not-supported"),
        ({"securityLabel": [{"code": "N"}]}, "securityLabel", "not-supported"),
        ({"dataPeriod": {"start": "2022"}}, "dataPeriod", "not-supported"),
        ({"provision": [{"type": "deny"}]}, "provision", "not-supported"),
        ({"type": None}, "type", "required"),
        ({"purpose": None}, "purpose", "required"),
        ({"purpose": purpose("COC")}, "purpose", "code-invalid"),
        ({"purpose": purpose("TREAT", system="urn:other")}, "purpose", "code-invalid"),
        ({"purpose": purpose("TREAT", "BTG")}, "purpose", "code-invalid"),
        ({"purpose": purpose("DSRCH")}, "purpose", "business-rule"),
        ({"period": {"end": "2022-12-31"}}, "period", "expired"),
        ({"period": {"end": "9999"}}, "period", "value"),
        ({"period": {"end": "soon"}}, "period", "value"),
        ({"period": {"start": "2090", "end": "2080"}}, "period", "value"),
        ({"modifierExtension": [{"url": "urn:x"}]}, "modifierExtension[0]", "extension"),
        (
            {"modifierExtension": [{"url": DISEASE, "valueString": "cancer"}]},
            "modifierExtension[0]",
            "value",
        ),
        (
            {"modifierExtension": [{"url": CONDITION, "valueCoding": {"code": "NCU"}}]},
            "modifierExtension[0]",
            "code-invalid",
        ),
        ({"data": data(IMAGE_SET, "0x1")}, "data", "not-supported"),
        ({"data": data(VISIT, "0x" + "1" * 64)}, "data", "not-supported"),
        ({"data": 2 * data(IMAGE_SET, "0x" + "1" * 64)}, "data", "not-supported"),
    ],
)
def test_a_rule_that_the_chain_has_not_is_refused(registry, consent, who, changes, element, code):
    stated = consent()
    provision = stated["provision"] | changes
    stated["provision"] = {name: part for name, part in provision.items() if part is not None}
    assert (f"{ROOT}.{element}", code) in refused(registry, who, stated)


def test_recipients_are_one_accredited_as_stated(registry, consent, who):
    patient, hospital, reader = (
        f"{type_}/{account.address}"
        for type_, account in (
            ("Patient", who.patient),
            ("Organization", who.hospital),
            ("Practitioner", who.radiologist),
        )
    )
    wide = hospital.replace("Organization", "Practitioner")
    empty = reader.replace("Practitioner", "Organization")
    for actor, element, code in (
        (patient, f"{ROOT}.actor", "business-rule"),
        (wide, f"{ROOT}.actor.reference", "business-rule"),
        (empty, f"{ROOT}.actor.reference", "business-rule"),
        (reader.replace("Practitioner", "Group"), f"{ROOT}.actor.reference", "not-supported"),
    ):
        assert refused(registry, who, consent(actor)) == [(element, code)]
    two = [{"role": RECIPIENT, "reference": {"reference": each}} for each in (hospital, reader)]
    assert refused(registry, who, consent(actor=two)) == [(f"{ROOT}.actor", "not-supported")]
    writer = [{"role": {"text": "author"}, "reference": {"reference": reader}}]
    assert refused(registry, who, consent(actor=writer)) == [
        (f"{ROOT}.actor.role", "not-supported")
    ]
    nobody = consent(False) | {"organization": []}
    assert refused(registry, who, nobody) == [("Consent.organization", "required")]


def test_the_policy_of_treatment_is_for_clinicians_alone(registry, consent, who):
    assert registry.create(who.hospital.address, consent(policy=POLICY_TREATMENT)).statement
    members = consent(f"Organization/{who.hospital.address}", POLICY_TREATMENT)
    assert refused(registry, who, members) == [("Consent.policy", "conflict")]
    research = consent(policy=POLICY_TREATMENT, purpose=purpose("HRESCH"))
    assert refused(registry, who, research) == [(f"{ROOT}.purpose", "conflict")]


@pytest.mark.parametrize(
    "changes",
    [
        {"unknown": 1},
        {"status": "on"},
        {"status": ["active"]},
        {"provision": {"type": "permit", "typ": "deny"}},
        {"provision": {"type": "allow"}},
        {"provision": [{"type": "permit"}]},
        {"category": []},
        {"patient": "Patient/1"},
        {"resourceType": "Patient"},
    ],
)
def test_what_is_not_of_r4_is_refused(registry, consent, who, changes):
    with pytest.raises(ResourceInvalid) as caught:
        registry.create(who.hospital.address, consent() | changes)
    assert {issue.code for issue in caught.value.issues} == {"structure"}
    lacking = {name: part for name, part in consent().items() if name != "provision"}
    with pytest.raises(ResourceInvalid) as caught:
        registry.create(who.hospital.address, lacking)
    (issue,) = caught.value.issues
    assert (issue.element, issue.code, issue.reason) == (ROOT, "required", "is missing")

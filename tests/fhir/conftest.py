"""What the tests of FHIR share: a registry on a local chain, and Consents of IHE PCF."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radledger import signed
from radledger.consent import messages
from radledger.consent.diseases import Diseases
from radledger.fhir.errors import ConsentNotHeld
from radledger.fhir.policies import POLICY_ALL
from radledger.fhir.purposes import ACT_REASON
from radledger.fhir.registry import ConsentRegistry, Criteria
from tests.consent.conftest import (
    anchor,
    chain_clock,
    consents,
    image_set,
    other_image_set,
    wall,
)
from tests.identity.cast import identities, participants, travel, who

__all__ = [
    "anchor",
    "chain_clock",
    "consents",
    "identities",
    "image_set",
    "other_image_set",
    "participants",
    "travel",
    "wall",
    "who",
]

PCF = Path(__file__).parent / "pcf"
BASE = "https://gateway.example/fhir"
LOCAL_POLICY = "http://example.org/policies/basePrivacyConsentPolicy.txt"
RESEARCH_POLICY = "http://example.org/policies/researchPrivacyConsentPolicy.txt"
RECIPIENT = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}
    ]
}


def example(name):
    return json.loads((PCF / f"Consent-ex-{name}.json").read_text())


def purpose(*codes, system=ACT_REASON):
    return [{"system": system, "code": code} for code in codes]


def data(system, digest, meaning="instance", type_="ImagingStudy"):
    identifier = {"system": system, "value": digest}
    return [{"meaning": meaning, "reference": {"type": type_, "identifier": identifier}}]


def refused(registry, who, resource):
    """Where and why a Consent is refused."""
    with pytest.raises(ConsentNotHeld) as caught:
        registry.create(who.hospital.address, resource)
    return [(issue.element, issue.code) for issue in caught.value.issues]


@pytest.fixture
def registry(ledger, consents, who, tmp_path):
    registry = ConsentRegistry(
        ledger,
        consents,
        Diseases(None),
        tmp_path / "fhir.sqlite3",
        base=BASE,
        custodian=who.hospital.address,
        policies=(LOCAL_POLICY, RESEARCH_POLICY),
    )
    yield registry
    registry.close()


@pytest.fixture
def consent(who):
    """A Consent of the patient, by default for the radiologist's care."""

    def consent(actor=None, policy=POLICY_ALL, **provision):
        actor = f"Practitioner/{who.radiologist.address}" if actor is None else actor
        if isinstance(actor, str):
            actor = [{"role": RECIPIENT, "reference": {"reference": actor}}]
        stated = {"type": "permit", "purpose": purpose("TREAT"), "actor": actor} | provision
        return {
            "resourceType": "Consent",
            "status": "active",
            "scope": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/consentscope",
                        "code": "patient-privacy",
                    }
                ]
            },
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"reference": f"Patient/{who.patient.address}"},
            "dateTime": "2026-11-30",
            "organization": [{"reference": f"Organization/{who.hospital.address}"}],
            "sourceReference": {"reference": "DocumentReference/paper"},
            "policy": [{"uri": policy}],
            "provision": {name: value for name, value in stated.items() if value},
        }

    return consent


@pytest.fixture
def carry_out(ledger, registry, who):
    """Sign what a Consent takes as its patient, and have the hospital submit it."""

    def carry_out(shown, signer=None):
        documents = registry.documents(who.hospital.address, shown.id)
        for document in documents:
            filled = messages.sign(ledger, document, signer or who.patient)
            signed.submit(ledger, filled, who.hospital)
        return documents

    return carry_out


@pytest.fixture
def record(registry, who, carry_out):
    """Record a Consent and have it signed and submitted; gives it as it is then."""

    def record(resource):
        shown = registry.create(who.hospital.address, resource)
        carry_out(shown)
        return registry.read(who.hospital.address, shown.id)

    return record


@pytest.fixture
def found(registry, who):
    """The Consents of the patient that an account finds."""

    def found(account=None, **criteria):
        account = who.hospital.address if account is None else account
        return registry.search(account, Criteria(who.patient.address, **criteria))

    return found

"""The 23 example Consents of IHE PCF: each is held, or refused with every reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from radledger.fhir.errors import ConsentNotHeld
from radledger.fhir.references import VISIT
from tests.fhir.conftest import PCF, example, purpose

DOCUMENT = Path(__file__).parents[2] / "docs" / "fhir.md"
NAMES = sorted(path.stem.removeprefix("Consent-ex-") for path in PCF.glob("*.json"))
ROOT = "Consent.provision"
PAYMENT = (f"{ROOT}.purpose", "code-invalid")
EXCEPTIONS = (f"{ROOT}.provision", "not-supported")
LABELS = (f"{ROOT}.securityLabel", "not-supported")
DATA = (f"{ROOT}.data", "not-supported")
DISSENT = [(f"{ROOT}.purpose", "not-supported"), ("Consent.policy", "business-rule")]
# What stands against each, beside its purposes of payment and operations.
REFUSED = {
    "consent-basic-treat": [],
    "consent-basic-treat-infant": [("Consent.performer", "business-rule")],
    "consent-basic-ink": [],
    "consent-expired-treat": [(f"{ROOT}.period", "expired")],
    "consent-basic-reject": DISSENT,
    "consent-basic-research": [],
    "consent-intermediate-timeframe": [(f"{ROOT}.dataPeriod", "not-supported")],
    "consent-intermediate-not-timeframe": [EXCEPTIONS],
    "consent-intermediate-authoredby": [DATA],
    "consent-intermediate-not-authoredby": [EXCEPTIONS],
    "consent-intermediate-encounter": [],
    "consent-intermediate-not-encounter": [EXCEPTIONS],
    "consent-intermediate-data": [DATA],
    "consent-intermediate-not-data": [EXCEPTIONS],
    "consent-intermediate-purpose": [
        (f"{ROOT}.purpose", "code-invalid"),
        ("Consent.policy", "conflict"),
    ],
    "dissent-intermediate-break-glass": [(f"{ROOT}.provision[0].actor", "not-supported")],
    "consent-advanced-normal": [LABELS],
    "consent-advanced-normal-restricted": [LABELS],
    "consent-advanced-normal-not-restricted": [LABELS, EXCEPTIONS],
    "consent-advanced-normal-focused-restricted": [LABELS, EXCEPTIONS],
    "consent-advanced-normal-focused-psy": [LABELS, EXCEPTIONS],
    "consent-advanced-normal-focused-psy-or-sdv": [LABELS, EXCEPTIONS],
    "consent-advanced-normal-break-glass-restricted": [LABELS, EXCEPTIONS],
}


@pytest.fixture
def placed(who, image_set):
    """An example with the people and the visit of this chain in place of its own."""

    def placed(name, changes=lambda resource: resource):
        text = json.dumps(example(name))
        for known, address in (
            ("Patient/ex-patient", who.patient),
            ("Patient/ex-mother", who.relatives[0]),
            ("Organization/ex-organization", who.hospital),
            ("Organization/ex-org-researcher", who.clinic),
            ("Practitioner/ex-practitioner", who.radiologist),
        ):
            text = text.replace(f'"{known}"', f'"{known.partition("/")[0]}/{address.address}"')
        visit = {"type": "Encounter", "identifier": {"system": VISIT, "value": image_set.visit}}
        text = text.replace('{"reference": "Encounter/ex-encounter"}', json.dumps(visit))
        return changes(json.loads(text))

    return placed


def for_treatment(resource):
    """With treatment alone where it says treatment, payment and operations."""
    provision = resource["provision"]
    if len(provision.get("purpose", ())) == 3:
        provision["purpose"] = purpose("TREAT")
    return resource


def reasons(registry, account, resource):
    """Where and why a Consent is refused; nothing if it is held."""
    try:
        registry.create(account, resource)
    except ConsentNotHeld as error:
        return [(issue.element, issue.code) for issue in error.issues]
    return []


def test_all_examples_are_there():
    assert sorted(REFUSED) == NAMES
    assert len(NAMES) == 23


@pytest.mark.parametrize("name", NAMES)
def test_an_example_of_another_server_is_refused_for_its_references(registry, who, name):
    found = reasons(registry, who.hospital.address, example(name))
    assert ("Consent.patient", "not-found") in found


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_held_or_refused_with_every_reason(registry, who, placed, name):
    resource = placed(name)
    codes = [each["code"] for each in resource["provision"].get("purpose", ())]
    # A dissent is refused for naming any purpose.
    operations = [PAYMENT] * 2 if {"HPAYMT", "HOPERAT"} <= set(codes) else []
    if resource["provision"]["type"] == "deny":
        operations = []
    found = reasons(registry, who.hospital.address, resource)
    assert sorted(found) == sorted([*REFUSED[name], *operations])


@pytest.mark.parametrize("name", NAMES)
def test_with_treatment_alone_no_more_is_against_it(registry, who, placed, name):
    found = reasons(registry, who.hospital.address, placed(name, for_treatment))
    assert sorted(found) == sorted(REFUSED[name])


def test_what_is_held_says_what_the_example_says(
    registry, ledger, who, placed, image_set, carry_out, consents, identities
):
    hospital = who.hospital.address
    said = {
        name: registry.create(hospital, placed(name, for_treatment)).statement
        for name, found in REFUSED.items()
        if not found
    }
    assert {each.grantee for each in said.values()} == {hospital}
    assert {name: (each.terms.purposes, each.scope) for name, each in said.items()} == {
        "consent-basic-treat": (("CC",), "all"),
        "consent-basic-ink": (("CC",), "all"),
        "consent-basic-research": (("HMB", "POA"), "all"),
        "consent-intermediate-encounter": (("CC",), image_set.visit),
    }


def test_a_mother_consents_once_the_child_has_named_her(
    registry, ledger, who, placed, consents, image_set, carry_out, identities
):
    mother, hospital = who.relatives[0], who.hospital.address
    infant = placed("consent-basic-treat-infant", for_treatment)
    ledger.web3.provider.make_request("anvil_setBalance", [who.patient.address, hex(10**18)])
    identities.add_delegate(mother.address, validity=3600).send(who.patient)
    shown = registry.create(hospital, infant)
    (document,) = carry_out(shown, mother)
    assert document["signer"] == mother.address
    assert registry.read(hospital, shown.id).status == "active"
    assert consents.check(who.clinician.address, image_set, ["CC"]).permitted


def test_the_table_of_the_documents_is_this_one():
    rows = re.findall(
        r"^\| `((?:con|dis)sent-[a-z-]+)` \| (\w+) \| (\w+)", DOCUMENT.read_text(), re.M
    )
    stated = {name: (as_published, treatment) for name, as_published, treatment in rows}
    assert stated == {
        name: (
            "held" if name == "consent-basic-research" else "refused",
            "held" if not found else "refused",
        )
        for name, found in REFUSED.items()
    }

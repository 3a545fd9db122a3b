"""What is written as FHIR before HL7's rules and the profiles of IHE PCF, by HAPI's validator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from radledger.consent import Terms
from radledger.consent.diseases import seal_disease
from radledger.fhir.capabilities import capability_statement
from radledger.fhir.errors import ConsentNotHeld
from radledger.fhir.imaging_studies import Series, imaging_studies
from radledger.fhir.outcomes import outcome, searchset
from radledger.fhir.policies import POLICY_BREAK_GLASS
from radledger.fhir.queries import Query
from radledger.fhir.references import IMAGE_SET
from tests.fhir.conftest import BASE, data, example, purpose

ROOT = Path(__file__).parents[2]
JARS = ROOT / "build/fhir-validator/lib"
PROFILES = ROOT / "tests/fhir/pcf/profiles"
PCF = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consent"


@pytest.fixture
def judge(tmp_path):
    """Have resources validated, all at once; gives the errors of each."""
    if not JARS.is_dir() or shutil.which("java") is None:
        pytest.skip("needs HAPI: run `make fhir-validator`, which needs Maven and Java")

    def judge(resources):
        paths = {}
        for name, resource in resources.items():
            paths[str(tmp_path / f"{name}.json")] = name
            (tmp_path / f"{name}.json").write_text(json.dumps(resource))
        program = ROOT / "infra/fhir/Validate.java"
        command = ["java", "-cp", f"{JARS}{os.sep}*", program, PROFILES, *paths]
        done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
        errors = {name: [] for name in resources}
        judged = set()
        for line in done.stdout.splitlines():
            path, verdict, *message = line.split("\t")
            if verdict == "error":
                errors[paths[path]] += message
            else:
                judged.add(paths[path])
        assert judged == set(resources), done.stderr
        return errors

    return judge


def of_profile(resource, level="Intermediate"):
    return resource | {"meta": {"profile": [f"{PCF}{level}"]}}


@pytest.fixture
def written(registry, record, consents, consent, who, ledger, image_set, found):
    """One of each kind that is written."""
    ledger.web3.provider.make_request("anvil_setBalance", [who.patient.address, hex(10**18)])
    recorded = record(consent(data=data(IMAGE_SET, image_set.image_id))).resource
    terms = Terms(("DS", "CC"), ("NCU",), seal_disease("MONDO:0004992"), until=2_000_000_000)
    consents.grant(who.clinic.address, terms, scope=image_set.course, exact=True).send(who.patient)
    consents.grant(who.relatives[0].address, Terms(("NRES",))).send(who.patient)
    consents.forbid_emergencies().send(who.patient)
    shown = [each.resource for each in found()]
    query = Query.of([("patient", who.patient.address), ("_count", "2")], ("patient",))
    with pytest.raises(ConsentNotHeld) as caught:
        registry.create(who.hospital.address, consent(purpose=purpose("COC"), code=[{}]))
    header = {
        tag: {"Value": [value]}
        for tag, value in (
            *(("00080020", "20040119"), ("00080030", "072730"), ("00080201", "-0500")),
            *(("00080060", "CT"), ("00081030", "Chest"), ("0008103E", "Axial"), ("00200011", 1)),
        )
    }
    patient = who.patient.address
    parts = [Series(image_set.image_id, patient, "1.2.3", f"1.2.3.{n}", 3, header) for n in (1, 2)]
    bare = [Series(image_set.image_id, patient, "1.2.4", "1.2.4.1", 1, {})]
    address = "https://gateway.example/dicom-web"
    (study,), (bare_study,) = (
        imaging_studies(each, address, ledger.chain_id) for each in (parts, bare)
    )
    dissent = consent(False, POLICY_BREAK_GLASS, type="deny", purpose=None)
    return {
        "recorded": of_profile(recorded),
        "proposed-dissent": of_profile(
            registry.create(who.hospital.address, dissent).resource, "Basic"
        ),
        **{f"shown-{number}": of_profile(each) for number, each in enumerate(shown)},
        "consents": searchset(BASE, "Consent", query, shown),
        "nothing": searchset(BASE, "Consent", query, []),
        "study": study,
        "bare-study": bare_study,
        "studies": searchset(BASE, "ImagingStudy", query, [study, bare_study]),
        "capabilities": capability_statement(BASE, ledger.now()),
        "reasons": outcome(422, caught.value.message, caught.value, caught.value.name),
        "unknown": outcome(404, "there is no such Consent"),
    }


def test_what_is_written_is_valid_and_of_pcfs_profiles(judge, written):
    without_source = example("consent-intermediate-encounter")
    del without_source["sourceReference"]
    with_class = example("consent-basic-treat")
    with_class["provision"]["class"] = [{"code": "CT"}]
    wrong = {
        "without-source": without_source,
        "with-class": with_class,
        "of-no-status": written["study"] | {"status": "finished"},
    }
    errors = judge(written | {"published": example("consent-basic-treat")} | wrong)
    # It judges: what PCF's profiles and R4's value sets do not allow is found.
    for name, where in (
        ("without-source", "Consent.source"),
        ("with-class", "Consent.provision"),
        ("of-no-status", "ImagingStudy.status"),
    ):
        assert any(where in each for each in errors.pop(name)), name
    assert {name: each for name, each in errors.items() if each} == {}

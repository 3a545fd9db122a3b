"""Access Consent [ITI-108] over HTTP: statuses, headers, outcomes and bundles."""

from __future__ import annotations

import json

import pytest

from radledger.fhir.references import DID
from tests.fhir.conftest import purpose
from tests.gateway.fhir.conftest import FHIR, issues_of, resource_of

BASE = "https://gateway.example/fhir"


@pytest.fixture
def found(fhir, who):
    """The ids of the Consents that a search finds."""

    def found(**parameters):
        asked = {"patient": f"Patient/{who.patient.address}"} | parameters
        bundle = resource_of(fhir.get("/Consent", who.hospital, **asked))
        assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
        for entry in bundle.get("entry", []):
            assert entry["fullUrl"] == f"{BASE}/Consent/{entry['resource']['id']}"
            assert entry["search"] == {"mode": "match"}
        assert bundle["total"] >= len(bundle.get("entry", []))
        return [entry["resource"]["id"] for entry in bundle.get("entry", [])]

    return found


def test_a_consent_is_created_signed_read_and_taken_back(
    fhir, consent, consents, image_set, who, found
):
    response = fhir.send("POST", "/Consent", consent(), who.hospital)
    created = resource_of(response, 201)
    id_ = created["id"]
    assert response.headers["location"] == f"{BASE}/Consent/{id_}/_history/1.0"
    assert response.headers["etag"] == 'W/"1.0"'
    assert created["status"] == "proposed"
    assert resource_of(fhir.get(f"/Consent/{id_}", who.hospital)) == created

    fhir.carry_out(id_)
    response = fhir.get(f"/Consent/{id_}", who.stranger)
    assert resource_of(response)["status"] == "active"
    assert response.headers["etag"] == 'W/"1.2"'
    assert consents.check(who.radiologist.address, image_set, ["CC"]).permitted
    assert resource_of(fhir.get(f"/Consent/{id_}/_history/1.0", who.hospital)) == created

    end = resource_of(response) | {"status": "inactive"}
    stale = fhir.send("PUT", f"/Consent/{id_}", end, who.hospital, **{"If-Match": 'W/"1.0"'})
    assert issues_of(stale, 412) == [("conflict", None, "ConsentRecordChanged")]
    updated = fhir.send("PUT", f"/Consent/{id_}", end, who.hospital, **{"If-Match": 'W/"1.2"'})
    assert resource_of(updated)["status"] == "active"
    fhir.carry_out(id_)
    assert found(status="inactive") == [id_]
    assert found(status="active,proposed") == []


def test_a_consent_that_cannot_be_held_is_answered_with_every_reason(fhir, consent, who, found):
    stated = consent(purpose=purpose("TREAT", "HPAYMT"), dataPeriod={"start": "2022"})
    response = fhir.send("POST", "/Consent", stated, who.hospital)
    assert issues_of(response, 422) == [
        ("not-supported", "Consent.provision.dataPeriod", "ConsentNotHeld"),
        ("code-invalid", "Consent.provision.purpose", "ConsentNotHeld"),
    ]
    assert found() == []


def test_what_is_not_a_resource_is_refused(fhir, consent, who):
    headers = {"Content-Type": FHIR} | fhir.session(who.hospital)
    post = fhir.http.client.post
    for content, what in (
        (b"{", "structure"),
        (b"[]", "structure"),
        (b'{"status": "active", "status": "inactive"}', "structure"),
        (b"[" * 20_000, "structure"),
        (b"\xff", "structure"),
    ):
        response = post("/fhir/Consent", content=content, headers=headers)
        assert issues_of(response, 400) == [(what, None, "ResourceInvalid")]
    response = fhir.send("POST", "/Consent", consent() | {"status": 1}, who.hospital)
    assert issues_of(response, 400) == [("structure", "Consent.status", "ResourceInvalid")]
    xml = post(
        "/fhir/Consent",
        content=b"<Consent/>",
        headers=headers | {"Content-Type": "application/fhir+xml"},
    )
    assert issues_of(xml, 415) == [("not-supported", None, None)]
    large = post("/fhir/Consent", content=b" " * (1 << 20), headers=headers)
    assert large.status_code == 413


@pytest.mark.parametrize("depth", [50, 300, 900, 5_000])
def test_rules_within_rules_without_end_are_refused(fhir, consent, who, depth):
    deep = '{"type": "permit", "provision": [' * depth + '{"type": "deny"}' + "]}" * depth
    stated = json.dumps(consent() | {"provision": "DEEP"}).replace('"DEEP"', deep)
    headers = {"Content-Type": FHIR} | fhir.session(who.hospital)
    response = fhir.http.client.post("/fhir/Consent", content=stated, headers=headers)
    assert response.status_code in (400, 422), response.text
    assert issues_of(response, response.status_code)


def test_texts_of_a_resource_are_bounded_and_quoted(fhir, consent, who):
    for text in ("\u202e" * 10, "x" * 100_000, "'); DROP TABLE consents; --", "\ud800"):
        stated = consent() | {"patient": {"reference": text}}
        headers = {"Content-Type": FHIR} | fhir.session(who.hospital)
        content = json.dumps(stated)
        response = fhir.http.client.post("/fhir/Consent", content=content, headers=headers)
        assert response.status_code in (400, 422), response.text
        assert len(response.text) < 2_000
        response.text.encode("ascii")


def test_answers_are_json_alone(fhir, who):
    for headers in ({"Accept": "application/fhir+xml"}, {"Accept": "text/html"}):
        response = fhir.get("/metadata", headers=headers)
        assert issues_of(response, 406) == [("not-supported", None, "NotAcceptable")]
    assert issues_of(fhir.get("/metadata", _format="xml"), 406)
    for accepted in ("application/fhir+json; fhirVersion=4.0", "text/html, */*;q=0.1"):
        resource_of(fhir.get("/metadata", headers={"Accept": accepted}))


def test_who_has_not_signed_in_reads_and_records_nothing(fhir, consent, who):
    for response in (
        fhir.get("/Consent", patient=who.patient.address),
        fhir.get("/Consent/1"),
        fhir.get("/Consent/1/$documents"),
        fhir.http.client.post("/fhir/Consent", json=consent()),
        fhir.http.client.put("/fhir/Consent/1", json=consent()),
    ):
        assert issues_of(response, 401) == [("login", None, "SignInRequired")]
    response = fhir.send("POST", "/Consent", consent(), who.stranger)
    assert issues_of(response, 403) == [("forbidden", None, "RecorderNotAllowed")]


def test_unknown_consents_and_proposals_of_others_have_the_same_answer(fhir, consent, who):
    proposal = fhir.create(consent())["id"]
    for id_ in ("unknown", proposal, f"{who.patient.address[2:].lower()}-emergencies"):
        for path in (
            f"/Consent/{id_}",
            f"/Consent/{id_}/$documents",
            f"/Consent/{id_}/_history/1.0",
        ):
            response = fhir.get(path, who.stranger)
            assert issues_of(response, 404) == [("not-found", None, "ConsentRecordUnknown")]


def test_a_search_by_each_parameter(fhir, consent, who, found, ledger):
    first = fhir.create(consent())["id"]
    second = fhir.create(consent(f"Organization/{who.clinic.address}"))["id"]
    patient = who.patient.address
    did = f"did:ethr:{hex(ledger.chain_id)}:{patient}"
    for parameters in (
        {"patient": patient},
        {"patient": f"{BASE}/Patient/{patient}"},
        {"patient": "", "patient.identifier": f"{DID}|{did}"},
        {"status": "proposed"},
        {"status": "http://hl7.org/fhir/consent-state-codes|proposed,active"},
        {"unknown": "1", "_count": "200"},
    ):
        assert sorted(found(**parameters)) == sorted([first, second]), parameters
    assert found(actor=who.radiologist.address) == [first]
    assert found(actor=f"Organization/{who.clinic.address}") == [second]
    assert found(_id=f"{second},other") == [second]
    assert found(patient=who.stranger.address) == []
    assert found(status="active") == []


def test_a_search_in_pages_and_by_a_form(fhir, consent, who):
    ids = {fhir.create(consent(f"Practitioner/{each.address}"))["id"] for each in who.relatives[:3]}
    seen, url = [], f"/Consent?patient={who.patient.address}&_count=2&other=1"
    while url is not None:
        bundle = resource_of(fhir.get(url, who.hospital))
        assert bundle["total"] == 3
        links = {each["relation"]: each["url"] for each in bundle["link"]}
        assert links["self"].startswith(f"{BASE}/Consent?patient={who.patient.address}&_count=2")
        assert "other" not in links["self"]
        seen += [each["resource"]["id"] for each in bundle["entry"]]
        url = links.get("next", "").removeprefix(BASE) or None
    assert (len(seen), set(seen)) == (3, ids)
    none = resource_of(fhir.get(f"/Consent?patient={who.patient.address}&_count=0", who.hospital))
    assert (none["total"], "entry" in none) == (3, False)
    form = {"patient": who.patient.address, "_count": "2"}
    by_form = fhir.http.client.post(
        "/fhir/Consent/_search", data=form, headers=fhir.session(who.hospital)
    )
    assert len(resource_of(by_form)["entry"]) == 2


@pytest.mark.parametrize(
    "query",
    [
        "",
        "status=active",
        "patient=",
        "patient=4711",
        "patient=Practitioner/{address}",
        "patient={address}&patient={address}",
        "patient.identifier=urn:other|1",
        "patient={address}&actor=Group/1",
        "patient={address}&_count=x",
        "patient={address}&_count=-1",
    ],
)
def test_a_search_that_is_not_one_is_refused(fhir, who, query):
    response = fhir.get("/Consent?" + query.format(address=who.patient.address), who.hospital)
    assert [code for code, _, _ in issues_of(response, 400)] == ["invalid"]


def test_a_wrong_if_match_is_refused(fhir, consent, who):
    created = fhir.create(consent())
    for header in ("1.0", "*", 'W/"1.0", W/"1.1"'):
        response = fhir.send(
            "PUT", f"/Consent/{created['id']}", created, who.hospital, **{"If-Match": header}
        )
        assert issues_of(response, 400) == [("invalid", None, None)]


def test_a_stale_chain_answers_nothing(fhir, consent, who, wall):
    id_ = fhir.create(consent())["id"]
    wall(61, max_block_age=60)
    headers = fhir.http.sign_in(who.hospital)
    for response in (
        fhir.get(f"/Consent/{id_}", headers=headers),
        fhir.get(f"/Consent/{id_}/$documents", headers=headers),
        fhir.get("/Consent", patient=who.patient.address, headers=headers),
        fhir.get("/metadata"),
    ):
        assert issues_of(response, 503) == [("transient", None, "ChainStale")]
        assert response.headers["retry-after"] == "30"


def test_the_statement_of_capabilities_names_what_is_there(fhir):
    statement = resource_of(fhir.get("/metadata"))
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    (rest,) = statement["rest"]
    consents = next(each for each in rest["resource"] if each["type"] == "Consent")
    codes = {each["code"] for each in consents["interaction"]}
    assert codes == {"create", "read", "vread", "update", "search-type"}
    assert fhir.http.client.delete("/fhir/Consent/1").status_code == 405

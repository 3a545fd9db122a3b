"""SMART apps at the gateway: discovery, introspection with PCF's rules, and imaging studies."""

from __future__ import annotations

import pydicom
import pytest

from radledger.consent import Terms
from radledger.fhir.references import IMAGE_SET
from tests.gateway.conftest import refused
from tests.gateway.dicomweb.conftest import add, dicomweb, granted, home, sample, series, viewer_of
from tests.gateway.fhir.conftest import issues_of, resource_of

__all__ = ["add", "dicomweb", "granted", "home", "sample", "series", "viewer_of"]

URL = "https://gateway.example"
BASE = f"{URL}/fhir"


@pytest.fixture
def introspect(http, who):
    """What the gateway says of a token."""

    def introspect(headers, account=None):
        token = headers["Authorization"].removeprefix("Bearer ")
        asked = http.sign_in(account or who.clinic)
        response = http.client.post("/introspect", data={"token": token}, headers=asked)
        assert response.status_code == 200, response.text
        assert response.headers["cache-control"] == "no-store"
        return response.json()

    return introspect


@pytest.fixture
def studies(http):
    """The studies that a viewer finds."""

    def studies(viewer, **parameters):
        response = http.client.get("/fhir/ImagingStudy", headers=viewer.headers, params=parameters)
        bundle = resource_of(response)
        assert bundle["total"] == len(bundle.get("entry", []))
        for entry in bundle.get("entry", []):
            assert entry["fullUrl"] == f"{BASE}/ImagingStudy/{entry['resource']['id']}"
        return [entry["resource"] for entry in bundle.get("entry", [])]

    return studies


def test_the_smart_configuration_names_where_to_go(http):
    response = http.client.get("/fhir/.well-known/smart-configuration")
    assert response.headers["content-type"] == "application/json"
    configuration = response.json()
    assert configuration["capabilities"] == ["smart-imaging-access"]
    assert configuration["introspection_endpoint"] == f"{URL}/introspect"
    paths = http.client.get("/openapi.json").json()["paths"]
    for name in ("token_endpoint", "introspection_endpoint"):
        assert "post" in paths[configuration[name].removeprefix(URL)]


# ------------------------------------------------------------------------------------ introspection


def test_a_token_is_described_with_what_pcf_leaves_of_its_scope(
    add, dicomweb, series, sample, introspect, fhir, reader, who, ledger
):
    sets = add(*series) + add(sample("CT_small.dcm"))
    viewer = dicomweb(*sets)
    told = introspect(viewer.headers)
    assert (told["active"], told["scope"]) == (True, "patient/ImagingStudy.rs")
    assert told["sub"] == f"did:ethr:{hex(ledger.chain_id)}:{reader.address}"
    assert (told["patient"], told["iss"]) == (who.patient.address, URL)
    assert told["exp"] > ledger.now()
    iua, pcf = told["extensions"]["ihe_iua"], told["extensions"]["ihe_pcf"]
    assert [each["code"] for each in iua["purpose_of_use"]] == ["TREAT"]
    assert pcf["patient_id"] == f"{BASE}/Patient/{who.patient.address}"
    forbid, *permits = pcf["residual"]
    assert forbid == {"type": "forbid"}
    assert {each["type"] for each in permits} == {"permit"}
    named = [each["data"][0]["reference"]["identifier"] for each in permits]
    assert named == [{"system": IMAGE_SET, "value": each.image_id} for each in sets]
    # The Consent that it names is there, and permits this reader.
    (consent,) = pcf["doc_id"]
    held = resource_of(fhir.get(consent.removeprefix(BASE), who.stranger))
    actor = held["provision"]["actor"][0]["reference"]["reference"]
    assert (held["status"], actor) == ("active", f"Practitioner/{reader.address}")


def test_a_token_is_described_as_of_the_latest_block(
    add, viewer_of, series, sample, introspect, consents, patient_with_ether, reader, who
):
    one, other = add(*series) + add(sample("CT_small.dcm"))
    for each in (one, other):
        consents.grant(reader.address, Terms(("CC",)), scope=each.image_id).send(who.patient)
    viewer = viewer_of(one, other)
    consents.revoke(reader.address, scope=one.image_id).send(who.patient)
    _, *permits = introspect(viewer.headers)["extensions"]["ihe_pcf"]["residual"]
    assert [each["data"][0]["reference"]["identifier"]["value"] for each in permits] == [
        other.image_id
    ]
    consents.revoke(reader.address, scope=other.image_id).send(who.patient)
    assert introspect(viewer.headers) == {"active": False}


def test_a_patients_own_token_needs_no_consent(add, series, http, ask, introspect, who, identities):
    (image_set,) = add(*series)
    headers = http.token([ask(who.patient, image_set=image_set)], who.patient)
    told = introspect(headers)
    assert told["patient"] == who.patient.address
    assert told["extensions"]["ihe_pcf"].keys() == {"patient_id", "residual"}


def test_what_is_not_a_token_is_inactive_and_who_asks_has_signed_in(http, introspect, who):
    assert introspect({"Authorization": "Bearer unknown"}) == {"active": False}
    session = http.sign_in(who.hospital)
    assert introspect(session) == {"active": False}
    post = http.client.post
    refused(post("/introspect", data={"token": "x"}), 401, "SignInRequired")
    for data, headers, status in (
        ({}, {"Content-Type": "application/x-www-form-urlencoded"}, 400),
        ({"token": ["a", "b"]}, {}, 400),
        ({"token": "a"}, {"Content-Type": "application/json"}, 415),
    ):
        refused(post("/introspect", data=data, headers=session | headers), status)


# ------------------------------------------------------------------------------------------ studies


def test_a_study_is_found_with_the_address_of_its_images(
    add, dicomweb, series, studies, who, ledger
):
    (image_set,) = add(*series)
    dataset = pydicom.dcmread(series[0])
    (study,) = studies(dicomweb(image_set), patient=f"Patient/{who.patient.address}")
    assert study["id"] == dataset.StudyInstanceUID
    assert study["identifier"] == [
        {"system": "urn:dicom:uid", "value": f"urn:oid:{dataset.StudyInstanceUID}"},
        {"system": IMAGE_SET, "value": image_set.image_id},
    ]
    assert study["subject"]["reference"] == f"Patient/{who.patient.address}"
    assert (study["status"], study["numberOfSeries"]) == ("available", 1)
    assert study["numberOfInstances"] == len(series)
    assert [each["code"] for each in study["modality"]] == ["CT"]
    (part,) = study["series"]
    assert (part["uid"], part["modality"]["code"]) == (dataset.SeriesInstanceUID, "CT")
    (endpoint,) = study["contained"]
    assert study["endpoint"] == [{"reference": f"#{endpoint['id']}"}]
    assert endpoint["address"] == f"{URL}/dicom-web"
    assert endpoint["connectionType"]["code"] == "dicom-wado-rs"
    assert [each["valueBoolean"] for each in endpoint["extension"]] == [True]


def test_the_endpoint_gives_the_study_to_the_same_token(add, dicomweb, series, studies, http):
    viewer = dicomweb(*add(*series))
    (study,) = studies(viewer)
    address = study["contained"][0]["address"].removeprefix(URL)
    uid = study["identifier"][0]["value"].removeprefix("urn:oid:")
    accept = {"Accept": "multipart/related; type=application/dicom; transfer-syntax=*"}
    response = http.client.get(f"{address}/studies/{uid}", headers=viewer.headers | accept)
    assert response.status_code == 200
    assert response.content.count(b"DICM") == len(series)


def test_series_of_one_study_are_one_study(add, dicomweb, sample, studies):
    uid = "1.2.3.4"
    one = {"StudyInstanceUID": uid, "PatientID": "4711", "PatientName": "Doe^Jane"}
    sets = add(sample("CT_small.dcm", **one), sample("MR_small.dcm", **one))
    (study,) = studies(dicomweb(*sets))
    assert (study["id"], study["numberOfSeries"], study["numberOfInstances"]) == (uid, 2, 2)
    assert {each["code"] for each in study["modality"]} == {"CT", "MR"}


def test_a_search_by_each_parameter(add, dicomweb, sample, series, studies, http):
    viewer = dicomweb(
        *add(sample("CT_small.dcm", StudyDate="20040119")),
        *add(sample("MR_small.dcm", StudyDate="20300102")),
    )
    ct, mr = (each["id"] for each in studies(viewer))

    def ids(**parameters):
        return [each["id"] for each in studies(viewer, **parameters)]

    for parameters, found in (
        ({"modality": "CT"}, [ct]),
        ({"modality": "http://dicom.nema.org/resources/ontology/DCM|MR,XA"}, [mr]),
        ({"modality": "urn:other|MR"}, []),
        ({"identifier": f"urn:oid:{ct}"}, [ct]),
        ({"identifier": f"urn:dicom:uid|urn:oid:{mr}"}, [mr]),
        ({"identifier": f"urn:other|urn:oid:{mr}"}, []),
        ({"_id": f"{ct},{mr}"}, [ct, mr]),
        ({"started": "2004"}, [ct]),
        ({"started": "ge2004-01-19"}, [ct, mr]),
        ({"started": "gt2004-01-19"}, [mr]),
        ({"started": ["ge2004-01-01", "lt2004-02"]}, [ct]),
        ({"started": "ne2004-01-19"}, [mr]),
        ({"started": "eb2030"}, [ct]),
        ({"started": "sa2029"}, [mr]),
        ({"started": "le2030-01-04T12:00:00Z"}, [ct, mr]),
        ({"_include": "ImagingStudy:endpoint", "unknown": "1"}, [ct, mr]),
    ):
        assert ids(**parameters) == found, parameters
    response = http.client.get("/fhir/ImagingStudy?_count=1", headers=viewer.headers)
    page = resource_of(response)
    assert (page["total"], len(page["entry"])) == (2, 1)
    following = next(each["url"] for each in page["link"] if each["relation"] == "next")
    response = http.client.get(following, headers=viewer.headers)
    assert [each["resource"]["id"] for each in resource_of(response)["entry"]] == [mr]
    form = http.client.post("/fhir/ImagingStudy/_search", data={"_id": mr}, headers=viewer.headers)
    assert resource_of(form)["total"] == 1
    for wrong in ("started=soon", "started=2004-13", "_count=x", "modality=CT&modality=MR"):
        response = http.client.get(f"/fhir/ImagingStudy?{wrong}", headers=viewer.headers)
        assert issues_of(response, 400) == [("invalid", None, "SearchInvalid")]


def test_a_token_shows_no_other_patient_and_nothing_of_others(
    add, dicomweb, series, sample, studies, http, who, consents
):
    permitted, other = add(*series) + add(sample("CT_small.dcm"))
    viewer = dicomweb(permitted)
    (study,) = studies(viewer)
    get = http.client.get
    url = "/fhir/ImagingStudy"
    for patient in (who.stranger.address, f"Patient/{who.clinic.address}"):
        response = get(url, headers=viewer.headers, params={"patient": patient})
        assert issues_of(response, 403) == [("forbidden", None, None)]
    hidden = pydicom.dcmread(sample("CT_small.dcm")).StudyInstanceUID
    for id_ in (hidden, "1.2.3", other.image_id):
        response = get(f"{url}/{id_}", headers=viewer.headers)
        assert issues_of(response, 404) == [("not-found", None, "ResourceUnknown")]
    assert resource_of(get(f"{url}/{study['id']}", headers=viewer.headers)) == study
    assert issues_of(get(url), 401) == [("login", None, "TokenInvalid")]
    assert issues_of(get(url, headers=http.sign_in(who.hospital)), 401)


def test_in_the_block_after_a_revocation_no_study_is_found(
    add, dicomweb, series, studies, http, consents, reader, who
):
    viewer = dicomweb(*add(*series))
    assert studies(viewer)
    consents.revoke(reader.address).send(who.patient)
    response = http.client.get("/fhir/ImagingStudy", headers=viewer.headers)
    assert issues_of(response, 403) == [("forbidden", None, "ConsentNotPermittedRevoked")]


def test_when_a_study_began_has_a_time_where_its_zone_is_known(add, dicomweb, sample, studies):
    at = {"StudyDate": "20040119", "StudyTime": "072730.5"}
    sets = [
        *add(sample("CT_small.dcm", **at, TimezoneOffsetFromUTC=None)),
        *add(sample("MR_small.dcm", **at, TimezoneOffsetFromUTC="-0500")),
        *add(sample("examples_palette.dcm", StudyDate="", StudyTime="0727")),
    ]
    started = [each.get("started") for each in studies(dicomweb(*sets))]
    assert started == ["2004-01-19", "2004-01-19T07:27:30-05:00", None]

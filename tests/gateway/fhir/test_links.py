"""SMART Health Links at the gateway: opened while a grant holds, once or long-term, by passcode."""

from __future__ import annotations

import json
import sqlite3
import threading

import pytest

from radledger import signed
from radledger.consent import Terms
from radledger.fhir.health_links import HealthLink, decrypted
from tests.gateway.conftest import refused
from tests.gateway.dicomweb.conftest import add, home, sample, series

__all__ = ["add", "home", "sample", "series"]

DAY = 86_400


@pytest.fixture
def make(http, ledger, who):
    """Make a link as the patient; gives it as the patient passes it on."""

    def make(account=None, **asked):
        body = {"until": ledger.now() + DAY} | asked
        headers = http.sign_in(account or who.patient)
        response = http.client.post("/links", json=body, headers=headers)
        assert response.status_code == 201, response.text
        assert response.headers["cache-control"] == "no-store"
        made = response.json()
        return made["id"], made["address"], HealthLink.parse(made["link"])

    return make


@pytest.fixture
def grant(ledger, consents, who):
    """Grant a link's account what it is for; the patient signs, the hospital submits."""

    def grant(address, scope="all", until=None):
        terms = Terms(("CC",), until=until or ledger.now() + DAY)
        action = consents.grant(address, terms, scope=scope, exact=True)
        signed.submit(ledger, action.sign(who.patient), who.hospital)

    return grant


@pytest.fixture
def open_(http):
    """Open a link as who was given it."""

    def open_(link, recipient="Dr. Roe", **asked):
        path = link.url.removeprefix("https://gateway.example")
        return http.client.post(path, json={"recipient": recipient} | asked)

    return open_


@pytest.fixture
def listed(http, who):
    def listed():
        response = http.client.get("/links", headers=http.sign_in(who.patient))
        assert response.status_code == 200, response.text
        return response.json()["links"]

    return listed


def files(response, link):
    """The files of a manifest, by their type."""
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    found = {}
    for each in response.json()["files"]:
        content, content_type = decrypted(each["embedded"], link.key)
        assert content_type == each["contentType"]
        found[content_type] = json.loads(content)
    return found


def test_a_link_leads_to_the_studies_and_a_token_for_their_images(
    make, grant, open_, listed, add, series, http, home, who, ledger
):
    (image_set,) = add(*series)
    id_, address, link = make(scope=image_set.image_id, label="Chest, CT")
    assert len(link.url) <= 128
    assert (link.label, link.long_term, link.with_passcode) == ("Chest, CT", False, False)
    grant(address, image_set.image_id)
    found = files(open_(link), link)
    access, bundle = found["application/smart-api-access"], found["application/fhir+json"]
    assert (access["aud"], access["scope"]) == (
        "https://gateway.example/fhir",
        "patient/ImagingStudy.rs",
    )
    assert access["patient"] == who.patient.address
    (entry,) = bundle["entry"]
    bearer = {"Authorization": f"Bearer {access['access_token']}"}
    searched = http.client.get(f"/fhir/{access['query'][0]}", headers=bearer).json()
    assert [each["resource"] for each in searched["entry"]] == [entry["resource"]]
    uid = entry["resource"]["id"]
    accept = {"Accept": "multipart/related; type=application/dicom; transfer-syntax=*"}
    images = http.client.get(f"/dicom-web/studies/{uid}", headers=bearer | accept)
    assert images.content.count(b"DICM") == len(series)
    # Opening is a reading: its receipt is in the book, by the link's account.
    (release,) = home.receipts.releases()
    assert release.signed.receipt.reader == address
    (told,) = listed()
    assert (told["id"], told["opened"], told["recipient"]) == (id_, 1, "Dr. Roe")


def test_a_link_without_the_flag_of_long_term_opens_once(make, grant, open_, listed, add, series):
    add(*series)
    _, once, link = make()
    _, often, lasting = make(long_term=True)
    for address in (once, often):
        grant(address)
    assert lasting.long_term
    assert files(open_(link), link)
    assert open_(link).status_code == 404
    for number in range(2):
        assert files(open_(lasting, f"Dr. {number}"), lasting)
    states = {each["address"]: (each["status"], each["opened"]) for each in listed()}
    assert states == {once: ("used", 1), often: ("active", 2)}


def test_a_link_opens_nothing_before_its_grant_nor_after_it(
    make, grant, open_, listed, add, series, consents, ledger, who, http
):
    add(*series)
    _, address, link = make(long_term=True)
    values = refused(open_(link), 404, "LinkUnknown")
    assert values == {}
    assert [each["status"] for each in listed()] == ["not granted"]
    grant(address)
    access = files(open_(link), link)["application/smart-api-access"]
    bearer = {"Authorization": f"Bearer {access['access_token']}"}
    assert http.client.get("/fhir/ImagingStudy", headers=bearer).status_code == 200
    action = consents.revoke(address)
    signed.submit(ledger, action.sign(who.patient), who.hospital)
    assert http.client.get("/fhir/ImagingStudy", headers=bearer).status_code == 403
    refused(open_(link), 404, "LinkUnknown")
    assert [each["status"] for each in listed()] == ["revoked"]


def test_a_link_is_of_the_images_that_were_granted_and_no_others(
    make, grant, open_, add, series, sample
):
    one, other = add(*series) + add(sample("CT_small.dcm"))
    _, address, link = make(scope=one.visit)
    # The grant is wider than the link.
    grant(address)
    bundle = files(open_(link), link)["application/fhir+json"]
    named = [each["value"] for entry in bundle["entry"] for each in entry["resource"]["identifier"]]
    assert one.image_id in named
    assert other.image_id not in named


def test_a_link_ends(make, grant, open_, listed, add, series, ledger, travel):
    add(*series)
    _, address, link = make(until=ledger.now() + 100, long_term=True)
    grant(address, until=ledger.now() + DAY)
    assert files(open_(link), link)
    travel(101)
    refused(open_(link), 404, "LinkUnknown")
    assert [each["status"] for each in listed()] == ["expired"]


def test_wrong_passcodes_are_counted_and_the_last_destroys_the_link(
    make, grant, open_, listed, add, series, home
):
    add(*series)
    _, address, link = make(passcode="2718-28", long_term=True)
    grant(address)
    assert link.with_passcode
    assert files(open_(link, passcode="2718-28"), link)
    for left in (4, 3, 2, 1):
        response = open_(link, passcode="0000-00")
        assert (response.status_code, response.json()) == (401, {"remainingAttempts": left})
    # A right one does not give tries back.
    assert files(open_(link, passcode="2718-28"), link)
    assert [each["attempts"] for each in listed()] == [1]
    assert open_(link).json() == {"remainingAttempts": 0}
    for passcode in ("2718-28", "0000-00"):
        refused(open_(link, passcode=passcode), 404, "LinkUnknown")
    assert [each["status"] for each in listed()] == ["locked"]
    assert len(home.receipts.releases()) == 2


def test_passcodes_that_are_tried_at_once_are_counted_each(make, grant, open_, add, series):
    add(*series)
    _, address, link = make(passcode="2718-28")
    grant(address)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(open_(link, passcode="0000-00")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = sorted(each.json().get("remainingAttempts", -1) for each in answers)
    assert left == [-1, -1, -1, 0, 1, 2, 3, 4]


def test_a_manifest_embeds_no_more_than_the_client_takes(make, grant, open_, add, series, http):
    add(*series)
    _, address, link = make()
    grant(address)
    response = open_(link, embeddedLengthMax=10)
    for each in response.json()["files"]:
        assert "embedded" not in each
        path = each["location"].removeprefix("https://gateway.example")
        fetched = http.client.get(path)
        assert fetched.headers["content-type"] == "application/jose"
        assert decrypted(fetched.text, link.key)[1] == each["contentType"]
        refused(http.client.get(path), 404, "LinkUnknown")


def test_patients_and_delegates_alone_make_list_and_revoke(
    make, open_, listed, grant, add, series, http, who, ledger
):
    add(*series)
    until = ledger.now() + DAY
    other = http.sign_in(who.hospital)
    body = {"subject": who.patient.address, "until": until}
    refused(http.client.post("/links", json=body, headers=other), 403, "LinkNotAllowed")
    query = {"subject": who.patient.address}
    refused(http.client.get("/links", params=query, headers=other), 403, "LinkNotAllowed")
    refused(http.client.post("/links", json=body), 401, "SignInRequired")
    id_, address, link = make(long_term=True)
    grant(address)
    refused(http.client.delete(f"/links/{id_}", headers=other), 404, "LinkUnknown")
    assert files(open_(link), link)
    own = http.sign_in(who.patient)
    assert http.client.delete(f"/links/{id_}", headers=own).json() == {"id": id_}
    refused(open_(link), 404, "LinkUnknown")
    refused(http.client.delete(f"/links/{id_}", headers=own), 404, "LinkUnknown")
    assert listed() == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"until": 1}, 403),
        ({"until": "tomorrow"}, 422),
        ({"scope": "emergency"}, 422),
        ({"scope": "0x1"}, 422),
        ({"label": "x" * 81}, 422),
        ({"passcode": "123"}, 422),
        ({"purpose": "GRU"}, 422),
    ],
)
def test_what_is_not_a_link_to_make_is_refused(http, who, ledger, changes, status):
    body = {"until": ledger.now() + DAY} | changes
    response = http.client.post("/links", json=body, headers=http.sign_in(who.patient))
    assert response.status_code == status


def test_the_disk_alone_opens_nothing(make, grant, open_, add, series, tmp_path, http):
    add(*series)
    _, address, link = make(passcode="2718-28")
    grant(address)
    (path,) = (tmp_path / "home" / "gateway").glob("*.links.sqlite3")
    assert path.stat().st_mode & 0o777 == 0o600
    stored = b"".join(each.read_bytes() for each in path.parent.glob("*.links.*"))
    name = link.url.rpartition("/")[2]
    for secret in (name.encode(), link.key, b"2718-28"):
        assert secret not in stored
    connection = sqlite3.connect(path)
    ((digest,),) = connection.execute("SELECT digest FROM links")
    connection.close()
    for wrong in (digest[:43], "A" * 43):
        refused(http.client.post(f"/shl/{wrong}", json={"recipient": "x"}), 404, "LinkUnknown")
    assert http.client.post("/shl/short", json={"recipient": "x"}).status_code == 422

"""A browser with a ticket sees what its token permits, by a cookie that no other page can use."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx
import pydicom
import pytest
from fastapi.testclient import TestClient

from radledger.gateway import Gateway, create_application
from radledger.gateway.errors import GATEWAY
from radledger.httpapi.server import serving
from tests.gateway.conftest import URL, Http, refused
from tests.gateway.dicomweb.conftest import Viewer, path_of

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def viewer_files(tmp_path):
    """A viewer of one page."""
    folder = tmp_path / "ohif"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>OHIF</title>")
    return folder


@pytest.fixture
def http(gateway, viewer_files):
    return Http(TestClient(create_application(gateway, viewer_files), URL, follow_redirects=False))


@pytest.fixture
def browser(gateway, viewer_files):
    """What has no token and keeps cookies."""
    return TestClient(create_application(gateway, viewer_files), URL, follow_redirects=False)


def ticket_for(shown):
    """The path and query of a link."""
    response = shown.client.post("/tickets", headers=shown.headers)
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    link = response.json()["link"]
    assert link.startswith(f"{URL}/open?ticket=")
    return link.removeprefix(URL)


def test_a_ticket_opens_the_study_in_a_browser(shown, browser, series):
    ct = pydicom.dcmread(series[0])
    response = browser.get(ticket_for(shown))
    assert response.status_code == 303
    assert response.headers["cache-control"] == "no-store"
    location = urlsplit(response.headers["location"])
    assert location.path == "/ohif/viewer"
    assert parse_qs(location.query) == {"StudyInstanceUIDs": [ct.StudyInstanceUID]}
    ((name, cookie),) = SimpleCookie(response.headers["set-cookie"]).items()
    assert name == "__Host-radledger"
    assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "strict")
    assert cookie["httponly"]
    assert cookie["secure"]
    # As often as the page is loaded.
    for _ in range(2):
        rows = browser.get("/dicom-web/studies", headers=OWN).json()
        assert [row["0020000D"]["Value"] for row in rows] == [[ct.StudyInstanceUID]]
        frame = browser.get(f"/dicom-web{path_of(ct)}/frames/1", headers=OWN)
        assert ct.PixelData in frame.content


def test_several_studies_are_opened_as_a_list(dicomweb, add, browser, series, sample):
    viewer = dicomweb(*add(*series), *add(sample("MR_small.dcm")))
    assert browser.get(ticket_for(viewer)).headers["location"] == "/ohif/"
    assert len(browser.get("/dicom-web/studies", headers=OWN).json()) == 2


def test_a_ticket_counts_once(shown, browser):
    link = ticket_for(shown)
    with ThreadPoolExecutor(4) as pool:
        codes = sorted(each.status_code for each in pool.map(browser.get, [link] * 4))
    assert codes == [303, 403, 403, 403]
    refused(browser.get(link), 403, "TicketInvalid")


def test_a_ticket_counts_for_a_minute(shown, browser, wall):
    wall(0)
    first, second = ticket_for(shown), ticket_for(shown)
    wall(59)
    assert browser.get(first).status_code == 303
    wall(60)
    refused(browser.get(second), 403, "TicketInvalid")


@pytest.mark.parametrize("ticket", ["", "x", "a" * 43, "%00", "é"])
def test_tickets_that_were_never_issued(browser, ticket):
    refused(browser.get(f"/open?ticket={ticket}"), 403, "TicketInvalid")
    assert browser.get(f"/open?ticket={'a' * 101}").status_code == 422
    assert browser.get("/open").status_code == 422


def test_a_ticket_is_issued_to_who_has_a_token_alone(shown, browser):
    for headers in ({}, {"Authorization": "Bearer x"}):
        refused(browser.post("/tickets", headers=headers), 401, "TokenInvalid")
    browser.get(ticket_for(shown))
    # The cookie is for images: no page makes a link with it.
    refused(browser.post("/tickets", headers=OWN), 401, "TokenInvalid")
    refused(browser.get("/tokens/current", headers=OWN), 401, "TokenInvalid")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", None])
def test_the_cookie_does_not_count_for_a_page_elsewhere(shown, browser, site):
    browser.get(ticket_for(shown))
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    values = refused(browser.get("/dicom-web/studies", headers=headers), 403, "CrossSiteRequest")
    assert values == {"site": site}
    # What was sent by intention counts as ever.
    headers |= shown.headers
    assert browser.get("/dicom-web/studies", headers=headers).status_code == 200


def test_the_cookie_is_not_the_token_and_ends_with_it(shown, browser, wall):
    wall(0)
    browser.get(ticket_for(shown))
    assert browser.cookies["__Host-radledger"] not in shown.headers["Authorization"]
    wall(12 * 3600 - 1)
    assert browser.get("/dicom-web/studies", headers=OWN).status_code == 200
    wall(12 * 3600)
    refused(browser.get("/dicom-web/studies", headers=OWN), 401, "TokenInvalid")


def test_one_block_after_a_revocation_the_cookie_shows_nothing(
    shown, browser, consents, reader, who
):
    browser.get(ticket_for(shown))
    unused = ticket_for(shown)
    assert browser.get("/dicom-web/studies", headers=OWN).status_code == 200
    consents.revoke(reader.address).send(who.patient)
    response = browser.get("/dicom-web/studies", headers=OWN)
    refused(response, 403, "ConsentNotPermittedRevoked")
    response = browser.get(unused)
    refused(response, 403, "ConsentNotPermittedRevoked")
    assert "set-cookie" not in response.headers


def test_patients_open_their_own_image_sets_without_a_grant(
    add, series, browser, http, ask, patient_with_ether, who
):
    (image_set,) = add(*series)
    own = ask(who.patient, image_set)
    shown = Viewer(http.client, http.token([own], who.patient), [image_set.image_id])
    assert browser.get(ticket_for(shown)).status_code == 303
    assert len(browser.get("/dicom-web/studies", headers=OWN).json()) == 1


def test_a_gateway_without_a_viewer_issues_no_ticket(shown, gateway):
    bare = TestClient(create_application(gateway), URL)
    refused(bare.post("/tickets", headers=shown.headers), 404, "ViewerNotServed")
    refused(bare.get("/ohif/"), 404)


def test_nothing_that_opens_is_logged(shown, browser, caplog):
    with caplog.at_level(logging.DEBUG):
        caplog.clear()
        link = ticket_for(shown)
        browser.get(link)
        browser.get("/dicom-web/studies", headers=OWN)
        # The client's own log has the addresses.
        said = [each.getMessage() for each in caplog.records if each.name != "httpx"]
    token = shown.headers["Authorization"].removeprefix("Bearer ")
    secrets = [link.partition("=")[2], token, browser.cookies["__Host-radledger"]]
    assert [text for text in said if any(secret in text for secret in secrets)] == []


def test_on_a_socket_a_token_in_an_address_is_not_logged(
    home, who, viewer_files, capfd, caplog, add, series, granted, reader, ask
):
    """As viewers elsewhere are given theirs; without TLS the cookie has the port in its name."""
    (image_set,) = add(*series)

    def create(at):
        return create_application(Gateway(home, who.hospital, at), viewer_files)

    with (
        serving(GATEWAY, create) as url,
        httpx.Client(base_url=url) as client,
        caplog.at_level(logging.DEBUG, "uvicorn"),
        caplog.at_level(logging.DEBUG, "radledger"),
    ):
        shown = Viewer(client, Http(client).token([ask(reader, image_set)], reader), [])
        token = shown.headers["Authorization"].removeprefix("Bearer ")
        for path in ("/ohif/viewer", "/dicom-web/studies", "/nowhere", "/open"):
            client.get(path, params={"token": token})
        opened = client.get(client.post("/tickets", headers=shown.headers).json()["link"])
        ((name, cookie),) = SimpleCookie(opened.headers["set-cookie"]).items()
        assert name == f"radledger-{urlsplit(url).port}"
        assert (cookie["path"], cookie["secure"], cookie["samesite"]) == (
            "/dicom-web",
            "",
            "strict",
        )
        headers = OWN | {"Cookie": f"{name}={cookie.value}"}
        assert client.get("/dicom-web/studies", headers=headers).status_code == 200
    said = caplog.text + "".join(capfd.readouterr())
    assert [secret for secret in (token, cookie.value) if secret in said] == []

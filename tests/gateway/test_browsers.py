"""What the gateway says to browsers: whose pages are answered, and what they may do with it."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from radledger.gateway import create_application
from tests.gateway.conftest import URL, refused

VIEWER = "https://viewer.example"
SHOWN = "/dicom-web/studies"


@pytest.fixture
def client(gateway):
    """A gateway that allows the pages of a viewer elsewhere."""
    return TestClient(create_application(gateway, viewer_origins=[VIEWER]), URL)


def cors(response):
    return {
        name: value
        for name, value in response.headers.items()
        if name.startswith("access-control-")
    }


def test_pages_of_a_viewer_elsewhere_may_read_images_with_a_token(client):
    response = client.get(SHOWN, headers={"Origin": VIEWER, "Authorization": "Bearer x"})
    refused(response, 401, "TokenInvalid")
    assert cors(response) == {"access-control-allow-origin": VIEWER}
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("wanted", ["authorization", "accept", "accept,authorization"])
def test_what_a_viewer_elsewhere_may_ask(client, wanted):
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": wanted}
    response = client.options(SHOWN, headers={"Origin": VIEWER, **asked})
    assert response.status_code == 200
    allowed = cors(response)
    assert allowed["access-control-allow-origin"] == VIEWER
    assert allowed["access-control-allow-methods"] == "GET"
    assert "access-control-allow-credentials" not in allowed


@pytest.mark.parametrize(
    ("method", "wanted"), [("POST", "accept"), ("DELETE", "accept"), ("GET", "cookie, x-other")]
)
def test_what_a_viewer_elsewhere_may_not_ask(client, method, wanted):
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": wanted}
    assert client.options(SHOWN, headers={"Origin": VIEWER, **asked}).status_code == 400


@pytest.mark.parametrize("path", ["/health", "/challenges", "/tokens/current", "/log/checkpoint"])
def test_a_viewer_elsewhere_is_answered_below_dicomweb_alone(client, path):
    response = client.get(path, headers={"Origin": VIEWER})
    assert refused(response, 403, "OriginNotAllowed") == {"origin": VIEWER}
    assert cors(response) == {}


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", "null", "", "http://viewer.example", f"{VIEWER}:8443"),
        *("https://viewer.example.evil.example", f"{URL}:8443", "http://gateway.example"),
    ],
)
def test_pages_of_other_origins_are_refused(client, origin):
    for path in (SHOWN, "/health", "/challenges"):
        response = client.post(path, headers={"Origin": origin})
        assert refused(response, 403, "OriginNotAllowed") == {"origin": origin}
        assert cors(response) == {}


def test_without_the_option_no_other_origin_is_allowed(http):
    refused(http.client.get(SHOWN, headers={"Origin": VIEWER}), 403, "OriginNotAllowed")


def test_its_own_pages_are_answered(client):
    assert client.post("/challenges", headers={"Origin": URL}).status_code == 201


@pytest.mark.parametrize("path", ["/docs", "/health", "/nowhere", SHOWN])
def test_no_page_may_frame_an_answer_or_sniff_its_type(client, path):
    headers = client.get(path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_refusals_by_host_have_the_headers_too(client):
    response = client.get("/health", headers={"Host": "evil.example"})
    assert refused(response, 400, "HostUnknown") == {"host": "evil.example"}
    assert response.headers["x-frame-options"] == "DENY"


def test_hosts_are_compared_without_case_and_port(client):
    for host in ("GATEWAY.example", "gateway.example:443", "gateway.example:9"):
        assert client.get("/health", headers={"Host": host}).status_code == 200

"""The files of the viewer that a gateway serves, and what its pages may do."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from fastapi.testclient import TestClient

from radledger.gateway import create_application
from radledger.gateway.errors import ViewerMissing
from radledger.gateway.viewer import require_viewer
from tests.gateway.conftest import URL, refused

SCRIPT = "app.bundle.0f6159c501addfe9.js"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "viewer"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>OHIF</title>")
    for name, text in ((SCRIPT, "let a;"), ("app.css", "a {}"), ("assets/a.svg", "<svg/>")):
        (folder / name).write_text(text)
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "secret.js").write_text("secret")
    (folder / "outside.js").symlink_to(tmp_path / "secret.js")
    return folder


@pytest.fixture
def client(gateway, folder):
    return TestClient(create_application(gateway, folder), URL, raise_server_exceptions=False)


@pytest.mark.parametrize("path", ["", "viewer?StudyInstanceUIDs=1.2.3", "segmentation", "a/b"])
def test_addresses_of_the_application_are_its_page(client, path):
    response = client.get(f"/ohif/{path}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "<title>OHIF</title>" in response.text
    assert response.headers["cache-control"] == "no-cache"


def test_its_pages_reach_this_gateway_alone(client):
    headers = client.get("/ohif/viewer").headers
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self' data: blob:"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe-eval" in policy["script-src"]
    assert not re.search(r"https?:|\*", headers["content-security-policy"])
    assert headers["referrer-policy"] == "no-referrer"
    # No other page of the gateway may do as much.
    assert "script-src" not in client.get("/docs").headers["content-security-policy"]


def test_it_is_configured_for_this_gateway(client):
    response = client.get("/ohif/app-config.js")
    assert response.headers["content-type"].startswith("text/javascript")
    settings = json.loads(response.text.removeprefix("window.config = ").removesuffix(";"))
    (source,) = settings["dataSources"]
    assert source["sourceName"] == settings["defaultDataSourceName"]
    assert {source["configuration"][f"{each}Root"] for each in ("wado", "qido")} == {"/dicom-web"}
    assert settings["routerBasename"] == "/ohif"


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("identity", None)])
@pytest.mark.parametrize("name", [SCRIPT, "app.css", "assets/a.svg"])
def test_files_are_compressed_where_that_is_accepted(client, folder, name, accepted, encoding):
    response = client.get(f"/ohif/{name}", headers={"Accept-Encoding": accepted})
    assert response.text == (folder / name).read_text()
    assert response.headers.get("content-encoding") == encoding
    assert response.headers["vary"] == "Accept-Encoding"


def test_what_is_named_by_its_digest_is_kept_and_all_else_asked_for_again(client):
    assert "immutable" in client.get(f"/ohif/{SCRIPT}").headers["cache-control"]
    first = client.get("/ohif/app.css")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/ohif/app.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        *("missing.js", "../secret.js", "%2e%2e/secret.js", "..%2fsecret.js", "assets/../../x.js"),
        *("outside.js", "%00.js", "//etc/passwd.js", "assets/..%5c..%5csecret.js"),
    ],
)
def test_nothing_outside_its_folder_is_served(client, path):
    response = client.get(f"/ohif/{path}")
    refused(response, 404)
    assert "secret" not in response.text.replace("secret.js", "")


def test_it_is_read_only(client):
    refused(client.post("/ohif/index.html"), 405)


def test_a_folder_without_a_viewer_is_refused(tmp_path, folder):
    assert require_viewer(folder) == folder
    with pytest.raises(ViewerMissing, match="make ohif") as refusal:
        require_viewer(tmp_path)
    assert refusal.value.values == {"path": str(tmp_path)}

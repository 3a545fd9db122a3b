"""``radledger link``: a patient's links at the hospital's gateway, opened by who has one."""

from __future__ import annotations

import json

import httpx
import pytest
from PIL import Image

from radledger.fhir.health_links import HealthLink, decrypted
from tests.cli.test_gateway import gateway, serving

__all__ = ["gateway", "serving"]


@pytest.fixture
def create(ok, gateway, tmp_path):
    """Make a link as the patient, and have the hospital submit its grant."""

    def create(scope, *options):
        file = tmp_path / "link.json"
        named = ("--gateway", gateway, "--as", "patient", "--sign-only", file)
        told = ok("link", "create", scope, *named, *options)
        ok("submit", file, "--as", "hospital")
        return told, HealthLink.parse(told["link"])

    return create


def opened(link, **asked):
    return httpx.post(link.url, json={"recipient": "Dr. Roe"} | asked)


def test_a_link_is_made_opened_listed_and_revoked(home, create, cli, ok, gateway, image, tmp_path):
    told, link = create(image, "--label", "Chest, CT", "--long-term", "--passcode")
    assert (link.label, link.long_term, link.with_passcode) == ("Chest, CT", True, True)
    assert len(told["passcode"]) == 8
    assert opened(link).json() == {"remainingAttempts": 4}
    manifest = opened(link, passcode=told["passcode"]).json()
    found = {each["contentType"]: each["embedded"] for each in manifest["files"]}
    bundle = json.loads(decrypted(found["application/fhir+json"], link.key)[0])
    (study,) = [each["resource"] for each in bundle["entry"]]
    assert image in [each["value"] for each in study["identifier"]]
    access = json.loads(decrypted(found["application/smart-api-access"], link.key)[0])
    bearer = {"Authorization": f"Bearer {access['access_token']}"}
    assert httpx.get(f"{access['aud']}/{access['query'][0]}", headers=bearer).status_code == 200

    at = ("--gateway", gateway, "--as", "patient")
    (listed,) = cli("link", "list", *at).objects
    assert (listed["id"], listed["status"]) == (told["id"], "active")
    assert (listed["opened"], listed["recipient"], listed["attempts"]) == (1, "Dr. Roe", 4)
    readers = [each["reader"] for each in cli("access-log", image).objects if "reader" in each]
    assert told["address"] in readers

    file = tmp_path / "revoked.json"
    assert ok("link", "revoke", told["id"], *at, "--sign-only", file)["id"] == told["id"]
    assert opened(link, passcode=told["passcode"]).status_code == 404
    ok("submit", file, "--as", "hospital")
    assert httpx.get(f"{access['aud']}/ImagingStudy", headers=bearer).status_code == 403
    assert cli("link", "list", *at).objects == []
    assert cli("link", "revoke", told["id"], *at).refused("LinkUnlisted", 2)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_link_is_shown_as_a_qr_code(home, create, cli, gateway, image, tmp_path, kind):
    zxingcpp = pytest.importorskip("zxingcpp", reason="needs zxing-cpp")
    code = tmp_path / f"link.{kind}"
    told, _ = create(image, "--qr", code)
    if kind == "svg":
        assert code.read_bytes().lstrip().startswith(b"<?xml")
    else:
        with Image.open(code) as picture:
            (found,) = zxingcpp.read_barcodes(picture.convert("L"))
        assert found.text == told["link"]
    at = ("--gateway", gateway, "--as", "patient", "--qr", tmp_path / "link.gif")
    assert cli("link", "create", image, *at).refused("InvalidFile", 2)
    assert not (tmp_path / "link.gif").exists()


def test_the_gateway_is_the_one_that_the_custodian_published(
    home, ok, cli, gateway, image, tmp_path
):
    create = ("link", "create", image, "--as", "patient", "--sign-only", tmp_path / "link.json")
    assert cli(*create).refused("GatewayNotNamed", 2) == {}
    ok("identity", "set-gateway", gateway, "--as", "hospital")
    assert HealthLink.parse(ok(*create)["link"]).url.startswith(gateway)


def test_what_cannot_be_granted_leaves_no_link(home, cli, gateway, image):
    at = ("--gateway", gateway, "--as", "patient")
    # The patient has no Ether.
    assert cli("link", "create", image, *at).code == 1
    assert cli("link", "list", *at).objects == []
    assert cli("link", "create", "some", *at).refused("InvalidScope", 2)
    other = ("--gateway", gateway, "--as", "hospital", "--subject", "patient")
    assert cli("link", "create", image, *other).refused("LinkNotAllowed")

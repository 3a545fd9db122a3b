"""``radledger gateway serve`` in the custodian's home, and a reader in another one."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import sys

import httpx
import pydicom
import pytest
from eth_account.messages import encode_defunct

from radledger.access import ReceiptBook
from radledger.chain.keystore import Keystore
from radledger.dicom.synthetic import make_ct_series
from radledger.gateway.siwe import SignInMessage
from tests.cli.conftest import running

CARE = ("--purpose", "CC", "--as", "radiologist")


@pytest.fixture
def serving(home):
    """Run ``radledger gateway serve``; gives what it says and its process."""

    def serving(*options):
        return running("gateway", "serve", "--home", home, "--as", "hospital", *options)

    return serving


@pytest.fixture
def gateway(serving):
    """Address of the hospital's gateway."""
    with serving() as (started, _):
        yield started["gateway"]


@pytest.fixture
def elsewhere(home, tmp_path):
    """The radiologist's home: its own keys, and the store that both reach; no secret of a set."""
    there = tmp_path / "elsewhere"
    (there / "keystore").mkdir(parents=True)
    for file in (home / "keystore").glob("radiologist.*"):
        shutil.copy(file, there / "keystore")
    shutil.copytree(home / "deployments", there / "deployments")
    for file in home.glob("*.yaml"):
        shutil.copy(file, there)
    (there / "store").symlink_to(home / "store")
    return there


@pytest.fixture
def fetch(cli, image, elsewhere, tmp_path):
    """Fetch the image set in the reader's home."""

    def fetch(*options):
        to = tmp_path / "fetched"
        shutil.rmtree(to, ignore_errors=True)
        return cli("image", "fetch", image, "--to", to, *CARE, "--home", elsewhere, *options)

    return fetch


@pytest.fixture
def permitted(home, signed):
    """Let the radiologist use everything for care."""
    signed("consent", "grant", "radiologist", "--purpose", "CC")


def test_a_reader_in_another_home_fetches_and_is_refused_after_the_revocation(
    gateway, permitted, fetch, ok, cli, image, elsewhere, addresses, signed, study
):
    fetched = fetch("--key-service", gateway).object
    assert fetched["image_id"] == image
    assert fetched["block_age"] >= 0
    paths = [each["path"] for each in fetched["files"]]
    assert len(paths) == len(list(study.iterdir()))
    there = ("--home", elsewhere, "--key-service", gateway)
    verdicts = cli("image", "verify", image, *paths, *CARE, *there).objects
    assert {each["verdict"] for each in verdicts} == {"identical"}
    # The receipts are the custodian's to keep: of both readings, and none at the reader's.
    readings = [
        each["reader"] for each in cli("access-log", image).objects if each["event"] == "released"
    ]
    assert readings == [addresses["radiologist"]] * 2
    assert ReceiptBook(elsewhere / "receipts.sqlite3").releases() == ()

    signed("consent", "revoke", "radiologist")
    refused = fetch("--key-service", gateway).refused("ConsentNotPermittedRevoked")
    assert refused["reader"] == addresses["radiologist"]


def test_the_gateway_is_found_where_its_custodian_published_it(
    gateway, permitted, fetch, ok, cli, image, addresses
):
    unknown = fetch()
    assert unknown.refused("SecretUnknown") == {"image": image}
    assert "--key-service" in unknown.object["message"]

    ok("identity", "set-gateway", "https://old.example", "--as", "hospital")
    assert fetch().refused("GatewayUnreachable")["gateway"] == "https://old.example"
    ok("identity", "set-gateway", gateway, "--as", "hospital")
    published = ok("identity", "show", "hospital")["attributes"]
    named = [each for each in published if each["name"] == "did/svc/RadLedgerGateway"]
    assert [bytes.fromhex(each["value"][2:]).decode() for each in named] == [
        "https://old.example",
        gateway,
    ]
    assert fetch().object["image_id"] == image
    # Another's word about the custodian does not count.
    ok("identity", "set-gateway", "https://evil.example", "--as", "clinic")
    assert fetch().object["image_id"] == image


def test_a_gateway_that_was_withdrawn_is_no_longer_asked(home, ok, cli, signed, addresses):
    def published(name):
        shown = ok("identity", "show", name)["attributes"]
        gateways = [each for each in shown if each["name"] == "did/svc/RadLedgerGateway"]
        return [bytes.fromhex(each["value"][2:]).decode() for each in gateways]

    withdraw = ("identity", "withdraw-gateway")
    refused = cli(*withdraw, "--as", "hospital").refused("NoGateway", 2)
    assert refused == {"identity": addresses["hospital"], "published": []}
    urls = [f"https://{name}.example" for name in ("old", "wrong", "new")]
    for url in urls:
        ok("identity", "set-gateway", url, "--as", "hospital")
    refused = cli(*withdraw, "https://other.example", "--as", "hospital").refused("NoGateway", 2)
    assert refused["published"] == urls
    ok(*withdraw, urls[1], "--as", "hospital")
    assert published("hospital") == [urls[0], urls[2]]
    ok(*withdraw, "--as", "hospital")
    assert published("hospital") == []
    # Signed for another account to submit, as other changes of an identity are.
    signed("identity", "set-gateway", urls[0])
    assert published("patient") == [urls[0]]
    signed(*withdraw)
    assert published("patient") == []


def test_what_the_chain_does_not_permit_is_refused_before_a_gateway_is_asked(fetch, addresses):
    refused = fetch("--key-service", "https://gateway.invalid")
    assert refused.refused("ConsentNotPermittedNeverGranted") == {
        "subject": addresses["patient"],
        "reader": addresses["radiologist"],
    }


def test_addresses_where_no_gateway_is(permitted, fetch, cli):
    away = fetch("--key-service", "http://127.0.0.1:1").refused("GatewayUnreachable")
    assert away == {"gateway": "http://127.0.0.1:1", "cause": "ConnectError"}
    for url in ("nonsense", "http://gateway.example", "https://u:SECRET@gateway.example"):
        refused = fetch("--key-service", url)
        refused.refused("InvalidGatewayUrl", 2)
        assert "SECRET" not in refused.out
        cli("identity", "set-gateway", url, "--as", "hospital").refused("InvalidGatewayUrl", 2)
        cli("gateway", "serve", "--url", url, "--as", "hospital").refused("InvalidGatewayUrl", 2)


def test_readers_sign_in_for_the_public_address(serving, permitted, fetch):
    with serving("--url", "https://gateway.example/") as (started, process):
        assert started["gateway"] == "https://gateway.example"
        assert started["description"] == "https://gateway.example/docs"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=240) == 0
        assert process.stderr.read() == ""


def test_without_the_packages_that_serve_it(home, cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    refused = cli("gateway", "serve", "--port", "0", "--as", "hospital")
    assert refused.refused("GatewayNotInstalled", 2) == {"missing": "uvicorn"}
    assert "radledger[gateway]" in refused.object["message"]


def test_addresses_to_listen_at(home, cli):
    serve = ("gateway", "serve", "--as", "hospital")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = cli(*serve, "--port", port).refused("GatewayNotListening")
        assert refused == {"host": "127.0.0.1", "port": port}
    assert cli(*serve, "--port", "70000").code == 2
    cli("gateway", "serve").refused("AccountNotNamed", 2)


@pytest.fixture
def viewer(tmp_path):
    """A viewer of one page."""
    folder = tmp_path / "ohif"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>OHIF</title>")
    return folder


def test_a_reader_opens_the_viewer_by_a_link(
    serving, viewer, permitted, cli, ok, plain_cli, image, elsewhere, signed, monkeypatch
):
    launched = []
    monkeypatch.setattr("typer.launch", launched.append)
    asked = ("gateway", "view", image, *CARE, "--home", elsewhere)
    assert list(cli(*asked).refused("GatewayNotNamed", 2)) == ["custodian"]
    with serving("--viewer", viewer) as (started, _), httpx.Client() as browser:
        url = started["gateway"]
        assert started["viewer"] == f"{url}/ohif/"
        ok("identity", "set-gateway", url, "--as", "hospital")
        opened = cli(*asked).object
        assert set(opened) == {"link", "expires_at", "viewing_until"}
        response = browser.get(opened["link"])
        # The study has another UID, since the files were de-identified.
        assert re.fullmatch(
            r"/ohif/viewer\?StudyInstanceUIDs=2\.25\.\d+", response.headers["location"]
        )
        assert browser.get(opened["link"]).json()["error"] == "TicketInvalid"
        assert launched == []
        shown = plain_cli(*asked, "--open").out
        assert launched == [line.split()[-1] for line in shown.splitlines() if "link" in line]
        seen = httpx.get(f"{url}/health").json()["block"]
        signed("consent", "revoke", "radiologist")
        while httpx.get(f"{url}/health").json()["block"] == seen:
            pass  # a look at the chain's head counts for a quarter of a second
        assert browser.get(launched[0]).json()["error"] == "ConsentNotPermittedRevoked"
    cli("gateway", "view", image, "--as", "radiologist").refused("PurposeNotNamed", 2)


def test_viewers_that_cannot_be_served(home, cli, viewer, tmp_path):
    serve = ("gateway", "serve", "--port", "0", "--as", "hospital")
    refused = cli(*serve, "--viewer", tmp_path).refused("ViewerMissing", 2)
    assert refused == {"path": str(tmp_path)}
    assert cli(*serve, "--viewer", tmp_path / "missing").code == 2
    below = ("--viewer", viewer, "--url", "https://hospital.example/gateway")
    cli(*serve, *below).refused("InvalidGatewayUrl", 2)
    for origin in ("*", "null", "viewer.example", "http://viewer.example", "https://v.example/a"):
        refused = cli(*serve, "--viewer-origin", origin)
        assert list(refused.refused("InvalidViewerOrigin", 2)) == ["origin"]


def test_an_orthanc_asks_with_name_and_password(serving, cli, home, tmp_path):
    file = tmp_path / "orthanc"
    file.write_text(f"orthanc:{'x' * 32}\n")
    serve = ("gateway", "serve", "--as", "hospital", "--port", "0")
    assert cli(*serve, "--orthanc", file).refused("InvalidOrthanc", 2) == {"path": str(file)}
    file.chmod(0o600)
    url = ("--orthanc-url", "pacs.example")
    assert cli(*serve, "--orthanc", file, *url).refused("InvalidOrthanc", 2) == {
        "url": "pacs.example"
    }
    cli(*serve, "--orthanc-url", "https://pacs.example").refused("InvalidOrthanc", 2)
    with serving("--orthanc", str(file)) as (started, _):
        profile = f"{started['gateway']}/orthanc/user/get-profile"
        assert httpx.post(profile, json={}).status_code == 401
        answer = httpx.post(profile, json={}, auth=("orthanc", "x" * 32))
        assert answer.json()["name"] == "anonymous"


def signed_in(home, url):
    """The header of the radiologist, who has signed in."""
    reader = Keystore(home).open("radiologist")
    message = SignInMessage(address=reader.address, **httpx.post(f"{url}/challenges").json()).text
    signature = "0x" + bytes(reader.sign_message(encode_defunct(text=message)).signature).hex()
    answer = httpx.post(f"{url}/sessions", json={"message": message, "signature": signature})
    return {"Authorization": f"Bearer {answer.json()['session']}"}


def test_instances_are_stored_by_whom_the_custodian_allows(home, serving, addresses, tmp_path):
    (file,) = make_ct_series(tmp_path / "new", 1, size=32, seed=9)
    patients = tmp_path / "patients.csv"
    patients.write_text(f"patient_id,patient\n{pydicom.dcmread(file).PatientID},patient\n")
    options = ("--store-by", "radiologist", "--patients", patients, "--quiet", "1s")
    with serving(*options, "--keep-identity") as (started, process):
        body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + file.read_bytes() + b"\r\n--b--"
        media_type = 'multipart/related; type="application/dicom"; boundary=b'
        headers = {"Content-Type": media_type, **signed_in(home, started["gateway"])}
        url = f"{started['gateway']}/dicom-web/studies"
        answer = httpx.post(url, content=body, headers=headers, timeout=120)
        assert answer.status_code == 200, answer.text
        closed = json.loads(process.stdout.readline())
    assert closed["patient"] == addresses["patient"]
    assert [each["instances"] for each in closed["image_sets"]] == [1]
    assert closed["left_out"] == []


def test_who_may_store_is_given_with_whose_instances(cli, tmp_path):
    patients = tmp_path / "patients.csv"
    patients.write_text("patient_id,patient\n1,patient\n")
    for option in (("--store-by", "radiologist"), ("--patients", patients)):
        refused = cli("gateway", "serve", "--as", "hospital", "--home", tmp_path, *option)
        refused.refused("StoringIncomplete", code=2)

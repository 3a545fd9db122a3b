"""OHIF itself, in Chromium: it shows what a reader may see, and nothing else, until the revocation.

It needs `make ohif` and Chromium.
"""

from __future__ import annotations

import copy
import json
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pydicom
import pytest
from fastapi import FastAPI, Response

from radledger.access import Reading
from radledger.consent.permission import Use
from radledger.demo import chromium
from radledger.demo.chapters.viewer import IMAGE_SHOWN
from radledger.devnet.gateway import viewer_folder
from radledger.dicom.synthetic import make_ct_series
from radledger.gateway import Gateway, GatewayKeyService, create_application
from radledger.gateway.errors import GATEWAY
from radledger.gateway.viewer import SETTINGS, ViewerFiles
from radledger.httpapi.server import serving
from tests.gateway.conftest import Http

PATIENCE = 120.0  # seconds on a busy machine; one that shows an image is not waited for
TEXT = "document.body.innerText"
COMPRESSED = (
    "JPEG2000.dcm",
    "MR_small_RLE.dcm",
    "JPGExtended.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
)


@pytest.fixture(scope="module")
def program():
    found = chromium.program()
    if found is None:
        pytest.skip("needs Chromium")
    if viewer_folder() is None:
        pytest.skip("needs OHIF: make ohif")
    return found


@pytest.fixture
def page(program):
    with chromium.opened(program) as page:
        yield page


@pytest.fixture
def elsewhere():
    """OHIF as another server has it, for a gateway that it is not served by."""
    application = FastAPI()
    settings = {}

    @application.get("/ohif/app-config.js")
    def configuration():
        return Response(f"window.config = {json.dumps(settings)};", media_type="text/javascript")

    application.mount("/ohif", OtherServer(viewer_folder()))
    with serving(GATEWAY, lambda at: application) as url:
        yield SimpleNamespace(url=url, settings=settings)


class OtherServer(ViewerFiles):
    """The files of the viewer, whose pages may ask any server."""

    async def get_response(self, path, scope):
        response = await super().get_response(path, scope)
        del response.headers["Content-Security-Policy"]
        return response


@pytest.fixture
def url(home, who, elsewhere):
    def create(at):
        gateway = Gateway(home, who.hospital, at)
        return create_application(gateway, viewer_folder(), viewer_origins=[elsewhere.url])

    with serving(GATEWAY, create) as url:
        yield url


@pytest.fixture
def link_to(home, ledger, reader, url):
    """A link of the reader's to image sets."""

    def link(*image_sets):
        service = GatewayKeyService(url, reader, ledger.chain_id)
        reading = Reading(ledger, home.images, home.receipts)
        image_ids = [each.image_id for each in image_sets]
        opened = reading.view(image_ids, reader=reader, viewers=service, use=Use.of(["CC"]))
        return opened.link

    return link


def rendered(text):
    return f"{TEXT}.includes({text!r})"


@pytest.mark.usefixtures("granted")
def test_a_permitted_study_is_shown_and_no_other_until_the_revocation(
    add, sample, tmp_path, link_to, page, url, consents, reader, who
):
    series = make_ct_series(tmp_path / "ct", 3, size=256)
    ct, mr = pydicom.dcmread(series[0]), pydicom.dcmread(sample("MR_small.dcm"))
    (image_set,) = add(*series)
    add(sample("MR_small.dcm"))
    link = link_to(image_set)

    page.go(link)
    assert page.wait_until(IMAGE_SHOWN, PATIENCE), page.complaints
    assert page.evaluate("location.search") == f"?StudyInstanceUIDs={ct.StudyInstanceUID}"
    assert "radledger" not in page.evaluate("document.cookie")  # no script has it
    # Nothing but the gateway was asked, and nothing of the other study.
    assert {urlsplit(each).netloc for each in page.requested} <= {urlsplit(url).netloc, ""}
    assert not [each for each in page.requested if mr.StudyInstanceUID in each]
    assert page.complaints == []

    page.reload()
    assert page.wait_until(f"!({IMAGE_SHOWN})", PATIENCE)
    assert page.wait_until(IMAGE_SHOWN, PATIENCE)

    page.go(f"{url}/ohif/")
    assert page.wait_until(rendered("1-1 of 1"), PATIENCE), page.evaluate(TEXT)
    assert page.evaluate(rendered(ct.PatientName.family_name))
    assert not page.evaluate(rendered(mr.PatientName.family_name))

    consents.revoke(reader.address).send(who.patient)
    page.go(f"{url}/ohif/viewer?StudyInstanceUIDs={ct.StudyInstanceUID}")
    assert page.wait_until(rendered("not available at this time"), PATIENCE), page.evaluate(TEXT)
    assert "403 (Forbidden)" in "".join(page.complaints)
    assert page.evaluate("document.querySelectorAll('canvas').length") == 0
    assert not page.evaluate(rendered(ct.PatientName.family_name))
    page.go(link)
    assert page.wait_until(rendered("TicketInvalid"), PATIENCE)


@pytest.mark.usefixtures("granted")
def test_compressed_images_are_shown(add, sample, link_to, page):
    """By decoders that the content security policy must let run."""
    for number, name in enumerate(COMPRESSED, 1):
        # Some of these files are one image in several syntaxes.
        (image_set,) = add(sample(name, SOPInstanceUID=f"1.2.3.{number}"))
        page.go(link_to(image_set))
        assert page.wait_until(IMAGE_SHOWN, PATIENCE), (name, page.complaints)
    assert page.complaints == []


@pytest.mark.usefixtures("granted")
def test_a_viewer_elsewhere_shows_images_with_a_token_in_its_address(
    add, tmp_path, page, url, elsewhere, reader, ask
):
    series = make_ct_series(tmp_path / "ct", 3, size=256)
    (image_set,) = add(*series)
    study = pydicom.dcmread(series[0]).StudyInstanceUID
    elsewhere.settings |= copy.deepcopy(SETTINGS)
    configuration = elsewhere.settings["dataSources"][0]["configuration"]
    configuration |= dict.fromkeys(("wadoRoot", "qidoRoot", "wadoUriRoot"), f"{url}/dicom-web")
    with httpx.Client(base_url=url) as client:
        bearer = Http(client).token([ask(reader, image_set)], reader)["Authorization"]
    token = bearer.removeprefix("Bearer ")
    page.go(f"{elsewhere.url}/ohif/viewer?StudyInstanceUIDs={study}&token={token}")
    assert page.wait_until(IMAGE_SHOWN, PATIENCE), page.complaints
    assert "token" not in page.evaluate("location.href")
    asked = [each for each in page.requested if each.startswith(url)]
    assert asked
    assert not [each for each in asked if token in each]

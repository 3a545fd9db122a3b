"""The radiologist looks at the CT in a browser, until the patient revokes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from radledger.consent import Terms
from radledger.demo import chromium
from radledger.demo.checks import check
from radledger.demo.stage import CARE
from radledger.demo.step import Picture, StepOutcome
from radledger.demo.words import short
from radledger.devnet.gateway import viewer_folder
from radledger.gateway.client import GatewayKeyService
from radledger.gateway.errors import GATEWAY
from radledger.httpapi.remote import Remote

if TYPE_CHECKING:
    import httpx

    from radledger.demo.stage import Stage

__all__ = ["IMAGE_SHOWN", "let_see_again", "link", "look", "reload"]

IMAGE_SHOWN = """
[...document.querySelectorAll("canvas.cornerstone-canvas")].some(canvas => {
  const context = canvas.getContext("2d");
  if (!context || canvas.width < 200) return false;
  const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
  let bright = 0;
  for (let at = 0; at < data.length; at += 4) if (data[at] > 40) bright++;
  return bright > 2000;
})
"""
"""Whether OHIF shows an image, in JavaScript."""

_STUDIES = "/dicom-web/studies"
_UID, _INSTANCES = "0020000D", "00201208"
_PATIENCE = 60.0  # seconds until the image is there


def look(stage: Stage) -> StepOutcome:
    """The radiologist opens the CT in the viewer of the hospital's gateway."""
    opened = stage.browser.get(link(stage, stage.ct.image_id))
    check(opened.status_code == 303, f"the link answers with {opened.status_code}")
    again = stage.browser.get(str(opened.request.url))
    check(again.status_code == 403, "the link opens a second time")
    (row,) = _asked(stage.browser, _STUDIES).json()
    study = row[_UID]["Value"][0]
    check(study in opened.headers["location"], "another study is opened")
    count = row[_INSTANCES]["Value"][0]
    check(count == stage.ct.instances, f"{count} slices are listed")
    return StepOutcome(
        f"opens the CT in a browser by a link that counts once: the viewer of the hospital's "
        f"gateway lists this one of {len(stage.others) + 1} image sets, and its {count} slices",
        pictures=tuple(_screenshot(stage)),
    )


def reload(stage: Stage) -> StepOutcome:
    """The radiologist reloads the viewer, which was left open."""
    _await_latest_block(stage)
    _asked(stage.browser, _STUDIES)
    return StepOutcome("was shown the CT in the viewer after the revocation")


def let_see_again(stage: Stage) -> StepOutcome:
    """The patient lets the radiologist see earlier images, with the key that counts now."""
    subject = stage.address("patient")
    owner = stage.radledger.identities.show(subject).owner
    signer = stage.person("patient") if owner == subject else stage.new_key
    earlier = stage.earlier
    document = stage.consents.grant(
        stage.address("radiologist"), Terms(("CC",)), scope=earlier.image_id, subject=subject
    ).sign(signer)
    with stage.at_no_cost("patient"):
        stage.relay.submit(document)
    decision = stage.consents.check(
        stage.address("radiologist"), stage.images.show(earlier.image_id).image_set, ["CC"]
    )
    check(decision.permitted, f"not permitted: {decision.reason}")
    return StepOutcome(
        f"lets the radiologist see the earlier images {short(earlier.image_id)} for care, until "
        "they take that back"
    )


def link(stage: Stage, image_id: str) -> str:
    """A link that shows an image set to the radiologist, once."""
    _await_latest_block(stage)
    reader = stage.person("radiologist")
    service = GatewayKeyService(stage.gateway, reader, stage.ledger.chain_id)
    return stage.radledger.reading.view([image_id], reader=reader, viewers=service, use=CARE).link


def _await_latest_block(stage: Stage) -> None:
    """Wait until the gateway has seen the latest block: it looks for one four times a second."""
    latest = stage.ledger.block_number()
    while _asked(stage.browser, "/health").json()["block"] < latest:
        pass


def _asked(browser: httpx.Client, path: str) -> httpx.Response:
    """An answer, as a page of the gateway gets it.

    Raises
    ------
    RadLedgerError
        As the gateway refuses.
    """
    response = browser.get(path, headers={"Sec-Fetch-Site": "same-origin"})
    if not response.is_success:
        raise Remote(GATEWAY, str(browser.base_url)).error(response.json())
    return response


def _screenshot(stage: Stage) -> list[Picture]:
    """The CT in OHIF, where `make ohif` has prepared it and Chromium is installed."""
    program = chromium.program()
    if program is None or viewer_folder() is None:
        return []
    try:
        with chromium.opened(program) as page:
            page.go(link(stage, stage.ct.image_id))
            check(page.wait_until(IMAGE_SHOWN, _PATIENCE), "OHIF shows no image")
            own = urlsplit(stage.gateway).netloc
            outside = {urlsplit(url).netloc for url in page.requested} - {own, ""}
            check(not outside, f"the viewer asks {outside}")
            picture = page.picture()
    except chromium.BrowserFailed:  # whatever is wrong with the one that is installed
        return []
    return [Picture(picture, "The CT in OHIF, as the radiologist sees it", "Chromium", wide=True)]

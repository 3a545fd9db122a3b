"""SMART Health Links: made and listed by patients, opened by who has one.

References
----------
.. [1] HL7, SMART Health Cards and Links, Links,
   https://build.fhir.org/ig/HL7/smart-health-cards-and-links/links-specification.html
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from radledger.fhir.health_links import encrypted
from radledger.fhir.introspection import SCOPE
from radledger.gateway.authorization import Account, TheGateway
from radledger.gateway.errors import LinkUnknown, PasscodeWrong
from radledger.gateway.expiring import Expiring
from radledger.gateway.fhir.imaging_studies import series_of, studies_of
from radledger.gateway.fields import Address
from radledger.gateway.links import Opened
from radledger.gateway.service import Gateway
from radledger.httpapi.problems import problems
from radledger.identity.address import parse_address

__all__ = ["router"]

_FHIR_JSON, _API_ACCESS = "application/fhir+json", "application/smart-api-access"
_FILE = 300  # seconds in which a file of a manifest has to be fetched
_MOST_EMBEDDED = 1 << 20

router = APIRouter(tags=["links"])
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$", examples=["A" * 43])]


class LinkRequest(BaseModel):
    """What a link is to lead to."""

    model_config = ConfigDict(extra="forbid")

    subject: Address | None = Field(None, description="Default: the account that signed in.")
    scope: Annotated[str, Field(pattern=r"^(all|0x[0-9a-f]{64})$")] = "all"
    until: Annotated[int, Field(strict=True, ge=0, lt=1 << 32, description="Unix time.")]
    label: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    long_term: bool = Field(False, description="It may be opened more than once.")
    passcode: Annotated[str, Field(min_length=4, max_length=100)] | None = None


class MadeLink(BaseModel):
    """A link that opens nothing before its address is granted the images for clinical care."""

    id: str
    address: str = Field(description="To which the patient grants the images.")
    link: str = Field(description="`shlink:/…`, to pass on or to show as a QR code.")


class ManifestRequest(BaseModel):
    """Who opens a link."""

    recipient: Annotated[str, Field(max_length=500)]
    passcode: Annotated[str, Field(max_length=500)] | None = None
    embeddedLengthMax: Annotated[int, Field(ge=0)] | None = None  # noqa: N815 - SHL's name


def _files(request: Request) -> Expiring[str]:
    state = request.app.state
    if not hasattr(state, "link_files"):
        state.link_files = Expiring[str]("files of links wait to be fetched")
    files: Expiring[str] = state.link_files
    return files


def _not_stored(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


@router.post(
    "/links",
    status_code=201,
    responses=problems(400, 401, 403, 413, 422, 429, 503),
    dependencies=[Depends(_not_stored)],
)
def make_link(gateway: TheGateway, account: Account, asked: LinkRequest) -> MadeLink:
    """Make a link to a patient's images, for the patient to grant them to."""
    made = gateway.links.make(
        account,
        parse_address(asked.subject or account),
        scope=asked.scope,
        until=asked.until,
        label=asked.label,
        long_term=asked.long_term,
        passcode=asked.passcode,
    )
    return MadeLink(id=made.id, address=made.address, link=made.link.text)


@router.get(
    "/links", responses=problems(401, 403, 422, 429, 503), dependencies=[Depends(_not_stored)]
)
def list_links(
    gateway: TheGateway,
    account: Account,
    subject: Annotated[str | None, Query(pattern=r"^0x[0-9a-fA-F]{40}$")] = None,
) -> dict[str, list[dict[str, Any]]]:
    """List a patient's links, and how often each was opened."""
    links = gateway.links.list(account, parse_address(subject or account))
    return {"links": [asdict(each) for each in links]}


@router.delete("/links/{id_}", responses=problems(401, 404, 429, 503))
def revoke_link(gateway: TheGateway, account: Account, id_: str) -> dict[str, str]:
    """Destroy a link; its grant is taken back on the chain."""
    gateway.links.revoke(account, id_)
    return {"id": id_}


@router.post(
    "/shl/{name}",
    responses=problems(400, 401, 404, 413, 422, 429, 503),
    response_class=JSONResponse,
)
def open_link(
    gateway: TheGateway,
    name: Name,
    asked: ManifestRequest,
    files: Annotated[Expiring[str], Depends(_files)],
) -> Response:
    """Open a link: its manifest has a token, and the studies that it is for."""
    try:
        opened = gateway.links.open(name, asked.recipient, asked.passcode)
    except PasscodeWrong as error:
        return _answer({"remainingAttempts": error.values["remaining"]}, 401)
    most = _MOST_EMBEDDED if asked.embeddedLengthMax is None else asked.embeddedLengthMax
    listed = []
    for content_type, content in _contents(gateway, opened):
        text = encrypted(json.dumps(content).encode(), content_type, opened.key)
        listed.append(
            {
                "contentType": content_type,
                **_placed(gateway, files, text, most),
                **({"fhirVersion": "4.0.1"} if content_type == _FHIR_JSON else {}),
            }
        )
    return _answer({"files": listed}, 200)


@router.get("/shl/files/{name}", responses=problems(404, 503), response_class=Response)
def fetch_file(
    gateway: TheGateway, name: str, files: Annotated[Expiring[str], Depends(_files)]
) -> Response:
    """Fetch a file of a manifest, once."""
    text = files.take(name, gateway.now())
    if text is None:
        raise LinkUnknown("there is no such file, or it was fetched; open the link again")
    return Response(text, 200, {"Cache-Control": "no-store"}, "application/jose")


def _contents(gateway: Gateway, opened: Opened) -> list[tuple[str, dict[str, Any]]]:
    """What a link leads to: access to the images, and what there is."""
    viewing = opened.issued.viewing
    series = series_of(gateway, viewing)
    patient = series[0].patient
    access = {
        "access_token": opened.issued.token,
        "token_type": "Bearer",
        "expires_in": viewing.expires_at - gateway.now(),
        "scope": SCOPE,
        "patient": patient,
        "aud": gateway.fhir_url,
        "query": [f"ImagingStudy?patient={patient}&_include=ImagingStudy:endpoint"],
    }
    studies = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": f"{gateway.fhir_url}/ImagingStudy/{each['id']}", "resource": each}
            for each in studies_of(gateway, series)
        ],
    }
    return [(_API_ACCESS, access), (_FHIR_JSON, studies)]


def _placed(gateway: Gateway, files: Expiring[str], text: str, most: int) -> dict[str, str]:
    """A file in the manifest, or where it is if it is longer than the client takes."""
    if len(text) <= most:
        return {"embedded": text}
    name, now = secrets.token_urlsafe(32), gateway.now()
    files.add(name, text, now, now + _FILE)
    return {"location": f"{gateway.url}/shl/files/{name}"}


def _answer(content: dict[str, Any], status: int) -> Response:
    return JSONResponse(content, status, {"Cache-Control": "no-store"})

"""What Orthanc asks before it answers: the routes that its authorization plugin calls.

Orthanc holds files in plain, and shows them itself; the chain decides to whom.

References
----------
.. [1] Orthanc Book, Advanced authorization plugin,
   https://orthanc.uclouvain.be/book/plugins/authorization.html
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, cast, get_args

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as InPath
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from radledger.endpoints import shown
from radledger.gateway.authorization import TheGateway
from radledger.gateway.errors import InvalidOrthanc, OrthancUnknown, QueryInvalid, TokenInvalid
from radledger.httpapi.problems import problems
from radledger.imaging.journal.tables import Level

__all__ = ["LINKS", "Orthanc", "router"]

_GRANTED = 1
"""Seconds for which Orthanc may keep a grant; blocks are not made faster."""
_LONGEST_TOKEN, _LONGEST_LINE = 16_384, 1024
_CREDENTIALS = re.compile(rb"([!-9;-~]{1,64}):([!-~]{32,512})")
_URL = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[\w.~/-]*)?")
_MOST_STUDIES = 100
_YEAR = 366 * 24 * 3600
_UID = r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$"
LINKS = {
    "viewer-instant-link": None,
    "download-instant-link": None,
    "stone-viewer-publication": "stone-webviewer/index.html?study={studies}"
    "&selectedStudies={studies}&token={token}",
    "ohif-viewer-publication": "ohif/viewer?StudyInstanceUIDs={studies}&token={token}",
}
"""Types of links, with the address of the viewer at Orthanc that they open, if it is one."""


@dataclass(frozen=True, slots=True)
class Orthanc:
    """The Orthanc that asks a gateway.

    Attributes
    ----------
    name, password
        By which the gateway knows it.
    url
        Its public address, for links to its viewers; without one, links have none.
    """

    name: str
    password: str = field(repr=False)
    url: str | None = None

    @classmethod
    def read(cls, file: Path, url: str | None = None) -> Orthanc:
        """From the file with its name and password.

        Parameters
        ----------
        file
            It has one line, ``NAME:PASSWORD``.
        url
            Its public address.

        Raises
        ------
        InvalidOrthanc
            If the file has something else, a password of fewer than 32 characters, or others than
            its owner may read it; or if the address is not one.

        Examples
        --------
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "orthanc"
        >>> _ = file.write_text("orthanc:" + 32 * "x")
        >>> file.chmod(0o600)
        >>> Orthanc.read(file, "https://pacs.example/orthanc/")
        Orthanc(name='orthanc', url='https://pacs.example/orthanc')
        """
        if url is not None and not _URL.fullmatch(url):
            raise InvalidOrthanc(
                f"{shown(url)!r} is not the address of an Orthanc; give one such as "
                "https://pacs.hospital.example",
                url=shown(url),
            )
        found = _CREDENTIALS.fullmatch(file.read_bytes()[:_LONGEST_LINE].strip())
        if found is None or file.stat().st_mode & 0o077:
            raise InvalidOrthanc(
                f"{file} has to hold one line, NAME:PASSWORD with a password of at least 32 "
                "characters, and to be readable by its owner alone (chmod 600); `openssl rand -hex "
                "32` makes a password",
                path=str(file),
            )
        name, password = (each.decode() for each in found.groups())
        return cls(name, password, None if url is None else url.rstrip("/"))

    def is_known_by(self, name: str, password: str) -> bool:
        """Whether a name and a password are its own."""
        given = hmac.compare_digest(name.encode(), self.name.encode())
        return hmac.compare_digest(password.encode(), self.password.encode()) and given


class _Body(BaseModel):
    # Later releases of the plugin send more.
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)


class _OfToken(_Body):
    token_value: Annotated[
        str | None,
        Field(
            alias="token-value",
            max_length=_LONGEST_TOKEN,
            description="A token from `/tokens`, or the header `Authorization` with one.",
        ),
    ] = None

    @property
    def token(self) -> str | None:
        """The token without the name of its scheme."""
        scheme, _, rest = (self.token_value or "").partition(" ")
        return rest.strip() if scheme.lower() == "bearer" else self.token_value


class Question(_OfToken):
    """A request to Orthanc: by what method, for what, with which token."""

    level: Annotated[str, Field(max_length=16, examples=["study"])]
    method: Annotated[str, Field(max_length=16, examples=["get"])]
    dicom_uid: Annotated[
        str | None, Field(alias="dicom-uid", max_length=256, examples=["1.2.840.10008"])
    ] = None


class Decision(BaseModel):
    """Whether Orthanc may answer."""

    granted: bool
    validity: int = Field(description="Seconds for which that may be kept.")


class Resource(_Body):
    """A study."""

    dicom_uid: Annotated[str, Field(alias="dicom-uid", max_length=64, pattern=_UID)]
    orthanc_id: Annotated[str | None, Field(alias="orthanc-id", max_length=64)] = None
    level: Literal["study"]


class LinkRequest(_OfToken):
    """For which studies a link is wanted, and for how long."""

    resources: Annotated[list[Resource], Field(min_length=1, max_length=_MOST_STUDIES)]
    expiration_date: Annotated[AwareDatetime | None, Field(alias="expiration-date")] = None
    validity_duration: Annotated[
        int | None,
        Field(alias="validity-duration", strict=True, ge=1, le=_YEAR, description="Seconds."),
    ] = None


class LinkedAnswer(_Body):
    """For what a link is."""

    resources: list[Resource]
    type: str


class LinkAnswer(BaseModel):
    """A token for a link."""

    request: LinkedAnswer
    token: str
    url: str | None = Field(description="Of a viewer at Orthanc.")


class DecodedToken(_Body):
    """The studies of which a token permits all."""

    error_code: Annotated[Literal["invalid"] | None, Field(alias="error-code")] = None
    resources: list[Resource]


class Profile(_Body):
    """Who holds a token; without permissions, which would be for all that Orthanc has."""

    name: str
    user_id: Annotated[str | None, Field(alias="user-id")] = None
    authorized_labels: Annotated[list[str], Field(alias="authorized-labels")] = []
    permissions: list[str] = []
    groups: list[str] = []
    validity: int = _GRANTED


def _known(
    request: Request,
    response: Response,
    given: Annotated[HTTPBasicCredentials | None, Depends(HTTPBasic(auto_error=False))],
) -> Orthanc:
    orthanc: Orthanc = request.app.state.orthanc
    if given is None or not orthanc.is_known_by(given.username, given.password):
        raise OrthancUnknown(
            "the request does not have the name and password of this gateway's Orthanc; give both "
            "to Orthanc as its web service's"
        )
    response.headers["Cache-Control"] = "no-store"
    return orthanc


TheOrthanc = Annotated[Orthanc, Depends(_known)]
router = APIRouter(prefix="/orthanc", tags=["Orthanc"], dependencies=[Depends(_known)])


@router.post("/tokens/validate", responses=problems(400, 401, 413, 422, 429, 503))
def validate_token(gateway: TheGateway, question: Question) -> Decision:
    """Say whether a token permits reading a study, a series or an instance."""
    refused = Decision(granted=False, validity=0)
    if question.method != "get" or question.level not in get_args(Level) or not question.dicom_uid:
        return refused
    try:
        viewing = gateway.viewing(question.token)
    except TokenInvalid:
        return refused
    level = cast(Level, question.level)
    if not gateway.studies.permits(viewing, level, question.dicom_uid):
        return refused
    return Decision(granted=True, validity=_GRANTED)


@router.post(
    "/tokens/decode",
    responses=problems(400, 401, 413, 422, 429, 503),
    response_model_exclude_none=True,
)
def decode_token(gateway: TheGateway, given: _OfToken) -> DecodedToken:
    """Say of which studies a token permits all now."""
    try:
        viewing = gateway.viewing(given.token)
    except TokenInvalid:
        return DecodedToken(error_code="invalid", resources=[])
    studies = gateway.studies.permitted(viewing)
    return DecodedToken(resources=[Resource(dicom_uid=each, level="study") for each in studies])


# After those whose paths have its form, so that each says its own methods.
@router.put("/tokens/{type}", responses=problems(400, 401, 404, 413, 422, 429, 503))
def make_link(
    gateway: TheGateway,
    orthanc: TheOrthanc,
    kind: Annotated[str, InPath(alias="type", max_length=64)],
    request: LinkRequest,
) -> LinkAnswer:
    """Make a token for some of the studies that the user's token permits."""
    if kind not in LINKS:
        raise QueryInvalid(
            f"there are no links of that type; ask for one of {', '.join(LINKS)}", parameter="type"
        )
    studies = [each.dicom_uid for each in request.resources]
    viewing = gateway.viewing(request.token)
    token, _ = gateway.studies.share(viewing, studies, _end(request, gateway.now()))
    link, url = LINKS[kind], None
    if link is not None and orthanc.url is not None:
        url = f"{orthanc.url}/{link.format(studies=','.join(studies), token=token)}"
    return LinkAnswer(
        request=LinkedAnswer(resources=request.resources, type=kind), token=token, url=url
    )


@router.post("/user/get-profile", responses=problems(400, 401, 413, 422, 429, 503))
def show_profile(gateway: TheGateway, given: _OfToken) -> Profile:
    """Say who holds a token."""
    try:
        reader = gateway.viewing(given.token).reader
    except TokenInvalid:
        return Profile(name="anonymous")
    return Profile(name=reader, user_id=reader)


def _end(request: LinkRequest, now: int) -> int | None:
    ends = []
    if request.expiration_date is not None:
        ends.append(int(request.expiration_date.timestamp()))
    if request.validity_duration is not None:
        ends.append(now + request.validity_duration)
    if ends and min(ends) <= now:
        raise QueryInvalid(
            "the link would have ended already; give a later time", parameter="expiration-date"
        )
    return min(ends, default=None)

"""The gateway's interface over HTTP; its description is at ``/docs`` and ``/openapi.json``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from radledger.access.acknowledgements import Acknowledgement
from radledger.access.errors import ReaderReplaced, ReceiptReplayed
from radledger.access.receipts import SignedReceipt
from radledger.consent import duo
from radledger.errors import DicomError, Refusal
from radledger.fhir.errors import (
    ConsentRecordChanged,
    ConsentRecordUnknown,
    RecorderNotAllowed,
    ResourceInvalid,
    SearchInvalid,
)
from radledger.gateway import access_log, erasures, log_files, opening, orthanc
from radledger.gateway.authorization import Account, TheGateway, Token
from radledger.gateway.dicomweb import ROOT as DICOM_WEB
from radledger.gateway.dicomweb import retrieve, search, store
from radledger.gateway.errors import (
    GATEWAY,
    BodyMalformed,
    CrossSiteRequest,
    ErasureNotRequestable,
    FrameUnknown,
    GatewayBusy,
    ImageSetUnreadable,
    LinkNotAllowed,
    LinkUnknown,
    MediaTypeNotSupported,
    NotAcceptable,
    NoticesExceeded,
    OrthancUnknown,
    PasscodeWrong,
    PatientNotRepresented,
    PatientUnknown,
    QueryInvalid,
    RateExceeded,
    ReaderNotControlled,
    ResourceUnknown,
    SignInRefused,
    SignInRequired,
    StoringNotAllowed,
    TicketInvalid,
    TokenForOtherImages,
    TokenGrantDiffers,
    TokenInvalid,
    ViewerNotServed,
)
from radledger.gateway.fhir.routers import include_routers
from radledger.gateway.fields import Address, Digest
from radledger.gateway.model import Health
from radledger.gateway.orthanc import Orthanc
from radledger.gateway.service import Gateway
from radledger.gateway.sign_in import Challenge
from radledger.gateway.tokens import Viewing
from radledger.gateway.viewer import MOUNT, ViewerFiles
from radledger.httpapi.application import make_application
from radledger.httpapi.browsers import KnownHost, KnownOrigins, SafeHeaders, origin_of
from radledger.httpapi.problems import Advice, Status, problems
from radledger.imaging.errors import (
    ImageNotErased,
    ImageUnknown,
    JournalAltered,
    SecretRemains,
    SecretUnknown,
)
from radledger.tlog.errors import LogUnreadable

__all__ = ["create_application"]

_LARGEST_BODY = 256 * 1024
_MOST_IMAGES = 100
_DESCRIPTION = """
Gives readers elsewhere what the chain permits them, against a signed receipt.

Sign in with Ethereum (EIP-4361): ask for a challenge, sign it, open a session. With the session a
receipt (EIP-712) is answered with an image set's secret, wrapped to the reader's registered key, or
receipts with a token for a viewer, to which the gateway shows the images itself.
"""
_STATUSES: tuple[Status, ...] = (
    (SignInRequired, 401, None),
    (TokenInvalid, 401, None),
    (OrthancUnknown, 401, None),
    (SignInRefused, 403, None),
    (ReaderNotControlled, 403, None),
    (ReaderReplaced, 403, None),
    (PatientNotRepresented, 403, None),
    (PatientUnknown, 404, None),
    (NoticesExceeded, 429, 3600),
    (TokenForOtherImages, 403, None),
    (TokenGrantDiffers, 403, None),
    (TicketInvalid, 403, None),
    (CrossSiteRequest, 403, None),
    (ViewerNotServed, 404, None),
    (ErasureNotRequestable, 403, None),
    (Refusal, 403, None),
    (ImageUnknown, 404, None),
    (SecretUnknown, 404, None),
    (ResourceUnknown, 404, None),
    (FrameUnknown, 404, None),
    (StoringNotAllowed, 403, None),
    (QueryInvalid, 400, None),
    (BodyMalformed, 400, None),
    (MediaTypeNotSupported, 415, None),
    (RateExceeded, 429, 1),
    (NotAcceptable, 406, None),
    (DicomError, 406, None),
    (ImageSetUnreadable, 503, None),
    (JournalAltered, 503, None),
    (LogUnreadable, 404, None),
    (ReceiptReplayed, 409, None),
    (ImageNotErased, 409, None),
    (SecretRemains, 409, None),
    (GatewayBusy, 503, 60),
    (LinkNotAllowed, 403, None),
    (LinkUnknown, 404, None),
    (PasscodeWrong, 401, None),
    (ResourceInvalid, 400, None),
    (SearchInvalid, 400, None),
    (RecorderNotAllowed, 403, None),
    (ConsentRecordUnknown, 404, None),
    (ConsentRecordChanged, 412, None),
)
_ADVICE = Advice(
    body="request for this path",
    noun="request",
    send="/docs describes what to send",
    interface="/docs lists what can be requested",
    parameter="give the id of an image set, 0x and 64 digits in lower case",
)

ImageId = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", examples=["0x" + "ab" * 32])]
Bits = Annotated[int, Field(strict=True, ge=0, lt=1 << 16)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignedMessage(_Strict):
    """A message of EIP-4361, and its signature."""

    message: Annotated[str, Field(max_length=4096, description="The text, as it was signed.")]
    signature: Annotated[str, Field(max_length=16_384, description="In hexadecimal.")]


class SessionAnswer(BaseModel):
    """A session, for receipts."""

    session: str = Field(description="The bearer token for receipts.")
    account: str
    expires_at: int = Field(description="Unix time.")


class Receipt(_Strict):
    """A reader's signed receipt (EIP-712): `SignedReceipt.to_json` of the library."""

    reader: Address
    image_id: Digest
    purposes: Bits = Field(description="Bits of Data Use Ontology terms: for what.")
    fulfilled: Bits = Field(description="Which conditions the use fulfils.")
    disease: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{26}$", examples=["0x" + "0" * 26])]
    grant_id: Digest
    time: Annotated[int, Field(strict=True, ge=0, lt=1 << 40, description="Unix time.")]
    chain_id: Annotated[int, Field(strict=True, ge=0, lt=1 << 256)]
    contract: Address
    nonce: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{32}$", examples=["0x" + "1" * 32])]
    signature: Annotated[str, Field(max_length=16_384, description="In hexadecimal.")]

    @property
    def signed(self) -> SignedReceipt:
        """As the library has it."""
        return SignedReceipt.from_json(self.model_dump())


class AcknowledgementAnswer(BaseModel):
    """What binds the custodian to show the receipt under the root of a day."""

    receipt: str = Field(description="Digest of the receipt.")
    institution: str
    day: str = Field(description="A date in UTC.")
    signature: str = Field(description="By a recorder of the institution.")

    @classmethod
    def of(cls, acknowledgement: Acknowledgement) -> AcknowledgementAnswer:
        """The answer about an acknowledgement."""
        return cls(**acknowledgement.to_json())


class WrappedSecretAnswer(BaseModel):
    """An image set's secret, which the reader's registered key opens."""

    image_id: str
    grant_id: str
    kem: str = Field(description="Of the key to which it is wrapped (HPKE).")
    data: str = Field(description="In hexadecimal: encapsulated key, ciphertext and tag.")
    block_age: int = Field(description="Seconds since the block that decided.")
    acknowledgement: AcknowledgementAnswer | None = Field(
        description="Of the receipt; null if the custodian has appointed no recorder here."
    )


class TokenRequest(_Strict):
    """Receipts of one reader and use, one for each image set."""

    receipts: Annotated[list[Receipt], Field(min_length=1, max_length=_MOST_IMAGES)]


class ViewingAnswer(BaseModel):
    """What a token is for."""

    reader: str
    purposes: list[str] = Field(description="Data Use Ontology terms.")
    image_ids: list[str] = Field(description="The image sets that it permits now.")
    expires_at: int = Field(description="Unix time.")


class TokenAnswer(ViewingAnswer):
    """A token for a viewer."""

    token: str
    acknowledgements: list[AcknowledgementAnswer] = Field(
        description="Of the receipts, in their order; none if the custodian has appointed no "
        "recorder here."
    )


class GrantAnswer(BaseModel):
    """By which grant a token permits an image set now."""

    image_id: str
    grant_id: str


def _not_stored(response: Response) -> None:
    """What is secret or permitted now is not for caches."""
    response.headers["Cache-Control"] = "no-store"


_router = APIRouter(dependencies=[Depends(_not_stored)])
_REFUSALS = problems(400, 401, 403, 404, 409, 413, 422, 429, 503)


@_router.post("/challenges", status_code=201)
def make_challenge(gateway: TheGateway) -> Challenge:
    """Make a challenge for a sign-in."""
    return gateway.sign_in.challenge()


@_router.post("/sessions", status_code=201, responses=problems(400, 403, 413, 422, 503))
def open_session(gateway: TheGateway, signed: SignedMessage) -> SessionAnswer:
    """Open a session for the account that signed a challenge."""
    opened = gateway.sign_in.open(signed.message, signed.signature)
    return SessionAnswer(session=opened.token, account=opened.account, expires_at=opened.expires_at)


@_router.post("/releases", status_code=201, responses=_REFUSALS)
def release_secret(gateway: TheGateway, account: Account, receipt: Receipt) -> WrappedSecretAnswer:
    """Release an image set's secret to the reader who signed a receipt for it."""
    secret = gateway.release(account, receipt.signed)
    acknowledged = secret.acknowledgement
    return WrappedSecretAnswer(
        image_id=secret.image_id,
        grant_id=secret.grant_id,
        kem=secret.wrapped.kem.value,
        data="0x" + secret.wrapped.data.hex(),
        block_age=secret.block_age,
        acknowledgement=None if acknowledged is None else AcknowledgementAnswer.of(acknowledged),
    )


@_router.post("/tokens", status_code=201, responses=_REFUSALS)
def issue_token(gateway: TheGateway, account: Account, request: TokenRequest) -> TokenAnswer:
    """Issue a token for a viewer, against a receipt for each image set."""
    issued = gateway.admit(account, [each.signed for each in request.receipts])
    return TokenAnswer(
        token=issued.token,
        acknowledgements=[AcknowledgementAnswer.of(each) for each in issued.acknowledgements],
        **_viewing(issued.viewing, list(issued.viewing.grants)).model_dump(),
    )


@_router.get("/tokens/current", responses=problems(401, 429, 503))
def show_token(gateway: TheGateway, viewing: Token) -> ViewingAnswer:
    """Say what the token permits now."""
    return _viewing(viewing, gateway.permitted(viewing))


@_router.get("/tokens/current/images/{image_id}", responses=problems(401, 403, 422, 429, 503))
def check_image(gateway: TheGateway, viewing: Token, image_id: ImageId) -> GrantAnswer:
    """Say by which grant the token permits an image set now."""
    gateway.require(viewing, image_id)
    return GrantAnswer(image_id=image_id, grant_id=viewing.grants[image_id])


@_router.get("/health", responses=problems(503))
def show_health(gateway: TheGateway) -> Health:
    """Say what the gateway sees of the chain."""
    return gateway.health()


def create_application(
    gateway: Gateway,
    viewer: FilePath | None = None,
    viewer_origins: Collection[str] = (),
    asking: Orthanc | None = None,
) -> FastAPI:
    """The interface of a gateway, which is closed with it.

    Parameters
    ----------
    gateway
        What answers.
    viewer
        The folder of the viewer that it serves (`radledger.gateway.viewer.require_viewer`).
    viewer_origins
        Origins of viewers elsewhere, whose pages may ask for images with a token.
    asking
        The Orthanc that asks for each request; without one, there is nothing for it.
    """
    application = make_application(
        GATEWAY,
        _DESCRIPTION,
        _STATUSES,
        _ADVICE,
        start=gateway.start,
        stop=gateway.close,
        largest_body=_LARGEST_BODY,
        larger_bodies={f"{DICOM_WEB}{store.PATH}": store.LARGEST_BODY},
    )
    application.state.gateway = gateway
    own = origin_of(gateway.url)
    application.add_middleware(KnownOrigins, own=own, others=viewer_origins, below=f"{DICOM_WEB}/")
    application.add_middleware(KnownHost, url=gateway.url)
    application.add_middleware(SafeHeaders)
    application.include_router(_router)
    application.include_router(erasures.router, dependencies=[Depends(_not_stored)])
    application.include_router(access_log.router, dependencies=[Depends(_not_stored)])
    for each in (search.router, retrieve.router, store.router):
        application.include_router(each, prefix=DICOM_WEB, tags=["DICOMweb"])
    include_routers(application)
    application.include_router(log_files.router)
    application.include_router(opening.router)
    application.state.has_viewer = viewer is not None
    if viewer is not None:
        application.mount(MOUNT, ViewerFiles(viewer))
    if asking is not None:
        application.state.orthanc = asking
        application.include_router(orthanc.router)
    return application


def _viewing(viewing: Viewing, image_ids: list[str]) -> ViewingAnswer:
    return ViewingAnswer(
        reader=viewing.reader,
        purposes=list(duo.purpose_names(viewing.use.purposes)),
        image_ids=image_ids,
        expires_at=viewing.expires_at,
    )

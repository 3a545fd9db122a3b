"""The access log for patients over HTTP: readings of their image sets, with proofs, and notices."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from radledger.gateway.authorization import Account, TheGateway
from radledger.gateway.notices import Channel
from radledger.gateway.notices.store import Settings
from radledger.httpapi.problems import problems

__all__ = ["router"]

Patient = Annotated[
    str | None,
    Query(
        pattern=r"^0x[0-9a-fA-F]{40}$",
        description="Whose image sets (default: those of the account that has signed in).",
    ),
]
After = Annotated[int, Query(ge=0, lt=1 << 60, description="`next` of the page before.")]


class ProofAnswer(BaseModel):
    """That a receipt is under the root of its day on the chain."""

    receipt: str
    institution: str
    day: str = Field(description="A date in UTC.")
    root: str
    siblings: list[str] = Field(description="From the leaf up to the root.")


class ShownAnswer(BaseModel):
    """A reading of an image set of the patient."""

    number: int
    receipt: dict[str, Any] = Field(description="The signed receipt, as the reader sent it.")
    released_at: int = Field(description="Unix time.")
    proof: ProofAnswer | None = Field(description="Null without a root of its day.")
    log_proof: str | None = Field(
        description="A `.tlog-proof` of C2SP; null until it is published in the log of receipts."
    )


class PageAnswer(BaseModel):
    """Readings, oldest first."""

    receipts: list[ShownAnswer]
    next: int | None = Field(description="`after` of the next page; null after the last one.")


router = APIRouter(tags=["access log"])


class NoticesRequest(BaseModel):
    """Where notices are to be sent."""

    model_config = ConfigDict(extra="forbid")
    channel: Channel
    destination: Annotated[
        str, Field(max_length=2000, description="A webhook's URL, or a mail address.")
    ]


class NoticesAnswer(BaseModel):
    """Where notices are sent at each reading."""

    channel: Channel | None = Field(description="Null without notices.")
    destination: str | None
    waiting: int = Field(description="How many notices wait to be sent.")
    failed: int = Field(description="How many could not be delivered.")
    secret: str | None = Field(
        description="Of a new webhook: the key of its signatures (Standard Webhooks), shown once."
    )


@router.get("/access-log", responses=problems(401, 403, 422, 429, 503))
def show_readings(
    gateway: TheGateway, account: Account, patient: Patient = None, after: After = 0
) -> PageAnswer:
    """Show a patient, or who acts for them, the readings of their image sets."""
    page = gateway.patients.shown(account, patient or account, after)
    receipts = [ShownAnswer.model_validate(each.to_json()) for each in page.receipts]
    return PageAnswer(receipts=receipts, next=page.next)


@router.get("/access-log/notices", responses=problems(401, 403, 422, 429, 503))
def show_notices(gateway: TheGateway, account: Account, patient: Patient = None) -> NoticesAnswer:
    """Say where a patient's notices are sent."""
    whose = gateway.patients.represented(account, patient or account)
    return _answer(gateway.patients.notices.settings(whose))


@router.put("/access-log/notices", responses=problems(400, 401, 403, 404, 413, 422, 429, 503))
def set_notices(
    gateway: TheGateway, account: Account, wanted: NoticesRequest, patient: Patient = None
) -> NoticesAnswer:
    """Send a patient a notice at each reading from now on."""
    whose = patient or account
    settings = gateway.patients.notify(account, whose, wanted.channel, wanted.destination)
    return _answer(settings, settings.destination.secret or None)


@router.delete("/access-log/notices", responses=problems(401, 403, 422, 429, 503))
def end_notices(gateway: TheGateway, account: Account, patient: Patient = None) -> NoticesAnswer:
    """Send a patient no further notices."""
    whose = gateway.patients.represented(account, patient or account)
    gateway.patients.notices.end(whose)
    return _answer(None)


def _answer(settings: Settings | None, secret: str | None = None) -> NoticesAnswer:
    if settings is None:
        return NoticesAnswer(channel=None, destination=None, waiting=0, failed=0, secret=None)
    return NoticesAnswer(
        channel=settings.destination.channel,
        destination=settings.destination.target,
        waiting=settings.waiting,
        failed=settings.failed,
        secret=secret,
    )

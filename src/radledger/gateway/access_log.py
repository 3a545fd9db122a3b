"""The access log for patients over HTTP: who read their image sets here, with proofs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from radledger.gateway.authorization import Account, TheGateway
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


@router.get("/access-log", responses=problems(401, 403, 422, 503))
def show_readings(
    gateway: TheGateway, account: Account, patient: Patient = None, after: After = 0
) -> PageAnswer:
    """Show a patient, or who acts for them, the readings of their image sets."""
    page = gateway.patients.shown(account, patient or account, after)
    receipts = [ShownAnswer.model_validate(each.to_json()) for each in page.receipts]
    return PageAnswer(receipts=receipts, next=page.next)

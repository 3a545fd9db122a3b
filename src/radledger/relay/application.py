"""The relayer's interface over HTTP; its description is at ``/docs`` and ``/openapi.json``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from radledger.chain.errors import DocumentForAnotherChain, OutOfFunds
from radledger.httpapi.application import make_application
from radledger.httpapi.problems import Advice, Status, problems
from radledger.relay.errors import (
    RELAYER,
    BudgetExhausted,
    DocumentTooLarge,
    NonceTaken,
    PayerDrained,
    QueueFull,
    TargetNotAllowed,
    TicketUnknown,
)
from radledger.relay.service import Health, Relayer
from radledger.relay.tickets import State, Ticket

__all__ = ["create_application"]

_LARGEST_BODY = 64 * 1024
_DESCRIPTION = """
Takes what people without Ether signed, pays for it, and tells what became of it.

A document is what `radledger … --sign-only FILE` writes. The answer is a ticket, which is a digest
of who signed what: the same document again, in whatever form a wallet writes it, has the same
ticket and is paid for once.
"""

Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", examples=["0x" + "5b" * 20])]
Bytes = Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{2})*$", examples=["0x00"])]
# Wallets write integers as numbers, or as decimal or hexadecimal texts.
Uint256 = (
    Annotated[int, Field(strict=True, ge=0, lt=1 << 256)]
    | Annotated[str, Field(pattern=r"^(0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$", examples=["0x539"])]
)
TicketName = Annotated[
    str,
    Path(pattern=r"^0x[0-9a-f]{64}$", description="As it was given.", examples=["0x" + "0" * 64]),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TypedDataField(_Strict):
    """A field of an EIP-712 struct."""

    name: str
    type: str


class Domain(_Strict):
    """The contract and chain for which a signature counts (EIP-712)."""

    name: str
    version: str
    chain_id: Uint256 = Field(alias="chainId")
    verifying_contract: Address = Field(alias="verifyingContract")


class TypedData(_Strict):
    """EIP-712 typed data, as a wallet writes them."""

    types: dict[str, list[TypedDataField]]
    primary_type: str = Field(alias="primaryType")
    domain: Domain
    message: dict[str, Annotated[bool, Field(strict=True)] | Uint256 | str | list[str]]


class SignedDocument(_Strict):
    """A signed document, in words and as typed data."""

    format: Annotated[int, Field(strict=True)] = Field(description="Number of the format.")
    kind: Literal["radledger.consent", "radledger.call"] = Field(
        description="What was signed: a message of the consent registry, or a call (ERC-2771)."
    )
    summary: str = Field(description="What it says; a function of the typed data.")
    signer: Address
    typed_data: TypedData = Field(alias="typedData")
    signature: Bytes


class TicketAnswer(BaseModel):
    """The state of a document."""

    ticket: str
    kind: Literal["radledger.consent", "radledger.call"]
    signer: str
    state: State
    accepted_at: int = Field(description="Unix time.")
    transaction: str | None = Field(description="Hash of the transaction that executed it.")
    block: int | None
    timestamp: int | None = Field(description="Unix time of the block.")
    gas: int = Field(description="What it is expected to need; what it used once confirmed.")
    error: str | None = Field(description="Why it was refused: the error's name,")
    values: dict[str, Any] | None = Field(description="the values that decided it,")
    detail: str | None = Field(description="and a sentence.")

    @classmethod
    def of(cls, ticket: Ticket) -> TicketAnswer:
        """The answer about a ticket."""
        return cls(
            ticket=ticket.ticket,
            kind=ticket.kind,  # type: ignore[arg-type]
            signer=ticket.signer,
            state=ticket.state,
            accepted_at=ticket.accepted_at,
            transaction=ticket.transaction_hash,
            block=ticket.block,
            timestamp=ticket.timestamp,
            gas=ticket.gas,
            error=ticket.error,
            values=dict(ticket.error_values) if ticket.error_values is not None else None,
            detail=ticket.message,
        )


_STATUSES: tuple[Status, ...] = (
    (TicketUnknown, 404, None),
    (TargetNotAllowed, 403, None),
    (NonceTaken, 409, None),
    (DocumentTooLarge, 413, None),
    (BudgetExhausted, 429, 3600),
    (QueueFull, 503, 5),
    (PayerDrained, 503, 60),
    (DocumentForAnotherChain, 422, None),  # a ChainError that waiting does not mend
    (OutOfFunds, 503, 60),
)
_ADVICE = Advice(
    body="signed document",
    noun="document",
    send="send what `radledger … --sign-only FILE` wrote; /docs describes it",
    interface="POST /documents takes a signed document, GET /tickets/TICKET reports what became of "
    "it, and /docs describes both",
    parameter="give it as POST /documents answered it",
)
_REFUSALS = problems(400, 403, 409, 413, 422, 429, 503)


def create_application(relayer: Relayer) -> FastAPI:
    """The interface of a relayer, which is started and stopped with it."""
    application = make_application(
        RELAYER,
        _DESCRIPTION,
        _STATUSES,
        _ADVICE,
        start=relayer.start,
        stop=relayer.stop,
        largest_body=_LARGEST_BODY,
    )

    @application.post("/documents", status_code=202, responses=_REFUSALS)
    def take(document: SignedDocument, response: Response) -> TicketAnswer:
        """Accept a signed document."""
        ticket = relayer.take(document.model_dump(by_alias=True))
        response.headers["Location"] = f"/tickets/{ticket.ticket}"
        return TicketAnswer.of(ticket)

    @application.get("/tickets/{ticket}", responses=problems(404, 422))
    def show_ticket(ticket: TicketName) -> TicketAnswer:
        """Return the state of a document."""
        return TicketAnswer.of(relayer.ticket(ticket))

    @application.get("/health", responses=problems(503))
    def health() -> Health:
        """Say whether documents can be accepted."""
        return relayer.health()

    return application

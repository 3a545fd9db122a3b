"""Refusals as problem objects (RFC 9457), and the limit of what a body may be.

A problem's ``type`` is ``about:blank``; its ``error`` and ``values`` are those that ``radledger``
prints with ``--json``.

References
----------
.. [1] RFC 9457, Problem Details for HTTP APIs
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from radledger.chain.errors import DocumentForAnotherChain, OutOfFunds
from radledger.errors import ChainError, DatabaseUnavailable, RadLedgerError
from radledger.relay.errors import (
    BudgetExhausted,
    DocumentTooLarge,
    NonceTaken,
    PayerDrained,
    QueueFull,
    TargetNotAllowed,
    TicketUnknown,
)
from radledger.texts import quoted
from radledger.wording import humanize

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit", "Problem", "add_handlers"]

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
# The first that fits; any other error is the document's own.
_STATUS: tuple[tuple[type[RadLedgerError], int, int | None], ...] = (
    (TicketUnknown, 404, None),
    (TargetNotAllowed, 403, None),
    (NonceTaken, 409, None),
    (DocumentTooLarge, 413, None),
    (BudgetExhausted, 429, 3600),
    (QueueFull, 503, 5),
    (PayerDrained, 503, 60),
    (DocumentForAnotherChain, 422, None),  # a ChainError that waiting does not mend
    (OutOfFunds, 503, 60),
    (ChainError, 503, 5),
    (DatabaseUnavailable, 503, 60),
    (RadLedgerError, 422, None),
)
"""Status of each kind of error, and after how many seconds to try again."""
_DOCUMENT = "send what `radledger … --sign-only FILE` wrote; /docs describes it"
_INTERFACE = (
    "POST /documents takes a signed document, GET /tickets/TICKET reports what became of it, and "
    "/docs describes both"
)


class Problem(BaseModel):
    """A problem object (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="Phrase of the HTTP status.")
    status: int
    detail: str = Field(description="One sentence: what was wrong, and what to do next.")
    error: str | None = Field(None, description="Name of the error, as in the contracts.")
    values: dict[str, Any] | None = Field(None, description="The values that decided it.")


class BodyLimit:
    """Refuse bodies of more than so many bytes, without reading on."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise HTTPException(413, f"the body has more than {self._most} bytes")
            return message

        await self._app(scope, limited if scope["type"] == "http" else receive, send)


def add_handlers(application: FastAPI) -> None:
    """Answer every error as a problem."""

    @application.exception_handler(RadLedgerError)
    def refused(request: Request, error: RadLedgerError) -> Response:
        status, wait = next((code, s) for kind, code, s in _STATUS if isinstance(error, kind))
        headers = {} if wait is None else {"Retry-After": str(wait)}
        if isinstance(error, ChainError | DatabaseUnavailable) and status == 503:
            # What a node's address or answer, or a path, says is its operator's business.
            _log.warning("a document was not taken on: %s", error)
            what = "ask the chain" if isinstance(error, ChainError) else "use its queue"
            detail = f"the relayer cannot {what} at present; try again later"
            return _problem(status, detail, error.name, {}, headers)
        return _problem(status, humanize(error), error.name, error.values, headers)

    @application.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> Response:
        wrong = error.errors()[0]
        if wrong["type"] == "json_invalid":
            detail = f"the body is not JSON from character {wrong['loc'][-1]} on; {_DOCUMENT}"
            return _problem(400, detail)
        return _problem(422, _malformed(wrong))

    @application.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        path = quoted(request.url.path)
        detail = {
            404: f"there is nothing at {path}; {_INTERFACE}",
            405: f"{path} cannot be asked with {request.method}; {_INTERFACE}",
        }.get(error.status_code, f"{error.detail}; {_DOCUMENT}")
        return _problem(error.status_code, detail, headers=error.headers)

    @application.exception_handler(Exception)
    def failed(request: Request, error: Exception) -> Response:
        return _problem(500, "internal error of the relayer; its log has the details")


def _malformed(wrong: Mapping[str, Any]) -> str:
    """What of a request is not as it has to be, its value, and what to send."""
    part, *names = map(str, wrong["loc"])
    value, rule = quoted(wrong["input"]), wrong["msg"]
    if part == "path":
        return f"the {names[0]} {value} is not one: {rule}; give it as POST /documents answered it"
    where = ".".join(names)
    if not names:
        return f"the body is not a signed document: {rule}; {_DOCUMENT}"
    if wrong["type"] == "missing":
        return f"the document has no {where}; {_DOCUMENT}"
    return f"the document's {where} is {value}: {rule}; {_DOCUMENT}"


def _problem(
    status: int,
    detail: str,
    error: str | None = None,
    values: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if error is not None:
        problem |= {"error": error, "values": values}
    # In ASCII: what a hostile body held, such as half a surrogate pair, has no other form.
    content = json.dumps(problem, default=str)
    return Response(content, status, dict(headers or {}), MEDIA_TYPE)

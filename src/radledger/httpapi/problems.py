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
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from radledger.chain.errors import ChainStale
from radledger.errors import ChainError, DatabaseUnavailable, RadLedgerError, StorageError
from radledger.texts import quoted
from radledger.wording import humanize

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from radledger.httpapi.service import Service

__all__ = [
    "MEDIA_TYPE",
    "Advice",
    "BodyLimit",
    "OneLength",
    "Problem",
    "Refusals",
    "Refused",
    "Status",
    "add_handlers",
    "problem",
    "problems",
]

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
Status = tuple[type[RadLedgerError], int, int | None]
"""A kind of error, its status, and after how many seconds to try again."""
_EVERYWHERE: tuple[Status, ...] = (
    (ChainStale, 503, 30),
    (ChainError, 503, 5),
    (StorageError, 503, 60),
    (DatabaseUnavailable, 503, 60),
    (RadLedgerError, 422, None),
)
# What an address, a node's answer or a path says is the operator's business.
_UNAVAILABLE: tuple[tuple[type[RadLedgerError], str], ...] = (
    (ChainError, "ask the chain"),
    (StorageError, "reach its store"),
    (DatabaseUnavailable, "use its database"),
)


@dataclass(frozen=True)
class Advice:
    """What to send to a service instead of what it does not understand.

    Attributes
    ----------
    body, noun
        What a body is, in full and in short.
    send
        What to send.
    interface
        Which requests there are.
    parameter
        What to give in a path.
    """

    body: str
    noun: str
    send: str
    interface: str
    parameter: str


@dataclass(frozen=True)
class Refused:
    """What a service answers to an error, in whichever form.

    Attributes
    ----------
    status, headers
        Of the answer.
    detail
        One sentence.
    error, values
        Name of the error, and what decided it.
    """

    status: int
    detail: str
    error: str
    values: Mapping[str, Any]
    headers: Mapping[str, str]


class Refusals:
    """What a service answers to errors.

    Parameters
    ----------
    service
        What answers.
    statuses
        Of its own errors, the first that fits; any other error is the request's own.
    """

    def __init__(self, service: Service, statuses: tuple[Status, ...]) -> None:
        self._service, self._statuses = service, (*statuses, *_EVERYWHERE)

    def of(self, error: RadLedgerError) -> Refused:
        """The answer to an error; what is not for the client is in the log alone."""
        status, wait = next(
            (code, s) for kind, code, s in self._statuses if isinstance(error, kind)
        )
        headers = {} if wait is None else {"Retry-After": str(wait)}
        if status == 401:
            headers["WWW-Authenticate"] = getattr(error, "scheme", "Bearer")
        for kind, what in _UNAVAILABLE:
            if isinstance(error, kind) and not isinstance(error, ChainStale) and status == 503:
                _log.warning("a request was not answered: %s", error)
                detail = f"the {self._service.name} cannot {what} at present; try again later"
                return Refused(status, detail, error.name, {}, headers)
        return Refused(status, humanize(error), error.name, error.values, headers)


class Problem(BaseModel):
    """A problem object (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="Phrase of the HTTP status.")
    status: int
    detail: str = Field(description="One sentence: what was wrong, and what to do next.")
    error: str | None = Field(None, description="Name of the error, as in the contracts.")
    values: dict[str, Any] | None = Field(None, description="The values that decided it.")


class BodyLimit:
    """Refuse bodies of more than so many bytes, without reading on.

    Parameters
    ----------
    app
        What reads them.
    most
        Bytes of a body.
    larger
        Bytes of those for paths that begin so.
    """

    def __init__(self, app: ASGIApp, most: int, larger: Mapping[str, int]) -> None:
        self._app = app
        self._most = most
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        most, read = self._most_of(scope.get("path", "")), 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413, f"the body has more than {most:,} bytes")
            return message

        await self._app(scope, limited if scope["type"] == "http" else receive, send)

    def _most_of(self, path: str) -> int:
        return next(
            (most for start, most in self._larger.items() if path.startswith(start)), self._most
        )


class OneLength:
    """Refuse requests that say twice how long their body is.

    A proxy may read the other length, and take the rest for another request (RFC 9112, section
    6.1); the connection ends, with whatever came behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope.get("headers", ())}
        if names >= {b"content-length", b"transfer-encoding"}:
            detail = "the request has a Content-Length and a Transfer-Encoding; send one of them"
            refusal = problem(400, detail, headers={"Connection": "close"})
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation's description says of its refusals."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"content": content} for status in statuses}


def add_handlers(
    application: FastAPI, service: Service, statuses: tuple[Status, ...], advice: Advice
) -> None:
    """Answer every error as a problem.

    Parameters
    ----------
    application, service
        What answers.
    statuses
        Of the service's own errors, the first that fits; any other error is the request's own.
    advice
        What to send instead of what is not understood.
    """
    refusals = application.state.refusals = Refusals(service, statuses)

    @application.exception_handler(RadLedgerError)
    def refused(request: Request, error: RadLedgerError) -> Response:
        answer = refusals.of(error)
        return problem(answer.status, answer.detail, answer.error, answer.values, answer.headers)

    @application.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> Response:
        wrong = error.errors()[0]
        if wrong["type"] == "json_invalid":
            detail = f"the body is not JSON from character {wrong['loc'][-1]} on; {advice.send}"
            return problem(400, detail)
        return problem(422, _malformed(wrong, advice))

    @application.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        path = quoted(request.url.path)
        detail = {
            404: f"there is nothing at {path}; {advice.interface}",
            405: f"{path} cannot be asked with {request.method}; {advice.interface}",
        }.get(error.status_code, f"{error.detail}; {advice.send}")
        headers = dict(error.headers or {})
        if error.status_code == 405 and (methods := _methods(request)):
            headers["Allow"] = ", ".join(methods)  # not those of one operation alone
        return problem(error.status_code, detail, headers=headers)

    @application.exception_handler(Exception)
    def failed(request: Request, error: Exception) -> Response:
        return problem(500, f"internal error of the {service.name}; its log has the details")


def _methods(request: Request) -> list[str]:
    """With which methods a path can be asked, as the service describes itself."""
    described = request.app.openapi()["paths"]
    fitting = [
        path
        for path in described
        if re.fullmatch("[^/]+".join(map(re.escape, re.split(r"{.*?}", path))), request.url.path)
    ]
    # One without a parameter comes before those that fit as well.
    path = min(fitting, key=lambda each: each.count("{"), default=None)
    return [] if path is None else sorted(method.upper() for method in described[path])


def _malformed(wrong: Mapping[str, Any], advice: Advice) -> str:
    """What of a request is not as it has to be, its value, and what to send."""
    part, *names = map(str, wrong["loc"])
    value, rule = quoted(wrong["input"]), wrong["msg"]
    if part == "path":
        return f"the {names[0]} {value} is not one: {rule}; {advice.parameter}"
    where = ".".join(names)
    if not names:
        return f"the body is not a {advice.body}: {rule}; {advice.send}"
    if wrong["type"] == "missing":
        return f"the {advice.noun} has no {where}; {advice.send}"
    return f"the {advice.noun}'s {where} is {value}: {rule}; {advice.send}"


def problem(
    status: int,
    detail: str,
    error: str | None = None,
    values: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that is a problem object, with the name and values of its error."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if error is not None:
        content |= {"error": error, "values": values}
    # In ASCII: what a hostile body held, such as half a surrogate pair, has no other form.
    written = json.dumps(content, default=str)
    return Response(written, status, dict(headers or {}), MEDIA_TYPE)

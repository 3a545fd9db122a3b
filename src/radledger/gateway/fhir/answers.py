"""How the gateway speaks FHIR: media type, bodies, and every refusal as OperationOutcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from radledger.errors import RadLedgerError
from radledger.fhir.errors import Issue, ResourceInvalid
from radledger.fhir.outcomes import outcome
from radledger.gateway.errors import NotAcceptable

__all__ = [
    "FORM",
    "MEDIA_TYPE",
    "FhirRoute",
    "Parameters",
    "Resource",
    "answer",
    "described",
    "no_xml",
    "require_type",
]

MEDIA_TYPE = "application/fhir+json"
_JSON = (MEDIA_TYPE, "application/json", "json", "application/*", "*/*")
FORM = "application/x-www-form-urlencoded"


class FhirRoute(APIRoute):
    """A route whose refusals are OperationOutcomes."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with an answer to every error but a fault of the gateway."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RadLedgerError as error:
                refused = request.app.state.refusals.of(error)
                resource = outcome(refused.status, refused.detail, error, refused.error)
                return answer(resource, refused.status, refused.headers)
            except RequestValidationError as error:
                wrong = error.errors()[0]
                return answer(outcome(422, f"{wrong['loc'][-1]}: {wrong['msg']}"), 422)
            except HTTPException as error:
                resource = outcome(error.status_code, str(error.detail))
                return answer(resource, error.status_code, error.headers)

        return handled


def answer(
    resource: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A resource, which no cache keeps."""
    content = json.dumps(resource)
    return Response(content, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation's description says of its answers."""
    return {status: {"content": {MEDIA_TYPE: {}}} for status in statuses}


def no_xml(request: Request) -> None:
    """Refuse to answer in XML.

    Raises
    ------
    NotAcceptable
        If the request accepts no JSON.
    """
    asked = request.query_params.get("_format") or request.headers.get("accept") or "*/*"
    if not any(each.partition(";")[0].strip() in _JSON for each in asked.split(",")):
        raise NotAcceptable(
            f"resources are sent as {MEDIA_TYPE} alone; accept that",
            accept=asked[:500],
            offered=[MEDIA_TYPE],
        )


async def _resource(request: Request) -> dict[str, Any]:
    require_type(request, MEDIA_TYPE, "application/json")
    try:
        resource = json.loads(await request.body(), object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        reason = f"it is not JSON in which each name is given once: {error}"
        issue = Issue("", "structure", reason)
        raise ResourceInvalid.of("the body is not a resource", [issue]) from None
    if not isinstance(resource, dict):
        issue = Issue("", "structure", "it is not a JSON object")
        raise ResourceInvalid.of("the body is not a resource", [issue])
    return resource


async def _parameters(request: Request) -> list[tuple[str, str]]:
    stated = list(request.query_params.multi_items())
    if request.method == "POST":
        require_type(request, FORM)
        body = (await request.body()).decode("utf-8", "replace")
        stated += parse_qsl(body, keep_blank_values=True)
    return stated


Resource = Annotated[dict[str, Any], Depends(_resource)]
"""The resource in a request's body, in which no name is given twice."""
Parameters = Annotated[list[tuple[str, str]], Depends(_parameters)]
"""The parameters of a search, in the address or in the body."""


def require_type(request: Request, *types: str) -> None:
    """Refuse a body of another media type.

    Raises
    ------
    HTTPException
        If it is of none of these.
    """
    stated = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if stated not in types:
        raise HTTPException(415, f"the body is {stated or 'of no type'}; send {types[0]}")


def _each_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            # Two readers might take either.
            raise ValueError(f"{name!r} is given twice")
        found[name] = value
    return found

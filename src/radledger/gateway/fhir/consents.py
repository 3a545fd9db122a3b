"""Access Consent [ITI-108] of IHE PCF: create, read, update and search."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from radledger.fhir.outcomes import searchset
from radledger.fhir.queries import Query
from radledger.fhir.registry import Criteria
from radledger.fhir.showing import Shown
from radledger.gateway.authorization import Account, TheGateway
from radledger.gateway.fhir.answers import (
    FhirRoute,
    Parameters,
    Resource,
    answer,
    described,
    no_xml,
)
from radledger.gateway.service import Gateway

__all__ = ["router"]

_PARAMETERS = ("patient", "patient.identifier", "actor", "status", "_id")

router = APIRouter(
    route_class=FhirRoute,
    default_response_class=Response,
    dependencies=[Depends(no_xml)],
    tags=["FHIR"],
)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/fhir+json": {"schema": {"type": "object"}}},
    }
}
_ASKED = {
    "parameters": [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in (*_PARAMETERS, "_count", "_offset")
    ]
}


@router.get("/Consent", responses=described(200, 400, 401, 406, 429, 503), openapi_extra=_ASKED)
def search(gateway: TheGateway, account: Account, parameters: Parameters) -> Response:
    """Search for the Consents of a patient."""
    return _found(gateway, account, parameters)


@router.post("/Consent/_search", responses=described(200, 400, 401, 406, 413, 415, 429, 503))
def search_by_form(gateway: TheGateway, account: Account, parameters: Parameters) -> Response:
    """Search for the Consents of a patient, by parameters in the body."""
    return _found(gateway, account, parameters)


@router.post(
    "/Consent",
    status_code=201,
    responses=described(201, 400, 401, 403, 406, 413, 415, 422, 429, 503),
    openapi_extra=_BODY,
)
def create(gateway: TheGateway, account: Account, resource: Resource) -> Response:
    """Record a Consent, for its performer to sign."""
    shown = gateway.consents.create(account, resource)
    return _answer(gateway, shown, 201)


@router.get("/Consent/{id_}", responses=described(200, 401, 404, 406, 429, 503))
def read(gateway: TheGateway, account: Account, id_: str) -> Response:
    """Read a Consent as it is now."""
    return _answer(gateway, gateway.consents.read(account, id_))


@router.get("/Consent/{id_}/_history/{version}", responses=described(200, 401, 404, 406, 429, 503))
def read_version(gateway: TheGateway, account: Account, id_: str, version: str) -> Response:
    """Read a version of a Consent."""
    return _answer(gateway, gateway.consents.read(account, id_, version))


@router.put(
    "/Consent/{id_}",
    responses=described(200, 400, 401, 403, 404, 406, 412, 413, 415, 422, 429, 503),
    openapi_extra=_BODY,
)
def update(
    request: Request, gateway: TheGateway, account: Account, id_: str, resource: Resource
) -> Response:
    """Record a new version of a Consent, or take it back by one that is inactive."""
    expected = _expected(request.headers.get("if-match"))
    return _answer(gateway, gateway.consents.update(account, id_, resource, expected))


@router.get("/Consent/{id_}/$documents", responses=described(200, 401, 403, 404, 406, 429, 503))
def show_documents(gateway: TheGateway, account: Account, id_: str) -> Response:
    """Give what the performer of a Consent has to sign, as documents without a signature."""
    return answer({"documents": gateway.consents.documents(account, id_)})


def _found(gateway: Gateway, account: str, parameters: list[tuple[str, str]]) -> Response:
    query = Query.of(parameters, _PARAMETERS)
    place = gateway.fhir_url, gateway.chain_id
    subject = query.address("patient", *place, "Patient")
    if subject is None:
        raise HTTPException(400, "a search names a patient, or patient.identifier")
    criteria = Criteria(
        subject,
        statuses=query.codes("status"),
        actor=query.address("actor", *place),
        ids=query.values("_id"),
    )
    found = [shown.resource for shown in gateway.consents.search(account, criteria)]
    return answer(searchset(gateway.fhir_url, "Consent", query, found))


def _answer(gateway: Gateway, shown: Shown, status: int = 200) -> Response:
    headers = {"ETag": f'W/"{shown.version}"'}
    if status == 201:
        headers["Location"] = f"{gateway.fhir_url}/Consent/{shown.id}/_history/{shown.version}"
    return answer(shown.resource, status, headers)


def _expected(header: str | None) -> str | None:
    """The version of an ``If-Match`` header."""
    if header is None:
        return None
    match = re.fullmatch(r'(?:W/)?"([^"]*)"', header)
    if match is None:
        raise HTTPException(400, 'If-Match has one version, such as W/"1.0"')
    return match[1]

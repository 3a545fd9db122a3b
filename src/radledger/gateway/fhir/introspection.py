"""What a token of this gateway permits, for systems that enforce it elsewhere (RFC 7662)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from radledger.consent import duo
from radledger.fhir.introspection import SCOPE, extensions
from radledger.gateway.authorization import Account, TheGateway
from radledger.gateway.dicomweb import ROOT as DICOM_WEB
from radledger.gateway.errors import TokenInvalid
from radledger.gateway.fhir.answers import FORM, require_type
from radledger.gateway.service import Gateway
from radledger.httpapi.problems import problems

__all__ = ["router"]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["token"],
                    "properties": {"token": {"type": "string"}},
                }
            }
        },
    }
}

router = APIRouter(tags=["FHIR"])


async def _token(request: Request) -> str:
    require_type(request, FORM)
    tokens = parse_qs((await request.body()).decode("utf-8", "replace")).get("token", [])
    if len(tokens) != 1:
        raise HTTPException(400, f"the form has {len(tokens)} tokens; send one")
    return tokens[0]


@router.post("/introspect", responses=problems(400, 401, 413, 415, 429, 503), openapi_extra=_BODY)
def introspect(
    response: Response,
    gateway: TheGateway,
    _account: Account,
    token: str = Depends(_token),
) -> dict[str, Any]:
    """Say what a token permits at the latest block.

    A token of several patients is not described, since the answer has one patient.
    """
    response.headers["Cache-Control"] = "no-store"
    try:
        return _described(gateway, token) or {"active": False}
    except TokenInvalid:
        return {"active": False}


def _described(gateway: Gateway, token: str) -> dict[str, Any] | None:
    viewing = gateway.viewing(token)
    grants = {each: viewing.grants[each] for each in gateway.permitted(viewing)}
    patients = {gateway.image_set(each).patient for each in grants}
    if len(patients) != 1:
        return None
    (patient,) = patients
    purposes = duo.purpose_names(viewing.use.purposes)
    return {
        "active": True,
        "token_type": "Bearer",
        "scope": SCOPE,
        "client_id": viewing.account,
        "sub": f"did:ethr:{hex(gateway.chain_id)}:{viewing.reader}",
        "iss": gateway.url,
        "aud": [gateway.fhir_url, gateway.url + DICOM_WEB],
        "exp": viewing.expires_at,
        "patient": patient,
        "extensions": extensions(gateway.fhir_url, patient, purposes, grants),
    }

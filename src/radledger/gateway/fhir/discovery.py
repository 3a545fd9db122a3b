"""What this FHIR server can do, for anyone who asks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from radledger.fhir.capabilities import capability_statement
from radledger.fhir.introspection import SCOPE
from radledger.gateway.authorization import TheGateway
from radledger.gateway.fhir.answers import FhirRoute, answer, described, no_xml

__all__ = ["router"]

router = APIRouter(route_class=FhirRoute, default_response_class=Response, tags=["FHIR"])


@router.get("/metadata", responses=described(200, 406, 503), dependencies=[Depends(no_xml)])
def show_capabilities(gateway: TheGateway) -> Response:
    """Say what this FHIR server can do (CapabilityStatement)."""
    return answer(capability_statement(gateway.fhir_url, gateway.now()))


@router.get(
    "/.well-known/smart-configuration",
    response_class=JSONResponse,
    responses={200: {"content": {"application/json": {}}}},
)
def show_smart_configuration(gateway: TheGateway) -> dict[str, Any]:
    """Say where SMART apps find what they need (SMART App Launch, SMART Imaging Access)."""
    return {
        "token_endpoint": f"{gateway.url}/tokens",
        "introspection_endpoint": f"{gateway.url}/introspect",
        # Tokens are issued against a reader's signed receipts, and not by any grant of OAuth.
        "grant_types_supported": ["urn:radledger:grant-type:receipts"],
        "scopes_supported": [SCOPE],
        "capabilities": ["smart-imaging-access"],
    }

"""What this FHIR server can do, for anyone who asks."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from radledger.fhir.capabilities import capability_statement
from radledger.gateway.authorization import TheGateway
from radledger.gateway.fhir.answers import FhirRoute, answer, described, no_xml

__all__ = ["router"]

router = APIRouter(route_class=FhirRoute, default_response_class=Response, tags=["FHIR"])


@router.get("/metadata", responses=described(200, 406, 503), dependencies=[Depends(no_xml)])
def show_capabilities(gateway: TheGateway) -> Response:
    """Say what this FHIR server can do (CapabilityStatement)."""
    return answer(capability_statement(gateway.fhir_url, gateway.present().time))

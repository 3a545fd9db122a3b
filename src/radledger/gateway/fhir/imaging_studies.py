"""The imaging studies that a token permits, with the address of their images."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from starlette.exceptions import HTTPException

from radledger.fhir.imaging_studies import PARAMETERS, REPEATED, Series, imaging_studies, matches
from radledger.fhir.outcomes import searchset
from radledger.fhir.queries import Query
from radledger.gateway.authorization import TheGateway, Token
from radledger.gateway.dicomweb import ROOT as DICOM_WEB
from radledger.gateway.dicomweb.view import View
from radledger.gateway.errors import ResourceUnknown
from radledger.gateway.fhir.answers import FhirRoute, Parameters, answer, described, no_xml
from radledger.gateway.service import Gateway

__all__ = ["router", "series_of", "studies_of"]

_KNOWN = (*PARAMETERS, "_include")
_REFUSED = (400, 401, 403, 406, 429, 503)
_ASKED = {
    "parameters": [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in (*_KNOWN, "_count", "_offset")
    ]
}

router = APIRouter(
    route_class=FhirRoute,
    default_response_class=Response,
    dependencies=[Depends(no_xml)],
    tags=["FHIR"],
)


def series_of(gateway: TheGateway, viewing: Token) -> list[Series]:
    """What a token permits now, as series of studies."""
    view = View(gateway, viewing)
    return [
        Series(
            image_id=each.image_id,
            patient=gateway.image_set(each.image_id).patient,
            study=each.manifest.study,
            uid=each.manifest.series,
            instances=len(each.manifest.instances),
            header=view.header(each),
        )
        for each in view.image_sets
    ]


Permitted = Annotated[list[Series], Depends(series_of)]


@router.get("/ImagingStudy", responses=described(200, *_REFUSED), openapi_extra=_ASKED)
def search(gateway: TheGateway, permitted: Permitted, parameters: Parameters) -> Response:
    """Search for the studies that the token permits."""
    return _found(gateway, permitted, parameters)


@router.post("/ImagingStudy/_search", responses=described(200, *_REFUSED, 413, 415))
def search_by_form(gateway: TheGateway, permitted: Permitted, parameters: Parameters) -> Response:
    """Search for the studies that the token permits, by parameters in the body."""
    return _found(gateway, permitted, parameters)


@router.get("/ImagingStudy/{id_}", responses=described(200, 404, *_REFUSED))
def read(gateway: TheGateway, permitted: Permitted, id_: str) -> Response:
    """Read a study that the token permits."""
    for study in studies_of(gateway, permitted):
        if study["id"] == id_:
            return answer(study)
    raise ResourceUnknown("the token permits no such study; search for those that it does")


def _found(
    gateway: Gateway, permitted: list[Series], parameters: list[tuple[str, str]]
) -> Response:
    query = Query.of(parameters, _KNOWN, REPEATED)
    patient = query.address("patient", gateway.fhir_url, gateway.chain_id, "Patient")
    if patient is not None and patient not in {each.patient for each in permitted}:
        raise HTTPException(403, "the token is not for that patient")
    chosen = [each for each in permitted if patient in (None, each.patient)]
    found = [each for each in studies_of(gateway, chosen) if matches(each, query)]
    return answer(searchset(gateway.fhir_url, "ImagingStudy", query, found))


def studies_of(gateway: Gateway, permitted: list[Series]) -> list[dict[str, Any]]:
    """The studies of some series, with the address of their images."""
    return imaging_studies(permitted, gateway.url + DICOM_WEB, gateway.chain_id)

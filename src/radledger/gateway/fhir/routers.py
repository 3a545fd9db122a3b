"""All that the gateway serves of FHIR."""

from __future__ import annotations

from fastapi import FastAPI

from radledger.gateway.fhir import consents, discovery, imaging_studies, introspection, links
from radledger.gateway.service import FHIR

__all__ = ["include_routers"]


def include_routers(application: FastAPI) -> None:
    """Add the FHIR server, and what belongs to it, to a gateway's interface."""
    for each in (consents.router, imaging_studies.router, discovery.router):
        application.include_router(each, prefix=FHIR)
    application.include_router(introspection.router)
    application.include_router(links.router)

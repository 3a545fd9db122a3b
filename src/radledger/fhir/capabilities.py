"""What the gateway's FHIR server can do, as a CapabilityStatement.

References
----------
.. [1] HL7 FHIR R4, CapabilityStatement, https://hl7.org/fhir/R4/capabilitystatement.html
.. [2] IHE ITI PCF 1.1, ITI-108, section 2:3.108.2.1
"""

from __future__ import annotations

from typing import Any

from radledger import __version__
from radledger.fhir.times import instant

__all__ = ["capability_statement"]

_CONSENTS = {
    "type": "Consent",
    "documentation": "Access Consent [ITI-108] of IHE PCF. A Consent is proposed until its "
    "performer has signed it (operation documents) and the chain holds what it says.",
    "interaction": [
        {"code": code} for code in ("create", "read", "vread", "update", "search-type")
    ],
    "versioning": "versioned-update",
    "searchParam": [
        {"name": "patient", "type": "reference"},
        {"name": "patient.identifier", "type": "token"},
        {"name": "actor", "type": "reference"},
        {"name": "status", "type": "token"},
        {"name": "_id", "type": "token"},
    ],
}

_STUDIES = {
    "type": "ImagingStudy",
    "documentation": "Studies of which a token of the gateway permits images, with the endpoint of "
    "their DICOMweb (SMART Imaging Access).",
    "interaction": [{"code": code} for code in ("read", "search-type")],
    "searchInclude": ["ImagingStudy:endpoint"],
    "searchParam": [
        {"name": "patient", "type": "reference"},
        {"name": "identifier", "type": "token"},
        {"name": "started", "type": "date"},
        {"name": "modality", "type": "token"},
        {"name": "_id", "type": "token"},
    ],
}


def capability_statement(base: str, now: int) -> dict[str, Any]:
    """The statement of a server at an address, as of a Unix time."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(now),
        "kind": "instance",
        "software": {"name": "RadLedger gateway", "version": __version__},
        "implementation": {"description": "RadLedger gateway", "url": base},
        "instantiates": [
            "https://profiles.ihe.net/ITI/PCF/CapabilityStatement/IHE.PCF.consentRegistry"
        ],
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "description": "Consents are for accounts that have signed in with Ethereum "
                    "(EIP-4361), imaging studies for holders of a token of the gateway."
                },
                "resource": [_CONSENTS, _STUDIES],
            }
        ],
    }

"""Readings as FHIR R4 AuditEvents, in IHE's Basic Audit Log Patterns (BALP).

Each reading is a disclosure by the custodian (profile ``PrivacyDisclosure.Source``).  Accounts,
image sets, grants and receipts are identified by DID URLs (``did:ethr``), which hold no name.

References
----------
.. [1] IHE ITI, Basic Audit Log Patterns 1.1.4, Privacy Disclosure Audit Message,
   https://profiles.ihe.net/ITI/BALP/
.. [2] HL7 FHIR R4 (4.0.1), AuditEvent, https://hl7.org/fhir/R4/auditevent.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.imaging.model import NONE

if TYPE_CHECKING:
    from radledger.access.log import Access
    from radledger.chain.ledger import Ledger

__all__ = ["PROFILE", "audit_events", "write_audit_events"]

PROFILE = (
    "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"
)
"""The profile that each AuditEvent states."""

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_SNOMED = "http://snomed.info/sct"
_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ENTITY_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_RESOURCES = "http://hl7.org/fhir/resource-types"
_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
# Of HL7 (PurposeOfUse): treatment, healthcare operations; all other purposes are research.
_REASONS = {"CC": "TREAT", "TEACHING": "HOPERAT"}
_RESEARCH, _EMERGENCY, _OWN = "HRESCH", "BTG", "PATRQT"
_NETWORK_URI = "5"


def audit_events(log: Iterable[Access], ledger: Ledger) -> dict[str, Any]:
    """The readings of an access log, as a FHIR Bundle of AuditEvents.

    Parameters
    ----------
    log
        The log; what is not a reading is left out, since it discloses nothing.
    ledger
        Whose chain and contracts the identifiers name.
    """
    identifiers = _Identifiers(ledger)
    events = [
        _event(each, identifiers)
        for each in log
        if each.event == "released" and each.patient is not None
    ]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": identifiers.receipt(each["id"]), "resource": each} for each in events
        ],
    }


def write_audit_events(log: Iterable[Access], ledger: Ledger, path: Path) -> None:
    """Write `audit_events` as JSON."""
    path.write_text(json.dumps(audit_events(log, ledger), indent=2) + "\n", "utf-8")


class _Identifiers:
    """DID URLs of accounts and of what contracts know."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._method = f"did:ethr:{hex(ledger.chain_id)}"

    def account(self, address: str) -> str:
        return f"{self._method}:{address}"

    def of(self, contract: str, id_: str) -> str:
        return f"{self._method}:{self._ledger.address(contract)}#{id_}"

    def receipt(self, digest: str) -> str:
        """Of a receipt, which is signed for ``ConsentRegistry``."""
        return self.of("ConsentRegistry", f"receipt-{digest}")


def _event(access: Access, identifiers: _Identifiers) -> dict[str, Any]:
    patient = _reference("Patient", identifiers.account(str(access.patient)))
    # What a patient released to themselves, no custodian did.
    whose = patient
    if access.custodian is not None:
        whose = _reference("Organization", identifiers.account(access.custodian))
    at = access.shown_by if access.shown_by not in (None, "here", "earlier") else None
    reader = identifiers.account(str(access.reader))
    digest = access.evidence.removeprefix("0x")
    return {
        "resourceType": "AuditEvent",
        "id": digest,
        "meta": {"profile": [PROFILE]},
        "type": _coding(_DICOM, "110106", "Export"),
        "subtype": [
            _coding(
                "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
                "disclose",
                "Disclose Record Lifecycle Event",
            )
        ],
        "action": "R",
        "recorded": datetime.fromtimestamp(access.timestamp, UTC).isoformat(),
        "outcome": "0",
        "purposeOfEvent": _reasons(access),
        "agent": _agents(access, whose, patient, reader, at or str(whose["identifier"]["value"])),
        "source": {
            "observer": whose,
            "type": [
                _coding(
                    "http://terminology.hl7.org/CodeSystem/security-source-type",
                    "4",
                    "Application Server",
                )
            ],
        },
        "entity": _entities(access, patient, identifiers, digest),
    }


def _agents(
    access: Access, custodian: dict[str, Any], patient: dict[str, Any], reader: str, at: str
) -> list[dict[str, Any]]:
    """The gateway, the reader, the custodian, and the patient where a grant of theirs permits."""
    agents = [
        {
            "type": _concept(_DICOM, "110153", "Source Role ID"),
            "who": custodian,
            "requestor": False,
            "network": {"address": at, "type": _NETWORK_URI},
        },
        {
            "type": _concept(_DICOM, "110152", "Destination Role ID"),
            "who": _identified(reader),
            "requestor": True,
            "network": {"address": reader, "type": _NETWORK_URI},
        },
        {
            "type": _concept(_SNOMED, "159541003", "Record keeping/library clerk"),
            "who": custodian,
            "requestor": False,
        },
    ]
    if not access.emergency:
        agents.append(
            {
                "type": _concept(_SNOMED, "429577009", "Patient Advocate"),
                "who": patient,
                "requestor": False,
            }
        )
    return agents


def _entities(
    access: Access, patient: dict[str, Any], identifiers: _Identifiers, digest: str
) -> list[dict[str, Any]]:
    """The patient, the image set, the grant, and the receipt with what proves it."""
    entities = [
        {
            "what": patient,
            "type": _coding(_ENTITY_TYPE, "1", "Person"),
            "role": _coding(_ENTITY_ROLE, "1", "Patient"),
        },
        {
            "what": _identified(identifiers.of("ImageRegistry", str(access.images))),
            "type": _coding(_RESOURCES, "ImagingStudy", "ImagingStudy"),
            "role": _coding(_ENTITY_ROLE, "4", "Domain Resource"),
        },
    ]
    if access.grant_id not in (None, NONE):
        entities.append(
            {
                "what": _identified(identifiers.of("ConsentRegistry", str(access.grant_id))),
                "type": _coding(_RESOURCES, "Consent", "Consent"),
            }
        )
    details = {
        "proven": access.proven,
        "day": access.proof and access.proof.day,
        "root": access.proof and access.proof.root,
        "log-index": access.log_index,
    }
    receipt: dict[str, Any] = {
        "what": _identified(identifiers.receipt(digest)),
        "type": _coding(_ENTITY_TYPE, "4", "Other"),
    }
    known = [
        {"type": name, "valueString": str(value)}
        for name, value in details.items()
        if value is not None
    ]
    # Nothing in FHIR is empty.
    return [*entities, {**receipt, "detail": known} if known else receipt]


def _reasons(access: Access) -> list[dict[str, Any]]:
    """For what it was read; each reason once, in the order of the purposes."""
    if access.emergency:
        codes = [_EMERGENCY]
    elif access.reader == access.patient:
        codes = [_OWN]
    else:
        codes = [_REASONS.get(purpose, _RESEARCH) for purpose in access.purposes]
    return [{"coding": [{"system": _REASON, "code": code}]} for code in dict.fromkeys(codes)]


def _reference(type_: str, identifier: str) -> dict[str, Any]:
    return {"type": type_, **_identified(identifier)}


def _identified(identifier: str) -> dict[str, Any]:
    return {"identifier": {"system": "urn:ietf:rfc:3986", "value": identifier}}


def _coding(system: str, code: str, display: str) -> dict[str, Any]:
    return {"system": system, "code": code, "display": display}


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [_coding(system, code, display)]}

"""Imaging studies as R4 has them, and as SMART Imaging Access asks for them.

References
----------
.. [1] HL7 FHIR R4, ImagingStudy, https://hl7.org/fhir/R4/imagingstudy.html
.. [2] Argonaut, SMART Imaging Access 0.1.0,
   https://build.fhir.org/ig/argonautproject/smart-imaging/
.. [3] DICOM PS3.18, Annex F (DICOM JSON Model)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radledger.fhir.errors import SearchInvalid
from radledger.fhir.queries import Query
from radledger.fhir.references import IMAGE_SET, reference_to
from radledger.fhir.times import end_of, start_of
from radledger.texts import quoted

__all__ = ["PARAMETERS", "REPEATED", "Series", "imaging_studies", "matches"]

PARAMETERS = ("patient", "patient.identifier", "identifier", "started", "modality", "_id")
REPEATED = ("started",)
_UID = "urn:dicom:uid"
_MODALITIES = "http://dicom.nema.org/resources/ontology/DCM"
_ENDPOINT = "dicomweb"
_ARGONAUT = "http://fhir.org/argonaut/smart-imaging/StructureDefinition"
_DATE, _TIME, _ZONE = "00080020", "00080030", "00080201"
_STUDY_DESCRIPTION, _SERIES_DESCRIPTION = "00081030", "0008103E"
_MODALITY, _NUMBER = "00080060", "00200011"
_PREFIXED = re.compile(r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb)?(?P<date>\d.*)")


@dataclass(frozen=True, slots=True)
class Series:
    """An image set, which is a series of a study.

    Attributes
    ----------
    image_id, patient
        Which image set, and whose.
    study, uid
        Study and Series Instance UID.
    instances
        How many.
    header
        What an instance says in few bytes, in the DICOM JSON Model.
    """

    image_id: str
    patient: str
    study: str
    uid: str
    instances: int
    header: Mapping[str, Any]

    def first(self, tag: str) -> Any:
        """The first value of an attribute; none if there is none."""
        return (self.header.get(tag, {}).get("Value") or [None])[0]


def imaging_studies(series: Iterable[Series], dicomweb: str, chain_id: int) -> list[dict[str, Any]]:
    """The studies of some series: one for each Study Instance UID and patient.

    Parameters
    ----------
    series
        What is permitted.
    dicomweb
        Address of the DICOMweb service that has them.
    chain_id
        The chain of the patients' identities.
    """
    studies: dict[tuple[str, str], list[Series]] = {}
    for each in series:
        studies.setdefault((each.study, each.patient), []).append(each)
    return [_study(parts, dicomweb, chain_id) for parts in studies.values()]


def matches(study: Mapping[str, Any], query: Query) -> bool:
    """Whether a study is searched for; the patient is looked at elsewhere.

    Raises
    ------
    SearchInvalid
        If ``started`` is not a date.
    """
    ids, identifiers = query.values("_id"), query.values("identifier")
    modalities = query.values("modality")
    known = {each["code"] for each in study.get("modality", ())}
    return (
        (ids is None or study["id"] in ids)
        and (identifiers is None or any(_identifies(each, study) for each in identifiers))
        and (modalities is None or any(_is_modality(each, known) for each in modalities))
        and all(_started(study.get("started"), each) for each in query.all("started"))
    )


def _study(parts: Sequence[Series], dicomweb: str, chain_id: int) -> dict[str, Any]:
    first = parts[0]
    modalities = dict.fromkeys(filter(None, (part.first(_MODALITY) for part in parts)))
    elements = {
        "resourceType": "ImagingStudy",
        "id": first.study,
        "contained": [_endpoint(dicomweb)],
        "identifier": [
            {"system": _UID, "value": f"urn:oid:{first.study}"},
            *({"system": IMAGE_SET, "value": part.image_id} for part in parts),
        ],
        "status": "available",
        "modality": [_modality(code) for code in modalities],
        "subject": reference_to("Patient", first.patient, chain_id),
        "started": _moment(first),
        "endpoint": [{"reference": f"#{_ENDPOINT}"}],
        "numberOfSeries": len(parts),
        "numberOfInstances": sum(part.instances for part in parts),
        "description": first.first(_STUDY_DESCRIPTION),
        "series": [_series(part) for part in parts],
    }
    return {name: value for name, value in elements.items() if value}


def _series(part: Series) -> dict[str, Any]:
    code, number = part.first(_MODALITY), part.first(_NUMBER)
    elements = {
        "uid": part.uid,
        "number": number if isinstance(number, int) and number >= 0 else None,
        # R4 wants a modality; OT is DICOM's code for any other.
        "modality": _modality(code or "OT"),
        "description": part.first(_SERIES_DESCRIPTION),
        "numberOfInstances": part.instances,
    }
    return {name: value for name, value in elements.items() if value is not None}


def _modality(code: str) -> dict[str, str]:
    return {"system": _MODALITIES, "code": code}


def _endpoint(dicomweb: str) -> dict[str, Any]:
    return {
        "resourceType": "Endpoint",
        "id": _ENDPOINT,
        "extension": [{"url": f"{_ARGONAUT}/requires-access-token", "valueBoolean": True}],
        "status": "active",
        "connectionType": {
            "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
            "code": "dicom-wado-rs",
        },
        "payloadType": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type",
                        "code": "any",
                    }
                ]
            }
        ],
        "address": dicomweb,
    }


def _moment(part: Series) -> str | None:
    """When a study began: a time where its zone is known, else a day."""
    date, time = str(part.first(_DATE) or ""), str(part.first(_TIME) or "")
    zone = re.fullmatch(r"([+-])(\d\d)(\d\d)", str(part.first(_ZONE) or ""))
    if not re.fullmatch(r"\d{8}", date):
        return None
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    whole = re.fullmatch(r"(\d\d)(\d\d)(\d\d)(?:\.\d{1,6})?", time)
    if zone and whole:
        day = f"{day}T{':'.join(whole.groups())}{zone[1]}{zone[2]}:{zone[3]}"
    try:
        start_of(day)
    except ValueError:
        return None
    return day


def _identifies(text: str, study: Mapping[str, Any]) -> bool:
    """Whether a token, with or without its system, is an identifier of a study."""
    system, bar, value = text.rpartition("|")
    return any(
        value == each["value"] and (not bar or system == each["system"])
        for each in study["identifier"]
    )


def _is_modality(text: str, codes: set[str]) -> bool:
    system, bar, code = text.rpartition("|")
    return code in codes and (not bar or system == _MODALITIES)


def _started(started: str | None, text: str) -> bool:
    match = _PREFIXED.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        first, after = start_of(match["date"]), end_of(match["date"])
    except ValueError:
        raise SearchInvalid(
            f"started is {quoted(text)}; give a date, or a time with its zone, perhaps after ge or "
            "another prefix",
            parameter="started",
        ) from None
    if started is None:
        return False
    begins, ends = start_of(started), end_of(started)
    within = first <= begins and ends <= after
    return {
        "eq": within,
        "ne": not within,
        "gt": ends > after,
        "ge": ends > first,
        "lt": begins < first,
        "le": begins < after,
        "sa": begins >= after,
        "eb": ends <= first,
    }[match["prefix"] or "eq"]

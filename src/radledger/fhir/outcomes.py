"""Answers of a FHIR server: outcomes of what went wrong, and bundles of what was found.

References
----------
.. [1] HL7 FHIR R4, OperationOutcome and Bundle, https://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from radledger.fhir.errors import FhirError, Issue
from radledger.fhir.queries import Query

__all__ = ["outcome", "searchset"]

_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    503: "transient",
}


def outcome(
    status: int, detail: str, error: Exception | None = None, name: str | None = None
) -> dict[str, Any]:
    """What went wrong, with every reason where there are several.

    Parameters
    ----------
    status
        Of HTTP.
    detail
        In a sentence.
    error, name
        The error, and its name.

    Examples
    --------
    >>> outcome(404, "there is no such Consent")["issue"][0]["code"]
    'not-found'
    """
    issues = error.issues if isinstance(error, FhirError) else ()
    stated = issues or (Issue("", _CODES.get(status, "exception"), detail),)
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": each.code,
                **({} if name is None else {"details": {"text": name}}),
                "diagnostics": each.reason,
                **({"expression": [each.element]} if each.element else {}),
            }
            for each in stated
        ],
    }


def searchset(
    base: str, type_: str, query: Query, found: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What a search found, a page of it.

    Parameters
    ----------
    base
        Address of the FHIR server.
    type_
        Of the resources.
    query
        What was asked for.
    found
        All that was found.
    """
    page = found[query.offset : query.offset + query.count]
    after = query.offset + query.count
    links = [("self", query.offset)]
    if query.count and after < len(found):
        links.append(("next", after))
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": [
            {"relation": name, "url": f"{base}/{type_}?{urlencode(query.page(offset))}"}
            for name, offset in links
        ],
        "entry": [
            {
                "fullUrl": f"{base}/{type_}/{each['id']}",
                "resource": each,
                "search": {"mode": "match"},
            }
            for each in page
        ],
    }
    # R4 has no empty lists.
    return {name: value for name, value in bundle.items() if value != []}

"""What a token permits, as OAuth's introspection says it with the extensions of IHE.

References
----------
.. [1] RFC 7662, OAuth 2.0 Token Introspection
.. [2] IHE ITI IUA, Introspect Token [ITI-102], https://profiles.ihe.net/ITI/IUA/
.. [3] IHE ITI PCF 1.1, update of ITI-71, section 3.71.4.2.2.1.4,
   https://profiles.ihe.net/ITI/PCF/other.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from radledger.area.fold import NOTHING
from radledger.fhir import purposes
from radledger.fhir.references import IMAGE_SET, data_of_scope
from radledger.fhir.showing import record_id

__all__ = ["SCOPE", "extensions"]

SCOPE = "patient/ImagingStudy.rs"


def extensions(
    base: str, patient: str, purpose: Iterable[str], grants: Mapping[str, str]
) -> dict[str, Any]:
    """The extensions ``ihe_iua`` and ``ihe_pcf``: for what, by which Consents, and what remains.

    The scope of a token is the patient's imaging studies.  What the residual rules leave of them is
    each image set that is permitted, and nothing else.

    Parameters
    ----------
    base
        Address of the FHIR server.
    patient
        Whose image sets.
    purpose
        DUO terms of the use.
    grants
        By which grant each image set is permitted now.
    """
    # The patient's own use needs no grant.
    consents = dict.fromkeys(
        f"{base}/Consent/{record_id(patient, grant)}"
        for grant in grants.values()
        if grant != NOTHING
    )
    pcf: dict[str, Any] = {
        "patient_id": f"{base}/Patient/{patient}",
        "doc_id": list(consents),
        "residual": [
            {"type": "forbid"},
            *({"type": "permit", "data": data_of_scope(each, IMAGE_SET)} for each in grants),
        ],
    }
    # Where no Consent was needed, none is named.
    return {
        "ihe_iua": {"purpose_of_use": purposes.codings(purpose)},
        "ihe_pcf": {name: value for name, value in pcf.items() if value},
    }

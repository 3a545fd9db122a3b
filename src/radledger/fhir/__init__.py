"""HL7 FHIR R4 without HTTP: consents of IHE PCF that the chain holds, and imaging studies.

A FHIR Consent that the chain can hold exactly becomes documents for the patient to sign; any other
is refused with every reason, since a grant that says more or less than the Consent would be another
one.  What is on the chain is read back as Consent.

References
----------
.. [1] HL7 FHIR R4 (4.0.1), https://hl7.org/fhir/R4/
.. [2] IHE IT Infrastructure, Privacy Consent on FHIR (PCF) 1.1, https://profiles.ihe.net/ITI/PCF/
"""

from __future__ import annotations

from radledger.fhir.errors import FhirError

__all__ = ["FhirError"]

"""The policies that IHE PCF defines, and the extensions by which a Consent says what DUO says.

References
----------
.. [1] IHE ITI PCF 1.1, Volume 1, section 53.2.1, https://profiles.ihe.net/ITI/PCF/volume-1.html
"""

from __future__ import annotations

__all__ = [
    "CONDITION",
    "DISEASE",
    "POLICIES",
    "POLICY_ALL",
    "POLICY_BREAK_GLASS",
    "POLICY_DENY",
    "POLICY_TREATMENT",
]

_IHE = "https://profiles.ihe.net/ITI/PCF/Policy-"
POLICY_ALL = f"{_IHE}all-normal"
"""Permits all authorised uses."""
POLICY_TREATMENT = f"{_IHE}basic-normal"
"""Permits clinicians alone, for treatment alone."""
POLICY_BREAK_GLASS = f"{_IHE}break-glass-only"
"""Denies everything but emergency access: what holds on the chain where no grant was given."""
POLICY_DENY = f"{_IHE}deny"
"""Denies everything."""
POLICIES = (POLICY_ALL, POLICY_TREATMENT, POLICY_BREAK_GLASS, POLICY_DENY)

CONDITION = "urn:radledger:fhir:condition"
"""Modifier extension of a provision: a condition of DUO that each use has to fulfil."""
DISEASE = "urn:radledger:fhir:disease"
"""Modifier extension of a provision: the one disease of research."""

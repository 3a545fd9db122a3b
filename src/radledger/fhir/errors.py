"""What :mod:`radledger.fhir` refuses.

::

    RadLedgerError
    └── FhirError                a FHIR resource or request is not taken
        ├── ResourceInvalid      a resource is not of the form of FHIR R4
        ├── ConsentNotHeld       a Consent says what the chain cannot hold exactly
        ├── ConsentRecordUnknown no Consent of that id or version, or none that is shown
        ├── ConsentRecordChanged a Consent was changed since the version that an update is for
        ├── RecorderNotAllowed   an account may not record Consents of a patient
        └── SearchInvalid        a parameter of a search is not valid
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from radledger.errors import RadLedgerError

__all__ = [
    "ConsentNotHeld",
    "ConsentRecordChanged",
    "ConsentRecordUnknown",
    "FhirError",
    "Issue",
    "RecorderNotAllowed",
    "ResourceInvalid",
    "SearchInvalid",
]


@dataclass(frozen=True, slots=True)
class Issue:
    """One reason why a resource is not taken.

    Attributes
    ----------
    element
        Where, as a FHIRPath such as ``Consent.provision.period``.
    code
        Of the value set ``issue-type``.
    reason
        What is wrong, and what to do instead.
    """

    element: str
    code: str
    reason: str


class FhirError(RadLedgerError):
    """A FHIR resource or request is not taken."""

    @property
    def issues(self) -> tuple[Issue, ...]:
        """The reasons, where there are several."""
        return tuple(Issue(**each) for each in self.values.get("issues", ()))


class _WithIssues(FhirError):
    """An error with a reason for each element."""

    @classmethod
    def of(cls, what: str, issues: Iterable[Issue]) -> Self:
        """The error, with all reasons; its message has the first."""
        all_: Sequence[Issue] = list(issues)
        more = f" (and {len(all_) - 1} more)" if len(all_) > 1 else ""
        message = f"{what}: {all_[0].element}: {all_[0].reason}{more}"
        return cls(message, issues=[asdict(each) for each in all_])


class ResourceInvalid(_WithIssues):
    """A resource is not of the form of FHIR R4."""


class ConsentNotHeld(_WithIssues):
    """A Consent says what the chain cannot hold exactly."""


class ConsentRecordUnknown(FhirError):
    """There is no Consent of that id or version, or none that the account is shown."""


class ConsentRecordChanged(FhirError):
    """A Consent was changed since the version that an update is for."""


class RecorderNotAllowed(FhirError):
    """An account may not record Consents of a patient."""


class SearchInvalid(FhirError):
    """A parameter of a search is not valid."""

"""Errors of :mod:`radledger.consent`.

::

    RadLedgerError
    └── NoSuchRequest            no such request to the subject
    UsageError
    ├── UnknownTerm              no such purpose or condition
    ├── InvalidDisease           no disease code, or one without a salt
    ├── DiseaseUnknown           a digest whose disease and salt are not known here
    ├── InvalidScope             neither "all" nor the digest of an image set, visit or course
    └── InvalidRequestId         not an id of a request
"""

from __future__ import annotations

from radledger.errors import RadLedgerError, UsageError

__all__ = [
    "DiseaseUnknown",
    "InvalidDisease",
    "InvalidRequestId",
    "InvalidScope",
    "NoSuchRequest",
    "UnknownTerm",
]


class UnknownTerm(UsageError):
    """A name is not that of a purpose or a condition of the Data Use Ontology."""


class InvalidDisease(UsageError):
    """A disease cannot be written into a grant: it is not a code, or has no salt."""


class DiseaseUnknown(UsageError):
    """The disease of a digest is not known here, or is not the stated one."""


class InvalidScope(UsageError):
    """A scope is neither "all" nor 32 bytes."""


class InvalidRequestId(UsageError):
    """A text is not an id of a request."""


class NoSuchRequest(RadLedgerError):
    """The subject has no request of that id."""

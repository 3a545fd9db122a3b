"""Errors of :mod:`radledger.consent`.

::

    RadLedgerError
    ├── NoSuchRequest            no such request to the subject
    ├── NoSuchGrant              no such grant to the account or its institution
    ├── GrantNotRenewable        a grant without an end, or one that was revoked
    └── PriorsUnknown            an image set that does not say what its priors are
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
    "GrantNotRenewable",
    "InvalidDisease",
    "InvalidRequestId",
    "InvalidScope",
    "NoSuchGrant",
    "NoSuchRequest",
    "PriorsUnknown",
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


class NoSuchGrant(RadLedgerError):
    """Neither an account nor its institution has a grant of that id."""


class GrantNotRenewable(RadLedgerError):
    """A grant has no end, was revoked, or is emergency access."""


class PriorsUnknown(RadLedgerError):
    """An image set is not of a course, or its files do not name a body region."""

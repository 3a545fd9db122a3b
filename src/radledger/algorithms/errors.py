"""Errors of :mod:`radledger.algorithms`.

::

    RadLedgerError
    ├── UnknownAlgorithm         nothing has been registered or published under that id or name
    ├── UnknownVersion           no version of that id has been published
    └── UsageError
        ├── InvalidAlgorithmId   not an id or digest
        ├── InvalidFamily        not the scheme and code of an algorithm family
        ├── InvalidTraining      not a version of a data set
        ├── InvalidRunList       not a list of executions
        └── InvalidBundle        not a MONAI bundle
"""

from __future__ import annotations

from radledger.errors import RadLedgerError, UsageError

__all__ = [
    "InvalidAlgorithmId",
    "InvalidBundle",
    "InvalidFamily",
    "InvalidRunList",
    "InvalidTraining",
    "UnknownAlgorithm",
    "UnknownVersion",
]


class InvalidAlgorithmId(UsageError):
    """A text is not an id or digest."""


class InvalidFamily(UsageError):
    """A text is not the scheme and code of an algorithm family, or is too long."""


class InvalidTraining(UsageError):
    """A text does not name a version of a data set."""


class InvalidRunList(UsageError):
    """A file does not list executions, or lists an output that is missing."""


class InvalidBundle(UsageError):
    """A folder is not a MONAI bundle that can be read."""


class UnknownAlgorithm(RadLedgerError):
    """Nothing has been registered or published under that id, or registered by that name."""


class UnknownVersion(RadLedgerError):
    """No version of that id has been published."""

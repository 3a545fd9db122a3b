"""Errors of :mod:`radledger.index`.

::

    RadLedgerError
    ├── IndexOfAnotherChain      the database follows another deployment
    │   └── IndexOfAnotherRelease    its tables are those of another release
    ├── ReorganisationTooDeep    the chain left a branch further back than headers are kept
    ├── NothingKnown             the index has nothing of that id or address
    └── GraphsNotInstalled       a picture needs the extra ``graphs``
    DatabaseUnavailable
    └── IndexUnavailable         the database does not answer, or refuses
    ChainError
    └── ChainMoved               the chain changed, or answered in part, while it was read
    InvalidDatabaseUrl
    └── InvalidIndexUrl          not the URL of a database that can be used
    UsageError
    └── NoIdOrAddress            neither an id nor an address
"""

from __future__ import annotations

from radledger.errors import (
    ChainError,
    DatabaseUnavailable,
    InvalidDatabaseUrl,
    RadLedgerError,
    UsageError,
)

__all__ = [
    "ChainMoved",
    "GraphsNotInstalled",
    "IndexOfAnotherChain",
    "IndexOfAnotherRelease",
    "IndexUnavailable",
    "InvalidIndexUrl",
    "NoIdOrAddress",
    "NothingKnown",
    "ReorganisationTooDeep",
]


class IndexUnavailable(DatabaseUnavailable):
    """The database of the index does not answer, or refuses a query."""


class IndexOfAnotherChain(RadLedgerError):
    """The database holds the index of another deployment, or something else."""


class IndexOfAnotherRelease(IndexOfAnotherChain):
    """The tables of the index are those of another release."""


class ReorganisationTooDeep(RadLedgerError):
    """The chain left a branch further back than the index keeps headers."""


class NothingKnown(RadLedgerError):
    """The index has nothing of that id or address."""


class GraphsNotInstalled(RadLedgerError):
    """A picture or a PROV document needs the packages of the extra ``graphs``."""


class ChainMoved(ChainError):
    """The chain changed while it was read, or the node's answer is incomplete."""


class InvalidIndexUrl(InvalidDatabaseUrl):
    """Not the URL of a database in which an index can be kept."""


class NoIdOrAddress(UsageError):
    """Neither an id of 32 bytes nor an address of 20."""

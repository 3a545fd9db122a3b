"""What :mod:`radledger.index` raises.

::

    RadLedgerError
    ├── IndexUnavailable         the database does not answer, or refuses
    ├── IndexOfAnotherChain      the database follows another deployment or has another layout
    ├── ReorganisationTooDeep    the chain left a branch further back than headers are kept
    ├── NothingKnown             the index has nothing of that id or address
    └── GraphsNotInstalled       a picture needs the extra ``graphs``
    ChainError
    └── ChainMoved               the chain changed, or answered in part, while it was read
    UsageError
    ├── InvalidIndexUrl          no URL of a database that can be used
    └── NoIdOrAddress            neither an id nor an address
"""

from __future__ import annotations

from radledger.errors import ChainError, RadLedgerError, UsageError

__all__ = [
    "ChainMoved",
    "GraphsNotInstalled",
    "IndexOfAnotherChain",
    "IndexUnavailable",
    "InvalidIndexUrl",
    "NoIdOrAddress",
    "NothingKnown",
    "ReorganisationTooDeep",
]


class IndexUnavailable(RadLedgerError):
    """The database of the index does not answer, or refuses what it is asked."""


class IndexOfAnotherChain(RadLedgerError):
    """The database holds the index of another deployment, or of another version of this package."""


class ReorganisationTooDeep(RadLedgerError):
    """The chain left a branch further back than the index keeps headers."""


class NothingKnown(RadLedgerError):
    """The index has nothing of that id or address."""


class GraphsNotInstalled(RadLedgerError):
    """A picture or a PROV document needs the packages of the extra ``graphs``."""


class ChainMoved(ChainError):
    """The chain changed while it was read, or the node gave a part of the answer only."""


class InvalidIndexUrl(UsageError):
    """Not the URL of a database that the index can be kept in."""


class NoIdOrAddress(UsageError):
    """Neither an id of 32 bytes nor an address of 20."""

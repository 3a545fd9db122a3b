"""Every error that RadLedger raises, under one root.

::

    RadLedgerError
    ├── UsageError                invalid arguments
    │   ├── InvalidDatabaseUrl        not the URL of a database that can be used
    │   └── InvalidHome               the home is a file
    ├── DicomError                a file cannot be taken (``radledger.dicom``)
    ├── StorageError              content cannot be put or fetched (``radledger.storage``)
    ├── DatabaseUnavailable       a database cannot be read or written
    │   └── DatabaseOfLaterRelease    a later release has changed its layout
    ├── CryptoError               a key, secret, proof or signature does not hold
    ├── ChainError                the chain, a deployment or a transaction (``radledger.chain``)
    └── Refusal                   a contract said no; one subclass for each custom error

An error says what was wrong, the values that decided it, and what to do next.  Its class
name is the name that the command line prints and that scripts may match on.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ChainError",
    "CryptoError",
    "DatabaseOfLaterRelease",
    "DatabaseUnavailable",
    "DicomError",
    "InvalidDatabaseUrl",
    "InvalidHome",
    "RadLedgerError",
    "Refusal",
    "StorageError",
    "UsageError",
]


class RadLedgerError(Exception):
    """Root of all errors.

    Parameters
    ----------
    message
        One sentence: what was wrong and what to do next.
    **values
        What decided it, by name; printed by ``--json`` as it stands.

    Examples
    --------
    >>> error = RadLedgerError("no such image; list them with `radledger image list`", image="0x12")
    >>> error.name, error.values
    ('RadLedgerError', {'image': '0x12'})
    """

    def __init__(self, message: str, /, **values: Any) -> None:
        super().__init__(message)
        self.message = message
        self.values = values

    @property
    def name(self) -> str:
        """The class name, which is the error's public name."""
        return type(self).__name__


class UsageError(RadLedgerError):
    """Invalid arguments; the command line exits with 2."""


class InvalidDatabaseUrl(UsageError):
    """Not the URL of a database that can be used; the subclass says for what."""


class InvalidHome(UsageError):
    """The path of the home is not a folder."""


class DicomError(RadLedgerError):
    """A file is not acceptable as DICOM."""


class StorageError(RadLedgerError):
    """Content cannot be stored, found or trusted."""


class DatabaseUnavailable(RadLedgerError):
    """A database is missing, damaged, not writable, or its server does not answer."""


class DatabaseOfLaterRelease(DatabaseUnavailable):
    """A later release has changed the layout of a database; this one leaves it alone."""


class CryptoError(RadLedgerError):
    """A key, secret, proof or signature does not hold."""


class ChainError(RadLedgerError):
    """The chain cannot be reached, is not the one expected, or a transaction failed."""


class Refusal(RadLedgerError):
    """A contract refused; the subclass has the name of the Solidity custom error."""

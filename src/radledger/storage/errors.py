"""Errors of :mod:`radledger.storage`.

::

    StorageError
    ├── InvalidCid            not a content identifier that a store here gives
    ├── ContentNotFound       the store does not have the content
    ├── ContentMismatch       the bytes are not what the CID names
    └── StorageUnavailable    the store cannot be reached, stalls, or does not speak its protocol
        └── TooFewCopies      fewer nodes than the policy asks for can hold the content
    UsageError
    └── StorageConfigurationInvalid   the home's storage.yaml cannot be understood
"""

from __future__ import annotations

from radledger.errors import StorageError, UsageError

__all__ = [
    "ContentMismatch",
    "ContentNotFound",
    "InvalidCid",
    "StorageConfigurationInvalid",
    "StorageSilent",
    "StorageUnavailable",
    "TooFewCopies",
]


class InvalidCid(StorageError):
    """A text is not a CID of the form that these stores use."""


class ContentNotFound(StorageError):
    """The store answered, and does not have the content."""


class ContentMismatch(StorageError):
    """The bytes received are not those that the CID names: damaged, truncated or replaced."""


class StorageUnavailable(StorageError):
    """The store cannot be reached, does not answer in time, or answers in another protocol."""


class StorageSilent(StorageUnavailable):
    """The store did not answer in time."""


class TooFewCopies(StorageUnavailable):
    """Fewer nodes of a store can be reached than have to hold each content."""


class StorageConfigurationInvalid(UsageError):
    """A home's ``storage.yaml`` cannot be understood, or asks for what cannot be."""

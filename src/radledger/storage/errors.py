"""What :mod:`radledger.storage` refuses.

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
    """A text is not a CID as the stores here give them."""


class ContentNotFound(StorageError):
    """The store answered, and does not have the content."""


class ContentMismatch(StorageError):
    """Bytes came that are not what the CID names: damaged, cut short or exchanged."""


class StorageUnavailable(StorageError):
    """The store cannot be reached, does not answer in time, or answers in another protocol."""


class StorageSilent(StorageUnavailable):
    """The store lets the time pass in which it should answer."""


class TooFewCopies(StorageUnavailable):
    """Of a store's nodes, fewer can be reached than are to hold each content."""


class StorageConfigurationInvalid(UsageError):
    """A home's ``storage.yaml`` cannot be understood, or asks for what cannot be."""

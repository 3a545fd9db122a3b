"""Errors of :mod:`radledger.tlog`.

::

    RadLedgerError
    ├── LogUnreadable        a file of a log is missing, or not of its form
    ├── LogDiffers           the entries here are not those that the log published
    ├── EntryUnknown         a log does not have an entry
    ├── EntryPending         an entry is not under a published checkpoint yet
    ├── WitnessRefused       a witness did not cosign a checkpoint
    ├── WitnessesMissing     too few witnesses cosigned to publish a checkpoint
    └── UsageError
        ├── InvalidOrigin    not the name of a log
        └── InvalidLogKey    a file does not hold the key of a log
"""

from __future__ import annotations

from radledger.errors import RadLedgerError, UsageError

__all__ = [
    "EntryPending",
    "EntryUnknown",
    "InvalidLogKey",
    "InvalidOrigin",
    "LogDiffers",
    "LogUnreadable",
    "WitnessRefused",
    "WitnessesMissing",
]


class LogUnreadable(RadLedgerError):
    """A checkpoint or tile of a log cannot be read, or is not of its form."""


class LogDiffers(RadLedgerError):
    """The entries that are kept here do not give the root that the log has published."""


class EntryUnknown(RadLedgerError):
    """A log does not have an entry."""


class EntryPending(RadLedgerError):
    """A log has an entry, and no published checkpoint covers it yet."""


class WitnessRefused(RadLedgerError):
    """A witness did not cosign a checkpoint, or its cosignature is not valid."""


class WitnessesMissing(RadLedgerError):
    """Fewer witnesses cosigned a checkpoint than the log's policy asks for."""


class InvalidOrigin(UsageError):
    """A text cannot be the origin of a log."""


class InvalidLogKey(UsageError):
    """A file does not hold the private key of a log."""

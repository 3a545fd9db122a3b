"""Errors of :mod:`radledger.tlog`.

::

    RadLedgerError
    ├── CryptoError
    │   ├── CheckpointInvalid    not signed by a log of the policy, or by too few witnesses
    │   └── LogMisbehaved        what a log must not do
    │       ├── LogForked        it shows a history that does not continue an earlier one
    │       ├── LogShrunk        it shows fewer entries than before
    │       ├── LogBackdated     witnesses cosigned more entries earlier than fewer
    │       ├── LogUnanchored    the chain got its entries too late, or not at all
    │       ├── LogStale         no recent checkpoint: it hides what came since
    │       └── LogAltered       its entries or tiles do not give its root
    ├── LogUnreadable        a file of a log is missing, or not of its form
    ├── LogDiffers           the entries here are not those that the log published
    ├── EntryUnknown         a log does not have an entry
    ├── EntryPending         an entry is not under a published checkpoint yet
    ├── MonitorUnusable      the file of a monitor is not one, or of another log
    ├── WitnessRefused       a witness did not cosign a checkpoint
    ├── WitnessesMissing     too few witnesses cosigned to publish a checkpoint
    └── UsageError
        ├── InvalidOrigin    not the name of a log
        └── InvalidLogKey    a file does not hold the key of a log
"""

from __future__ import annotations

from radledger.errors import CryptoError, RadLedgerError, UsageError

__all__ = [
    "CheckpointInvalid",
    "EntryPending",
    "EntryUnknown",
    "InvalidLogKey",
    "InvalidOrigin",
    "LogAltered",
    "LogBackdated",
    "LogDiffers",
    "LogForked",
    "LogMisbehaved",
    "LogShrunk",
    "LogStale",
    "LogUnanchored",
    "LogUnreadable",
    "MonitorUnusable",
    "WitnessRefused",
    "WitnessesMissing",
]


class CheckpointInvalid(CryptoError):
    """A checkpoint was not signed by a log of the policy, or cosigned by too few witnesses."""


class LogMisbehaved(CryptoError):
    """A log did what it must not; the checkpoints that show it are among the values."""


class LogForked(LogMisbehaved):
    """A log shows a history that does not continue one that it showed before, or to others."""


class LogShrunk(LogMisbehaved):
    """A log shows fewer entries than it showed before."""


class LogBackdated(LogMisbehaved):
    """Cosignatures of a larger tree are older than those of a smaller one."""


class LogStale(LogMisbehaved):
    """A log shows no checkpoint that enough witnesses cosigned lately."""


class LogUnanchored(LogMisbehaved):
    """The chain got a checkpoint with entries that a log shows too late, or does not have it."""


class LogAltered(LogMisbehaved):
    """The entries or tiles of a log do not give the root that it signed."""


class LogUnreadable(RadLedgerError):
    """A checkpoint or tile of a log cannot be read, or is not of its form."""


class LogDiffers(RadLedgerError):
    """The entries that are kept here do not give the root that the log has published."""


class EntryUnknown(RadLedgerError):
    """A log does not have an entry."""


class EntryPending(RadLedgerError):
    """A log has an entry, and no published checkpoint covers it yet."""


class MonitorUnusable(RadLedgerError):
    """What a monitor remembers cannot be read, or is of another log."""


class WitnessRefused(RadLedgerError):
    """A witness did not cosign a checkpoint, or its cosignature is not valid."""


class WitnessesMissing(RadLedgerError):
    """Fewer witnesses cosigned a checkpoint than the log's policy asks for."""


class InvalidOrigin(UsageError):
    """A text cannot be the origin of a log."""


class InvalidLogKey(UsageError):
    """A file does not hold the private key of a log."""

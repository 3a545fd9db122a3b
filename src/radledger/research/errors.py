"""Errors of :mod:`radledger.research`."""

from __future__ import annotations

from radledger.errors import RadLedgerError, UsageError

__all__ = [
    "AcceptanceDiffers",
    "InvalidDigest",
    "InvalidInstances",
    "InvalidShares",
    "NothingContributed",
    "NothingToClaim",
    "UnknownClass",
    "UnknownDataset",
    "UnknownRule",
]


class UnknownClass(UsageError):
    """There is no such class of contributions."""


class UnknownRule(UsageError):
    """There is no such rule for the weight of an image set."""


class InvalidDigest(UsageError):
    """A text is not an id or digest."""


class UnknownDataset(RadLedgerError):
    """There is no data set of that id."""


class InvalidShares(UsageError):
    """The shares of the classes do not add up to 100 per cent."""


class InvalidInstances(UsageError):
    """The largest number of instances of an image set does not fit the rule for weights."""


class AcceptanceDiffers(UsageError):
    """A curator's acceptance is of another image set or weight, or for another data set."""


class NothingContributed(RadLedgerError):
    """A data set without contributions has no version to freeze."""


class NothingToClaim(RadLedgerError):
    """Nothing is due to the contributor in any class."""

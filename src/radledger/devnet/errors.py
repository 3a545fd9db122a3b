"""Errors of :mod:`radledger.devnet`.

::

    ChainError
    └── NodeFailed        a local node does not start, or is not installed
    UsageError
    ├── AnotherChainRuns  the home's local chain is of another kind than asked for
    └── AnotherStoreThere the home has content in another store than asked for
"""

from __future__ import annotations

from radledger.errors import ChainError, UsageError

__all__ = ["AnotherChainRuns", "AnotherStoreThere", "NodeFailed"]


class NodeFailed(ChainError):
    """The local node cannot be found, ended unexpectedly, or does not answer."""


class AnotherChainRuns(UsageError):
    """The local chain of this home is up, and of another kind than asked for."""


class AnotherStoreThere(UsageError):
    """The home keeps its content in another store than asked for."""

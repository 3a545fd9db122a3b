"""What a service over HTTP is called, and the errors of its operator and its clients."""

from __future__ import annotations

from dataclasses import dataclass

from radledger.errors import RadLedgerError, UsageError

__all__ = ["Service"]


@dataclass(frozen=True)
class Service:
    """A service over HTTP, such as the relayer.

    Attributes
    ----------
    name
        As messages call it.
    key
        The extra with the packages that serve it, and the name of its address in errors' values.
    refused
        The error for a refusal whose own type is not known here.
    unreachable
        The error for an address where it does not answer.
    not_listening
        The error for an address at which it cannot listen.
    not_installed
        The error where the packages that serve it are missing.
    """

    name: str
    key: str
    refused: type[RadLedgerError]
    unreachable: type[RadLedgerError]
    not_listening: type[RadLedgerError]
    not_installed: type[UsageError]

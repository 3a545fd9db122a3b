"""Errors of :mod:`radledger.relay`.

::

    RadLedgerError
    └── RelayError                what was signed is not relayed
        ├── TargetNotAllowed      a call to a contract or function that the relayer does not pay for
        ├── DocumentTooLarge      a call with more data than the relayer sends in one transaction
        ├── CallTooExpensive      a call that needs more gas than an address may cost in a day
        ├── NonceTaken            another forward request waits with the same nonce of its signer
        ├── NonceUsed             the nonce was used, not known to be for the ticket's call
        ├── BudgetExhausted       what an address, or all together, may cost in a day is used up
        ├── QueueFull             as many tickets wait as the relayer takes
        ├── PayerDrained          the relayer's own account cannot pay for more
        ├── TicketUnknown         no ticket of that name
        ├── TicketPending         a ticket was not confirmed in time; it may be later
        ├── RelayUnreachable      nothing answers at the relayer's address, or not a relayer
        ├── RelayNotListening     the address to listen at cannot be had
        └── RelayBusy             another relayer works on the same queue
    UsageError
    ├── InvalidRelayUrl           an address that is not a relayer's URL
    └── RelayNotInstalled         the extra packages of the relayer are not there
"""

from __future__ import annotations

from radledger.errors import RadLedgerError, UsageError
from radledger.httpapi.service import Service

__all__ = [
    "RELAYER",
    "BudgetExhausted",
    "CallTooExpensive",
    "DocumentTooLarge",
    "InvalidRelayUrl",
    "NonceTaken",
    "NonceUsed",
    "PayerDrained",
    "QueueFull",
    "RelayBusy",
    "RelayError",
    "RelayNotInstalled",
    "RelayNotListening",
    "RelayUnreachable",
    "TargetNotAllowed",
    "TicketPending",
    "TicketUnknown",
]


class RelayError(RadLedgerError):
    """A relayer refuses a document, or cannot be reached."""


class TargetNotAllowed(RelayError):
    """A call is of a contract or function that the relayer does not pay for."""


class DocumentTooLarge(RelayError):
    """A call has more data than the relayer sends in one transaction."""


class CallTooExpensive(RelayError):
    """A call alone needs more gas than the calls of one address may cost in a day."""


class NonceTaken(RelayError):
    """Another ticket with the same nonce of the same account waits; one of them can count."""


class NonceUsed(RelayError):
    """The nonce was used, and it is not known to have been for the ticket's call."""


class BudgetExhausted(RelayError):
    """The daily budget of an address, or of all addresses together, is used up."""


class QueueFull(RelayError):
    """The relayer's queue is full."""


class PayerDrained(RelayError):
    """The relayer's account has too little Ether for the tickets that it has accepted."""


class TicketUnknown(RelayError):
    """The relayer has no such ticket."""


class TicketPending(RelayError):
    """A ticket was not confirmed in time; it may be confirmed later."""


class RelayUnreachable(RelayError):
    """No relayer answers at the address."""


class RelayNotListening(RelayError):
    """The address at which the relayer is to listen is in use, or is not one of this machine."""


class RelayBusy(RelayError):
    """Another relayer works on the same queue."""


class InvalidRelayUrl(UsageError):
    """A relayer's address is not a URL."""


class RelayNotInstalled(UsageError):
    """The packages that serve the relayer's interface are not installed."""


RELAYER = Service(
    name="relayer",
    key="relay",
    refused=RelayError,
    unreachable=RelayUnreachable,
    not_listening=RelayNotListening,
    not_installed=RelayNotInstalled,
)

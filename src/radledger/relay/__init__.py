"""A relayer: submits what people without Ether signed, pays the gas, and reports the outcome.

The service (``service``, ``tickets``, ``worker``) needs only the library. Its HTTP interface
(``application``, ``server``) needs the extra ``relay``. ``client`` talks to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.relay.application import create_application
    from radledger.relay.client import RelayClient
    from radledger.relay.service import Health, Relayer
    from radledger.relay.tickets import Limits, State, Ticket

__all__ = ["Health", "Limits", "RelayClient", "Relayer", "State", "Ticket", "create_application"]

__getattr__ = lazily(
    __name__,
    {
        "application": ("create_application",),
        "client": ("RelayClient",),
        "service": ("Health", "Relayer"),
        "tickets": ("Limits", "State", "Ticket"),
    },
)

"""The chain: connect to it, call the contracts, send to them, read their events.

=======================================  =======================================================
:mod:`~radledger.chain.nodes`            named networks, their nodes, and a checked connection
:mod:`~radledger.chain.rpc`              JSON-RPC requests, one by one or in batches
:mod:`~radledger.chain.sending`          transactions: signed, journaled, sent and followed
:mod:`~radledger.chain.keystore`         keys in files
:mod:`~radledger.chain.deployments`      what was deployed where
:mod:`~radledger.chain.ledger`           the connected contracts, by name
:mod:`~radledger.chain.action`           use cases, ready to be sent or signed
:mod:`~radledger.chain.documents`        what one account signs and another submits
:mod:`~radledger.chain.forward`          signed calls that another account pays for (ERC-2771)
:mod:`~radledger.chain.refusals`         every custom error of every contract as a Python class
=======================================  =======================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.chain.action import Action
    from radledger.chain.events import Event, Receipt
    from radledger.chain.ledger import Call, ContractAt, Ledger
    from radledger.chain.nodes.connect import connect

__all__ = ["Action", "Call", "ContractAt", "Event", "Ledger", "Receipt", "connect"]

__getattr__ = lazily(
    __name__,
    {
        "action": ("Action",),
        "ledger": ("Call", "ContractAt", "Ledger"),
        "events": ("Event", "Receipt"),
        "nodes.connect": ("connect",),
    },
)

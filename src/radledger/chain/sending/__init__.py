"""Transactions: signed, written down before they are sent, and followed until they are mined.

================  ========================================================================
``sender``        :class:`~radledger.chain.sending.sender.Sender`, which does all of it
``journal``       what was sent, kept until its result is known
``tables``        the journal's tables
``liveness``      which processes that use a journal are alive
``submission``    nonces and fees, and what a node answers
``broadcast``     sign transactions and hand them to a node
``watch``         follow transactions, and help those that are held up
``polling``       how often to look for a result
``fees``          what a transaction offers for its gas
``pool_errors``   why a node does not take a transaction into its pool
``diagnosis``     why a transaction failed that is in a block
================  ========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.chain.sending.journal import Intents
    from radledger.chain.sending.sender import Sender

__all__ = ["Intents", "Sender"]

__getattr__ = lazily(
    __name__,
    {
        "sender": ("Sender",),
        "journal": ("Intents",),
    },
)

"""Reading image sets: receipts, key services, and who read what.

====================  ==================================================================
``reading``           what a reader does: a secret against a receipt, and the files
``receipts``          what a reader signs
``acknowledgements``  what a key service signs in return
``keyservice``        the protocol between readers and key services
``custodian``         a key service in this process, over what a custodian or patient holds
``book``              the receipts that were answered, and those that were acknowledged
``ledger``            the service over ``AccessLedger``: roots of days, demands and answers
``proofs``            that a receipt is under the root of its day
``receipt_log``       the receipts' transparency log
``watching``          what a reader sees of such a log
``erasures``          who holds an erased image set, and certifies that it does not any more
``log``               who had access to what, from the book and the index
====================  ==================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.access.acknowledgements import Acknowledgement
    from radledger.access.book import Acknowledged, ReceiptBook, Release
    from radledger.access.custodian import CustodianKeyService
    from radledger.access.erasures import Erasure, Erasures, Holder
    from radledger.access.keyservice import KeyService, WrappedSecret
    from radledger.access.ledger import AccessLedger
    from radledger.access.log import Access
    from radledger.access.model import Demand, Proof
    from radledger.access.reading import Reading, Released
    from radledger.access.receipt_log import LogProof, PublishedLog, ReceiptLog
    from radledger.access.receipts import Receipt, SignedReceipt
    from radledger.access.watching import WatchedLog

__all__ = [
    "Access",
    "AccessLedger",
    "Acknowledged",
    "Acknowledgement",
    "CustodianKeyService",
    "Demand",
    "Erasure",
    "Erasures",
    "Holder",
    "KeyService",
    "LogProof",
    "Proof",
    "PublishedLog",
    "Reading",
    "Receipt",
    "ReceiptBook",
    "ReceiptLog",
    "Release",
    "Released",
    "SignedReceipt",
    "WatchedLog",
    "WrappedSecret",
]

__getattr__ = lazily(
    __name__,
    {
        "acknowledgements": ("Acknowledgement",),
        "book": ("Acknowledged", "ReceiptBook", "Release"),
        "custodian": ("CustodianKeyService",),
        "erasures": ("Erasure", "Erasures", "Holder"),
        "keyservice": ("KeyService", "WrappedSecret"),
        "ledger": ("AccessLedger",),
        "log": ("Access",),
        "model": ("Demand", "Proof"),
        "reading": ("Reading", "Released"),
        "receipt_log": ("LogProof", "PublishedLog", "ReceiptLog"),
        "receipts": ("Receipt", "SignedReceipt"),
        "watching": ("WatchedLog",),
    },
)

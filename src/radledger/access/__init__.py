"""Reading image sets: receipts, key services, and who read what.

===============  ==================================================================
``reading``      what a reader does: a secret against a receipt, and the files
``receipts``     what a reader signs
``keyservice``   the protocol between readers and key services
``custodian``    a key service in this process, over what a custodian or patient holds
``book``         the receipts that were answered
``log``          who had access to what, from the book and the index
===============  ==================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.access.book import ReceiptBook, Release
    from radledger.access.custodian import CustodianKeyService
    from radledger.access.keyservice import KeyService, WrappedSecret
    from radledger.access.log import Access
    from radledger.access.reading import Reading, Released
    from radledger.access.receipts import Receipt, SignedReceipt

__all__ = [
    "Access",
    "CustodianKeyService",
    "KeyService",
    "Reading",
    "Receipt",
    "ReceiptBook",
    "Release",
    "Released",
    "SignedReceipt",
    "WrappedSecret",
]

__getattr__ = lazily(
    __name__,
    {
        "book": ("ReceiptBook", "Release"),
        "custodian": ("CustodianKeyService",),
        "keyservice": ("KeyService", "WrappedSecret"),
        "log": ("Access",),
        "reading": ("Reading", "Released"),
        "receipts": ("Receipt", "SignedReceipt"),
    },
)

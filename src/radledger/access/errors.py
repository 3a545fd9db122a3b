"""Errors of :mod:`radledger.access`.

::

    CryptoError
    └── ReceiptInvalid               a receipt that its reader did not sign, or of another form
        ├── ReceiptForAnotherChain   for another chain or deployment
        ├── ReceiptStale             signed too long ago, or in the future
        ├── ReceiptReplayed          answered before
        ├── ReceiptGrantDiffers      naming another grant than the one that permits the use
        └── ReaderReplaced           signed with a key that no longer controls the reader
"""

from __future__ import annotations

from radledger.errors import CryptoError

__all__ = [
    "ReaderReplaced",
    "ReceiptForAnotherChain",
    "ReceiptGrantDiffers",
    "ReceiptInvalid",
    "ReceiptReplayed",
    "ReceiptStale",
]


class ReceiptInvalid(CryptoError):
    """A receipt was not signed by the reader that it names, or is not of a receipt's form."""


class ReceiptForAnotherChain(ReceiptInvalid):
    """A receipt was signed for another chain or another deployment."""


class ReceiptStale(ReceiptInvalid):
    """A receipt's time is too far from the present."""


class ReceiptReplayed(ReceiptInvalid):
    """A receipt was answered before; sign a new one for each release."""


class ReceiptGrantDiffers(ReceiptInvalid):
    """A receipt names another grant than the one that permits the use now."""


class ReaderReplaced(ReceiptInvalid):
    """A receipt was signed with a key that no longer controls the reader's identity."""

"""Errors of :mod:`radledger.access`.

::

    RadLedgerError
    ├── CryptoError
    │   ├── ReceiptInvalid               a receipt that its reader did not sign, or of another form
    │   │   ├── ReceiptForAnotherChain   for another chain or deployment
    │   │   ├── ReceiptStale             signed too long ago, or in the future
    │   │   ├── ReceiptReplayed          answered before
    │   │   ├── ReceiptGrantDiffers      naming another grant than the one that permits the use
    │   │   └── ReaderReplaced           signed with a key that no longer controls the reader
    │   ├── AcknowledgementInvalid       one that does not bind the institution to the receipt
    │   ├── ProofInvalid                 a proof that does not lead to the anchored root
    │   ├── LogProofInvalid              a proof that does not show the receipt in a log
    │   └── ReceiptsNotLogged            acknowledged receipts that a log lacks, or got late
    ├── UnknownReceipt                   not kept in this home
    ├── UnknownDemand                    not demanded on this chain
    ├── ReceiptLogMissing                this home has no log of receipts
    ├── ReceiptLogExists                 this home has a log of another origin
    ├── ReceiptsDiffer                   receipts that do not give the root that was anchored
    ├── InstitutionUnclear               of none or several the account is a recorder
    └── UsageError
        ├── InvalidReceiptId             not a digest or id
        ├── PolicyInvalid                not a policy of logs and witnesses
        └── InvalidDay                   not a day
"""

from __future__ import annotations

from radledger.errors import CryptoError, RadLedgerError, UsageError

__all__ = [
    "AcknowledgementInvalid",
    "InstitutionUnclear",
    "InvalidDay",
    "InvalidReceiptId",
    "LogProofInvalid",
    "PolicyInvalid",
    "ProofInvalid",
    "ReaderReplaced",
    "ReceiptForAnotherChain",
    "ReceiptGrantDiffers",
    "ReceiptInvalid",
    "ReceiptLogExists",
    "ReceiptLogMissing",
    "ReceiptReplayed",
    "ReceiptStale",
    "ReceiptsDiffer",
    "ReceiptsNotLogged",
    "UnknownDemand",
    "UnknownReceipt",
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


class AcknowledgementInvalid(CryptoError):
    """An acknowledgement does not bind the institution to the receipt that was released for."""


class ProofInvalid(CryptoError):
    """A proof does not show a receipt under the root that its institution anchored for the day."""


class LogProofInvalid(CryptoError):
    """A ``.tlog-proof`` does not show that a log of the policy has the receipt."""


class ReceiptsNotLogged(CryptoError):
    """A log lacks receipts that its institution acknowledged, or got them late."""


class ReceiptLogMissing(RadLedgerError):
    """This home keeps no log of its receipts."""


class ReceiptLogExists(RadLedgerError):
    """This home keeps a log of its receipts already, of another origin."""


class UnknownReceipt(RadLedgerError):
    """This home has no such receipt, or no acknowledgement of it."""


class UnknownDemand(RadLedgerError):
    """No receipt has been demanded under that id."""


class ReceiptsDiffer(RadLedgerError):
    """The receipts of a day that are kept here do not give the root that was anchored."""


class InstitutionUnclear(RadLedgerError):
    """An account is a recorder of no institution, or of several."""


class InvalidReceiptId(UsageError):
    """A text is not the digest of a receipt or the id of a demand."""


class PolicyInvalid(UsageError):
    """A file is missing, or is not a policy of logs and witnesses."""


class InvalidDay(UsageError):
    """A text is not a day."""

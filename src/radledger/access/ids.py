"""How digests of receipts and ids of demands are written."""

from __future__ import annotations

from radledger import texts
from radledger.access.errors import InvalidReceiptId

__all__ = ["parse_digest"]


def parse_digest(text: str) -> bytes:
    """The digest of a receipt, or the id of a demand, 32 bytes.

    Raises
    ------
    InvalidReceiptId
        If it is not ``0x`` and 64 hexadecimal digits.

    Examples
    --------
    >>> parse_digest("0x" + "ab" * 32)[0]
    171
    """
    return texts.parse_digest(
        text, InvalidReceiptId, "the digest of a receipt or the id of a demand"
    )

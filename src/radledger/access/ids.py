"""How digests of receipts and ids of demands are written."""

from __future__ import annotations

from radledger.access.errors import InvalidReceiptId
from radledger.texts import digest_of, quoted

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
    digest = digest_of(text)
    if digest is None:
        raise InvalidReceiptId(
            f"{quoted(text)} is not the digest of a receipt or the id of a demand; give 0x and 64 "
            "hexadecimal digits",
            text=text,
        )
    return digest

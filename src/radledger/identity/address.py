"""Ethereum addresses as users write them."""

from __future__ import annotations

import re

from radledger.identity.errors import InvalidAddress

__all__ = ["parse_address"]


def parse_address(text: str) -> str:
    """Check an address and give it its EIP-55 form.

    Parameters
    ----------
    text
        40 hexadecimal digits after ``0x``, in one case or with the right EIP-55 checksum.

    Raises
    ------
    InvalidAddress
        If it is anything else.

    Examples
    --------
    >>> parse_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
    """
    from radledger.chain.events import checksummed

    digits = text.removeprefix("0x")
    checked = None
    if text.startswith("0x") and re.fullmatch("[0-9a-fA-F]{40}", digits):
        checked = checksummed(text)
    # One case throughout is an address without a checksum.
    if checked is None or (digits not in (digits.lower(), digits.upper()) and text != checked):
        raise InvalidAddress(
            f"{text!r} is not an Ethereum address; give 0x and 40 hexadecimal digits, copied whole",
            address=text,
        )
    return checked

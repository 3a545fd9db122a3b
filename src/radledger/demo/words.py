"""Numbers and ids as people read them."""

from __future__ import annotations

import datetime

from radledger.demo.stage import TOKEN

__all__ = ["days", "moment", "short", "size", "tokens"]


def short(digest: str) -> str:
    """The beginning of an id or hash, enough to find it by.

    Examples
    --------
    >>> short("0x" + "ab" * 32)
    '0xabababab…'
    """
    return digest[:10] + "…"


def size(count: int) -> str:
    """Bytes in the unit that fits.

    Examples
    --------
    >>> size(31_500_000), size(900)
    ('31.5 MB', '0.9 kB')
    """
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def tokens(amount: int) -> str:
    """Base units as tokens.

    Examples
    --------
    >>> tokens(700 * 10**18)
    '700'
    """
    return f"{amount / TOKEN:g}"


def days(seconds: int) -> str:
    """A span of time in days or hours, whichever reads better.

    Examples
    --------
    >>> days(3 * 86400), days(90_000)
    ('3 days', '25 hours')
    """
    if seconds >= 2 * 86400:
        return f"{seconds / 86400:.0f} days"
    return f"{seconds / 3600:.0f} hours"


def moment(timestamp: int) -> str:
    """Unix time in UTC, to the minute.

    Examples
    --------
    >>> moment(1_800_000_000)
    '2027-01-15 08:00 UTC'
    """
    when = datetime.datetime.fromtimestamp(timestamp, datetime.UTC)
    return f"{when:%Y-%m-%d %H:%M} UTC"

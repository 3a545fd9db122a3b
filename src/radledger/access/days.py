"""Days as the access ledger counts them: UTC, in days of 86,400 seconds since 1970."""

from __future__ import annotations

from datetime import UTC, date, datetime

from radledger.access.errors import InvalidDay
from radledger.texts import quoted

__all__ = ["DAY", "day_of", "from_number", "parse_day", "to_number"]

DAY = 86_400
"""Seconds of a day."""

_EPOCH = date(1970, 1, 1).toordinal()


def day_of(time: int) -> date:
    """The day of a Unix time.

    Examples
    --------
    >>> day_of(1_800_000_000)
    datetime.date(2027, 1, 15)
    """
    return datetime.fromtimestamp(time, UTC).date()


def to_number(day: date) -> int:
    """A day as the chain holds it.

    Examples
    --------
    >>> to_number(date(2027, 1, 15))
    20833
    """
    return day.toordinal() - _EPOCH


def from_number(number: int) -> date:
    """A day from the chain.

    Examples
    --------
    >>> from_number(20833)
    datetime.date(2027, 1, 15)
    """
    return date.fromordinal(number + _EPOCH)


def parse_day(text: str) -> date:
    """A day from ``YYYY-MM-DD``.

    Raises
    ------
    InvalidDay
        If it is written otherwise, or before 1970.
    """
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        day = date.min
    if to_number(day) < 0:
        raise InvalidDay(f"{quoted(text)} is not a day; give one such as 2027-01-15", text=text)
    return day

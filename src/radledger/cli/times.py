"""Times as users write them: days, moments, spans from now."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime, timedelta
from typing import overload

from radledger.errors import UsageError

__all__ = ["duration", "moment", "span"]

# A calendar or week date of ISO 8601, extended or basic; the basic one is also DICOM's DA.
_DAY = r"\d{4}-\d\d-\d\d|\d{8}|\d{4}-W\d\d-\d|\d{4}W\d{3}"
_TIME = r"\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?"
_ZONE = r"Z|UTC|[+-]\d\d(?::?\d\d)?"
_MOMENT = re.compile(rf"({_DAY})(?:[T ]({_TIME}) ?({_ZONE})?)?", re.ASCII)
# Fewer digits would be a time before 2001, or a date that lacks its hyphens; more are milliseconds.
_UNIX_SECONDS = re.compile(r"\d{10}", re.ASCII)
_MILLISECONDS = re.compile(r"\d{13}", re.ASCII)
_SPAN = re.compile(r"(\d+)([a-z]+)", re.ASCII)
_MOST_DIGITS = 12
_SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MONTHS = {"mo": 1, "y": 12}


class InvalidTime(UsageError):
    """A text cannot be read as a time, or the chain cannot hold that time."""


@overload
def moment(text: str, now: int, *, end: bool = False) -> int: ...


@overload
def moment(text: str | None, now: int, *, end: bool = False) -> int | None: ...


def moment(text: str | None, now: int, *, end: bool = False) -> int | None:
    """A time as Unix seconds.

    Parameters
    ----------
    text
        A day (``2027-01-31``, ``20270131``, ``2027-W04-7``), a moment (``2027-01-31T12:00+01:00``,
        ``2027-01-15 08:00:00 UTC``), a span from now (``+30d``, ``+6mo``), or Unix seconds of ten
        digits.  What names no zone is in this machine's.
    now
        From when spans count; months and years by the calendar.
    end
        Whether something ends then: a day is included.

    Raises
    ------
    InvalidTime
        If it is none of these, can be read in two ways, or the chain cannot hold it.

    Examples
    --------
    >>> moment("+2h", now=1_000), moment("2027-01-15T08:00:00Z", now=0)
    (8200, 1800000000)
    >>> moment("2027-01-15 08:00:00 UTC", now=0)
    1800000000
    """
    if text is None:
        return None
    written = text.strip().upper()
    try:
        if written.startswith("+"):
            time = _after(now, text.strip()[1:])
        elif _UNIX_SECONDS.fullmatch(written):
            time = int(written)
        else:
            time = _read(text, written, end=end)
    except (OverflowError, OSError, ValueError):
        time = -1  # no clock goes as far
    return _storable(text, time)


def duration(text: str) -> int:
    """A span in seconds: a number and s, min, h, d or w.

    Raises
    ------
    InvalidTime
        If it is not such a span, or zero.

    Examples
    --------
    >>> duration("90min")
    5400
    """
    number, unit = _lasting(text)
    if unit not in _SECONDS:
        raise InvalidTime(
            f"{text!r} has no fixed length; give a span in min, h, d or w, such as 24h", text=text
        )
    return number * _SECONDS[unit]


def span(text: str, now: int) -> int:
    """A span from now in seconds, as in `moment`.

    Raises
    ------
    InvalidTime
        If it is not a span, or zero, or the chain cannot hold its end.

    Examples
    --------
    >>> span("2h", now=1_000)
    7200
    """
    _lasting(text)
    return moment(f"+{text}", now) - now


def _after(now: int, text: str) -> int:
    """The time that is a span after now."""
    number, unit = _span(text)
    if unit in _SECONDS:
        return now + number * _SECONDS[unit]
    local = datetime.fromtimestamp(now)
    years, month = divmod(local.month - 1 + number * _MONTHS[unit], 12)
    year = local.year + years
    if year > datetime.max.year:
        raise OverflowError
    day = min(local.day, monthrange(year, month + 1)[1])
    return int(local.replace(year=year, month=month + 1, day=day).timestamp())


def _lasting(text: str) -> tuple[int, str]:
    """Number and unit of a span that is not zero."""
    number, unit = _span(text)
    if number == 0:
        raise InvalidTime(f"{text!r} lasts no time; give a longer span, such as 24h", text=text)
    return number, unit


def _span(text: str) -> tuple[int, str]:
    """Number and unit of a span."""
    match = _SPAN.fullmatch(text.lower())
    number, unit = match.groups() if match else ("", "")
    if unit == "m":
        raise InvalidTime(
            f"{text!r} may be minutes or months; give {number}min or {number}mo", text=text
        )
    if unit not in _SECONDS.keys() | _MONTHS.keys() or len(number) > _MOST_DIGITS:
        raise InvalidTime(
            f"{text!r} cannot be read as a span of time; give one such as 90min, 24h, 30d, 2w, 6mo "
            "or 1y",
            text=text,
        )
    return int(number), unit


def _read(text: str, written: str, *, end: bool) -> int:
    """A day or a moment."""
    match = _MOMENT.fullmatch(written)
    try:
        if match is None:
            raise ValueError
        day, time, zone = match.groups()
        zone = zone.replace("UTC", "Z") if zone else ""
        read = datetime.fromisoformat(f"{day}T{time}{zone}" if time else day)
    except ValueError:
        hint = "; 13 digits are milliseconds" if _MILLISECONDS.fullmatch(written) else ""
        raise InvalidTime(
            f"{text!r} cannot be read as a time{hint}; give a day such as 2027-01-31, a moment "
            "such as 2027-01-31T12:00+01:00, a span from now such as +30d or +6mo, or Unix seconds "
            "of ten digits",
            text=text,
        ) from None
    if end and not time:
        read += timedelta(days=1)
    return int(read.timestamp())


def _storable(text: str, time: int) -> int:
    """The time, if the chain can hold it."""
    from radledger.chain.documents import when
    from radledger.consent.model import UNTIL_REVOKED

    if not 0 <= time < UNTIL_REVOKED:
        raise InvalidTime(
            f"the chain cannot hold the time {text!r}; give one from {when(0)} to "
            f"{when(UNTIL_REVOKED - 1)}",
            text=text,
        )
    return time

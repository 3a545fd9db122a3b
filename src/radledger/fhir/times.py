"""FHIR's dates and times as Unix seconds, and the other way.

References
----------
.. [1] HL7 FHIR R4, Data types, dateTime and Period, https://hl7.org/fhir/R4/datatypes.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

__all__ = ["end_of", "instant", "start_of"]

_DAY = r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?"
_TIME = r"T(?P<time>\d\d:\d\d:\d\d)(?P<fraction>\.\d{1,9})?(?P<zone>Z|[+-]\d\d:\d\d)"
_FORM = re.compile(rf"(?P<date>{_DAY})(?P<clock>{_TIME})?", re.ASCII)


def start_of(text: str) -> int:
    """The first second of a date or time, which counts in a period (Unix time).

    A date without a time is one of this machine's time zone.

    Raises
    ------
    ValueError
        If it is not FHIR's form of a date or time; a time needs its zone.

    Examples
    --------
    >>> start_of("2027-01-15T09:00:00+01:00")
    1800000000
    """
    first, _, fraction = _span(text)
    return first + fraction


def end_of(text: str) -> int:
    """The second after the last of a date or time: the end of a period is included (Unix time).

    Raises
    ------
    ValueError
        As in `start_of`.

    Examples
    --------
    >>> end_of("2027-01-15T09:00:00+01:00"), end_of("2027-01-15T08:00:00.5Z")
    (1800000001, 1800000000)
    """
    first, after, fraction = _span(text)
    # The rest of a second that ends within it would be more than was stated.
    return first if fraction else after


def instant(time: int) -> str:
    """A Unix time as FHIR writes an instant.

    Examples
    --------
    >>> instant(1_800_000_000)
    '2027-01-15T08:00:00Z'
    """
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _span(text: str) -> tuple[int, int, bool]:
    """The first second, the one after the last, and whether it begins within the first."""
    match = _FORM.fullmatch(text)
    if match is None or (match["clock"] and match["day"] is None):
        raise ValueError(f"{text!r} is not a date, or a time with its zone, as FHIR writes them")
    try:
        if match["clock"]:
            zone = "+00:00" if match["zone"] == "Z" else match["zone"]
            at = datetime.fromisoformat(f"{match['date']}T{match['time']}{zone}")
            first = int(at.timestamp())
            return first, first + 1, bool((match["fraction"] or "").strip(".0"))
        year, month, day = (int(match[name] or 1) for name in ("year", "month", "day"))
        begins = datetime(year, month, day)
        if match["day"]:
            ends = begins + timedelta(days=1)
        elif match["month"]:
            ends = datetime(year + month // 12, month % 12 + 1, 1)
        else:
            ends = datetime(year + 1, 1, 1)
        return int(begins.timestamp()), int(ends.timestamp()), False
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is not a day or time of the calendar") from None

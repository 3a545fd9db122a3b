"""Dates and times as PS3.5 Table 6.2-1 writes them, matched as a whole.

A value that only begins as it should may hold another date further on.  One true date beside a
moved one tells by how many days all dates of the patient were moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

__all__ = ["as_written", "moved", "offset"]

_DAY = r"[0-9]{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?"
_SECOND = r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?"
# within the offsets that there are, or the end of a range would pass for one
_ZONE = r"(?:\+(?:0[0-9]|1[0-4])|-(?:0[0-9]|1[0-2]))[0-5][0-9]"
_OLD_DAY = re.compile(r"([0-9]{4})\.([0-9]{2})\.([0-9]{2})")  # ACR-NEMA
_OLD_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_MOMENT = rf"({_DAY})((?:{_CLOCK})?(?:{_ZONE})?)"

_WRITTEN = {
    "DA": re.compile(rf"({_DAY})()(?:-({_DAY})())?"),
    "DT": re.compile(rf"{_MOMENT}(?:-{_MOMENT})?"),
    "TM": re.compile(rf"{_CLOCK}|{_SECOND}-{_SECOND}|{_OLD_CLOCK}"),
}
_OFFSET = re.compile(_ZONE)


def as_written(vr: str) -> Callable[[str], str]:
    """What keeps a DA, DT or TM value, alone or as a range, and empties what is none.

    Examples
    --------
    >>> as_written("TM")("101112.5"), as_written("TM")("20240301101112")
    ('101112.5', '')
    """
    pattern = _WRITTEN[vr]
    return lambda value: value if pattern.fullmatch(value) else ""


def moved(vr: str, days: int) -> Callable[[str], str]:
    """What moves a DA or DT value, alone or as a range, into the past by whole days.

    The time of the day stays, and so does a TM value.  What is not written as its VR demands, or
    would be before the year 1, becomes empty.

    Examples
    --------
    >>> moved("DT", 1)("20240301120000.5+0100"), moved("DA", 1)("20240301-20240302")
    ('20240229120000.5+0100', '20240229-20240301')
    >>> moved("DA", 1)("20240301 to 20240302")
    ''
    """
    if vr == "TM":
        return as_written(vr)
    pattern = _WRITTEN[vr]

    def move(value: str) -> str:
        found = pattern.fullmatch(_OLD_DAY.sub(r"\1\2\3", value, count=1) if vr == "DA" else value)
        if found is None:
            return ""
        first, rest, last, end = found.groups()
        try:
            ends = [_earlier(day, days) + tail for day, tail in ((first, rest), (last, end)) if day]
        except (ValueError, OverflowError):
            return ""
        return "-".join(ends)

    return move


def offset(value: str) -> str:
    """An offset from UTC such as ``+0100``; anything else becomes empty.

    Examples
    --------
    >>> offset("-0500"), offset("-2024")
    ('-0500', '')
    """
    return value if _OFFSET.fullmatch(value) else ""


def _earlier(day: str, days: int) -> str:
    moved_day = date(int(day[:4]), int(day[4:6]), int(day[6:])) - timedelta(days=days)
    return moved_day.isoformat().replace("-", "")

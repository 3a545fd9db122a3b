"""The ends of grants, rounded so that many have the same.

People sign the same terms at each custodian: an end to the second would link their addresses.
"""

from __future__ import annotations

from datetime import datetime

from radledger.consent.model import UNTIL_REVOKED

__all__ = ["rounded_end"]

_DAY = 86_400
_BY_DAY, _BY_MONTH = 7 * _DAY, 182 * _DAY


def rounded_end(start: int, until: int) -> int:
    """Round the end of a grant down, so that many grants have the same end.

    A grant that lasts half a year or longer ends with a month, one that lasts a week or longer
    with a day, in this machine's time zone.  Shorter ones, and those without an end, stay.

    Parameters
    ----------
    start, until
        Start and end (Unix time).

    Examples
    --------
    >>> rounded_end(1_800_000_000, 1_800_003_600)
    1800003600
    >>> 1_900_000_000 - 31 * 86_400 <= rounded_end(1_800_000_000, 1_900_000_000) <= 1_900_000_000
    True
    """
    if until == UNTIL_REVOKED or until - start < _BY_DAY:
        return until
    try:
        day = datetime.fromtimestamp(until).replace(hour=0, minute=0, second=0)
        rounded = day.replace(day=1) if until - start >= _BY_MONTH else day
        return int(rounded.timestamp())
    except (OverflowError, OSError, ValueError):
        return until  # later than any clock goes

"""What users write: times, amounts and documents in files."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from radledger.errors import UsageError

__all__ = ["amount", "document", "duration", "moment", "write_document"]

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}


class InvalidTime(UsageError):
    """A text is no time."""


class InvalidAmount(UsageError):
    """A text is no amount of a token."""


class InvalidFile(UsageError):
    """A file is not there or holds no JSON object."""


def moment(text: str | None, now: int) -> int | None:
    """A time: Unix seconds, ISO 8601 (UTC unless it says), or a span from now as ``+30d``.

    Examples
    --------
    >>> moment("+2h", now=1_000), moment("2027-01-15T08:00:00Z", now=0)
    (8200, 1800000000)
    """
    if text is None:
        return None
    if text.startswith("+"):
        return now + duration(text[1:])
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidTime(
            f"{text!r} is no time; give 2027-01-31, 2027-01-31T12:00:00Z, +30d or Unix seconds",
            text=text,
        ) from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


def duration(text: str) -> int:
    """A span in seconds: a number and s, m, h, d, w or y.

    Examples
    --------
    >>> duration("90m")
    5400
    """
    match = re.fullmatch(r"(\d+)([smhdwy])", text)
    if match is None:
        raise InvalidTime(
            f"{text!r} is no span of time; give one such as 90m, 24h or 30d", text=text
        )
    return int(match[1]) * _UNITS[match[2]]


def amount(text: str, decimals: int) -> int:
    """An amount of a token in base units.

    Examples
    --------
    >>> amount("1.5", decimals=18)
    1500000000000000000
    """
    try:
        units = Decimal(text).scaleb(decimals)
    except InvalidOperation:
        units = Decimal(-1)
    if not units.is_finite() or units <= 0 or units != units.to_integral_value():
        raise InvalidAmount(
            f"{text!r} is no amount of a token with {decimals} decimals; give one such as 12.5",
            text=text,
            decimals=decimals,
        )
    return int(units)


def document(path: Path) -> dict[str, Any]:
    """A signed document from its file.

    Raises
    ------
    InvalidFile
        If the file cannot be read or holds no JSON object.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidFile(f"{path} is no signed document: {error}", path=str(path)) from error
    if not isinstance(value, dict):
        raise InvalidFile(f"{path} is no signed document: it holds no object", path=str(path))
    return value


def write_document(path: Path, value: dict[str, Any]) -> None:
    """Write a signed document for somebody else to submit."""
    path.write_text(json.dumps(value, indent=2) + "\n", "utf-8")

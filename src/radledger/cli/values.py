"""What users write: amounts, paths and documents in files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation, Overflow
from pathlib import Path
from typing import Any

from radledger.errors import UsageError
from radledger.files import expanded

__all__ = [
    "amount",
    "digest",
    "document",
    "named_path",
    "percent",
    "weights",
    "write_document",
]

_MOST_DIGITS = 100
_EXACT = Context(prec=400)
# A signed document has some 2 kB.
_LONGEST = 1_000_000


class InvalidAmount(UsageError):
    """A text is not an amount of a token."""


class InvalidWeight(UsageError):
    """A text is not a class and its weight."""


class InvalidFile(UsageError):
    """A file is not there or holds no JSON object."""


def amount(text: str, decimals: int) -> int:
    """An amount of a token in base units.

    Raises
    ------
    InvalidAmount
        If it is not a positive number, or has more decimals than the token.

    Examples
    --------
    >>> amount("1.5", decimals=18)
    1500000000000000000
    """
    units = _scaled(text, decimals)
    if units is None or not 0 < units < 2**256:
        raise InvalidAmount(
            f"{text!r} is not an amount of a token with {decimals} decimals; give one such as 12.5",
            text=text,
            decimals=decimals,
        )
    return units


def percent(text: str) -> int:
    """A share in basis points.

    Raises
    ------
    InvalidAmount
        If it is not between 0 and 100, or has more than two decimals.

    Examples
    --------
    >>> percent("12.5")
    1250
    """
    points = _scaled(text, 2)
    if points is None or not 0 <= points <= 10_000:
        raise InvalidAmount(
            f"{text!r} is not a share; give per cent from 0 to 100, with two decimals at most",
            text=text,
        )
    return points


def digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises
    ------
    InvalidFile
        If there is no such file.
    """
    if not path.is_file():
        raise InvalidFile(f"there is no file {path}", path=str(path))
    with path.open("rb") as file:
        return "0x" + hashlib.file_digest(file, "sha256").hexdigest()


def named_path(text: str) -> Path:
    """A path; an empty text, as a script's unset variable gives it, is not the current folder.

    Raises
    ------
    InvalidFile
        If it is empty.
    """
    if not text:
        raise InvalidFile("a path is empty; name a file or folder")
    return expanded(text)


def weights(texts: Iterable[str]) -> dict[str, int]:
    """Weights of classes, each written as ``CLASS=N``.

    Raises
    ------
    InvalidWeight
        If one is written otherwise.

    Examples
    --------
    >>> weights(["data=12", "custody=3"])
    {'data': 12, 'custody': 3}
    """
    named = {}
    for text in texts:
        name, _, number = text.partition("=")
        if not number.isascii() or not number.isdigit():
            raise InvalidWeight(
                f"{text!r} is not a weight of a class; give one such as data=12", text=text
            )
        named[name] = int(number)
    return named


def document(path: Path) -> dict[str, Any]:
    """A signed document from its file.

    Raises
    ------
    InvalidFile
        If the file cannot be read or holds no JSON object.
    """
    try:
        if not path.is_file():
            raise InvalidFile(f"there is no file {path} to submit", path=str(path))
        with path.open("rb") as file:
            value = json.loads(file.read(_LONGEST))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise InvalidFile(message, path=str(path)) from error
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidFile(
            f"{path} holds no signed document; give what --sign-only wrote", path=str(path)
        )
    return value


def _scaled(text: str, decimals: int) -> int | None:
    """A decimal number times ten to the power of `decimals`, or None if that is not whole."""
    try:
        number = Decimal(text)
        # No amount has more digits, and a larger power of ten would take all memory.
        if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
            return None
        units = number.scaleb(decimals, _EXACT)
    except (InvalidOperation, Overflow):
        return None
    return int(units) if units == units.to_integral_value() else None


def write_document(path: Path, value: dict[str, Any]) -> None:
    """Write a signed document for another account to submit."""
    path.write_text(json.dumps(value, indent=2) + "\n", "utf-8")

"""What users write: amounts, shares and weights."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation, Overflow

from radledger.errors import UsageError

__all__ = ["amount", "percent", "weights"]

_MOST_DIGITS = 100
_EXACT = Context(prec=400)


class InvalidAmount(UsageError):
    """A text is not an amount of a token."""


class InvalidWeight(UsageError):
    """A text is not a class and its weight."""


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

"""What a step of the story checks."""

from __future__ import annotations

__all__ = ["Unexpected", "check"]


class Unexpected(Exception):
    """Something happened otherwise than the story says."""


def check(holds: bool, otherwise: str) -> None:
    """Raise `Unexpected` unless something holds.

    Examples
    --------
    >>> check(60 == 60, "60 slices were added, not all")
    """
    if not holds:
        raise Unexpected(otherwise)

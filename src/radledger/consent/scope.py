"""What a grant covers: everything, or one image set, visit or course of treatment."""

from __future__ import annotations

from typing import Final

from radledger.consent.bindings import Scopes
from radledger.consent.errors import InvalidScope
from radledger.texts import digest_of

__all__ = ["ALL", "ALL_DIGEST", "EMERGENCY", "EMERGENCY_DIGEST", "parse_scope", "scope_name"]

ALL: Final = "all"
"""Everything of a subject, today's and later."""

EMERGENCY: Final = "emergency"
"""Everything of a subject, during emergency access; it can be revoked, but not granted."""

ALL_DIGEST = Scopes.ALL
EMERGENCY_DIGEST = Scopes.EMERGENCY


def parse_scope(scope: str) -> bytes:
    """A scope as the chain holds it, 32 bytes.

    Parameters
    ----------
    scope
        ``all``, ``emergency``, or the id of an image set or the digest of a visit or course, 64
        hexadecimal digits after ``0x``.

    Raises
    ------
    InvalidScope
        If it is anything else.

    Examples
    --------
    >>> parse_scope("all") == bytes(32)
    True
    >>> parse_scope("0x" + "ab" * 32)[0]
    171
    """
    if scope == ALL:
        return ALL_DIGEST
    if scope == EMERGENCY:
        return EMERGENCY_DIGEST
    digest = digest_of(scope)
    if digest is None or digest == ALL_DIGEST:
        raise InvalidScope(
            f"{scope!r} is not a scope; give all, or 0x and the 64 digits of an image set, visit "
            "or course",
            scope=scope,
        )
    return digest


def scope_name(scope: bytes) -> str:
    """A scope of the chain in the form that :func:`parse_scope` takes, or ``emergency``.

    Examples
    --------
    >>> scope_name(bytes(32))
    'all'
    """
    if scope == EMERGENCY_DIGEST:
        return EMERGENCY
    return ALL if scope == ALL_DIGEST else "0x" + scope.hex()

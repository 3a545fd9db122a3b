"""The class below every enumeration of a contract."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["Enumeration"]


class Enumeration(StrEnum):
    """An enumeration of a contract: its members in the chain's order, each in plain words.

    A member is its words, so that it is shown and written as such; the chain's number is asked for
    where a contract is called.

    Examples
    --------
    >>> class Reason(Enumeration):
    ...     PERMITTED = "permitted"
    ...     NEVER_GRANTED = "never granted"
    >>> Reason.of(1)
    <Reason.NEVER_GRANTED: 'never granted'>
    >>> Reason.NEVER_GRANTED.number
    1
    """

    @property
    def number(self) -> int:
        """As the chain holds it."""
        return type(self)._member_names_.index(self.name)

    @classmethod
    def of(cls, number: int) -> Self:
        """The member that the chain holds as ``number``.

        Raises
        ------
        IndexError
            If it has no such member.
        """
        return cls[cls._member_names_[number]]

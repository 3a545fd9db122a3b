"""HTTP exchanges that end: a deadline for all of an answer, however slowly it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.transport.deadline import Deadline, within

__all__ = ["Deadline", "within"]

__getattr__ = lazily(
    __name__,
    {
        "deadline": ("Deadline", "within"),
    },
)

"""Links as patients see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radledger.fhir.health_links import HealthLink

__all__ = ["Link", "Made"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link as its patient sees it.

    Attributes
    ----------
    id, subject
        Which, and whose images.
    address
        Its account, to which the images are granted.
    scope
        ``all``, or which images.
    label
        What it leads to, in a few words.
    until
        When it ends (Unix time).
    long_term
        Whether it may be opened more than once.
    attempts
        How many wrong passcodes it still takes; none without a passcode.
    status
        ``active``, or why it opens nothing: ``not granted``, ``revoked``, ``expired``, ``not yet``,
        ``used``, or ``locked`` after too many wrong passcodes.
    opened, opened_at, recipient
        How often, when last (Unix time), and by whom as they said.
    """

    id: str
    subject: str
    address: str
    scope: str
    label: str | None
    until: int
    long_term: bool
    attempts: int | None
    status: str
    opened: int
    opened_at: int | None
    recipient: str | None


@dataclass(frozen=True, slots=True)
class Made:
    """A link that was just made."""

    id: str
    address: str
    link: HealthLink = field(repr=False)

"""How a receiver presents itself, to whom, and what it takes."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

from radledger.pacs.peer import Peer, require_title

__all__ = ["Bounds", "Settings"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection may take.

    Attributes
    ----------
    associations
        How many there may be at a time.
    pdu_bytes
        Of one PDU; larger than those that are negotiated, as an association's request may be.
    message_bytes
        Of one instance.
    memory_bytes
        Of any other message, which is held in memory, as a request for storage commitment.
    pdu_seconds
        From the first to the last byte of a PDU; TLS has to be agreed on in that time as well.
    message_seconds
        From the first to the last PDU of a message.
    idle_seconds
        Between two messages, and from a connection to its association.
    """

    associations: int = 10
    pdu_bytes: int = 1 << 20
    message_bytes: int = 4 << 30
    memory_bytes: int = 4 << 20
    pdu_seconds: float = 30
    message_seconds: float = 1800
    idle_seconds: float = 60


@dataclass(frozen=True, slots=True)
class Settings:
    """How a receiver presents itself, and to whom.

    Attributes
    ----------
    title
        Its AE title; associations for another are rejected.
    allowed
        AE titles that may send.
    tls
        With which certificates TLS is spoken; none: in plain.
    bounds
        What one connection may take.
    commit_to
        Who may ask for storage commitment, and where the answer goes; without any it is not
        supported.
    tls_out
        With which certificates TLS is spoken to peers that images or answers are sent to; none:
        in plain.

    Raises
    ------
    InvalidTitle
        If an AE title is not one.
    """

    title: str
    allowed: Sequence[str]
    tls: ssl.SSLContext | None = None
    bounds: Bounds = field(default_factory=Bounds)
    commit_to: Sequence[Peer] = ()
    tls_out: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        for title in (self.title, *self.allowed):
            require_title(title)

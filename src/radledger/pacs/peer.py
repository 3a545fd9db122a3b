"""A peer to which instances are sent."""

from __future__ import annotations

import re
from dataclasses import dataclass

from radledger.pacs.errors import InvalidPeer, InvalidTitle

__all__ = ["Peer", "require_title"]

# printable ASCII without a backslash, and not spaces alone (PS3.5 section 6.2)
_TITLE = re.compile(r"(?=.*[^ ])[ -\[\]-~]{1,16}")
_PEER = re.compile(r"(?P<title>[^@]+)@(\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Peer:
    """AE title, host and port.

    Examples
    --------
    >>> Peer.parse("PACS@pacs.hospital.example:104")
    Peer(title='PACS', host='pacs.hospital.example', port=104)
    >>> str(Peer("PACS", "::1", 104))
    'PACS@[::1]:104'
    """

    title: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Peer:
        """A peer from ``TITLE@HOST:PORT``.

        Raises
        ------
        InvalidPeer
            If it has another form.
        InvalidTitle
            If the title is not an AE title.
        """
        match = _PEER.fullmatch(text)
        if match is None or not 0 < int(match["port"]) < 1 << 16:
            raise InvalidPeer(
                f"{text!r} is not a peer; give TITLE@HOST:PORT, such as "
                "PACS@pacs.hospital.example:104",
                peer=text,
            )
        return cls(require_title(match["title"]), match["six"] or match["host"], int(match["port"]))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.title}@{host}:{self.port}"


def require_title(title: str) -> str:
    """An AE title.

    Raises
    ------
    InvalidTitle
        If it is not one.

    Examples
    --------
    >>> require_title("RADLEDGER")
    'RADLEDGER'
    """
    if not _TITLE.fullmatch(title):
        raise InvalidTitle(
            f"{title!r} is not an AE title; give 1 to 16 printable ASCII characters without a "
            "backslash, such as CT_SCANNER_1",
            title=title,
        )
    return title

"""Answers in parts: multipart/related (RFC 2387), as PS3.18 section 8.6.1 has it, as they come."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from starlette.responses import StreamingResponse

__all__ = ["Part", "multipart", "streamed"]

_NOT_STORED = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Attributes
    ----------
    media_type
        With its parameters.
    location
        Address of the resource that it is.
    content
        In pieces.
    """

    media_type: str
    location: str
    content: Iterable[bytes]


def multipart(parts: Iterable[Part], media_type: str) -> StreamingResponse:
    """Answer with parts of a media type; none is made before the one before it has left.

    What the first piece of the first part raises is raised here, for another status.
    """
    boundary = secrets.token_hex(16)
    content_type = f'multipart/related; type="{media_type}"; boundary={boundary}'
    return streamed(_written(parts, boundary), content_type)


def streamed(
    content: Iterable[bytes], media_type: str, headers: Mapping[str, str] | None = None
) -> StreamingResponse:
    """Answer with pieces as they come; what the first one raises is raised here."""
    pieces = iter(content)
    first = next(pieces, b"")
    return StreamingResponse(
        chain((first,), pieces),
        headers={**_NOT_STORED, **(headers or {}), "Content-Type": media_type},
    )


def _written(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    for part in parts:
        head = (
            f"--{boundary}\r\nContent-Type: {part.media_type}\r\n"
            f"Content-Location: {part.location}\r\n\r\n"
        ).encode()
        pieces = iter(part.content)
        yield head + next(pieces, b"")
        yield from pieces
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()

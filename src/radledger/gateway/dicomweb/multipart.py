"""Answers in parts: multipart/related (RFC 2387), as PS3.18 section 8.6.1 has it, as they come."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from starlette.concurrency import run_in_threadpool
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
        _ahead(chain((first,), pieces)),
        headers={**_NOT_STORED, **(headers or {}), "Content-Type": media_type},
    )


async def _ahead(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces, of which the next is made in a thread while one is sent."""
    coming = _coming(pieces)
    while (piece := await coming) is not None:
        coming = _coming(pieces)
        yield piece


def _coming(pieces: Iterator[bytes]) -> asyncio.Task[bytes | None]:
    task = asyncio.create_task(run_in_threadpool(next, pieces, None))
    # What is raised after the connection has ended is of no interest.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def _written(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    before = b""
    for part in parts:
        head = (
            f"--{boundary}\r\nContent-Type: {part.media_type}\r\n"
            f"Content-Location: {part.location}\r\n\r\n"
        ).encode()
        pieces = iter(part.content)
        yield before + head + next(pieces, b"")
        yield from pieces
        before = b"\r\n"
    yield before + f"--{boundary}--\r\n".encode()

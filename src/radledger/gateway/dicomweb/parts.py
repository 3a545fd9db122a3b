"""Reads bodies in parts, multipart/related (RFC 2046 section 5.1, RFC 2387), as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from radledger.gateway.errors import BodyMalformed

__all__ = ["IncomingPart", "incoming", "media_type_of"]

_LONGEST_HEAD = 16 * 1024


@dataclass(frozen=True, slots=True)
class IncomingPart:
    """A part; its content is there until the next part is asked for."""

    media_type: str
    content: Iterator[bytes]


def media_type_of(content_type: str) -> tuple[str, Mapping[str, str]]:
    """A media type in lower case, and its parameters by their names in lower case.

    Examples
    --------
    >>> media_type_of('Multipart/Related; type="application/dicom"; boundary=b')
    ('multipart/related', {'type': 'application/dicom', 'boundary': 'b'})
    """
    message = Message()
    message["content-type"] = content_type
    parameters = message.get_params([], unquote=True)
    return message.get_content_type(), {name.lower(): str(text) for name, text in parameters[1:]}


def incoming(chunks: Iterable[bytes], boundary: str) -> Iterator[IncomingPart]:
    """The parts of a body.

    Parameters
    ----------
    chunks
        The body.
    boundary
        Of its media type.

    Raises
    ------
    BodyMalformed
        If it ends before its last boundary, or a part has no head.
    """
    body = _Body(chunks)
    delimiter = b"\r\n--" + boundary.encode()
    body.skip(delimiter)
    while (after := body.take(2)) != b"--":
        if after != b"\r\n":
            raise BodyMalformed("a boundary of the body is followed by other text; send it again")
        head = body.head()
        content = body.pieces(delimiter)
        yield IncomingPart(media_type_of(head.get("content-type", ""))[0], content)
        for _ in content:  # what was not read of it
            pass


class _Body:
    """What has arrived of a body and was not taken yet."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = bytearray(b"\r\n")  # the first boundary may be the first line

    def skip(self, end: bytes) -> None:
        """Take all up to an end."""
        for _ in self.pieces(end):
            pass

    def pieces(self, end: bytes) -> Iterator[bytes]:
        """All up to an end, as it comes."""
        while (at := self._rest.find(end)) < 0:
            whole = len(self._rest) - len(end) + 1  # the end may have begun behind that
            if whole > 0:
                yield bytes(self._rest[:whole])
                del self._rest[:whole]
            self._more()
        if at:
            yield bytes(self._rest[:at])
        del self._rest[: at + len(end)]

    def take(self, number: int) -> bytes:
        """So many bytes."""
        while len(self._rest) < number:
            self._more()
        taken = bytes(self._rest[:number])
        del self._rest[:number]
        return taken

    def head(self) -> Message:
        """The header fields of a part, which may have none."""
        head = bytearray()
        while not head.endswith(b"\r\n\r\n") and head != b"\r\n":
            if len(head) > _LONGEST_HEAD:
                raise BodyMalformed("a part of the body has no head that ends; send it again")
            head += self.take(1)
        return HeaderParser().parsestr(head.decode("latin-1"))

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise BodyMalformed("the body ends before its last boundary; send it again")
        self._rest += chunk

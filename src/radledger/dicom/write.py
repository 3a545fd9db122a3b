"""Write an instance with a new header around the pixel data of a file that is open."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from .encoded import encoded_data_set
from .errors import MalformedDicom, TruncatedDicom
from .read import DicomHeader
from .source import DicomSource, encoding_of
from .structure import Element, Encoding

__all__ = ["Written", "write_instance"]

_IMPLEMENTATION = "2.25.223171385262043129047412236229473214069"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes and SHA-256 of what was written."""

    size: int
    digest: bytes


class _Sink(Protocol):
    def write(self, data: bytes) -> None: ...


class _Hashing:
    """Passes bytes on and takes their digest."""

    def __init__(self, target: BinaryIO) -> None:
        self._target, self.size, self.hash = target, 0, hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._target.write(data)
        self.hash.update(data)
        self.size += len(data)


class _Deflating:
    """Deflates what passes (PS3.5 section A.5)."""

    def __init__(self, target: _Sink) -> None:
        self._target, self._size = target, 0
        self._packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)

    def write(self, data: bytes) -> None:
        self._pass(self._packer.compress(data))

    def close(self) -> None:
        self._pass(self._packer.flush())
        self._pass(bytes(self._size % 2))

    def _pass(self, packed: bytes) -> None:
        self._size += len(packed)
        self._target.write(packed)


def write_instance(
    source: DicomSource,
    header: DicomHeader,
    sop_class: str,
    sop_instance: str,
    target: Path | BinaryIO,
) -> Written:
    """Write ``source.dataset`` and the source's pixel data in the source's transfer syntax.

    Parameters
    ----------
    source, header
        The open file; its data set may have been changed.
    sop_class, sop_instance
        For the file meta information, which is written anew.
    target
        A path, which appears only when complete, or a stream.

    Raises
    ------
    MalformedDicom
        When pydicom cannot encode the header.
    TruncatedDicom
        When the source became shorter while it was read.
    """
    encoding = encoding_of(source.transfer_syntax)
    start = _meta(sop_class, sop_instance, source.transfer_syntax)
    data_set = _data_set(source, encoding)
    with _opened(target) as stream:
        sink = _Hashing(stream)
        sink.write(bytes(128) + b"DICM" + start)
        body: _Sink = _Deflating(sink) if source.deflated else sink
        body.write(data_set)
        if source.pixels is not None and header.pixels is not None:
            for piece in _pixels(source, source.pixels, header.pixels.native_bytes, encoding):
                body.write(piece)
        if isinstance(body, _Deflating):
            body.close()
    return Written(sink.size, sink.hash.digest())


@contextmanager
def _opened(target: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(target, Path):
        yield target
        return
    part = target.with_name(f".{target.name[:200]}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        os.replace(part, target)  # noqa: PTH105 - Path.replace() is the same call
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _meta(sop_class: str, sop_instance: str, syntax: str) -> bytes:
    """File meta information: PS3.10 section 7.1, explicit little endian."""
    elements = (
        struct.pack("<HH2sHI2s", 2, 0x0001, b"OB", 0, 2, b"\0\1"),
        _meta_text(0x0002, b"UI", sop_class),
        _meta_text(0x0003, b"UI", sop_instance),
        _meta_text(0x0010, b"UI", syntax),
        _meta_text(0x0012, b"UI", _IMPLEMENTATION),
        _meta_text(0x0013, b"SH", "RADLEDGER"),
    )
    group = b"".join(elements)
    return struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(group)) + group


def _meta_text(element: int, vr: bytes, text: str) -> bytes:
    value = text.encode("ascii")
    value += (b" " if vr == b"SH" else b"\0") * (len(value) % 2)
    return struct.pack("<HH2sH", 2, element, vr, len(value)) + value


def _data_set(source: DicomSource, encoding: Encoding) -> bytes:
    try:
        return encoded_data_set(source.dataset, encoding)
    except (
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        struct.error,
        OverflowError,
        NotImplementedError,
    ) as error:
        raise MalformedDicom(
            f"pydicom cannot write the header: {str(error)[:200]}; export the file again",
            cause=str(error)[:200],
        ) from error


def _pixels(
    source: DicomSource, element: Element, native_bytes: int, encoding: Encoding
) -> Iterator[bytes]:
    encapsulated = element.fragments is not None
    # bytes beyond the last pixel mean nothing and could say anything
    length = (
        element.length if encapsulated else min(element.length, native_bytes + native_bytes % 2)
    )
    stated = 0xFFFFFFFF if encapsulated else length + length % 2
    if not encapsulated and stated >= 0xFFFFFFFF:
        raise MalformedDicom("the pixel data is longer than an element may be", size=stated)
    tag = struct.pack(encoding.order + "HH", element.tag >> 16, element.tag & 0xFFFF)
    if encoding.implicit:
        yield tag + struct.pack(encoding.order + "I", stated)
    else:
        vr = (
            element.vr if element.vr in ("OB", "OW", "OF", "OD") else "OB" if encapsulated else "OW"
        )
        yield tag + vr.encode("ascii") + bytes(2) + struct.pack(encoding.order + "I", stated)
    source.stream.seek(element.value)
    left = length
    while left:
        piece: Any = source.stream.read(min(left, _PIECE))
        if not piece:
            raise TruncatedDicom("the file became shorter while it was read", needed=left)
        left -= len(piece)
        yield piece
    if not encapsulated:
        yield bytes(length % 2)

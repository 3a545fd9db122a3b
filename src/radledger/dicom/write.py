"""Write an instance with a new header around the pixel data of a file that is open."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from radledger.dicom.encoded import encoded_data_set
from radledger.dicom.errors import MalformedDicom
from radledger.dicom.image import ImagePixels
from radledger.dicom.native import cleared
from radledger.dicom.pixels import FrameReader, stored_pieces
from radledger.dicom.read import DicomHeader
from radledger.dicom.source import DicomSource, encoding_of
from radledger.dicom.structure import ITEM, SEQUENCE_END, UNDEFINED, Element, Encoding
from radledger.dicom.video import is_video
from radledger.texts import one_line

__all__ = ["Written", "write_instance"]

_IMPLEMENTATION = "2.25.223171385262043129047412236229473214069"


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
    target: BinaryIO,
) -> Written:
    """Write ``source.dataset`` and the source's pixels in the source's transfer syntax.

    Parameters
    ----------
    source, header
        The open file; its data set may have been changed.
    sop_class, sop_instance
        For the file meta information, which is replaced.
    target
        Where to write.

    Raises
    ------
    MalformedDicom
        When pydicom cannot encode the header, or the pixel data is not what its attributes say.
    PixelsUnreadable
        When nothing says which bytes of the pixel data are picture.
    TruncatedDicom
        When the source became shorter while it was read.
    """
    encoding = encoding_of(source.transfer_syntax)
    start = _meta(sop_class, sop_instance, source.transfer_syntax)
    data_set = _data_set(source, encoding)
    sink = _Hashing(target)
    sink.write(bytes(128) + b"DICM" + start)
    body: _Sink = _Deflating(sink) if source.deflated else sink
    body.write(data_set)
    if source.pixels is not None and header.pixels is not None:
        for piece in _pixels(source, source.pixels, header.pixels, encoding):
            body.write(piece)
    if isinstance(body, _Deflating):
        body.close()
    return Written(sink.size, sink.hash.digest())


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
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # pydicom raises what values provoke
        raise MalformedDicom(
            f"pydicom cannot write the header: {one_line(error)}; export the file again",
            cause=one_line(error),
        ) from error


def _pixels(
    source: DicomSource, element: Element, pixels: ImagePixels, encoding: Encoding
) -> Iterator[bytes]:
    encapsulated = element.fragments is not None
    length = UNDEFINED if encapsulated else pixels.native_bytes + pixels.native_bytes % 2
    if not encapsulated and length >= UNDEFINED:
        raise MalformedDicom("the pixel data is longer than an element may be", size=length)
    tag = struct.pack(encoding.order + "HH", element.tag >> 16, element.tag & 0xFFFF)
    if encoding.implicit:
        yield tag + struct.pack(encoding.order + "I", length)
    else:
        vr = (
            element.vr if element.vr in ("OB", "OW", "OF", "OD") else "OB" if encapsulated else "OW"
        )
        yield tag + vr.encode("ascii") + bytes(2) + struct.pack(encoding.order + "I", length)
    if not encapsulated:
        yield from cleared(source, element, pixels)
        return
    # without an offset table: frames have one fragment each, and other lengths than before
    yield _item(ITEM, 0)
    if is_video(source.transfer_syntax):
        yield from _fragments(source, element)
    else:
        reader = FrameReader(source, pixels)
        for index in range(pixels.frames):
            frame = reader.stored(index)
            yield _item(ITEM, len(frame)) + frame
    yield _item(SEQUENCE_END, 0)


def _fragments(source: DicomSource, element: Element) -> Iterator[bytes]:
    """The fragments of a video as they are, which no decoder here takes apart."""
    for start, length in (element.fragments or ())[1:]:
        yield _item(ITEM, length + length % 2)
        yield from stored_pieces(source, start, length)
        yield bytes(length % 2)


def _item(tag: int, length: int) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length)

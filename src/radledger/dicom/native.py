"""Native pixels: read in one canonical form, and with nothing in the bits beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radledger.dicom.errors import PixelsUnreadable
from radledger.dicom.image import ImagePixels
from radledger.dicom.source import DicomSource
from radledger.dicom.structure import Element

__all__ = ["canonical", "cleared", "native_frame", "native_samples", "stored_bits"]

_PIECE = 1 << 20


def native_frame(source: DicomSource, pixels: ImagePixels, index: int) -> NDArray[Any]:
    """One frame of native pixels, in the shape and kind of numbers that `decode_frame` gives.

    Raises
    ------
    PixelsUnreadable
        When the pixels are of a kind that is not decoded.
    """
    one = replace(pixels, frames=1)
    element = source.pixels
    if element is None:
        raise PixelsUnreadable("the object has no pixel data")
    if pixels.bits_allocated == 1:
        # frames of single bits do not begin at whole bytes
        first = index * pixels.pixels
        last = first + pixels.pixels
        packed = _array(source, element, first // 8, (last + 7) // 8 - first // 8, "u1")
        bits = np.unpackbits(packed, bitorder="little")[first % 8 :][: pixels.pixels]
        return bits.reshape(pixels.rows, pixels.columns)
    start = element.value + index * one.native_bytes
    frame = replace(element, value=start, end=start + one.native_bytes)
    width = next(size for size in (1, 2, 4, 8) if pixels.bits_stored <= 8 * size)
    kind = f"<f{width}" if pixels.floating else f"<{'i' if pixels.signed else 'u'}{width}"
    samples = np.frombuffer(b"".join(native_samples(source, frame, one)), kind)
    shape = (pixels.rows, pixels.columns, pixels.samples)
    return samples.reshape(shape if pixels.samples > 1 else shape[:2])


def native_samples(source: DicomSource, element: Element, pixels: ImagePixels) -> Iterator[bytes]:
    """All samples in canonical form, in pieces of about a megabyte.

    Raises
    ------
    PixelsUnreadable
        When the pixels are of a kind that is not decoded, or the file became shorter.
    """
    total = pixels.native_bytes
    if pixels.bits_allocated == 1 and pixels.samples == 1:
        yield from _bits(source, element, pixels)
    elif pixels.subsampled and pixels.bits_allocated == 8 and total % 4 == 0:
        for start in range(0, total, _PIECE):
            pairs = _array(source, element, start, min(_PIECE, total - start), "u1")
            written_out = np.take(pairs.reshape(-1, 4), (0, 2, 3, 1, 2, 3), axis=1)
            yield canonical(written_out.reshape(-1), pixels)
    elif pixels.bits_allocated in (8, 16, 32, 64) and not pixels.subsampled:
        kind = f"{source.encoding.order}u{pixels.bits_allocated // 8}"
        if pixels.planar:
            yield from _planes(source, element, pixels, kind)
            return
        for start in range(0, total, _PIECE):
            samples = _array(source, element, start, min(_PIECE, total - start), kind)
            yield canonical(samples, pixels)
    else:
        raise PixelsUnreadable(
            f"native pixels of {pixels.bits_allocated} bits are not decoded",
            bits_allocated=pixels.bits_allocated,
            photometric=pixels.photometric,
        )


def _bits(source: DicomSource, element: Element, pixels: ImagePixels) -> Iterator[bytes]:
    left = pixels.pixels * pixels.frames
    piece = _PIECE // 8
    for start in range(0, pixels.native_bytes, piece):
        packed = _array(source, element, start, min(piece, pixels.native_bytes - start), "u1")
        bits = np.unpackbits(packed, bitorder="little")[:left]
        left -= len(bits)
        yield bits.tobytes()


def _planes(
    source: DicomSource, element: Element, pixels: ImagePixels, kind: str
) -> Iterator[bytes]:
    width = pixels.bits_allocated // 8
    plane = pixels.pixels * width
    for frame in range(pixels.frames):
        base = frame * plane * pixels.samples
        for start in range(0, plane, _PIECE):
            count = min(_PIECE, plane - start)
            planes = [
                _array(source, element, base + sample * plane + start, count, kind)
                for sample in range(pixels.samples)
            ]
            yield canonical(np.stack(planes, axis=1).reshape(-1), pixels)


def _array(
    source: DicomSource, element: Element, start: int, count: int, kind: str
) -> NDArray[Any]:
    swapped = kind[-1] == "1" and _swapped(source, element)
    first, last = (start & ~1, (start + count + 1) & ~1) if swapped else (start, start + count)
    source.stream.seek(element.value + first)
    data = source.stream.read(last - first)
    if swapped:
        data = np.frombuffer(data, "<u2").byteswap().tobytes()[start - first :][:count]
    if len(data) < count:
        raise PixelsUnreadable("the file became shorter while it was read", missing=count)
    return np.frombuffer(data, kind)


def _swapped(source: DicomSource, element: Element) -> bool:
    """Whether bytes were written as big-endian words, in swapped pairs (PS3.5 section 8.2)."""
    return not source.encoding.little and element.vr == "OW"


def canonical(samples: NDArray[Any], pixels: ImagePixels) -> bytes:
    """Stored samples as little-endian numbers of the fewest bytes that hold Bits Stored."""
    stored = pixels.bits_stored
    width = next(size for size in (1, 2, 4, 8) if stored <= 8 * size)
    if samples.dtype.kind != "u":
        samples = samples.view(f"u{samples.dtype.itemsize}")
    if stored < 8 * samples.dtype.itemsize:
        one = samples.dtype.type(1)
        samples = samples >> samples.dtype.type(pixels.high_bit + 1 - stored)
        samples &= samples.dtype.type((1 << stored) - 1)
        if pixels.signed:
            sign = one << samples.dtype.type(stored - 1)
            samples = (samples ^ sign) - sign
    return samples.astype(f"<u{width}", copy=False).tobytes()


def cleared(source: DicomSource, element: Element, pixels: ImagePixels) -> Iterator[bytes]:
    """Native pixels as they are stored, of an even length, with zeros in all bits that are none.

    Those are the bits above High Bit and below the lowest stored one, and what fills the last
    byte or word.

    Raises
    ------
    PixelsUnreadable
        When the file became shorter.
    """
    total = pixels.native_bytes
    size = total + total % 2
    for start in range(0, size, _PIECE):
        count = min(_PIECE, size - start)
        source.stream.seek(element.value + start)
        data = source.stream.read(count)
        if len(data) == count - 1 and total % 2:
            data += b"\0"  # the writer left the padding out
        if len(data) < count:
            raise PixelsUnreadable("the file became shorter while it was read", missing=count)
        data = _masked(data, source, pixels)
        if start + count == size and (total % 2 or pixels.bits_allocated == 1):
            data = _ended(bytearray(data), start, _swapped(source, element), pixels)
        yield data


def stored_bits(pixels: ImagePixels) -> int:
    """The bits of a stored sample that are pixel, as a mask."""
    return ((1 << pixels.bits_stored) - 1) << (pixels.high_bit + 1 - pixels.bits_stored)


def _masked(data: bytes, source: DicomSource, pixels: ImagePixels) -> bytes:
    bits = pixels.bits_allocated
    if pixels.bits_stored == bits or bits not in (8, 16, 32, 64):
        return data
    samples = np.frombuffer(data, f"{source.encoding.order}u{bits // 8}")
    masked: NDArray[Any] = samples & samples.dtype.type(stored_bits(pixels))
    return masked.astype(samples.dtype, copy=False).tobytes()  # in the byte order of the file


def _ended(data: bytearray, start: int, swapped: bool, pixels: ImagePixels) -> bytes:
    total, bits = pixels.native_bytes, pixels.pixels * pixels.frames * pixels.samples
    if total % 2:
        data[(total ^ swapped) - start] = 0
    if pixels.bits_allocated == 1 and bits % 8:
        data[(total - 1 ^ swapped) - start] &= (1 << bits % 8) - 1
    return bytes(data)

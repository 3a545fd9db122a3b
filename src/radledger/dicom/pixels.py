"""Decoded pixels in one canonical form, a piece at a time.

Native pixels are read in pieces of about a megabyte, compressed ones frame by frame, so that
a file of any size passes in flat memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from .codestream import check_claims
from .errors import PixelsUnreadable
from .image import ImagePixels
from .source import DicomSource
from .structure import Element

__all__ = [
    "EXACT_DECODING",
    "canonical_photometric",
    "canonical_samples",
    "codestream",
    "decode_frame",
    "frame_codestream",
    "native_frame",
]

EXACT_DECODING = {
    "1.2.840.10008.1.2.5": "pylibjpeg",  # RLE
    "1.2.840.10008.1.2.4.57": "gdcm",  # JPEG lossless, process 14
    "1.2.840.10008.1.2.4.70": "gdcm",  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.80": "pyjpegls",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.81": "pyjpegls",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.90": "pylibjpeg",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.201": "pylibjpeg",  # high-throughput JPEG 2000 lossless
    "1.2.840.10008.1.2.4.202": "pylibjpeg",  # the same with RPCL
}
"""Compressed transfer syntaxes whose decoding is fixed to the bit, and who decodes them."""

_PIECE = 1 << 20
_FRAME_OVERHEAD = 1 << 20


def canonical_photometric(pixels: ImagePixels) -> str:
    """The photometric interpretation of the decoded samples.

    The colour transforms of JPEG 2000 are undone by its decoder; halved chrominance is
    written out.
    """
    if pixels.photometric in ("YBR_RCT", "YBR_ICT"):
        return "RGB"
    return pixels.photometric.removesuffix("_422") if pixels.subsampled else pixels.photometric


def canonical_samples(source: DicomSource, pixels: ImagePixels) -> Iterator[bytes]:
    """All samples of all frames, by frame, row, column and sample.

    Yields
    ------
    bytes
        Little-endian numbers of 1, 2, 4 or 8 bytes, the fewest that hold Bits Stored, two's
        complement where signed; floats as they are.

    Raises
    ------
    PixelsUnreadable
        When they cannot be decoded; some pieces may have come by then.
    """
    element = source.pixels
    if element is None:
        raise PixelsUnreadable("the object has no pixel data")
    if element.fragments is None:
        yield from _native(source, element, pixels)
        return
    for index in range(pixels.frames):
        frame = decode_frame(source, pixels, index, EXACT_DECODING.get(source.transfer_syntax))
        yield _canonical(frame.reshape(-1), pixels)


def codestream(source: DicomSource) -> Iterator[bytes]:
    """The pixel data's bytes as they are stored, without item headers and offset table.

    Raises
    ------
    PixelsUnreadable
        If the file became shorter since it was opened.
    """
    element = source.pixels
    if element is None:
        return
    spans = [(element.value, element.length)]
    if element.fragments is not None:
        spans = list(element.fragments[1:])
    for start, length in spans:
        source.stream.seek(start)
        while length:
            piece = source.stream.read(min(length, _PIECE))
            if not piece:
                raise PixelsUnreadable("the file became shorter while it was read")
            length -= len(piece)
            yield piece


# -- compressed -------------------------------------------------------------------------------


def decode_frame(
    source: DicomSource, pixels: ImagePixels, index: int, plugin: str | None
) -> NDArray[Any]:
    """Decode one compressed frame after its claims have been checked.

    Parameters
    ----------
    source, pixels
        The open file.
    index
        Which frame, from 0.
    plugin
        Name of pydicom's decoding plugin; None for any.

    Returns
    -------
    ndarray
        Shape (rows, columns) or (rows, columns, samples), as decoded, no colour conversion.

    Raises
    ------
    PixelsUnreadable
        When the frame cannot be found or decoded, or claims another size.
    """
    frame = frame_codestream(source, pixels, index)
    check_claims(frame, source.transfer_syntax, pixels)
    options: dict[str, Any] = {
        "rows": pixels.rows,
        "columns": pixels.columns,
        "number_of_frames": 1,
        "samples_per_pixel": pixels.samples,
        "bits_allocated": pixels.bits_allocated,
        "bits_stored": pixels.bits_stored,
        "photometric_interpretation": pixels.photometric,
        "pixel_representation": int(pixels.signed),
        "planar_configuration": int(pixels.planar),
        "pixel_keyword": "PixelData",
    }
    try:
        array, _ = get_decoder(UID(source.transfer_syntax)).as_array(
            encapsulate([frame]), raw=True, decoding_plugin=plugin or "", **options
        )
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever the codestream provokes
        raise PixelsUnreadable(
            f"frame {index + 1} cannot be decoded: {str(error)[:200]}",
            frame=index + 1,
            transfer_syntax=source.transfer_syntax,
        ) from error
    return array


def frame_codestream(source: DicomSource, pixels: ImagePixels, index: int) -> bytes:
    """The bytes of one compressed frame, its fragments joined (PS3.5 section A.4).

    Raises
    ------
    PixelsUnreadable
        If nothing says which fragments it has, or it is larger than its pixels.
    """
    spans = _frame_fragments(source, pixels.frames, index)
    size = sum(length for _, length in spans)
    # no lossless code grows by more than a quarter; far more is no image
    if size > 2 * pixels.pixels * pixels.samples * pixels.bits_allocated // 8 + _FRAME_OVERHEAD:
        raise PixelsUnreadable("a compressed frame is larger than its pixels", size=size)
    parts = []
    for start, length in spans:
        source.stream.seek(start)
        parts.append(source.stream.read(length))
    return b"".join(parts)


def _frame_fragments(source: DicomSource, frames: int, index: int) -> list[tuple[int, int]]:
    element = source.pixels
    if element is None or element.fragments is None:
        raise PixelsUnreadable("the object has no compressed frames")
    table, *items = element.fragments
    items = [item for item in items if item[1]]
    if frames == 1:
        return items
    if len(items) == frames:
        return [items[index]]
    starts = _offsets(source, table)
    if len(starts) != frames:
        raise PixelsUnreadable(
            "nothing says which fragments make which frame", fragments=len(items), frames=frames
        )
    first_item = table[0] + table[1]
    begin = first_item + starts[index]
    end = first_item + starts[index + 1] if index + 1 < frames else element.end
    return [item for item in items if begin <= item[0] - 8 < end]


def _offsets(source: DicomSource, table: tuple[int, int]) -> tuple[int, ...]:
    extended = source.dataset.get("ExtendedOffsetTable")
    if isinstance(extended, bytes) and len(extended) % 8 == 0:
        return struct.unpack(f"<{len(extended) // 8}Q", extended)
    source.stream.seek(table[0])
    basic = source.stream.read(table[1] & ~3)
    return struct.unpack(f"<{len(basic) // 4}I", basic)


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
    samples = np.frombuffer(b"".join(_native(source, frame, one)), kind)
    shape = (pixels.rows, pixels.columns, pixels.samples)
    return samples.reshape(shape if pixels.samples > 1 else shape[:2])


# -- native -----------------------------------------------------------------------------------


def _native(source: DicomSource, element: Element, pixels: ImagePixels) -> Iterator[bytes]:
    total = pixels.native_bytes
    if pixels.bits_allocated == 1 and pixels.samples == 1:
        yield from _bits(source, element, pixels)
    elif pixels.subsampled and pixels.bits_allocated == 8 and total % 4 == 0:
        for start in range(0, total, _PIECE):
            pairs = _array(source, element, start, min(_PIECE, total - start), "u1")
            yield np.take(pairs.reshape(-1, 4), (0, 2, 3, 1, 2, 3), axis=1).tobytes()
    elif pixels.bits_allocated in (8, 16, 32, 64) and not pixels.subsampled:
        kind = f"{source.encoding.order}u{pixels.bits_allocated // 8}"
        if pixels.planar:
            yield from _planes(source, element, pixels, kind)
            return
        for start in range(0, total, _PIECE):
            samples = _array(source, element, start, min(_PIECE, total - start), kind)
            yield _canonical(samples, pixels)
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
            yield _canonical(np.stack(planes, axis=1).reshape(-1), pixels)


def _array(
    source: DicomSource, element: Element, start: int, count: int, kind: str
) -> NDArray[Any]:
    # bytes that were written as big-endian words stand in swapped pairs (PS3.5 section 8.2)
    swapped = kind[-1] == "1" and not source.encoding.little and element.vr == "OW"
    first, last = (start & ~1, (start + count + 1) & ~1) if swapped else (start, start + count)
    source.stream.seek(element.value + first)
    data = source.stream.read(last - first)
    if swapped:
        data = np.frombuffer(data, "<u2").byteswap().tobytes()[start - first :][:count]
    if len(data) < count:
        raise PixelsUnreadable("the file became shorter while it was read", missing=count)
    return np.frombuffer(data, kind)


def _canonical(samples: NDArray[Any], pixels: ImagePixels) -> bytes:
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

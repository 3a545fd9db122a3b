"""Single frames of an open file as they are sent to others: PS3.18 section 8.7.3."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radledger.dicom.errors import DicomTooLarge, PixelsUnreadable
from radledger.dicom.image import ImagePixels
from radledger.dicom.limits import MAX_FRAME_SAMPLES
from radledger.dicom.native import native_frame
from radledger.dicom.pixels import FrameReader
from radledger.dicom.source import DicomSource

__all__ = ["MEDIA_TYPES", "FrameExchange"]

_JPEG = "1.2.840.10008.1.2.4"
MEDIA_TYPES = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    **{f"{_JPEG}.{last}": "image/jpeg" for last in (50, 51, 53, 55, 57, 70)},
    **{f"{_JPEG}.{last}": "image/jls" for last in (80, 81)},
    **{f"{_JPEG}.{last}": "image/jp2" for last in (90, 91)},
    **{f"{_JPEG}.{last}": "image/jpx" for last in (92, 93)},
    **{f"{_JPEG}.{last}": "image/jphc" for last in (201, 202, 203)},
    **{f"{_JPEG}.{last}": "image/jxl" for last in (110, 111, 112)},
}
"""Media type of a frame in each compressed transfer syntax: PS3.18 table 8.7.3-5."""

_BYTE = 8


class FrameExchange:
    """The frames of an open file, to be sent; where each is, is found once.

    Parameters
    ----------
    source, pixels
        The file, and what it says of its pixels.
    """

    def __init__(self, source: DicomSource, pixels: ImagePixels) -> None:
        self._source, self._pixels = source, pixels

    @property
    def can_be_plain(self) -> bool:
        """Whether `plain` gives what the header describes.

        It does not where decoding changes the photometric interpretation, as that of JPEG 2000 in
        colour does: the header would call RGB what is YBR to its reader.
        """
        return self._source.native or self._pixels.decoded_photometric == self._pixels.photometric

    def plain(self, index: int) -> bytes:
        """A frame without compression, as Explicit VR Little Endian stores it.

        Parameters
        ----------
        index
            Which frame, from 0.  One of single bits begins at a whole byte.

        Raises
        ------
        PixelsUnreadable, MalformedDicom
            When it cannot be found or decoded.
        DicomTooLarge
            When it has more samples than are decoded.
        """
        source, pixels = self._source, self._pixels
        one = replace(pixels, frames=1)
        if pixels.pixels * pixels.samples > MAX_FRAME_SAMPLES:
            raise DicomTooLarge(
                f"a frame of more than {MAX_FRAME_SAMPLES} samples is not sent by itself; get the "
                "whole instance",
                samples=pixels.pixels * pixels.samples,
                limit=MAX_FRAME_SAMPLES,
            )
        if source.native and source.encoding.little and pixels.bits_allocated != 1:
            return _slice(source, index * one.native_bytes, one.native_bytes)
        samples = native_frame(source, pixels, index) if source.native else self._decoded(index)
        if pixels.bits_allocated == 1:
            return np.packbits(samples.reshape(-1).astype(np.uint8), bitorder="little").tobytes()
        if pixels.planar:
            samples = np.moveaxis(samples, -1, 0)
        kind = samples.dtype.kind
        return samples.astype(f"<{kind}{pixels.bits_allocated // _BYTE}").tobytes()

    def stored(self, index: int) -> bytes:
        """A frame of a compressed file as it is stored, its fragments joined.

        Raises
        ------
        PixelsUnreadable, MalformedDicom
            When nothing says where it is.
        """
        return self._reader.raw(index)

    def _decoded(self, index: int) -> NDArray[Any]:
        samples = self._reader.read(index, self.stored(index)).samples
        if samples is None:
            raise PixelsUnreadable("the frame is too large to be decoded")
        return samples

    @cached_property
    def _reader(self) -> FrameReader:
        return FrameReader(self._source, self._pixels)


def _slice(source: DicomSource, start: int, length: int) -> bytes:
    if source.pixels is None:
        raise PixelsUnreadable("the object has no pixel data")
    source.stream.seek(source.pixels.value + start)
    data = source.stream.read(length)
    if len(data) < length:
        raise PixelsUnreadable("the file became shorter while it was read", missing=length)
    return data

"""Pixels of a file: decoded, in one canonical form, a piece at a time.

Native pixels are read in pieces of about a megabyte, compressed ones frame by frame, so that
a file of any number of frames passes in flat memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from radledger.dicom.codestream import RLE, is_jpeg
from radledger.dicom.errors import PixelsUnreadable
from radledger.dicom.frames import Frames
from radledger.dicom.image import ImagePixels
from radledger.dicom.limits import MAX_FRAME_SAMPLES
from radledger.dicom.native import canonical, stored_bits
from radledger.dicom.rle import decoded_bits, encoded, trimmed
from radledger.dicom.source import DicomSource, name_of
from radledger.texts import one_line

__all__ = [
    "EXACT_DECODING",
    "Frame",
    "FrameReader",
    "decode_frame",
    "hidden_bits",
    "is_exact",
    "stored_bytes",
    "stored_pieces",
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

_BASELINE, _EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
# spectral selection and full progression; PS3.5 had them until 2004
_RETIRED = frozenset({"1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"})
_BYTE = 8
_ALL_FAILED = "Unable to decode as exceptions were raised by all available plugins: "
_PIECE = 1 << 20


def is_exact(source: DicomSource, pixels: ImagePixels) -> bool:
    """Whether all decoders give the same pixels to the bit."""
    return source.native or (source.transfer_syntax in EXACT_DECODING and _is_decoded(pixels))


def _is_decoded(pixels: ImagePixels) -> bool:
    return pixels.pixels * pixels.samples <= MAX_FRAME_SAMPLES


def stored_bytes(source: DicomSource) -> Iterator[bytes]:
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
        yield from stored_pieces(source, start, length)


def stored_pieces(source: DicomSource, start: int, length: int) -> Iterator[bytes]:
    """Some bytes of the file, in pieces.

    Raises
    ------
    PixelsUnreadable
        If the file became shorter since it was opened.
    """
    source.stream.seek(start)
    while length:
        piece = source.stream.read(min(length, _PIECE))
        if not piece:
            raise PixelsUnreadable("the file became shorter while it was read")
        length -= len(piece)
        yield piece


@dataclass(frozen=True, slots=True)
class Frame:
    """One compressed frame.

    Attributes
    ----------
    data
        Its codestream with nothing but picture in it, as far as its format is known.
    samples
        As the decoder gives them, in shape (rows, columns) or (rows, columns, samples), without
        any conversion; None for a frame that is too large to be decoded.
    """

    data: bytes
    samples: NDArray[Any] | None


class FrameReader:
    """The frames of an open file with compressed pixels, cleaned and decoded.

    Parameters and what it raises are those of `Frames`.
    """

    def __init__(self, source: DicomSource, pixels: ImagePixels) -> None:
        self._source, self._pixels = source, pixels
        self._frames = Frames(source, pixels)
        self._exact = is_exact(source, pixels)

    def raw(self, index: int) -> bytes:
        """The bytes of a frame as they are stored.

        Raises
        ------
        PixelsUnreadable
            If they are more than the frame can have.
        """
        return self._frames.read(index)

    def read(self, index: int, raw: bytes) -> Frame:
        """Clean and decode a frame.

        Raises
        ------
        PixelsUnreadable
            When it is cut, damaged, of another transfer syntax or size, or cannot be decoded.
        MalformedDicom
            When it holds more than one codestream.
        """
        syntax, pixels = self._source.transfer_syntax, self._pixels
        data = self._frames.codestream(index, raw) if is_jpeg(syntax) else raw
        if not _is_decoded(pixels):
            return Frame(data, None)
        plugin = EXACT_DECODING.get(syntax, "")
        rle = syntax == RLE
        try:
            stored = trimmed(raw, pixels) if rle else raw
            return Frame(data, _decoded(stored, syntax, pixels, index, plugin))
        except PixelsUnreadable:
            if not rle and data == raw:
                raise
            # what follows the last pixel of a segment disturbs the decoder
            stored = trimmed(raw, pixels, whole=True) if rle else data
            return Frame(data, _decoded(stored, syntax, pixels, index, plugin))

    def counted(self, frame: Frame) -> bytes:
        """What the image digest takes of a frame: its samples where decoding is exact."""
        return self.seen(frame) if self._exact else frame.data

    def seen(self, frame: Frame) -> bytes:
        """What a viewer makes of a frame: its samples, or its codestream where it is too large."""
        if frame.samples is None:
            return frame.data
        return canonical(frame.samples.reshape(-1), self._pixels)

    def stored(self, index: int) -> bytes:
        """A frame as a copy stores it, with nothing in it but picture.

        Raises
        ------
        PixelsUnreadable, MalformedDicom
            As `read` does.
        """
        raw = self.raw(index)
        if is_jpeg(self._source.transfer_syntax):
            return self._frames.codestream(index, raw)
        samples = self.read(index, raw).samples
        if samples is None:
            raise PixelsUnreadable(
                f"an RLE frame of more than {MAX_FRAME_SAMPLES} samples cannot be de-identified",
                limit=MAX_FRAME_SAMPLES,
            )
        words = samples.view(f"u{samples.dtype.itemsize}")
        return encoded(words & words.dtype.type(stored_bits(self._pixels)), self._pixels)


def decode_frame(source: DicomSource, pixels: ImagePixels, index: int) -> NDArray[Any]:
    """Decode one compressed frame, to be shown.

    Parameters
    ----------
    source, pixels
        The open file.
    index
        Which frame, from 0.

    Returns
    -------
    ndarray
        Shape (rows, columns) or (rows, columns, samples), no colour conversion.

    Raises
    ------
    PixelsUnreadable
        When the frame cannot be found or decoded, or claims another size.
    MalformedDicom
        When nothing says which fragments make which frame.
    """
    samples = FrameReader(source, pixels)
    frame = samples.read(index, samples.raw(index)).samples
    if frame is None:
        raise PixelsUnreadable(
            f"a compressed frame of more than {MAX_FRAME_SAMPLES} samples is not decoded",
            limit=MAX_FRAME_SAMPLES,
        )
    return frame


def hidden_bits(samples: NDArray[Any], pixels: ImagePixels) -> bool:
    """Whether samples hold more than the bits that Bits Stored and High Bit name."""
    if pixels.bits_stored == 8 * samples.dtype.itemsize:
        return False
    words = samples.view(f"u{samples.dtype.itemsize}")
    beside = words & ~words.dtype.type(stored_bits(pixels))
    if not beside.any():
        return False
    # some decoders extend the sign to the whole word
    sign = words & words.dtype.type(1 << pixels.high_bit)
    above = ~words.dtype.type((2 << pixels.high_bit) - 1)
    return not pixels.signed or bool((beside != np.where(sign, above, 0)).any())


def _decoded(
    frame: bytes, syntax: str, pixels: ImagePixels, index: int, plugin: str
) -> NDArray[Any]:
    if syntax in _RETIRED or (syntax == _EXTENDED and pixels.bits_stored > _BYTE):
        # gdcm decodes these, but pydicom asks it to only under another name
        syntax, plugin = _BASELINE, "gdcm"
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
        "correct_unused_bits": False,
    }
    try:
        if syntax == RLE and pixels.bits_allocated == 1:
            return decoded_bits(frame, pixels)
        array, _ = get_decoder(UID(syntax)).as_array(
            encapsulate([frame]), raw=True, decoding_plugin=plugin, **options
        )
    except MemoryError:
        raise
    except NotImplementedError as error:
        raise PixelsUnreadable(
            f"there is no decoder for {name_of(syntax)}; export the file in another one",
            transfer_syntax=syntax,
        ) from error
    except Exception as error:  # decoders raise whatever the codestream provokes
        raise PixelsUnreadable(
            f"frame {index + 1} cannot be decoded: {_reason(error)}",
            frame=index + 1,
            transfer_syntax=syntax,
        ) from error
    return array


def _reason(error: Exception) -> str:
    """What the decoders say, on one line."""
    said = one_line(error).removeprefix(_ALL_FAILED) or type(error).__name__
    # what gdcm's wrapper makes of pixels that are not there
    return said.replace("'NoneType' object has no attribute 'encode'", "it returned no pixels")

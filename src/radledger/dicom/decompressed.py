"""Whether a file has what another system decompressed from a lossy one, within stated bounds.

The image digest of a lossy file is that of its codestream (:mod:`.digest`), which a decompressed
copy does not have.  Here both are decoded and compared, sample by sample.  Two decoders of one
codestream differ; by how much at most, follows from what they may do:

==========================  ===============================  =====================================
frames                      taken for the same if no sample  taken for changed if one differs by
                            differs by more than             more than
==========================  ===============================  =====================================
JPEG (DCT), gray            2                                2 + 8 · 2^(P-8), with P bits a sample
JPEG (DCT), colour, as RGB  7                                11, in luminance that no RGB value
                                                             at its end makes uncertain
JPEG 2000, gray             2                                never
JPEG 2000, colour           7                                never
==========================  ===============================  =====================================

What is between, and what cannot be compared, is undecided.

*2*: IEEE 1180-1990 asks of an inverse DCT that no sample is further than 1 from the exact one, so
two are within 2.  *7*: as RGB, a blue sample is Y + 1.772 (Cb - 128), so 2 in each
give 2 + 3.6, and 1 for rounding; red and green are below that.  *8*: the fast inverse DCT that
libjpeg offers has constants of 8 bits; four roundings of a factor, each of 2^-9, on an amplitude of
1024 give 8 of 255.  *Luminance*: how halved chrominance is written out is each decoder's choice,
and changes red, green and blue by any amount, but not 0.299 R + 0.587 G + 0.114 B, unless one of
them was cut to 0 or to 255; 1 is for rounding.  *Never*: where in an interval of quantization a
coefficient of JPEG 2000 is reconstructed is each decoder's choice (ITU-T T.800 E.1.1.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from radledger.dicom.digest import meaning_of
from radledger.dicom.image import ImagePixels
from radledger.dicom.limits import MAX_FRAME_SAMPLES
from radledger.dicom.native import canonical, native_frame
from radledger.dicom.pixels import Frame, FrameReader, is_exact
from radledger.dicom.source import DicomSource
from radledger.dicom.video import is_video

__all__ = ["Comparison", "compared"]

_DCT = frozenset(f"1.2.840.10008.1.2.4.{last}" for last in (50, 51, 53, 55))
_SAME, _SAME_COLOUR = 2, 7
_FAST, _ROUNDED = 8, 1
_PIECE = 1 << 19  # samples that are compared at once
_SIZE = ("rows", "columns", "frames", "samples", "floating")
_KIND = ("bits_stored", "signed")
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_TO_RGB = np.array(
    [[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32
)  # PS3.3 section C.7.6.3.1.2

_Samples = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome, and what it rests on, in words."""

    outcome: Literal["same", "changed", "undecided"]
    reason: str


def compared(
    original: DicomSource, ours: ImagePixels, copy: DicomSource, theirs: ImagePixels
) -> Comparison:
    """Compare a file with the lossy one from which it may have been decompressed.

    Parameters
    ----------
    original, ours
        The file that was anchored, and what it says of its pixels.
    copy, theirs
        The other, of which the image digest is another one.

    Raises
    ------
    PixelsUnreadable, MalformedDicom
        If the pixels of one cannot be decoded.
    """
    if is_exact(original, ours):
        return Comparison("changed", "its pixels or their meaning are others")
    if any(getattr(ours, name) != getattr(theirs, name) for name in _SIZE):
        return Comparison("changed", "its size is another")
    if meaning_of(original) != meaning_of(copy):
        return Comparison("changed", "attributes that give its pixels their meaning are others")
    if any(getattr(ours, name) != getattr(theirs, name) for name in _KIND):
        return _undecided("its samples are stored with other bits")
    if any(is_video(each.transfer_syntax) for each in (original, copy)):
        return _undecided("there is no decoder for video here")
    if ours.pixels * ours.samples > MAX_FRAME_SAMPLES:
        return _undecided(f"frames of more than {MAX_FRAME_SAMPLES} samples are not decoded")
    return _of_frames(original, ours, copy, theirs)


def _of_frames(
    original: DicomSource, ours: ImagePixels, copy: DicomSource, theirs: ImagePixels
) -> Comparison:
    reader = FrameReader(original, ours)
    decoded = None if copy.native else FrameReader(copy, theirs)
    rules = _Rules(original.transfer_syntax in _DCT, is_exact(copy, theirs), ours, theirs)
    if not rules.ways:
        return _undecided("its photometric interpretation is another")
    farthest, doubt = 0.0, False
    for index in range(ours.frames):
        frame = reader.read(index, reader.raw(index))
        if decoded is None:
            other = native_frame(copy, theirs, index)
        else:
            other = _numbers(decoded.read(index, decoded.raw(index)).samples, theirs)
        distance, changed = rules.judge(frame, _numbers(frame.samples, ours), other)
        farthest = max(farthest, distance)
        if changed:
            return Comparison(
                "changed",
                f"samples of frame {index + 1} differ from those of the original by more than "
                "decoders do",
            )
        doubt |= distance > rules.same
    if doubt:
        return _undecided(
            f"samples differ from those of the original by up to {farthest:.0f}, which a decoder "
            "or a change may have made"
        )
    return Comparison(
        "same",
        f"decompressed from the lossy original: no sample differs from it by more than "
        f"{farthest:.0f}",
    )


@dataclass(frozen=True, slots=True)
class _Rules:
    """By what distance frames are the same, or changed.

    Attributes
    ----------
    dct
        Whether the original is of the DCT processes of JPEG.
    exact
        Whether the copy's pixels are those that its writer saw.
    ours, theirs
        What original and copy say of their pixels.
    """

    dct: bool
    exact: bool
    ours: ImagePixels
    theirs: ImagePixels

    @property
    def same(self) -> int:
        """How far samples of the same image may differ."""
        return _SAME if self.ours.samples == 1 else _SAME_COLOUR

    @property
    def _most(self) -> float:
        """By how much gray samples or luminance of any two decoders differ."""
        return _SAME + _FAST * 2.0 ** (self.ours.bits_stored - 8)

    def judge(self, frame: Frame, mine: _Samples, other: _Samples) -> tuple[float, bool]:
        """How far the samples of two frames differ, and whether by more than decoders do."""
        ways = self.ways
        distances, changed = [0.0] * len(ways), False
        luminance = self._has_luminance(frame)
        for a, b in _pieces(mine, other):
            for number, (to_ours, to_theirs) in enumerate(ways):
                apart = float(np.abs(_as(a, to_ours) - _as(b, to_theirs)).max())
                distances[number] = max(distances[number], apart)
            changed |= luminance and _luminance_changed(
                a[..., 0], _as(b, self._is_ybr(self.theirs)), self._most + _ROUNDED
            )
        distance = min(distances)
        if self.ours.samples == 1:
            changed = self.dct and distance > self._most
        # What was compressed with loss again is another image, if it is not within the bounds.
        return distance, distance > self.same and (changed or not self.exact)

    @property
    def ways(self) -> list[tuple[bool, bool]]:
        """In which ways to compare: whether samples of either are made RGB from YBR."""
        if self.ours.samples == 1:
            same = self.ours.photometric == self.theirs.photometric
            return [(False, False)] if same else []
        if self.ours.samples != 3:
            return []
        mine, other = self._is_ybr(self.ours), self._is_ybr(self.theirs)
        if mine and other:
            return [(False, False)]
        # A codestream that is called RGB may be YBR, and is decoded as one or as the other.
        called = self.ours.photometric == "RGB" and not other
        return [(mine, other), (True, other)] if called else [(mine, other)]

    def _has_luminance(self, frame: Frame) -> bool:
        """Whether the first component is surely the luminance of what a decoder gives."""
        return (
            self.dct
            and self.ours.samples == 3
            and self.ours.bits_stored == 8
            and not self.ours.signed
            and self._is_ybr(self.ours)
            and _is_ybr_in_codestream(frame.data)
        )

    @staticmethod
    def _is_ybr(pixels: ImagePixels) -> bool:
        return pixels.decoded_photometric.startswith("YBR")


def _luminance_changed(mine: _Samples, rgb: _Samples, most: float) -> bool:
    difference = rgb @ _LUMINANCE - mine
    # What was cut to 0 may have been less, and to 255 more.
    brighter = (difference > most) & (rgb.min(axis=-1) > 0)
    darker = (difference < -most) & (rgb.max(axis=-1) < 255)
    return bool(brighter.any() or darker.any())


def _is_ybr_in_codestream(data: bytes) -> bool:
    """Whether no decoder takes the components of a JPEG codestream for RGB (ITU-T T.872 6.5.3)."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        content = data[at + 4 : at + 2 + length]
        if marker == 0xEE and content[:5] == b"Adobe" and content[11:12] != b"\1":
            return False
        if 0xC0 <= marker <= 0xC2:
            return content[6::3] != b"RGB"
        at += 2 + length
    return False


def _pieces(mine: _Samples, other: _Samples) -> Iterator[tuple[_Samples, _Samples]]:
    """Some rows of both at a time, as numbers that can be subtracted."""
    kind = np.float32 if mine.ndim == 3 else np.float64
    step = max(1, _PIECE // max(1, mine[0].size))
    for start in range(0, len(mine), step):
        rows = slice(start, start + step)
        yield mine[rows].astype(kind), other[rows].astype(kind)


def _as(samples: _Samples, to_rgb: bool) -> _Samples:
    if not to_rgb:
        return samples
    centred = samples - np.array([0, 128, 128], samples.dtype)
    rgb: _Samples = np.clip(centred @ _TO_RGB.T, 0, 255)
    return rgb


def _numbers(samples: _Samples | None, pixels: ImagePixels) -> _Samples:
    """Decoded samples as numbers of the stored bits, in the shape that they have."""
    if samples is None:
        raise AssertionError("frames that are too large were left out")
    width = next(size for size in (1, 2, 4, 8) if pixels.bits_stored <= 8 * size)
    kind = f"<{'i' if pixels.signed else 'u'}{width}"
    return np.frombuffer(canonical(samples.reshape(-1), pixels), kind).reshape(samples.shape)


def _undecided(why: str) -> Comparison:
    return Comparison("undecided", f"{why}, so whether it was changed is open")

"""What an image data set says about its pixels: PS3.3 C.7.6.3, checked before it is used."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from radledger.dicom.errors import MalformedDicom
from radledger.dicom.values import value_of

__all__ = ["Codestream", "ImagePixels"]

_FLOAT_BITS = {0x7FE00008: 32, 0x7FE00009: 64}


@dataclass(frozen=True, slots=True)
class ImagePixels:
    """The Image Pixel attributes, as numbers that have been checked.

    Attributes
    ----------
    rows, columns, frames, samples
        At least 1 each.
    bits_allocated, bits_stored, high_bit
        In bits; for float pixels all of one sample.
    photometric
        Photometric Interpretation, such as ``MONOCHROME2``.
    planar
        Colour by plane instead of by pixel.
    """

    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    floating: bool
    photometric: str
    planar: bool

    @classmethod
    def of(cls, dataset: Dataset, tag: int) -> ImagePixels:
        """Read and check the attributes that describe the pixel element `tag`.

        Raises
        ------
        MalformedDicom
            When one is missing or impossible; values hold its keyword and value.
        """
        samples = _number(dataset, "SamplesPerPixel", 1, 4, default=1)
        floating = tag in _FLOAT_BITS
        bits = _FLOAT_BITS.get(tag) or _number(dataset, "BitsAllocated", 1, 64)
        stored = bits if floating else _number(dataset, "BitsStored", 1, bits, default=bits)
        return cls(
            rows=_number(dataset, "Rows", 1, 0xFFFF),
            columns=_number(dataset, "Columns", 1, 0xFFFF),
            frames=_number(dataset, "NumberOfFrames", 1, (1 << 31) - 1, default=1),
            samples=samples,
            bits_allocated=bits,
            bits_stored=stored,
            high_bit=_number(dataset, "HighBit", stored - 1, bits - 1, default=stored - 1),
            signed=_number(dataset, "PixelRepresentation", 0, 1, default=0) == 1,
            floating=floating,
            photometric=str(
                value_of(dataset, "PhotometricInterpretation") or "MONOCHROME2"
            ).strip(),
            planar=samples > 1 and _number(dataset, "PlanarConfiguration", 0, 1, default=0) == 1,
        )

    @property
    def pixels(self) -> int:
        """Pixels of one frame."""
        return self.rows * self.columns

    @property
    def subsampled(self) -> bool:
        """Whether native chrominance is halved: two bytes for each pixel (C.7.6.3.1.2)."""
        return self.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422") and self.samples == 3

    @property
    def decoded_photometric(self) -> str:
        """The photometric interpretation of the decoded samples.

        The colour transforms of JPEG 2000 are undone by its decoder; halved chrominance is
        written out.
        """
        if self.photometric in ("YBR_RCT", "YBR_ICT"):
            return "RGB"
        return self.photometric.removesuffix("_422") if self.subsampled else self.photometric

    @property
    def native_bytes(self) -> int:
        """Bytes of all frames in a native transfer syntax, without padding."""
        samples = 2 if self.subsampled else self.samples
        return (self.pixels * self.frames * samples * self.bits_allocated + 7) // 8


@dataclass(frozen=True, slots=True)
class Codestream:
    """A compressed frame of which nothing is left but picture, and what it claims of itself.

    Attributes
    ----------
    data
        Its bytes.
    end
        Where it ended in the frame that it was made from.
    rows, columns, samples, precision
        Of its header; `precision` in bits.
    """

    data: bytes
    end: int
    rows: int
    columns: int
    samples: int
    precision: int


def _number(
    dataset: Dataset, keyword: str, least: int, most: int, default: int | None = None
) -> int:
    try:
        value = value_of(dataset, keyword)
        if value in (None, "") and default is not None:
            return default
        number = int(value)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise MalformedDicom(
            f"{keyword} is missing or no number; export the file again", attribute=keyword
        ) from error
    if not least <= number <= most:
        raise MalformedDicom(
            f"{keyword} is {number}, which no image can have; export the file again",
            attribute=keyword,
            value=number,
            least=least,
            most=most,
        )
    return number

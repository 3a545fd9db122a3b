"""Whether a copy of an image is the same image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import BinaryIO

from pydicom.datadict import keyword_for_tag

from radledger.dicom.canonical import Json, attributes
from radledger.dicom.coding import is_public_code
from radledger.dicom.digest import started
from radledger.dicom.errors import DicomError, ImageChanged, MalformedDicom
from radledger.dicom.image import ImagePixels
from radledger.dicom.keywords import CODES, DEPENDED_ON, MEANING
from radledger.dicom.native import native_samples
from radledger.dicom.pixels import FrameReader, hidden_bits, stored_bytes
from radledger.dicom.read import DicomHeader, header_of
from radledger.dicom.source import DicomSource, dicom_in
from radledger.dicom.video import checked, is_video

__all__ = ["Meaning", "same_image"]

_CODE, _SCHEME = "00080100", "00080102"
_KEYWORDS = {
    "rows": "Rows",
    "columns": "Columns",
    "frames": "NumberOfFrames",
    "samples": "SamplesPerPixel",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "high_bit": "HighBit",
    "signed": "PixelRepresentation",
    "floating": "PixelData",
    "photometric": "PhotometricInterpretation",
    "planar": "PlanarConfiguration",
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a data set says of its pixels.

    Attributes
    ----------
    pixels
        Rows, columns, bits and so on.
    attributes
        Those of `DEPENDED_ON`, as `radledger.dicom.canonical` writes them.
    """

    pixels: ImagePixels
    attributes: dict[str, Json]

    @classmethod
    def of(cls, source: DicomSource, pixels: ImagePixels) -> Meaning:
        """Of a file as its data set is now."""
        return cls(pixels, attributes(source.dataset, DEPENDED_ON.__contains__, but=CODES))

    def difference(self, other: Meaning) -> str | None:
        """The first attribute in which another one differs, None where there is none.

        Private codes, which de-identification removes, are left out.
        """
        for field in fields(ImagePixels):
            if getattr(self.pixels, field.name) != getattr(other.pixels, field.name):
                return _KEYWORDS[field.name]
        if self.attributes == other.attributes:
            return None
        return _difference(_without_codes(self.attributes), _without_codes(other.attributes))


def same_image(before: Meaning, source: DicomSource, header: DicomHeader, file: BinaryIO) -> bytes:
    """Read a copy again, and compare it with the original, attribute by attribute and bit by bit.

    Parameters
    ----------
    before
        What the original said of its pixels.
    source, header
        The original, of which only the pixels are read.
    file
        The copy; readable from its beginning.

    Returns
    -------
    bytes
        The image digest of both.

    Raises
    ------
    ImageChanged
        If the copy is another image, or cannot be read; values hold the attribute's name.
    PixelsUnreadable, MalformedDicom
        If the pixels cannot be decoded.
    """
    with ExitStack() as stack:
        try:
            copy = stack.enter_context(dicom_in(file))
            pixels = header_of(copy, header.path).pixels
        except DicomError as error:
            raise ImageChanged(
                f"the de-identified copy cannot be read: {error.message}", cause=error.name
            ) from error
        if pixels is None:
            raise _changed("PixelData")
        meaning = Meaning.of(copy, pixels)
        changed = before.difference(meaning)
        if changed is not None:
            raise _changed(changed)
        digest = started(copy, pixels, _restricted(meaning.attributes))
        for piece in _pieces(source, copy, pixels):
            digest.update(piece)
    return digest.digest()


def _pieces(source: DicomSource, copy: DicomSource, pixels: ImagePixels) -> Iterator[bytes]:
    """What the image digest takes of the pixels of both."""
    if not (source.native or is_video(source.transfer_syntax)):
        yield from _frames(source, copy, pixels)
        return
    both = [
        native_samples(each, each.pixels, pixels)
        if each.native and each.pixels is not None
        else checked(stored_bytes(each), each.transfer_syntax)
        for each in (source, copy)
    ]
    for ours, theirs in zip_longest(*both):
        if ours != theirs:
            raise _changed("PixelData")
        yield theirs


def _frames(source: DicomSource, copy: DicomSource, pixels: ImagePixels) -> Iterator[bytes]:
    ours, theirs = FrameReader(source, pixels), FrameReader(copy, pixels)
    for index in range(pixels.frames):
        raw, again = ours.raw(index), theirs.raw(index)
        frame = copied = ours.read(index, raw)
        if again != raw:
            copied = theirs.read(index, again)
            if theirs.seen(copied) != ours.seen(frame):
                raise _changed("PixelData")
        if copied.samples is not None and hidden_bits(copied.samples, pixels):
            raise MalformedDicom(
                f"frame {index + 1} has bits beside those that Bits Stored and High Bit name, "
                "which may hide a picture or a text; export the file again without them",
                attribute="BitsStored",
                frame=index + 1,
            )
        yield theirs.counted(copied)


def _restricted(item: dict[str, Json]) -> dict[str, Json]:
    """What the image digest takes of the attributes on which pixels depend."""
    return {
        key: [_restricted(inner) for inner in value] if isinstance(value, list) else value
        for key, value in item.items()
        if int(key, 16) in MEANING
    }


def _without_codes(item: dict[str, Json]) -> dict[str, Json]:
    """The same without the codes of private schemes."""
    scheme, code = (str(item.get(key, "")) for key in (_SCHEME, _CODE))
    private = not is_public_code(scheme, code)
    return {
        key: [_without_codes(inner) for inner in value] if isinstance(value, list) else value
        for key, value in item.items()
        if not (private and key in (_SCHEME, _CODE))
    }


def _difference(ours: Json, theirs: Json) -> str | None:
    """The path of the first attribute that is not the same in both."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            if ours.get(key) != theirs.get(key):
                below = _difference(ours.get(key, ""), theirs.get(key, ""))
                name = keyword_for_tag(int(key, 16)) if key != "sha256" else ""
                return ".".join(part for part in (name, below) if part)
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for mine, other in zip(ours, theirs, strict=True):
            if mine != other:
                return _difference(mine, other)
    return None


def _changed(attribute: str) -> ImageChanged:
    return ImageChanged(
        f"de-identification would change {attribute}, on which the pixels depend; "
        "correct its value and export the file again",
        attribute=attribute,
    )

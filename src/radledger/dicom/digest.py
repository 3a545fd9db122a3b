"""The two digests of an instance: of the exact file, and of the image that it holds."""

from __future__ import annotations

import hashlib
from io import BufferedReader
from pathlib import Path
from typing import cast

from .canonical import Json, attributes, canonical_json, tags
from .errors import PixelsUnreadable
from .image import ImagePixels
from .limits import bounded
from .pixels import EXACT_DECODING, canonical_photometric, canonical_samples, codestream
from .read import DicomHeader, header_of
from .source import DicomSource, open_dicom, open_regular

__all__ = ["MEANING", "file_digest", "image_digest", "image_digest_of"]

_DOMAIN = b"radledger image digest 1\n"

MEANING = tags(
    """
    PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing PixelAspectRatio SliceThickness
    SpacingBetweenSlices ImagePositionPatient ImageOrientationPatient PatientOrientation
    PatientPosition Laterality ImageLaterality FrameLaterality ViewPosition
    GridFrameOffsetVector
    SequenceOfUltrasoundRegions RegionSpatialFormat RegionDataType RegionFlags
    RegionLocationMinX0 RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1
    ReferencePixelX0 ReferencePixelY0 PhysicalUnitsXDirection PhysicalUnitsYDirection
    PhysicalDeltaX PhysicalDeltaY ReferencePixelPhysicalValueX ReferencePixelPhysicalValueY
    ImagedVolumeWidth ImagedVolumeHeight ImagedVolumeDepth TotalPixelMatrixColumns
    TotalPixelMatrixRows TotalPixelMatrixOriginSequence XOffsetInSlideCoordinateSystem
    YOffsetInSlideCoordinateSystem ZOffsetInSlideCoordinateSystem ImageOrientationSlide
    PlanePositionSlideSequence ColumnPositionInTotalImagePixelMatrix
    RowPositionInTotalImagePixelMatrix
    RescaleIntercept RescaleSlope RescaleType ModalityLUTSequence LUTDescriptor LUTData
    Units DoseGridScaling DoseUnits DoseType
    RealWorldValueMappingSequence RealWorldValueFirstValueMapped RealWorldValueLastValueMapped
    RealWorldValueIntercept RealWorldValueSlope RealWorldValueLUTData
    DoubleFloatRealWorldValueFirstValueMapped DoubleFloatRealWorldValueLastValueMapped
    MeasurementUnitsCodeSequence
    RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor
    BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData
    GreenPaletteColorLookupTableData BluePaletteColorLookupTableData
    SegmentedRedPaletteColorLookupTableData SegmentedGreenPaletteColorLookupTableData
    SegmentedBluePaletteColorLookupTableData AlphaPaletteColorLookupTableData
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PixelMeasuresSequence
    PlanePositionSequence PlaneOrientationSequence PlanePositionVolumeSequence
    PlaneOrientationVolumeSequence ImagePositionVolume ImageOrientationVolume
    PixelValueTransformationSequence FrameAnatomySequence
    SegmentationType MaximumFractionalValue SegmentIdentificationSequence
    ReferencedSegmentNumber SegmentSequence SegmentNumber
    SegmentedPropertyCategoryCodeSequence SegmentedPropertyTypeCodeSequence
    CodeValue CodingSchemeDesignator
    """
)
"""Attributes that give the pixels their place, size and meaning."""

# lengths, character set and signatures depend on the encoding, and so does a private
# attribute's VR
_ENCODING = tags("SpecificCharacterSet DigitalSignaturesSequence DataSetTrailingPadding")


def file_digest(path: Path) -> bytes:
    """SHA-256 of the exact file.

    Parameters
    ----------
    path
        Any ordinary file; it is read in pieces.

    Returns
    -------
    bytes
        32 bytes.

    Raises
    ------
    UnsafePath
        When it is no ordinary file.
    """
    with open_regular(Path(path)) as stream:
        return hashlib.file_digest(cast(BufferedReader, stream), "sha256").digest()


def image_digest(path: Path) -> bytes:
    r"""SHA-256 of what the instance says, however it is encoded.

    Storing the same image in another lossless transfer syntax keeps it, and so does changing
    who and when it is of; changing a pixel, the geometry or the rescale changes it.

    It is SHA-256 over ``radledger image digest 1\n``, the kind and ``\n``, a JSON object and
    ``\n``, and the data.  The JSON is ASCII with sorted keys and without spaces;
    ``attributes`` in it are written as `radledger.dicom.canonical` says.

    *Kind* ``pixels``: native pixels (Bits Allocated 1, 8, 16, 32 or 64, or floating) and the
    transfer syntaxes of `EXACT_DECODING`.

    - ``image`` has ``rows columns frames samples bits_stored`` as numbers, ``signed`` and
      ``floating`` as booleans, and ``photometric``: that of the decoded samples, so RGB for
      YBR_RCT and YBR_ICT, and without ``_422``, whose chrominance is repeated for both pixels.
    - ``attributes`` are those of `MEANING`, at every depth of the sequences in it.
    - The data is every sample by frame, row, column and colour, as a little-endian number of
      1, 2, 4 or 8 bytes, the fewest that hold Bits Stored: the Bits Stored bits below High
      Bit, sign-extended where signed.  Floats are IEEE 754, little-endian.

    Padding after the last frame, bits beside the stored ones, overlays, windows and
    presentation do not count.

    *Kind* ``codestream``: all other compressed images, whose decoders may differ in the last
    bit; compressed frames of more than 2²⁴ samples; and pixels that cannot be decoded.
    ``image`` and ``attributes`` are as above, but ``photometric`` as stated;
    ``transfer_syntax`` is its UID.  The data is the pixel data as stored: all fragments
    joined, without the offset table.  (A deflated data set counts as explicit little endian.)

    *Kind* ``content``: objects without pixel data.  ``attributes`` are all that are not
    private, but group lengths, Specific Character Set, Digital Signatures and Data Set
    Trailing Padding; no data follows.

    Parameters
    ----------
    path
        A file that `read_header` accepts.

    Returns
    -------
    bytes
        32 bytes.

    Raises
    ------
    DicomError
        What `read_header` raises, never because pixels cannot be decoded.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> native, rle = (Path(get_testdata_file(name, download=False))
    ...                for name in ("MR_small.dcm", "MR_small_RLE.dcm"))
    >>> image_digest(native) == image_digest(rle), file_digest(native) == file_digest(rle)
    (True, False)
    """

    def digest() -> bytes:
        with open_dicom(Path(path)) as source:
            return image_digest_of(source, header_of(source, Path(path)))

    return bounded(digest)


def image_digest_of(source: DicomSource, header: DicomHeader) -> bytes:
    """`image_digest` of a file that is open already, with ``source.dataset`` as it is now."""
    pixels = header.pixels
    if pixels is None:
        content = attributes(source.dataset, _is_content)
        return _start("content", {"attributes": content}).digest()
    meaning = attributes(source.dataset, MEANING.__contains__)
    if source.native or source.transfer_syntax in EXACT_DECODING:
        try:
            return _of_pixels(source, pixels, meaning)
        except PixelsUnreadable:
            pass
    return _of_codestream(source, pixels, meaning)


def _of_pixels(source: DicomSource, pixels: ImagePixels, meaning: dict[str, Json]) -> bytes:
    image = _image(pixels, canonical_photometric(pixels))
    digest = _start("pixels", {"image": image, "attributes": meaning})
    for piece in canonical_samples(source, pixels):
        digest.update(piece)
    return digest.digest()


def _of_codestream(source: DicomSource, pixels: ImagePixels, meaning: dict[str, Json]) -> bytes:
    digest = _start(
        "codestream",
        {
            "image": _image(pixels, pixels.photometric),
            "attributes": meaning,
            "transfer_syntax": source.transfer_syntax,
        },
    )
    for piece in codestream(source):
        digest.update(piece)
    return digest.digest()


def _image(pixels: ImagePixels, photometric: str) -> dict[str, Json | int]:
    return {
        "rows": pixels.rows,
        "columns": pixels.columns,
        "frames": pixels.frames,
        "samples": pixels.samples,
        "bits_stored": pixels.bits_stored,
        "signed": pixels.signed,
        "floating": pixels.floating,
        "photometric": photometric,
    }


def _start(kind: str, description: dict[str, object]) -> hashlib._Hash:
    digest = hashlib.sha256(_DOMAIN + kind.encode("ascii") + b"\n")
    digest.update(canonical_json(description) + b"\n")
    return digest


def _is_content(tag: int) -> bool:
    group = tag >> 16
    return group % 2 == 0 and group > 2 and bool(tag & 0xFFFF) and tag not in _ENCODING

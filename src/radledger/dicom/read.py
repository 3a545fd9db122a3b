"""Read the header of one DICOM file, and be sure that the file is whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import UID

from radledger.dicom.errors import MalformedDicom, NotDicom, TruncatedDicom
from radledger.dicom.image import ImagePixels
from radledger.dicom.limits import bounded
from radledger.dicom.pixels import stored_pieces
from radledger.dicom.source import DicomSource, open_dicom
from radledger.dicom.structure import Element
from radledger.dicom.values import value_of
from radledger.dicom.video import is_video

__all__ = ["DicomHeader", "header_of", "read_header"]

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")

# The last element without which an object of a class says nothing: a file that breaks off
# between two elements is only found out by what it lacks.
_LAST_REQUIRED = (
    (re.compile(r".*SR( Storage)?$|.*Key Object Selection.*"), "ContentSequence"),
    (re.compile(r"Encapsulated .* Storage"), "EncapsulatedDocument"),
    (re.compile(r".*Waveform Storage"), "WaveformSequence"),
    (re.compile(r"RT Structure Set Storage"), "RTROIObservationsSequence"),
    (re.compile(r"RT( Ion)? Plan Storage"), "RTPlanLabel"),
)
_IMAGE = re.compile(r".*Image Storage.*|Segmentation Storage|Parametric Map Storage")


@dataclass(frozen=True, slots=True)
class DicomHeader:
    """What ingest needs to know of one instance.

    Attributes
    ----------
    path, size
        The file and its bytes.
    transfer_syntax, sop_class, sop_instance, series, study
        UIDs.
    modality
        Such as ``CT``; empty where the file does not say.
    instance_number
        Place in the series; None where the file does not say.
    pixels
        Rows, columns, frames and so on; None for an object without pixel data.
    dataset
        Everything before the pixel data, with ``file_meta``.
    """

    path: Path
    size: int
    transfer_syntax: str
    sop_class: str
    sop_instance: str
    series: str
    study: str
    modality: str
    instance_number: int | None
    pixels: ImagePixels | None
    dataset: Dataset = field(repr=False)

    @property
    def frames(self) -> int:
        """Frames of pixel data, 0 without any."""
        return self.pixels.frames if self.pixels else 0


def read_header(path: Path) -> DicomHeader:
    """Read one file's header and check that the file is complete.

    The whole structure is walked first (PS3.5 section 7, PS3.10 section 7): every length
    must fit, pixel data must hold what rows, columns, samples, bits and frames ask for, and
    encapsulated frames must be there and closed by their delimiter.  Files without preamble
    or file meta information are taken where their first element shows the encoding and the
    identifiers of a standard object follow.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    DicomHeader
        Identifiers, what the pixels are, and the data set without them.

    Raises
    ------
    UnsafePath, NotDicom, TruncatedDicom, MalformedDicom, NestedTooDeep, DicomTooLarge,
    UnsupportedTransferSyntax
        As their names say; no other error comes from a file's content.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> header = read_header(Path(get_testdata_file("CT_small.dcm", download=False)))
    >>> header.modality, header.pixels.rows, header.frames
    ('CT', 128, 1)
    """

    def read() -> DicomHeader:
        with open_dicom(Path(path)) as source:
            return header_of(source, Path(path))

    return bounded(read)


def header_of(source: DicomSource, path: Path) -> DicomHeader:
    """The header of a file that is open already; see `read_header`.

    Raises
    ------
    NotDicom, MalformedDicom, TruncatedDicom
        If it is not an object of the standard, lacks an identifier, or is incomplete.
    """
    dataset = source.dataset
    with disable_value_validation():
        if _text(dataset.file_meta, "MediaStorageSOPClassUID") == MEDIA_DIRECTORY:
            raise NotDicom("a DICOMDIR lists other files; give those", sop_class=MEDIA_DIRECTORY)
        sop_class = _uid(dataset, "SOPClassUID")
        header = DicomHeader(
            path=path,
            size=source.file_size,
            transfer_syntax=source.transfer_syntax,
            sop_class=sop_class,
            sop_instance=_uid(dataset, "SOPInstanceUID"),
            series=_uid(dataset, "SeriesInstanceUID"),
            study=_uid(dataset, "StudyInstanceUID"),
            modality=_text(dataset, "Modality"),
            instance_number=_instance_number(dataset),
            pixels=_pixels(source, sop_class),
            dataset=dataset,
        )
    if not source.stated and not UID(sop_class).name.endswith("Storage"):
        raise NotDicom(
            "the file says neither its transfer syntax nor a class of the standard; "
            "export it as a DICOM file",
            sop_class=sop_class,
        )
    return header


def _pixels(source: DicomSource, sop_class: str) -> ImagePixels | None:
    if source.pixels is None:
        _complete_without_pixels(source, sop_class)
        return None
    pixels = ImagePixels.of(source.dataset, source.pixels.tag)
    if source.pixels.fragments is None:
        if source.pixels.length < pixels.native_bytes:
            raise TruncatedDicom(
                "the pixel data is shorter than its rows, columns and frames ask for; "
                "get the whole file",
                size=source.pixels.length,
                needed=pixels.native_bytes,
            )
        if not _fits(source, source.pixels, pixels):
            raise MalformedDicom(
                f"the pixel data has {source.pixels.length} bytes, but its rows, columns, samples, "
                f"bits and frames ask for {pixels.native_bytes}; correct them and export the file "
                "again",
                size=source.pixels.length,
                needed=pixels.native_bytes,
            )
        return pixels
    present = sum(1 for _, length in source.pixels.fragments[1:] if length)
    needed = 1 if is_video(source.transfer_syntax) else pixels.frames
    if present < needed:
        raise TruncatedDicom(
            f"the pixel data holds {present} of {needed} frames; get the whole file",
            fragments=present,
            frames=needed,
        )
    return pixels


def _fits(source: DicomSource, element: Element, pixels: ImagePixels) -> bool:
    """Whether what follows the last pixel is padding: PS3.5 section 8.1.1.

    That is a byte, or zeros; half a frame of them may be a picture that is black.
    """
    excess = element.length - pixels.native_bytes
    if excess <= pixels.native_bytes % 2:
        return True
    if 2 * excess * pixels.frames >= pixels.native_bytes:
        return False
    return not any(
        piece.strip(b"\0")
        for piece in stored_pieces(source, element.value + pixels.native_bytes, excess)
    )


def _complete_without_pixels(source: DicomSource, sop_class: str) -> None:
    name = UID(sop_class).name
    dataset = source.dataset
    missing = None
    if not source.provider_url and (_IMAGE.fullmatch(name) or "Rows" in dataset):
        missing = "PixelData"
    for pattern, keyword in _LAST_REQUIRED:
        if pattern.fullmatch(name) and keyword not in dataset:
            missing = keyword
    if missing is not None:
        raise TruncatedDicom(
            f"a {name} without {missing} is not whole; get the whole file",
            sop_class=sop_class,
            missing=missing,
        )


def _uid(dataset: Dataset, keyword: str) -> str:
    value = _text(dataset, keyword)
    if not value or len(value) > 64 or not _UID.fullmatch(value):
        raise MalformedDicom(
            f"{keyword} is missing or no UID, so the file belongs to no series; export it again",
            attribute=keyword,
            value=value[:64],
        )
    return value


def _text(dataset: Dataset, keyword: str) -> str:
    value = value_of(dataset, keyword)
    # Some writers pad with NUL; PostgreSQL takes none.
    return "" if value is None else str(value).replace("\0", " ").strip(" ")


def _instance_number(dataset: Dataset) -> int | None:
    try:
        return int(_text(dataset, "InstanceNumber"))
    except ValueError:
        return None

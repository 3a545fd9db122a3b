"""Why a file cannot be taken.

::

    DicomError
    ├── UnsafePath                 a device, a pipe, a link out of the folder, unreadable
    ├── NotDicom                   no DICOM file, or not surely one
    ├── TruncatedDicom             the file ends before its content does
    ├── MalformedDicom             a DICOM file that contradicts itself or the standard
    ├── NestedTooDeep              sequences within sequences beyond the limit
    ├── DicomTooLarge              claims more memory than a file may
    ├── DicomTooSlow               did not finish within the time limit
    ├── UnsupportedTransferSyntax  a transfer syntax that the standard does not know
    ├── PixelsUnreadable           the pixels cannot be decoded
    ├── UncheckedData              a video may hold more than pictures
    ├── ImageChanged               a copy would not be the same image
    └── BurnedInAnnotation         the pixels may show who the patient is
"""

from __future__ import annotations

from radledger.errors import DicomError

__all__ = [
    "BurnedInAnnotation",
    "DicomError",
    "DicomTooLarge",
    "DicomTooSlow",
    "ImageChanged",
    "MalformedDicom",
    "NestedTooDeep",
    "NotDicom",
    "PixelsUnreadable",
    "TruncatedDicom",
    "UncheckedData",
    "UnsafePath",
    "UnsupportedTransferSyntax",
]


class UnsafePath(DicomError):
    """The path is not an ordinary file that may be read."""


class NotDicom(DicomError):
    """The file is not DICOM, or nothing in it makes that sure."""


class TruncatedDicom(DicomError):
    """The file ends before its content does."""


class MalformedDicom(DicomError):
    """The file contradicts itself, or lacks what every instance has."""


class NestedTooDeep(DicomError):
    """Sequences are nested deeper than any real object."""


class DicomTooLarge(DicomError):
    """The file claims, or reading it needs, more memory than one file may use."""


class DicomTooSlow(DicomError):
    """Reading the file took longer than one file may."""


class UnsupportedTransferSyntax(DicomError):
    """The transfer syntax is none of the standard's."""


class PixelsUnreadable(DicomError):
    """The pixels cannot be decoded."""


class UncheckedData(DicomError):
    """A video may hold texts beside its pictures, which are not removed."""


class ImageChanged(DicomError):
    """De-identification would change the image, or what gives its pixels their meaning."""


class BurnedInAnnotation(DicomError):
    """The pixels may show the patient's identity, which no header change removes."""

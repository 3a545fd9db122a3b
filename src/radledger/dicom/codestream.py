"""Check one compressed frame against its data set, and keep only the bytes of the image.

Decoders allocate what the codestream's header says, without comparing it with the data set's Rows
and Columns.  They skip comments, application data and what follows the end, which may hold
anything.
"""

from __future__ import annotations

import re
from dataclasses import replace

from radledger.dicom.errors import MalformedDicom, PixelsUnreadable
from radledger.dicom.image import Codestream, ImagePixels
from radledger.dicom.jpeg import clean_jpeg
from radledger.dicom.jpeg2000 import clean_jpeg_2000

__all__ = ["RLE", "cleaned", "is_jpeg", "starts_codestream"]

RLE = "1.2.840.10008.1.2.5"
_JPEG = tuple(f"1.2.840.10008.1.2.4.{first}" for first in "5678")
_JPEG_2000 = ("1.2.840.10008.1.2.4.9", "1.2.840.10008.1.2.4.20")
_START = rb"\xff\xd8\xff|\xff\x4f\xff\x51|\0\0\0\x0cjP  "
_STARTS = re.compile(_START)
_NEXT = re.compile(rb"[\0\xff]*?(" + _START + rb")")


def is_jpeg(syntax: str) -> bool:
    """Whether a transfer syntax is one of JPEG, JPEG-LS or JPEG 2000."""
    return syntax.startswith((*_JPEG, *_JPEG_2000))


def starts_codestream(data: bytes) -> bool:
    """Whether a codestream of the JPEG family begins here."""
    return _STARTS.match(data) is not None


def cleaned(frame: bytes, syntax: str, pixels: ImagePixels) -> Codestream:
    """One frame of a JPEG syntax with nothing but picture in it, padded to an even length.

    Parameters
    ----------
    frame
        Its fragments, joined.
    syntax
        Transfer syntax UID.
    pixels
        What the data set says.

    Raises
    ------
    PixelsUnreadable
        If it is cut, damaged, of another transfer syntax, or of another size than the data
        set says.
    MalformedDicom
        If a second codestream follows.
    """
    jpeg_2000 = syntax.startswith(_JPEG_2000)
    codestream = clean_jpeg_2000(frame, syntax) if jpeg_2000 else clean_jpeg(frame, syntax)
    claimed = (codestream.rows, codestream.columns, codestream.samples)
    expected = (pixels.rows, pixels.columns, pixels.samples)
    if claimed != expected:
        raise PixelsUnreadable(
            "a frame's codestream and the data set disagree about its size",
            claimed=claimed,
            expected=expected,
        )
    if _NEXT.match(frame, codestream.end):
        raise MalformedDicom(
            "the pixel data holds more codestreams than Number of Frames says; "
            "correct the number and export the file again",
            frames=pixels.frames,
        )
    return replace(codestream, data=codestream.data + _padding(frame, codestream))


def _padding(frame: bytes, codestream: Codestream) -> bytes:
    """The byte that makes a frame's length even: as it is, if it is one."""
    present = frame[codestream.end : codestream.end + 1]
    padding = present if present in (b"\0", b"\xff") else b"\0"
    return padding if len(codestream.data) % 2 else b""

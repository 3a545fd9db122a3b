"""The two digests of an instance: of the exact file, and of the image that it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import cast

from radledger.dicom.canonical import Json, attributes, canonical_json
from radledger.dicom.image import ImagePixels
from radledger.dicom.keywords import CODES, MEANING, tags
from radledger.dicom.limits import bounded
from radledger.dicom.native import native_samples
from radledger.dicom.pixels import FrameReader, is_exact, stored_bytes
from radledger.dicom.read import DicomHeader, header_of
from radledger.dicom.source import DicomSource, open_dicom, open_regular
from radledger.dicom.video import checked, is_video

__all__ = [
    "file_digest",
    "image_digest",
    "image_digest_of",
    "meaning_of",
    "started",
    "undecoded_digest_of",
]

_DOMAIN = b"radledger image digest 1\n"

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
        If it is not a regular file.
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
    - ``attributes`` are those of `MEANING`, at every depth of the sequences in it; those of
      `CODES` in sequences only.
    - The data is every sample by frame, row, column and colour, as a little-endian number of
      1, 2, 4 or 8 bytes, the fewest that hold Bits Stored: the Bits Stored bits below High
      Bit, sign-extended where signed.  Floats are IEEE 754, little-endian.

    Padding after the last frame, bits beside the stored ones, overlays, windows and
    presentation do not count.

    *Kind* ``codestream``: all other compressed images, whose decoders may differ in the last
    bit; and compressed frames of more than 2²⁴ samples, which are not decoded.
    ``image`` and ``attributes`` are as above, but ``photometric`` as stated;
    ``transfer_syntax`` is its UID.  The data is the codestreams of all frames, joined, each
    without everything that is not image data: comments, segments that no decoder needs, the boxes
    of a JP2 file, and what follows its end except one byte that makes its length even; in JPEG
    also tables that no scan uses, and what follows the last code before a marker, whose byte is
    filled with ones.  That of a video is the pixel data as stored, all fragments joined.  (A
    deflated data set counts as explicit little endian.)

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
    PixelsUnreadable
        When no decoder reads the pixels: they are cut, damaged, or of another transfer syntax.
    MalformedDicom
        When there are more fragments than frames, or more codestreams.
    DicomError
        What `read_header` raises.

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
    digest = started(source, pixels, meaning_of(source))
    for piece in _pieces(source, pixels):
        digest.update(piece)
    return digest.digest()


def undecoded_digest_of(source: DicomSource, header: DicomHeader) -> bytes:
    """What stands for the image digest of a file whose pixels no decoder reads.

    It is one of *kind* ``undecoded``: everything as in ``codestream``, and the pixel data as it
    is stored, with all that is in it.
    """
    if header.pixels is None:
        return image_digest_of(source, header)
    described = _described(source, header.pixels, meaning_of(source), exact=False)
    digest = _start("undecoded", described)
    for piece in stored_bytes(source):
        digest.update(piece)
    return digest.digest()


def started(source: DicomSource, pixels: ImagePixels, meaning: dict[str, Json]) -> hashlib._Hash:
    """The image digest of what is said of the pixels; they themselves are to follow.

    Parameters
    ----------
    source, pixels
        The open file, and what it says of its pixels.
    meaning
        Its attributes of `MEANING`.
    """
    exact = is_exact(source, pixels)
    described = _described(source, pixels, meaning, exact=exact)
    return _start("pixels" if exact else "codestream", described)


def meaning_of(source: DicomSource) -> dict[str, Json]:
    """What gives an open file's pixels their meaning, as its image digest takes it."""
    return attributes(source.dataset, MEANING.__contains__, but=CODES)


def _described(
    source: DicomSource, pixels: ImagePixels, meaning: dict[str, Json], *, exact: bool
) -> dict[str, object]:
    photometric = pixels.decoded_photometric if exact else pixels.photometric
    return {
        "image": _image(pixels, photometric),
        "attributes": meaning,
        **({} if exact else {"transfer_syntax": source.transfer_syntax}),
    }


def _pieces(source: DicomSource, pixels: ImagePixels) -> Iterator[bytes]:
    if source.pixels is None:
        return
    if source.native:
        yield from native_samples(source, source.pixels, pixels)
    elif is_video(source.transfer_syntax):
        yield from checked(stored_bytes(source), source.transfer_syntax)
    else:
        reader = FrameReader(source, pixels)
        for index in range(pixels.frames):
            yield reader.counted(reader.read(index, reader.raw(index)))


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

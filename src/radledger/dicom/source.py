"""Open a DICOM file: its transfer syntax, its elements' places, its header as a data set."""

from __future__ import annotations

import os
import stat
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID

from radledger.dicom.errors import (
    DicomTooLarge,
    MalformedDicom,
    NotDicom,
    TruncatedDicom,
    UnsafePath,
    UnsupportedTransferSyntax,
)
from radledger.dicom.limits import ELEMENT_BYTES, MAX_HEADER_BYTES, MAX_INFLATED_BYTES
from radledger.dicom.scan import printable
from radledger.dicom.structure import Element, Encoding, Scanner, is_pixel_data
from radledger.dicom.values import value_of
from radledger.texts import one_line

__all__ = [
    "DicomSource",
    "dicom_in",
    "encoding_of",
    "name_of",
    "open_dicom",
    "open_regular",
    "source_of",
]

# pydicom warns about values of files, which a refusal or a copy answers
warnings.filterwarnings("ignore", module=r"pydicom\.")

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED})
# pixels that another server provides; two of them are deflated as well
PROVIDER_URL = frozenset(f"1.2.840.10008.1.2.4.{last}" for last in (94, 95, 204, 205))
_DEFLATED = frozenset({DEFLATED, "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
# of PS3.6 Annex A, and younger than pydicom's dictionary
_YOUNG = {
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
}

_ARCHIVES = {
    b"PK\3\4": "ZIP",
    b"PK\5\6": "ZIP",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\7": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
_TAR = 257, b"ustar"

_META = Encoding(implicit=False, little=True)
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class DicomSource:
    """One open file whose structure has been walked to its end.

    Attributes
    ----------
    stream, size
        Where the elements' offsets lead: the file, or the inflated data set of a deflated one.
    file_size
        Bytes of the file.
    transfer_syntax
        UID; what the encoding shows where the file does not say.
    stated
        Whether the file itself says the transfer syntax.
    elements
        Of the top level, in the file's order.
    encoding
        How the data set is written, which is not always what the transfer syntax prescribes.
    pixels
        The element that holds pixel data.
    dataset
        Everything before the pixel data, with ``file_meta``.
    """

    stream: BinaryIO
    size: int
    file_size: int
    transfer_syntax: str
    stated: bool
    encoding: Encoding
    elements: tuple[Element, ...]
    pixels: Element | None
    dataset: Dataset

    @property
    def native(self) -> bool:
        """Whether the transfer syntax stores pixels without compression."""
        return self.transfer_syntax in NATIVE

    @property
    def deflated(self) -> bool:
        """Whether the file holds its data set deflated."""
        return self.transfer_syntax in _DEFLATED

    @property
    def provider_url(self) -> bool:
        """Whether the pixels are on another server (JPIP referenced)."""
        return self.transfer_syntax in PROVIDER_URL


def open_regular(path: Path) -> BinaryIO:
    """Open an ordinary file for reading; never waits for a pipe or a device.

    Raises
    ------
    UnsafePath
        If it is not a regular file, or may not be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnsafePath(
            f"{printable(path)} cannot be read: {reason}", path=printable(path), reason=reason
        ) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnsafePath(
            f"{printable(path)} is not an ordinary file; give DICOM files or folders of them",
            path=printable(path),
            reason="not an ordinary file",
        )
    return os.fdopen(handle, "rb")


@contextmanager
def open_dicom(path: Path) -> Iterator[DicomSource]:
    """Open a file, walk its structure to the end, and read its header.

    Raises
    ------
    UnsafePath, NotDicom, TruncatedDicom, MalformedDicom, NestedTooDeep, DicomTooLarge,
    UnsupportedTransferSyntax
        As their names say.
    """
    with open_regular(path) as stream, dicom_in(stream) as source:
        yield source


@contextmanager
def dicom_in(file: BinaryIO) -> Iterator[DicomSource]:
    """`open_dicom` of a file that is open already, from its beginning."""
    with ExitStack() as stack, disable_value_validation():
        yield source_of(file, stack)


def source_of(file: BinaryIO, stack: ExitStack) -> DicomSource:
    """`dicom_in` for a file that stays open longer than a block.

    Parameters
    ----------
    file
        From its beginning.
    stack
        Closes what a deflated data set is inflated to.
    """
    with disable_value_validation():
        stream, file_size = file, file.seek(0, os.SEEK_END)
        stream.seek(0)
        start, meta = _file_meta(stream, file_size)
        size = file_size
        stated = value_of(meta, "TransferSyntaxUID")
        if stated:
            syntax = str(stated)
            _supported(syntax)
            encoding = encoding_of(syntax)
        else:
            syntax, encoding = _guess(stream, start)
        if syntax in _DEFLATED:
            inflated = tempfile.TemporaryFile(prefix="radledger-")  # noqa: SIM115 (entered)
            stream = stack.enter_context(inflated)
            start, size = 0, _inflate(file, start, stream)
        encoding = _actual(stream, start, encoding)
        scanner = Scanner(stream, size)
        elements = scanner.data_set(start, size, encoding)
        pixels = _pixel_element(elements)
        _affordable((pixels.start if pixels else size) - start, scanner.count)
        if pixels is not None:
            _encapsulation(pixels, syntax)
        dataset = _header(stream, start, pixels.start if pixels else size, encoding)
        dataset.file_meta = meta
        return DicomSource(
            stream=stream,
            size=size,
            file_size=file_size,
            transfer_syntax=syntax,
            stated=bool(stated),
            encoding=encoding,
            elements=tuple(elements),
            pixels=pixels,
            dataset=dataset,
        )


def encoding_of(syntax: str) -> Encoding:
    """The encoding that a transfer syntax prescribes (PS3.5 Annex A)."""
    return Encoding(syntax == IMPLICIT_LITTLE, syntax != EXPLICIT_BIG)


def _actual(stream: BinaryIO, start: int, stated: Encoding) -> Encoding:
    """Some writers state explicit VR and write implicit, or the reverse; the letters show it."""
    stream.seek(start)
    head = stream.read(8)
    explicit = len(head) == 8 and all(0x40 < letter < 0x5B for letter in head[4:6])
    return stated if explicit != stated.implicit else Encoding(not explicit, stated.little)


def _file_meta(stream: BinaryIO, size: int) -> tuple[int, FileMetaDataset]:
    head = stream.read(140)
    if head[128:132] == b"DICM":
        start = 132
    elif head[:4] == b"\x02\0\0\0" and head[4:6] == b"UL":
        start = 0
    elif len(head) >= 8 and _encoding(head[:8]) is not None:
        return 0, FileMetaDataset()
    elif not head:
        raise NotDicom("the file is empty; leave it out", size=0)
    else:
        raise NotDicom(_other(stream, head), size=size)
    scanner = Scanner(stream, size)
    elements = scanner.data_set(start, size, _META, group=2)
    end = elements[-1].end if elements else start
    _affordable(end - start, scanner.count)
    if end == size:
        raise TruncatedDicom(
            "the file ends after its file meta information; get the whole file",
            size=size,
            needed=size + 8,
        )
    return end, FileMetaDataset(_header(stream, start, end, _META))


def _other(stream: BinaryIO, head: bytes) -> str:
    """The message for a file that is not a DICOM file."""
    stream.seek(_TAR[0])
    kinds = [kind for start, kind in _ARCHIVES.items() if head.startswith(start)]
    if kinds or stream.read(len(_TAR[1])) == _TAR[1]:
        kind = kinds[0] if kinds else "tar"
        return f"the file is a {kind} archive; unpack it and give the files in it"
    return "the file does not begin as a DICOM file does; leave it out"


def _encoding(head: bytes) -> Encoding | None:
    """How a data set that begins with these eight bytes is written, if it is one."""
    if head[:2] not in (b"\x08\0", b"\0\x08"):
        return None
    little = head[0] == 8
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    # the first length of an implicit data set is short: its upper half is zero
    if not explicit and head[6:8] != b"\0\0" and little:
        return None
    return Encoding(not explicit, little) if explicit or little else None


def _guess(stream: BinaryIO, start: int) -> tuple[str, Encoding]:
    stream.seek(start)
    encoding = _encoding(stream.read(8))
    if encoding is None:
        raise NotDicom("nothing says how the file is encoded; export it again", offset=start)
    if encoding.implicit:
        return IMPLICIT_LITTLE, encoding
    return (EXPLICIT_LITTLE if encoding.little else EXPLICIT_BIG), encoding


def name_of(syntax: str) -> str:
    """The name of a transfer syntax; its UID if the standard does not have it."""
    return _YOUNG.get(syntax) or UID(syntax).name


def _supported(syntax: str) -> None:
    uid = UID(syntax)
    if syntax in _YOUNG:
        return
    if not (uid.is_valid and uid.type == "Transfer Syntax"):
        raise UnsupportedTransferSyntax(
            f"{syntax[:64]!r} is not a transfer syntax of the standard; export the file in one",
            transfer_syntax=syntax[:64],
        )


def _inflate(packed: BinaryIO, start: int, target: BinaryIO) -> int:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    total = 0
    packed.seek(start)
    while not inflater.eof:
        data = inflater.unconsumed_tail or packed.read(_CHUNK)
        if not data:
            raise TruncatedDicom(
                "the deflated data set breaks off; get the whole file", inflated=total
            )
        try:
            plain = inflater.decompress(data, _CHUNK)
        except zlib.error as error:
            raise MalformedDicom(
                "the deflated data set cannot be inflated; export the file again",
                inflated=total,
            ) from error
        total += target.write(plain)
        if total > MAX_INFLATED_BYTES:
            raise DicomTooLarge(
                f"the data set inflates to more than {MAX_INFLATED_BYTES >> 20} MiB; "
                "store it in another transfer syntax",
                limit=MAX_INFLATED_BYTES,
            )
    return total


def _pixel_element(elements: list[Element]) -> Element | None:
    pixels = None
    for element in elements:
        if pixels is not None and element.tag < pixels.tag:
            raise MalformedDicom(
                "elements that belong before the pixel data come after it; export the file again",
                offset=element.start,
            )
        if is_pixel_data(element.tag):
            if pixels is not None:
                raise MalformedDicom(
                    "the file holds pixel data twice; export it again", offset=element.start
                )
            pixels = element
    return pixels


def _encapsulation(pixels: Element, syntax: str) -> None:
    encapsulated = pixels.fragments is not None
    if encapsulated == (syntax in NATIVE):
        raise MalformedDicom(
            f"the pixel data is {'' if encapsulated else 'not '}encapsulated but the transfer "
            "syntax says otherwise; export the file again",
            transfer_syntax=syntax,
            encapsulated=encapsulated,
        )


def _affordable(size: int, elements: int) -> None:
    """Refuse before pydicom makes objects: running out of memory then can take minutes."""
    needed = size + elements * ELEMENT_BYTES // 3
    if needed > MAX_HEADER_BYTES:
        raise DicomTooLarge(
            f"the header is too large ({size} bytes in {elements} elements); leave the file out",
            size=size,
            elements=elements,
            limit=MAX_HEADER_BYTES,
        )


def _header(stream: BinaryIO, start: int, end: int, encoding: Encoding) -> Dataset:
    stream.seek(start)
    data = stream.read(end - start)
    try:
        dataset = read_dataset(BytesIO(data), encoding.implicit, encoding.little)
    except MemoryError:
        raise
    except Exception as error:  # pydicom's conversions raise what values provoke
        raise MalformedDicom(
            f"pydicom cannot read the header: {one_line(error)}; export the file again",
            cause=one_line(error),
        ) from error
    dataset.set_original_encoding(encoding.implicit, encoding.little, dataset._character_set)
    return dataset

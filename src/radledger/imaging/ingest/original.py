"""An original file: the digest by which it is recognised, and what is anchored of it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import BinaryIO, cast

from blake3 import blake3

from radledger.dicom.errors import DicomError, DicomTooLarge
from radledger.dicom.source import open_regular
from radledger.storage.cid import BUFFER

__all__ = ["FileChanged", "OriginalFile", "source_digest"]


class FileChanged(DicomError):
    """The file was changed while it was read."""


def source_digest(path: Path) -> bytes:
    """The digest by which a file is recognised: its BLAKE3, 32 bytes.

    A file that was added before is read for this alone, so it is the fastest digest there is; it
    stays in the journal.

    Raises
    ------
    DicomError, DicomTooLarge
        If the file cannot be read, or memory does not suffice to.
    """
    digest = blake3()
    try:
        with open_regular(path) as file:
            while piece := file.read(BUFFER):
                digest.update(piece)
    except OSError as error:
        raise DicomError(f"the file cannot be read: {error.strerror}") from error
    except MemoryError as error:
        raise DicomTooLarge("there is too little memory to read the file") from error
    return digest.digest()


class OriginalFile(io.BufferedReader):
    """A file that is taken as it is; it takes the digests of what is read through it."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(cast(io.RawIOBase, stream))
        self._source, self._file = blake3(), hashlib.sha256()

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on, as the base class does."""
        data = super().read(size)
        self._source.update(data)
        self._file.update(data)
        return data

    def file_digest(self, source_digest: bytes) -> bytes:
        """SHA-256 of what was read, 32 bytes, if it is the file of a `source_digest`.

        Raises
        ------
        FileChanged
            If it is another one.
        """
        if self._source.digest() != source_digest:
            raise FileChanged("the file was written to while it was read; add it again")
        return self._file.digest()

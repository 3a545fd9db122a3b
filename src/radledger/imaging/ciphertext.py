"""One file's ciphertext: into the store, and back out of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from radledger.crypto import envelope
from radledger.crypto.seekable import open_decrypted
from radledger.imaging.errors import RootMismatch

if TYPE_CHECKING:
    from radledger.imaging.manifest import Instance
    from radledger.storage import Storage

__all__ = ["IN_MEMORY", "decrypt_instance", "encrypted", "open_instance"]

IN_MEMORY = 8 << 20
"""Bytes of a temporary file that are kept in memory."""


def encrypted(source: IO[bytes], recipient: str, folder: Path) -> IO[bytes]:
    """The ciphertext of a stream, in a temporary file of `folder` unless it is small."""
    spool = SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder))  # noqa: SIM115 (handed over)
    ciphertext = cast(IO[bytes], spool)
    try:
        envelope.encrypt(source, ciphertext, recipient)
        ciphertext.seek(0)
    except BaseException:
        ciphertext.close()
        raise
    return ciphertext


def decrypt_instance(storage: Storage, instance: Instance, secret: str, path: Path) -> None:
    """Fetch one instance's ciphertext, decrypt it to a file and compare it with its leaf.

    Raises
    ------
    ContentMismatch, DecryptionFailed
        If the ciphertext was changed.
    RootMismatch
        If the file is not the one whose digest the root covers.
    """
    with storage.get(instance.cid, envelope.longest_ciphertext(instance.size)) as ciphertext:
        envelope.decrypt(ciphertext, path, secret, instance.size)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if "0x" + found != instance.file_digest:
        path.unlink()
        raise RootMismatch(
            "a decrypted file is not the one that was anchored; ask the custodian",
            instance=instance.sop_instance,
            expected=instance.file_digest,
            got="0x" + found,
        )


def open_instance(storage: Storage, instance: Instance, secret: str) -> BinaryIO:
    """Open one instance for reading at any place; it is decrypted as it is read, chunk by chunk.

    The ciphertext is the one that the manifest names, and each chunk is authenticated.  Whether
    the whole file has the digest in its leaf is for who reads all of it to see.

    Raises
    ------
    ContentNotFound, ContentMismatch, DecryptionFailed
        If the ciphertext is missing, or was changed.
    """
    ciphertext = storage.get(instance.cid, envelope.longest_ciphertext(instance.size))
    try:
        return open_decrypted(ciphertext, secret, instance.size)
    except BaseException:
        ciphertext.close()
        raise

"""One file's ciphertext: into the store, and back out of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, cast

from radledger.crypto import envelope
from radledger.imaging.errors import RootMismatch

if TYPE_CHECKING:
    from radledger.imaging.manifest import Instance
    from radledger.storage import Storage

__all__ = ["IN_MEMORY", "decrypt_instance", "encrypted"]

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

"""Read an image set's files from the store, with every byte checked."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.imaging.ciphertext import decrypt_instance
from radledger.imaging.errors import FolderNotEmpty, ManifestInvalid
from radledger.imaging.manifest import (
    LONGEST_MANIFEST,
    Envelope,
    Instance,
    Manifest,
    read_envelope,
)
from radledger.imaging.model import FetchedFile
from radledger.storage import get_by_digest

if TYPE_CHECKING:
    from radledger.imaging.model import ImageRecord
    from radledger.storage import Storage

__all__ = ["open_manifest", "opened_envelope", "write_files"]


@contextmanager
def opened_envelope(storage: Storage, record: ImageRecord) -> Iterator[Envelope]:
    """The stored manifest to which the chain points now."""
    digest = bytes.fromhex(record.manifest[2:])
    with get_by_digest(storage, digest, LONGEST_MANIFEST) as stored:
        yield read_envelope(stored)


def open_manifest(storage: Storage, record: ImageRecord, secret: str) -> Manifest:
    """The manifest of an image set, checked against what the chain says of the set.

    Raises
    ------
    CommitmentMismatch, DecryptionFailed
        If the secret does not open it.
    ManifestInvalid
        If it is another set's.
    RootMismatch
        If its leaves do not add up to the root on the chain.
    """
    with opened_envelope(storage, record) as stored:
        manifest = stored.open(secret)
    if manifest.image_set.image_id != record.image_id:
        raise ManifestInvalid(
            "the stored manifest is another image set's; ask the custodian",
            reason="another image set",
            expected=record.image_id,
            got=manifest.image_set.image_id,
        )
    return manifest


def write_files(
    storage: Storage, manifest: Manifest, secret: str, folder: Path
) -> tuple[FetchedFile, ...]:
    """Decrypt all instances into a folder, which appears when all are there and checked.

    Raises
    ------
    FolderNotEmpty
        If the folder has something in it.
    ContentNotFound, ContentMismatch, DecryptionFailed
        If a ciphertext is missing, or is not what the manifest says.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmpty(
            f"{folder} is there already and not an empty folder; give another",
            folder=str(folder),
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    aside.mkdir(mode=0o700)
    try:
        for instance in manifest.instances:
            decrypt_instance(storage, instance, secret, aside / _name(instance))
        os.replace(aside, folder)  # noqa: PTH105 - Path.replace() is the same call
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return tuple(
        FetchedFile(folder / _name(instance), instance.sop_instance, instance.size)
        for instance in manifest.instances
    )


def _name(instance: Instance) -> str:
    return f"{instance.sop_instance}.dcm"  # digits and dots, as in every manifest that was read

"""MONAI bundles: their metadata, and the digest of the whole.

References
----------
.. [1] MONAI Bundle Specification, https://docs.monai.io/en/stable/mb_specification.html
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radledger.algorithms.errors import InvalidBundle

__all__ = ["MonaiBundle", "folder_digest"]

_METADATA = Path("configs", "metadata.json")
_LONGEST = 10_000_000


@dataclass(frozen=True, slots=True)
class MonaiBundle:
    """The metadata of a bundle, from its ``configs/metadata.json``.

    Attributes
    ----------
    name
        Its name, or that of its folder if the metadata have none.
    version
        Its version.
    description, authors
        As in the metadata; None if missing.
    digest
        SHA-256 of the bundle (:func:`folder_digest`).
    """

    name: str
    version: str
    description: str | None
    authors: str | None
    digest: str

    @classmethod
    def read(cls, folder: Path) -> MonaiBundle:
        """Read a bundle's folder.

        Raises
        ------
        InvalidBundle
            If it has no metadata, or these have no version.
        """
        metadata = _metadata(folder)

        def text(key: str) -> str | None:
            value = metadata.get(key)
            return value.strip() or None if isinstance(value, str) else None

        version = text("version")
        if version is None:
            raise InvalidBundle(
                f"{folder / _METADATA} has no version; add one", path=str(folder / _METADATA)
            )
        return cls(
            name=text("name") or folder.resolve().name,
            version=version,
            description=text("description"),
            authors=text("authors"),
            digest=folder_digest(folder),
        )


def folder_digest(folder: Path) -> str:
    """SHA-256 of what ``sha256sum`` prints for all files of a folder, in the order of their names.

    Hidden files and folders, such as ``.git``, and links do not count.  Anyone gets the same with
    ``find * -type f -not -path '*/.*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum``
    in the folder.

    Parameters
    ----------
    folder
        The folder, such as a MONAI bundle.

    Raises
    ------
    InvalidBundle
        If a file's name has a line break or backslash, which ``sha256sum`` writes in another way.
    """
    names = sorted(
        (
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if _counts(folder, path)
        ),
        key=lambda name: name.encode("utf-8", "surrogateescape"),
    )
    whole = hashlib.sha256()
    for name in names:
        if any(character in name for character in "\\\n\r"):
            raise InvalidBundle(
                f"the file name {name!r} has a line break or backslash; rename the file",
                path=name,
            )
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(os.fsencode(f"{digest}  {name}\n"))
    return "0x" + whole.hexdigest()


def _counts(folder: Path, path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.is_file() and not path.is_symlink() and not hidden


def _metadata(folder: Path) -> dict[str, Any]:
    path = folder / _METADATA
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_LONGEST))
    except OSError as error:
        raise InvalidBundle(
            f"{path} cannot be read: {error.strerror}; name the folder of a MONAI bundle",
            path=str(path),
        ) from error
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidBundle(f"{path} is not a JSON object", path=str(path))
    return value

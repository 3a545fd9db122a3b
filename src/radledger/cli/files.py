"""Files that a command reads or writes, checked before it does anything else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from radledger.errors import UsageError
from radledger.files import expanded

__all__ = [
    "InvalidFile",
    "digest",
    "document",
    "documents",
    "file_to_read",
    "file_to_write",
    "folder_to_fill",
    "named_path",
    "path_to_read",
    "write_document",
    "write_documents",
]

# A signed document has some 2 kB.
_LONGEST = 1_000_000


class InvalidFile(UsageError):
    """A file is missing, cannot be written where it was asked for, or holds something else."""


def named_path(text: str) -> Path:
    """A path; an empty text, as a script's unset variable gives it, is not the current folder.

    Raises
    ------
    InvalidFile
        If it is empty.
    """
    if not text:
        raise InvalidFile("a path is empty; name a file or folder")
    return expanded(text)


def path_to_read(text: str) -> Path:
    """Path of a file or folder that is there.

    Raises
    ------
    InvalidFile
        If it is not.
    """
    path = named_path(text)
    if not path.exists():
        raise InvalidFile(f"there is no file or folder {path}; check the path", path=str(path))
    return path


def file_to_read(text: str) -> Path:
    """Path of a file that is there.

    Raises
    ------
    InvalidFile
        If it is not, or is a folder.
    """
    path = path_to_read(text)
    if path.is_dir():
        raise InvalidFile(f"{path} is a folder; name a file in it", path=str(path))
    return path


def file_to_write(text: str) -> Path:
    """Path of a file that can be written: no folder, and in one that is there.

    Raises
    ------
    InvalidFile
        If it is a folder, or there is no folder for it.
    """
    path = named_path(text)
    if path.is_dir():
        raise InvalidFile(f"{path} is a folder; name the file to write", path=str(path))
    if not path.parent.is_dir():
        raise InvalidFile(
            f"{path} cannot be written, as there is no folder {path.parent}; make the folder, or "
            "name another",
            path=str(path),
        )
    return path


def folder_to_fill(text: str) -> Path:
    """Path of a folder that is there or can be made.

    Raises
    ------
    InvalidFile
        If it is a file, or would be in one.
    """
    path = named_path(text)
    found = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not found.is_dir():
        raise InvalidFile(f"{found} is a file; name a new or empty folder", path=str(found))
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return "0x" + hashlib.file_digest(file, "sha256").hexdigest()


def document(path: Path) -> dict[str, Any]:
    """A signed document from its file.

    Raises
    ------
    InvalidFile
        If the file holds no JSON object.
    """
    found = _read(path)
    if not isinstance(found, dict):
        raise _no_document(path)
    return found


def documents(path: Path) -> list[dict[str, Any]]:
    """The signed documents of a file: one, or a list of them.

    Raises
    ------
    InvalidFile
        If the file holds something else.
    """
    found = _read(path)
    listed = found if isinstance(found, list) else [found]
    if not listed or not all(isinstance(each, dict) for each in listed):
        raise _no_document(path)
    return listed


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        content = file.read(_LONGEST)
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _no_document(path: Path) -> InvalidFile:
    return InvalidFile(
        f"{path} does not hold a signed document, which is one JSON object, or a list of them; "
        "give a file that --sign-only wrote",
        path=str(path),
    )


def write_document(path: Path, value: dict[str, Any]) -> None:
    """Write a signed document for another account to submit."""
    path.write_text(json.dumps(value, indent=2) + "\n", "utf-8")


def write_documents(path: Path, values: list[dict[str, Any]]) -> None:
    """Write several signed documents into one file."""
    path.write_text(json.dumps(values, indent=2) + "\n", "utf-8")

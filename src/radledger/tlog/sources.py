"""Where the files of a log are read from."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from radledger.endpoints import shown
from radledger.tlog.errors import LogUnreadable
from radledger.tlog.exchange import Unanswered, exchange

__all__ = ["LONGEST", "FolderSource", "HttpSource", "Source"]

LONGEST = 256 * (2 + (1 << 16))
"""Bytes of the longest file: 256 entries of 64 KiB with their lengths."""


class Source(Protocol):
    """A folder or server with the files of a log (C2SP tlog-tiles)."""

    def read(self, name: str) -> bytes:
        """A file, such as ``checkpoint`` or ``tile/0/000``, of which `LONGEST` bytes are read.

        Raises
        ------
        LogUnreadable
            If it cannot be read.
        """
        ...


class FolderSource:
    """The folder of a log, as a static server has it.

    Parameters
    ----------
    path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str) -> bytes:
        """A file; see `Source`."""
        try:
            with (self._path / name).open("rb") as file:
                return file.read(LONGEST)
        except OSError as error:
            raise LogUnreadable(
                f"the log in {self._path} has no readable file {name}: {error.strerror}; name the "
                "folder with its checkpoint",
                path=str(self._path),
                file=name,
            ) from None


class HttpSource:
    """The server of a log.

    Parameters
    ----------
    url
        Its prefix, before ``/checkpoint`` and ``/tile/``.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def read(self, name: str) -> bytes:
        """A file; see `Source`."""
        try:
            status, content = exchange(f"{self._url}/{name}", LONGEST)
            if status == 200:
                return content
            why = f"it answers {status}"
        except Unanswered as error:
            why = str(error)
        raise LogUnreadable(
            f"the log at {shown(self._url)} does not give its file {name}, as {why}; check the "
            "address, or try again later",
            log=shown(self._url),
            file=name,
        )

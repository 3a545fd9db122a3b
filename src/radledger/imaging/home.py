"""The files of a custodian's image sets in its home.

::

    home/imaging/<chain id>-<chain and contract>/
      journal.sqlite3      secrets and salts: back it up, and keep it secret; or in PostgreSQL
      journal.key          what opens the secrets in it; journal-postgresql.key of one there
      certificates/        one for each erased image set
      adding/, rekeying/   files under way
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.chain.refusals import ImageIsDisowned, ImageIsErased
from radledger.files import locked
from radledger.imaging import records
from radledger.imaging.errors import HomeBusy
from radledger.imaging.journal.homekey import HomeKey
from radledger.imaging.journal.journal import Journal
from radledger.imaging.model import ImageRecord, State

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger
    from radledger.storage import Storage

__all__ = [
    "ImagingHome",
    "custodian_journal",
    "exclusive_workdir",
    "imaging_folder",
    "journal_location",
]


class ImagingHome:
    """The image sets of one chain, as one home knows them; see :class:`.Images`."""

    def __init__(
        self, ledger: Ledger, storage: Storage, home: Path, journal: str | None = None
    ) -> None:
        self._ledger = ledger
        self._storage = storage
        self._home = home
        self._journal_url = journal

    @cached_property
    def _folder(self) -> Path:
        return imaging_folder(self._home, self._ledger)

    @cached_property
    def _journal(self) -> Journal:
        location = journal_location(self._folder, self._journal_url)
        return custodian_journal(self._folder, location)

    def _usable(self, image_id: str) -> ImageRecord:
        record = records.image_record(self._ledger, image_id)
        if record.state is State.ERASED:
            raise ImageIsErased.of({"image": record.image_id})
        return record

    def _recognised(self, image_id: str) -> ImageRecord:
        record = self._usable(image_id)
        if record.state is State.DISOWNED:
            raise ImageIsDisowned.of({"image": record.image_id})
        return record


def imaging_folder(home: Path, ledger: Ledger) -> Path:
    """The folder for one deployment, made if it is not there, for its owner alone."""
    folder = home / "imaging" / ledger.deployment.slug
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def journal_location(folder: Path, url: str | None) -> Path | str:
    """Where the journal is: in that folder, or in a schema of its own of the database at a URL.

    Raises
    ------
    InvalidJournalUrl
        If it is not that of a PostgreSQL database.
    """
    if url is None:
        return folder / "journal.sqlite3"
    from radledger.imaging.journal.database import in_schema

    return in_schema(url, f"imaging_{folder.name.replace('-', '_')}")


def custodian_journal(folder: Path, location: Path | str) -> Journal:
    """A journal with the key of its home; both are made if they are not there.

    Raises
    ------
    JournalKeyMissing
        If the journal belongs to another key.
    """
    path = folder / ("journal.key" if isinstance(location, Path) else "journal-postgresql.key")
    # If a run ends before the journal is bound to its new key, the next run uses that key.
    begun = path.with_suffix(".new")
    if not path.exists():
        with locked(folder.parent):
            if not path.exists():
                _adopted(location, HomeKey.made(begun), trusting=True).close()
                begun.replace(path)
    return _adopted(location, HomeKey.read(path), trusting=False)


@contextmanager
def exclusive_workdir(folder: Path, name: str, *, wait: bool = False) -> Iterator[Path]:
    """Return an empty folder for temporary files, exclusive to this process.

    What a killed process has left in it is deleted first.

    Parameters
    ----------
    folder, name
        Where, and what for.
    wait
        Wait for another process to be done.

    Raises
    ------
    HomeBusy
        If another process has it, and it is not to be waited for.
    """
    with ExitStack() as lock:
        try:
            lock.enter_context(locked(folder / f"{name}.lock", wait=wait))
        except BlockingIOError:
            raise HomeBusy(
                f"another process is {name} images in this home; wait until it is done",
                folder=str(folder),
            ) from None
        temporary = folder / name
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(mode=0o700)
        lock.callback(shutil.rmtree, temporary, ignore_errors=True)
        yield temporary


def _adopted(location: Path | str, key: HomeKey, *, trusting: bool) -> Journal:
    journal = Journal(location, key)
    try:
        journal.adopt(trusting=trusting)
    except BaseException:
        journal.close()
        raise
    return journal

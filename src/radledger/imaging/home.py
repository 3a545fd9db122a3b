"""The files of a custodian's image sets in its home.

::

    home/imaging/<chain id>-<chain and contract>/
      journal.sqlite3      secrets and salts: back it up, and keep it secret; or in PostgreSQL
      journal.key          what opens the secrets in it; journal-postgresql.key of one there
      certificates/        of erased image sets: the custodian's, and those of other holders
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
from radledger.imaging import reading, records
from radledger.imaging.certificates import Certificates
from radledger.imaging.errors import (
    CommitmentMismatch,
    HomeBusy,
    ImageNotErased,
    SecretUnknown,
)
from radledger.imaging.journal.homekey import HomeKey
from radledger.imaging.journal.journal import Journal
from radledger.imaging.model import ImageRecord, State
from radledger.storage import cid_digest

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger
    from radledger.imaging.journal.tables import SetRow
    from radledger.storage import Storage

__all__ = [
    "ImagingHome",
    "custodian_journal",
    "exclusive_workdir",
    "imaging_folder",
    "journal_location",
]


class ImagingHome:
    """The image sets of one chain, as one home knows them.

    Parameters
    ----------
    ledger
        The connected chain.
    storage
        Where the ciphertext is.
    path
        Folder of the home.
    journal
        URL of a PostgreSQL database that has the journal instead.
    """

    def __init__(
        self, ledger: Ledger, storage: Storage, path: Path, journal: str | None = None
    ) -> None:
        self.ledger = ledger
        self.storage = storage
        self.path = path
        self._journal_url = journal

    @cached_property
    def folder(self) -> Path:
        """Where the files of this chain's image sets are."""
        return imaging_folder(self.path, self.ledger)

    @cached_property
    def journal(self) -> Journal:
        """The secrets, and how far each addition has come."""
        return custodian_journal(self.folder, journal_location(self.folder, self._journal_url))

    @cached_property
    def certificates(self) -> Certificates:
        """The certificates of erasure."""
        return Certificates(self.folder / "certificates")

    def usable(self, image_id: str) -> ImageRecord:
        """The record of an image set that is not erased.

        Raises
        ------
        ImageUnknown, ImageIsErased
            If there is no such set, or it was erased.
        """
        record = records.image_record(self.ledger, image_id)
        if record.state is State.ERASED:
            raise ImageIsErased.of({"image": record.image_id})
        return record

    def erased(self, image_id: str) -> ImageRecord:
        """The record of an image set that is erased.

        Raises
        ------
        ImageUnknown, ImageNotErased
            If there is no such set, or the chain does not say that it was erased.
        """
        record = records.image_record(self.ledger, image_id)
        if record.state is not State.ERASED:
            raise ImageNotErased(
                "the chain does not say that this image set was erased; its custodian erases it "
                "with `radledger image erase`",
                image=record.image_id,
                state=record.state,
            )
        return record

    def recognised(self, image_id: str) -> ImageRecord:
        """The record of an image set that is neither erased nor disowned.

        Raises
        ------
        ImageUnknown, ImageIsErased, ImageIsDisowned
            If there is no such set, or it was erased or disowned.
        """
        record = self.usable(image_id)
        if record.state is State.DISOWNED:
            raise ImageIsDisowned.of({"image": record.image_id})
        return record

    def held(self, image_id: str) -> SetRow:
        """The journal's row of an image set whose secret is here.

        Raises
        ------
        SecretUnknown
            If it was added elsewhere, or erased.
        JournalAltered
            If the row is not as the home wrote it.
        """
        row = self.journal.find(image_id)
        if row is None or row.secret is None:
            raise SecretUnknown(
                "this home has no secret of that image set: it was added in another one, or "
                "erased; use the custodian's home, or ask its gateway (--key-service URL)",
                image=image_id,
            )
        self.journal.require_authentic(row)
        return row

    def secret(self, row: SetRow, record: ImageRecord) -> str:
        """The secret of a row, if it opens the manifest that the chain names now.

        Raises
        ------
        SecretUnknown
            If it is an earlier one.
        """
        secret = self.journal.secret_of(row)
        if record.manifest == "0x" + cid_digest(row.manifest_cid or "").hex():
            return secret
        # It was re-encrypted, or sealed again with a journal from a backup.
        try:
            with reading.opened_envelope(self.storage, record) as envelope:
                envelope.require_secret(secret)
        except CommitmentMismatch as error:
            raise SecretUnknown(
                "the journal has an earlier secret of the image set, which was re-encrypted "
                "since: if that was interrupted, finish it with `radledger image rekey`, else "
                "restore the journal from a later backup",
                image=record.image_id,
            ) from error
        return secret


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

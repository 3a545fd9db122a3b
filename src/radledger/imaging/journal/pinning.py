"""Pin contents so that none stays pinned without the journal naming it, even after a crash.

A content's CID is in the journal's list before the store has it, and leaves the list when the row
of a file or a set names it.  What is on the list when no process is at work was left by one that
was killed: :meth:`radledger.imaging.journal.journal.Journal.abandon` makes it garbage.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from radledger.storage.cid import cid_of
from radledger.storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from radledger.imaging.journal.journal import Journal
    from radledger.imaging.journal.tables import Work
    from radledger.storage import Storage

__all__ = ["collect", "put"]


def put(journal: Journal, storage: Storage, content: IO[bytes], work: Work) -> str:
    """Store a seekable stream from its start, and return its CID.

    Parameters
    ----------
    journal, storage
        Where it is listed, and where it goes.
    content
        What to store.
    work
        For what; the caller holds the lock of that name.
    """
    cid = cid_of(content)
    content.seek(0)
    journal.storing([cid], work)
    return storage.put(content, cid).cid


def collect(journal: Journal, storage: Storage) -> None:
    """Unpin and collect what nothing needs any more, or note that a node still has it.

    Raises
    ------
    StorageUnavailable
        If a node did not answer; what it still has goes by a later collection.
    """
    cids, failures = journal.garbage(), []
    for cid in list(cids):
        try:
            storage.unpin(cid)
        except StorageUnavailable as error:
            cids.remove(cid)
            failures.append(error)
    if cids or failures:
        storage.collect()
        journal.collected(cids)
    if failures:
        raise failures[0]

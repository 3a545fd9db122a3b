"""The custodian's journal: secrets of image sets, and how far each addition has come.

================  ==========================================================================
``journal``       :class:`~radledger.imaging.journal.journal.Journal`
``tables``        its tables and their rows
``statements``    what it asks and writes for each file
``rows``          an open journal, whose rows its home can tell from those of others
``rekeying``      how far the re-encryption of an image set has come
``database``      an SQLite file, or a schema of a PostgreSQL server
``identifiers``   which Patient IDs a study has, as keyed digests
``homekey``       the key that only the custodian's home has
``pinning``       nothing stays pinned that the journal does not name
================  ==========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.imaging.journal.journal import Journal

__all__ = ["Journal"]

__getattr__ = lazily(
    __name__,
    {
        "journal": ("Journal",),
    },
)

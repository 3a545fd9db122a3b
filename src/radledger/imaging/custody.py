"""What a home holds: its image sets, and instances that another system has too by their UIDs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.imaging import records
from radledger.imaging.home import ImagingHome
from radledger.imaging.model import State

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger
    from radledger.imaging.journal.tables import Level
    from radledger.storage import Storage

__all__ = ["Custody"]


class Custody:
    """The instances of one home.

    Parameters
    ----------
    ledger, storage, home, journal
        As for :class:`.Images`.
    """

    def __init__(
        self, ledger: Ledger, storage: Storage, home: Path, journal: str | None = None
    ) -> None:
        self._home = ImagingHome(ledger, storage, home, journal)

    def classes(self, sop_instance: str) -> set[str]:
        """Storage classes of an instance that image sets of this home hold as it was given.

        The sets are on the chain, with the identity kept, and not erased.  A de-identified copy
        does not count.

        Parameters
        ----------
        sop_instance
            SOP Instance UID.
        """
        kept = self._home.journal.kept(sop_instance)
        # A journal from a backup may have what was erased since.
        return {
            sop_class
            for image_id, sop_class in kept
            if records.state_of(self._home.ledger, image_id) is not State.ERASED
        }

    def holding(self, level: Level, uid: str) -> list[str | None]:
        """Image sets of this home with something of a study, series or instance, oldest first.

        Those that were erased are not among them.

        Parameters
        ----------
        level, uid
            Its UID, and of what it is.

        Returns
        -------
        list of str or None
            Their ids; None for a set that is being added.

        Raises
        ------
        JournalAltered
            If what the journal says of one was not written by this home.
        """
        journal = self._home.journal
        rows = journal.holding(level, uid)
        for row in rows:
            if row.image_id is not None:
                journal.require_authentic(row)
        return [row.image_id for row in rows]

    def study(self, image_id: str) -> str:
        """UID of the study of an image set.

        Raises
        ------
        SecretUnknown
            If the set is not of this home, or was erased.
        JournalAltered
            If what the journal says of it was not written by this home.
        """
        return self._home.held(image_id).study

    def image_sets(self, custodian: str, studies: Collection[str] = ()) -> list[tuple[str, str]]:
        """Ids of the image sets of a custodian that this home holds, and whose each is.

        They are on the chain, and were not erased here; oldest first.

        Parameters
        ----------
        custodian
            Whose home it is.
        studies
            Study Instance UIDs; none: of all studies.
        """
        return self._home.journal.confirmed(custodian, studies)

    def kinds(self, custodian: str) -> list[tuple[str, str]]:
        """Storage class and transfer syntax of a custodian's instances, most of them first."""
        return self._home.journal.kinds(custodian)

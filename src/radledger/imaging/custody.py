"""Which instances a home keeps as they were given, for who asks before they delete their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from radledger.imaging.home import ImagingHome

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger
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
        return self._home.journal.kept(sop_instance)

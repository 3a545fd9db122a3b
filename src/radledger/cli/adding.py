"""How `radledger pacs receive` and `radledger gateway serve` add what they have received."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from radledger.cli.output import show

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.facade import RadLedger
    from radledger.imaging.model import Added, Addition
    from radledger.pacs.closing import ClosedStudy

__all__ = ["adding", "show_closed"]


def adding(
    radledger: RadLedger, custodian: LocalAccount, **options: Any
) -> Callable[[Addition], Added]:
    """What adds the files of one study; that of an earlier run which was interrupted is finished.

    Parameters
    ----------
    radledger, custodian
        The home, and who acts for its custodian.
    **options
        As for :meth:`.Images.add_all`.

    Raises
    ------
    ParticipantLacksRole
        If the account may not add images.
    """

    def add_all(*additions: Addition) -> Iterator[Added]:
        return radledger.images.add_all(additions, custodian=custodian, **options)

    def add(addition: Addition) -> Added:
        (added,) = add_all(addition)
        return added

    list(add_all())
    return add


def show_closed(study: ClosedStudy) -> None:
    """Print what became of a study, for a reader that may read it from a pipe."""
    show(study)
    sys.stdout.flush()

"""Receive studies and anchor them, until stopped."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from radledger.imaging.home import exclusive_workdir
from radledger.pacs.closing import ClosedStudy, StudyCloser
from radledger.pacs.commitment import Committer
from radledger.pacs.errors import PacsNotInstalled
from radledger.pacs.inbox import Inbox, inbox_folder

if TYPE_CHECKING:
    from radledger.chain.deployments import Deployment
    from radledger.imaging.model import Added, Addition
    from radledger.pacs.patients import PatientList
    from radledger.pacs.settings import Settings

__all__ = ["receive"]

_LOOK = 1.0


def receive(
    home: Path,
    deployment: Deployment,
    patients: PatientList,
    settings: Settings,
    add: Callable[[Addition], Added],
    kept: Callable[[str], set[str]],
    *,
    address: tuple[str, int],
    quiet: float,
    ready: Callable[[int], None],
    closed: Callable[[ClosedStudy], None],
    stop: Event,
) -> None:
    """Receive studies and anchor them, until stopped.

    What is held when it stops is anchored after the next start.

    Parameters
    ----------
    home, deployment
        Of the custodian.
    patients, settings
        See :class:`.Receiver`.
    add, quiet
        See :class:`.StudyCloser`.
    kept
        See :class:`.Committer`.
    address
        Host and port to listen at; port 0 lets the system choose one.
    ready
        Called with the port once instances are taken.
    closed
        Called with what became of each study.
    stop
        Set to stop.

    Raises
    ------
    HomeBusy
        If another process receives in this home.
    PacsNotListening
        If the address cannot be had.
    PacsNotInstalled
        If pynetdicom is missing.
    """
    try:
        from radledger.pacs.receiver import Receiver
        from radledger.pacs.sender import report_outcome
    except ImportError as error:
        raise PacsNotInstalled.of(error) from error
    folder = inbox_folder(home, deployment)
    with (
        closing(Inbox(folder)) as inbox,
        exclusive_workdir(folder, "receiving") as under_way,
        inbox.receiving(),
    ):
        committer = None
        if settings.commit_to:
            report = partial(report_outcome, title=settings.title, tls=settings.tls_out)
            committer = Committer(inbox, settings.commit_to, kept, report)
        receiver = Receiver(inbox, under_way, patients, settings, committer)
        closer = StudyCloser(inbox, add, quiet)
        with receiver.listening(*address) as port:
            ready(port)
            while not stop.wait(_LOOK):
                for study in closer.close_due():
                    closed(study)
                    if stop.is_set():
                        return
                if committer is not None:
                    committer.report_due()
                receiver.remove_abandoned()

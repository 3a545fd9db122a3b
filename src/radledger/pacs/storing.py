"""Instances that arrive at a gateway by STOW-RS: they are held in the inbox, and anchored."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import IO, TYPE_CHECKING

from radledger.dicom.source import PROVIDER_URL
from radledger.gateway.storing import Stored
from radledger.imaging.home import exclusive_workdir
from radledger.pacs.closing import ClosedStudy, StudyCloser
from radledger.pacs.holding import Holder
from radledger.pacs.inbox import Inbox, inbox_folder

if TYPE_CHECKING:
    from radledger.chain.deployments import Deployment
    from radledger.dicom.read import DicomHeader
    from radledger.imaging.model import Added, Addition
    from radledger.pacs.patients import PatientList

__all__ = ["InboxStore"]

_LOGGER = logging.getLogger(__name__)
_LOOK = 1.0

# PS3.18 table I.2-2
_OTHER_STUDY = 0xA900
_SYNTAX_NOT_SUPPORTED = 0xC122


class InboxStore:
    """Takes instances for the inbox of a home, as :class:`.InstanceStore` says.

    Parameters
    ----------
    home, deployment
        Of the custodian.
    patients
        Whose images are taken.
    allowed
        Accounts that may send.
    add, quiet
        See :class:`.StudyCloser`.
    closed
        Called with what became of each study.

    Attributes
    ----------
    allowed
        Accounts that may send.
    """

    def __init__(
        self,
        home: Path,
        deployment: Deployment,
        patients: PatientList,
        allowed: Collection[str],
        add: Callable[[Addition], Added],
        *,
        quiet: float,
        closed: Callable[[ClosedStudy], None],
    ) -> None:
        self.allowed = frozenset(allowed)
        self._closed = closed
        self._stop = Event()
        with ExitStack() as stack:
            folder = inbox_folder(home, deployment)
            inbox = Inbox(folder)
            stack.callback(inbox.close)
            self._under_way = stack.enter_context(exclusive_workdir(folder, "storing"))
            stack.enter_context(inbox.receiving())
            self._holder = Holder(inbox, patients)
            self._closer = StudyCloser(inbox, add, quiet)
            self._stack = stack.pop_all()
        self._thread = Thread(target=self._run, name="study-closer")

    def start(self) -> None:
        """Anchor studies once they are complete, from now on."""
        self._thread.start()

    def close(self) -> None:
        """Stop, once a study that is being anchored is done."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._stack.close()

    @contextmanager
    def receiving(self) -> Iterator[IO[bytes]]:
        """A file for an instance that arrives; it is deleted in the end unless it is held."""
        with tempfile.NamedTemporaryFile(dir=self._under_way, suffix=".dcm", delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)

    def hold(self, file: IO[bytes], study: str | None) -> Stored:
        """Take an instance over that has arrived, of a study or of any."""
        file.flush()
        outcome = self._holder.hold(Path(file.name), partial(_not_taken, study))
        header = outcome.header
        if header is None:
            return Stored(None, None, outcome.status)
        return Stored(header.sop_class, header.sop_instance, outcome.status)

    def _run(self) -> None:
        while not self._stop.wait(_LOOK):
            try:
                for study in self._closer.close_due():
                    self._closed(study)
                    if self._stop.is_set():
                        return
            except Exception as error:  # such as a full disk; studies wait in the inbox
                _LOGGER.error("studies in the inbox are not anchored", exc_info=error)


def _not_taken(study: str | None, header: DicomHeader) -> tuple[int, str] | None:
    if study not in (None, header.study):
        return _OTHER_STUDY, "the instance is of another study than the request's"
    if header.transfer_syntax in PROVIDER_URL:
        return _SYNTAX_NOT_SUPPORTED, "the pixels are on another server"
    return None

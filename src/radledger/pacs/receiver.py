"""Receive instances over DICOM's network protocol: C-ECHO, C-STORE and storage commitment.

An instance is acknowledged with success when it is held: its file and its row are on the disk.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pydicom.dataset import Dataset
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt
from pynetdicom.dimse_primitives import C_STORE

from radledger.dicom.source import PROVIDER_URL
from radledger.errors import DatabaseUnavailable
from radledger.pacs.commitment import PUSH_MODEL, Committer, Instance
from radledger.pacs.holding import Holder
from radledger.pacs.listening import comment_of, entity_of, listening
from radledger.texts import visible

if TYPE_CHECKING:
    from pynetdicom.events import Event

    from radledger.dicom.read import DicomHeader
    from radledger.pacs.inbox import Inbox
    from radledger.pacs.patients import PatientList
    from radledger.pacs.settings import Settings

__all__ = ["Receiver"]

_LOGGER = logging.getLogger(__name__)
_ABANDONED = 3600.0  # seconds; longer than a message may take

# PS3.4 table B.2-1 and PS3.7 annex C
_REQUEST_COMMITMENT = 1
_SUCCESS = 0x0000
_PROCESSING_FAILURE = 0x0110
_INVALID_ARGUMENT = 0x0115
_NO_SUCH_ACTION = 0x0123
_NOT_AUTHORIZED = 0x0124
_OTHER_INSTANCE = 0xA900


class Receiver:
    """Holds what it is sent, and takes requests for storage commitment.

    Parameters
    ----------
    inbox
        Where.
    folder
        For files under way, on the inbox's file system, with nothing else in it.
    patients
        Whose images are taken.
    settings
        How it presents itself.
    committer
        Takes requests for storage commitment; none: they are not supported.
    clock
        Unix time.
    """

    def __init__(
        self,
        inbox: Inbox,
        folder: Path,
        patients: PatientList,
        settings: Settings,
        committer: Committer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._holder = Holder(inbox, patients, clock)
        self._folder = folder
        self._settings = settings
        self._committer = committer

    @contextmanager
    def listening(self, host: str, port: int) -> Iterator[int]:
        """Receive while the block runs; gives the port.

        Files under way are in the temporary folder of this process meanwhile, which is `folder`.

        Raises
        ------
        PacsNotListening
            If the address cannot be had.
        """
        handlers = [(evt.EVT_C_STORE, self._stored), (evt.EVT_N_ACTION, self._asked)]
        with (
            self._receiving_into_folder(),
            listening(self._entity(), self._settings, handlers, host, port) as taken,
        ):
            yield taken

    def remove_abandoned(self) -> None:
        """Remove files of connections that ended before the instance did."""
        for path in self._folder.iterdir():
            if path.stat().st_mtime < time.time() - _ABANDONED:
                path.unlink(missing_ok=True)

    @contextmanager
    def _receiving_into_folder(self) -> Iterator[None]:
        """Have pynetdicom write instances into `folder`, on the file system of the inbox."""
        before = tempfile.tempdir
        tempfile.tempdir = str(self._folder)
        try:
            yield
        finally:
            tempfile.tempdir = before

    def _entity(self) -> AE:
        entity = entity_of(self._settings)
        syntaxes = [each for each in ALL_TRANSFER_SYNTAXES if each not in PROVIDER_URL]
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), syntaxes)
        if self._committer is not None:
            entity.add_supported_context(PUSH_MODEL)
        return entity

    def _stored(self, event: Event) -> Dataset:
        """Hold an instance; the answer to its sender."""
        outcome = self._holder.hold(event.dataset_path, partial(_differing, event))
        answer = Dataset()
        answer.Status = outcome.status
        if outcome.comment:
            answer.ErrorComment = comment_of(outcome.comment)
        return answer

    def _asked(self, event: Event) -> tuple[int, None]:
        """Take a request for storage commitment; the answer comes later."""
        try:
            action = event.action_information
            transaction = str(action.TransactionUID)
            instances = [
                Instance(str(each.ReferencedSOPClassUID), str(each.ReferencedSOPInstanceUID))
                for each in action.ReferencedSOPSequence
            ]
        except Exception:  # whatever pydicom raises for what it cannot decode
            return _INVALID_ARGUMENT, None
        if event.action_type != _REQUEST_COMMITMENT:
            return _NO_SUCH_ACTION, None
        title = event.assoc.requestor.ae_title
        try:
            accepted = cast(Committer, self._committer).accept(title, transaction, instances)
        except (DatabaseUnavailable, OSError) as error:
            _LOGGER.warning(f"a request for storage commitment was refused: {visible(str(error))}")
            return _PROCESSING_FAILURE, None
        return _SUCCESS if accepted else _NOT_AUTHORIZED, None


def _differing(event: Event, header: DicomHeader) -> tuple[int, str] | None:
    if _stated(event) != (header.sop_class, header.sop_instance):
        return _OTHER_INSTANCE, "SOP class or instance differs from the request's"
    return None


def _stated(event: Event) -> tuple[str, str]:
    request = cast(C_STORE, event.request)
    return str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)

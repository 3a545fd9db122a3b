"""Answer workstations: C-ECHO, C-FIND, C-GET and C-MOVE over what the chain permits."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pynetdicom import ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt

from radledger.dicom.source import EXPLICIT_LITTLE, PROVIDER_URL
from radledger.errors import RadLedgerError, Refusal
from radledger.pacs.listening import comment_of, entity_of, listening
from radledger.pacs.querying import IdentifierInvalid, Query, understanding
from radledger.pacs.retrieving import PATIENT_ROOT, Retrieval, retrievals
from radledger.texts import visible

if TYPE_CHECKING:
    from pynetdicom import AE
    from pynetdicom.events import Event

    from radledger.pacs.archive import Archive
    from radledger.pacs.settings import Settings
    from radledger.pacs.workstations import Workstation

__all__ = ["Server"]

_LOGGER = logging.getLogger(__name__)
# C-FIND, C-MOVE and C-GET of the patient root and of the study root (PS3.4 section C.6)
_MODELS = [f"1.2.840.10008.5.1.4.1.2.{root}.{service}" for root in (1, 2) for service in (1, 2, 3)]

# PS3.4 table C.4-1 and PS3.7 annex C
_PENDING, _PENDING_WITHOUT_KEYS, _CANCELLED = 0xFF00, 0xFF01, 0xFE00
_NOT_AUTHORIZED = 0x0124
_IDENTIFIER = 0xA900
_UNABLE = 0xC000
_PERMANENT, _BY_USER, _CALLING_TITLE = 1, 1, 3  # a rejection (PS3.8 table 9-21)


class Server:
    """Answers workstations.

    Parameters
    ----------
    archive
        What may be found and retrieved.
    stations
        By whom, by AE title.
    settings
        How it presents itself; who is allowed are the workstations.
    folder
        For decrypted files, one at a time for each association, with nothing else in it.
    """

    def __init__(
        self,
        archive: Archive,
        stations: Mapping[str, Workstation],
        settings: Settings,
        folder: Path,
    ) -> None:
        self._archive = archive
        self._stations = stations
        # Nothing is stored here, so no message has to be long.
        bounds = replace(settings.bounds, message_bytes=settings.bounds.memory_bytes)
        self._settings = replace(settings, allowed=tuple(stations), bounds=bounds)
        self._folder = folder

    @contextmanager
    def listening(self, host: str, port: int) -> Iterator[int]:
        """Answer while the block runs; gives the port.

        Raises
        ------
        PacsNotListening
            If the address cannot be had.
        """
        handlers = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_ACCEPTED, self._accepted),
            (evt.EVT_C_FIND, self._found),
            (evt.EVT_C_STORE, lambda event: _NOT_AUTHORIZED),
        ]
        with listening(self._entity(), self._settings, handlers, host, port) as taken:
            yield taken

    def _entity(self) -> AE:
        entity = entity_of(self._settings)
        for model in _MODELS:
            entity.add_supported_context(model)
        others = [each for each in ALL_TRANSFER_SYNTAXES if each not in PROVIDER_URL]
        held = self._archive.syntaxes()
        for context in AllStoragePresentationContexts:
            # Who asks by C-GET is given instances by the same association.  Of the syntaxes that
            # it names for a class, the first one here is agreed on.
            name = str(context.abstract_syntax)
            syntaxes = [*dict.fromkeys((*held.get(name, ()), EXPLICIT_LITTLE, *others))]
            entity.add_supported_context(name, syntaxes, scu_role=False, scp_role=True)
        return entity

    def _requested(self, event: Event) -> None:
        """Reject an association that does not come from where the workstation is."""
        requestor = event.assoc.requestor
        title = str(getattr(requestor.primitive, "calling_ae_title", "")).strip()
        station = self._stations.get(title)
        if station is not None and not station.is_at(str(requestor.address)):
            _LOGGER.warning(
                f"an association of {title} was rejected: it comes from {requestor.address}, and "
                f"the list of workstations says {station.peer.host}"
            )
            event.assoc.acse.send_reject(_PERMANENT, _BY_USER, _CALLING_TITLE)
            event.assoc.kill()

    def _accepted(self, event: Event) -> None:
        retrieval = Retrieval(
            self._archive,
            self._station(event),
            self._stations,
            self._folder,
            self._settings.title,
            self._settings.tls_out,
        )
        retrievals(event.assoc, retrieval.answer)

    def _station(self, event: Event) -> Workstation:
        return self._stations[str(event.assoc.requestor.ae_title).strip()]

    def _found(self, event: Event) -> Iterator[tuple[Any, Dataset | None]]:
        try:
            model = str(event.request.AffectedSOPClassUID)
            with understanding():
                identifier = event.identifier
            query = Query.of(identifier, patient_root=model.startswith(PATIENT_ROOT))
            status = _PENDING if query.complete else _PENDING_WITHOUT_KEYS
            view = self._archive.view(self._station(event), query.studies)
            for answer in query.answers(view, self._settings.title):
                if event.is_cancelled:
                    yield _CANCELLED, None
                    return
                yield status, answer
        except IdentifierInvalid as error:
            yield _failure(_IDENTIFIER, str(error)), None
        except Refusal as error:
            yield _failure(_NOT_AUTHORIZED, error.message), None
        except (RadLedgerError, OSError) as error:
            _LOGGER.warning(f"a query was refused: {visible(str(error))}")
            yield _failure(_UNABLE, "the chain or the images are unavailable"), None


def _failure(status: int, comment: str) -> Dataset:
    failure = Dataset()
    failure.Status = status
    failure.ErrorComment = comment_of(comment)
    return failure

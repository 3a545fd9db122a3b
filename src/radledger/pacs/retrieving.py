"""C-GET and C-MOVE: what is permitted is sent, a receipt first (PS3.4 sections C.4.2 and C.4.3).

pynetdicom's own service encodes each instance again, and holds it in memory; here the bytes of the
data set are sent as they were anchored, from a file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.dsutils import decode, encode

from radledger.errors import RadLedgerError
from radledger.gateway.dicomweb.view import View
from radledger.pacs.listening import comment_of
from radledger.pacs.querying import LEVELS, IdentifierInvalid, level_of, understanding
from radledger.pacs.sender import CONTEXTS, associated, store
from radledger.texts import visible

if TYPE_CHECKING:
    import ssl

    from pydicom.uid import UID
    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext

    from radledger.gateway.dicomweb.view import Located
    from radledger.gateway.tokens import Viewing
    from radledger.pacs.archive import Archive
    from radledger.pacs.workstations import Workstation

__all__ = ["PATIENT_ROOT", "Retrieval", "retrievals"]

_LOGGER = logging.getLogger(__name__)
_MOST = 0xFFFF  # sub-operations, whose number is a US
PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1."
"""How the UIDs of the patient root's information models begin."""

# PS3.4 tables C.4-2 and C.4-3, PS3.7 annex C
_SUCCESS, _PENDING, _CANCELLED = 0x0000, 0xFF00, 0xFE00
_NOT_AUTHORIZED = 0x0124
_SOME_FAILED, _WARNING = 0xB000, 0xB000
_ALL_FAILED = 0xA702
_DESTINATION_UNKNOWN = 0xA801
_IDENTIFIER = 0xA900
_UNABLE = 0xC000

_Request = C_GET | C_MOVE


class _Refused(Exception):
    """A request is answered with a status and a comment, and nothing is sent."""

    def __init__(self, status: int, comment: str) -> None:
        super().__init__(comment)
        self.status, self.comment = status, comment


@dataclass(slots=True)
class _Progress:
    """What became of the instances of one request."""

    remaining: list[str]
    completed: int = 0
    warnings: int = 0
    failed: list[str] = field(default_factory=list)

    def count(self, sop_instance: str, status: int | None) -> None:
        self.remaining.remove(sop_instance)
        if status == _SUCCESS:
            self.completed += 1
        elif status is not None and status & 0xF000 == _WARNING:
            self.warnings += 1
        else:
            self.failed.append(sop_instance)

    @property
    def status(self) -> int:
        """Of the last response."""
        if not self.failed:
            return _SOME_FAILED if self.warnings else _SUCCESS
        return _SOME_FAILED if self.completed or self.warnings else _ALL_FAILED


@dataclass(slots=True)
class Retrieval:
    """Answers C-GET and C-MOVE of one association.

    Attributes
    ----------
    archive
        What may be retrieved.
    station, stations
        Who asks, and to which workstations images can be moved.
    folder
        For decrypted files, one at a time.
    title, tls
        With which title, and with which certificates, images are moved.
    admitted
        Image sets, and by which grants, for which this association has a receipt.
    """

    archive: Archive
    station: Workstation
    stations: Mapping[str, Workstation]
    folder: Path
    title: str
    tls: ssl.SSLContext | None
    admitted: set[tuple[str, str]] = field(default_factory=set)

    def answer(
        self, association: Association, request: _Request, context: PresentationContext
    ) -> None:
        """Answer a request with as many responses as it has instances, and the last one."""
        respond = _Responder(association, request, context)
        try:
            wanted = _wanted(request, context)
            viewing = self.archive.viewing(self.station, wanted["StudyInstanceUID"])
            view, located = self._chosen(viewing, wanted)
            send = self._sender(association, request)
            self._admit(viewing, located)
        except _Refused as refused:
            respond.refuse(refused.status, refused.comment)
        except (RadLedgerError, OSError) as error:
            _LOGGER.warning(f"a retrieval was refused: {visible(str(error))}")
            respond.refuse(_UNABLE, "the chain or the images are unavailable")
        else:
            self._send(viewing, view, located, send, respond)

    def _chosen(
        self, viewing: Viewing, wanted: Mapping[str, set[str]]
    ) -> tuple[View, list[Located]]:
        view = View(self.archive, viewing)
        found = [each for each in view.select() if _is_wanted(view, each, wanted)]
        if not found:
            # Whether there is anything that is not permitted is not said.
            raise _Refused(_NOT_AUTHORIZED, "the chain permits nothing with these UIDs")
        if len(found) > _MOST:
            raise _Refused(_UNABLE, f"more than {_MOST} instances; ask for fewer")
        return view, found

    def _sender(self, association: Association, request: _Request) -> _Sender:
        if isinstance(request, C_GET):
            return _Sender(association)
        destination = self.stations.get(str(request.MoveDestination).strip())
        # Others would be shown what the chain permits to this reader.
        if destination is None or destination.reader != self.station.reader:
            raise _Refused(_DESTINATION_UNKNOWN, "the destination is not one of this reader")
        originator = self.station.peer.title, cast(int, request.MessageID)
        return _Sender(None, destination, self.title, self.tls, originator)

    def _admit(self, viewing: Viewing, located: Sequence[Located]) -> None:
        """Keep a receipt for each image set of which this association has none."""
        image_ids = {each.image_set.image_id for each in located}
        new = {each for each in image_ids if (each, viewing.grants[each]) not in self.admitted}
        if new:
            self.archive.admit(self.station, viewing, new)
            self.admitted |= {(each, viewing.grants[each]) for each in new}

    def _send(
        self,
        viewing: Viewing,
        view: View,
        located: Sequence[Located],
        sender: _Sender,
        respond: _Responder,
    ) -> None:
        progress = _Progress([each.instance.sop_instance for each in located])
        comment = ""
        try:
            for some, association in sender.associations(located):
                for each in some:
                    if respond.cancelled:
                        respond.end(_CANCELLED, progress)
                        return
                    with self.archive.file(viewing, view, each, self.folder) as path:
                        status = sender.send(association, path)
                    progress.count(each.instance.sop_instance, status)
                    if progress.remaining:
                        respond.pending(progress)
        except (RadLedgerError, OSError) as error:
            _LOGGER.warning(f"a retrieval has ended before its end: {visible(str(error))}")
            comment = error.message if isinstance(error, RadLedgerError) else "no room on the disk"
            progress.failed += progress.remaining
            progress.remaining.clear()
        respond.end(progress.status, progress, comment)


@dataclass(frozen=True, slots=True)
class _Sender:
    """By which association instances are sent: the peer's own, or one to a destination."""

    own: Association | None
    destination: Workstation | None = None
    title: str = ""
    tls: ssl.SSLContext | None = None
    originator: tuple[str, int] | None = None

    def associations(
        self, located: Sequence[Located]
    ) -> Iterator[tuple[list[Located], Association]]:
        """Some of the instances, and the association to send them by."""
        if self.destination is None:
            yield list(located), cast("Association", self.own)
            return
        kinds: dict[tuple[str, str], list[Located]] = {}
        for each in located:
            kind = each.instance.sop_class, each.instance.transfer_syntax
            kinds.setdefault(kind, []).append(each)
        every = list(kinds)
        for start in range(0, len(every), CONTEXTS):
            some = every[start : start + CONTEXTS]
            with associated(some, self.destination.peer, self.title, self.tls) as association:
                yield [each for kind in some for each in kinds[kind]], association

    def send(self, association: Association, path: Path) -> int | None:
        """The status that the peer answered with; none if it takes no such instance."""
        to = str(self.destination.peer) if self.destination else "the peer"
        status, _ = store(association, path, to, self.originator)
        return status


class _Responder:
    """The responses to one request."""

    def __init__(
        self, association: Association, request: _Request, context: PresentationContext
    ) -> None:
        self._association, self._request = association, request
        self._syntax = context.transfer_syntax[0]
        self._context_id = cast(int, context.context_id)

    @property
    def cancelled(self) -> bool:
        """Whether the peer has sent a C-CANCEL."""
        return self._request.MessageID in self._association.dimse.cancel_req

    def refuse(self, status: int, comment: str) -> None:
        """Say why nothing is sent."""
        self._respond(status, comment=comment)

    def pending(self, progress: _Progress) -> None:
        """Say how far it has come."""
        self._respond(_PENDING, progress)

    def end(self, status: int, progress: _Progress, comment: str = "") -> None:
        """Say what became of all."""
        self._respond(status, progress, comment)

    def _respond(self, status: int, progress: _Progress | None = None, comment: str = "") -> None:
        if not self._association.is_established:
            return
        response = type(self._request)()
        response.MessageIDBeingRespondedTo = self._request.MessageID
        response.AffectedSOPClassUID = self._request.AffectedSOPClassUID
        response.Status = status
        if comment:
            response.ErrorComment = cast(Any, comment_of(comment))
        if progress is not None:
            if status in (_PENDING, _CANCELLED):
                response.NumberOfRemainingSuboperations = len(progress.remaining)
            response.NumberOfCompletedSuboperations = progress.completed
            response.NumberOfFailedSuboperations = len(progress.failed)
            response.NumberOfWarningSuboperations = progress.warnings
            if status not in (_PENDING, _SUCCESS):
                failed = Dataset()
                failed.FailedSOPInstanceUIDList = progress.failed
                response.Identifier = BytesIO(cast(bytes, _encoded(failed, self._syntax)))
        self._association.dimse.send_msg(response, self._context_id)


def retrievals(
    association: Association,
    answer: Callable[[Association, _Request, PresentationContext], None],
) -> None:
    """Have an association's C-GET and C-MOVE answered by a function.

    Parameters
    ----------
    association
        One that is being accepted.
    answer
        Is given the request and its presentation context.
    """
    serve = association._serve_request

    def served(msg: Any, context_id: int) -> None:
        context = association._accepted_cx.get(context_id)
        if not isinstance(msg, C_GET | C_MOVE) or not msg.is_valid_request or context is None:
            serve(msg, context_id)
            return
        association.dimse.cancel_req = {}
        association._is_paused = True  # the answer sends by the association itself
        try:
            answer(association, msg, context)
        except Exception as error:
            _LOGGER.error("a retrieval was ended by a fault of the archive", exc_info=error)
            association.abort()
        finally:
            association._is_paused = False
            association.dimse.cancel_req = {}

    association._serve_request = served  # type: ignore[method-assign]


def _wanted(request: _Request, context: PresentationContext) -> dict[str, set[str]]:
    """The values of each key of a request, by which instances are chosen."""
    syntax = context.transfer_syntax[0]
    patient_root = str(request.AffectedSOPClassUID).startswith(PATIENT_ROOT)
    try:
        with understanding():
            identifier = decode(
                cast(BytesIO, request.Identifier), syntax.is_implicit_VR, syntax.is_little_endian
            )
            level = level_of(identifier, patient_root=patient_root)
            wanted = {key: _values(identifier, key) for key in LEVELS.values()}
    except IdentifierInvalid as error:
        raise _Refused(_IDENTIFIER, str(error)) from error
    if not wanted[LEVELS[level]]:
        raise _Refused(_IDENTIFIER, f"{LEVELS[level]} is missing")
    return wanted


def _is_wanted(view: View, located: Located, wanted: Mapping[str, set[str]]) -> bool:
    manifest = located.image_set.manifest
    known = {
        "StudyInstanceUID": manifest.study,
        "SeriesInstanceUID": manifest.series,
        "SOPInstanceUID": located.instance.sop_instance,
    }
    if any(values and known[key] not in values for key, values in wanted.items() if key in known):
        return False
    patients = wanted["PatientID"]
    found = view.header(located.image_set).get("00100020", {}).get("Value", [])
    return not patients or not patients.isdisjoint(found)


def _values(identifier: Dataset, keyword: str) -> set[str]:
    """The values of a key by which something is known; wildcards are not any."""
    value = identifier.get(keyword)
    values = value if isinstance(value, MultiValue | list) else [value]
    return {str(each).strip() for each in values if each}


def _encoded(dataset: Dataset, syntax: UID) -> bytes | None:
    return encode(dataset, syntax.is_implicit_VR, syntax.is_little_endian)

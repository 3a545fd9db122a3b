"""Send to a peer: files by C-STORE, as they are, and answers to storage commitment."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.dsutils import split_dataset
from pynetdicom.transport import AssociationSocket

from radledger.pacs.commitment import PUSH_INSTANCE, PUSH_MODEL, Instance, Outcome
from radledger.pacs.errors import PeerRefused, PeerUnreachable
from radledger.pacs.streaming import streaming
from radledger.texts import visible

if TYPE_CHECKING:
    from pynetdicom.association import Association
    from pynetdicom.events import Event
    from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation

    from radledger.pacs.peer import Peer

__all__ = ["CONTEXTS", "NotSent", "associated", "report_outcome", "send_files", "store"]

CONTEXTS = 128
"""Presentation contexts of one association at most (PS3.8 section 9.3.2.2)."""
_CONNECTION_SECONDS, _ANSWER_SECONDS = 30, 300
_SUCCESS, _WARNING = 0x0000, 0xB000
_ALL_COMMITTED, _SOME_FAILED = 1, 2  # types of the event
_NOT_ACCEPTED = "the peer does not accept its storage class in its transfer syntax"
_NO_META = "it has no file meta information, by which it could be sent as it is"


@dataclass(frozen=True, slots=True)
class NotSent:
    """A file that a peer did not take, and why."""

    file: str
    reason: str


def send_files(
    files: Sequence[Path], peer: Peer, title: str, tls: ssl.SSLContext | None = None
) -> list[NotSent]:
    """Send files; those that the peer did not take.

    Parameters
    ----------
    files
        What to send, as it is: nothing is converted.
    peer
        To whom.
    title
        The own AE title.
    tls
        With which certificates TLS is spoken; none: in plain.

    Raises
    ------
    PeerUnreachable
        If it does not answer, or not any more.
    PeerRefused
        If it does not accept the association.
    """
    kinds: dict[tuple[str, str], list[Path]] = {}
    not_sent = []
    for file in files:
        kind = _kind(file)
        if kind is None:
            not_sent.append(NotSent(file.name, _NO_META))
        else:
            kinds.setdefault(kind, []).append(file)
    every = list(kinds)
    with streaming():
        for start in range(0, len(every), CONTEXTS):
            some = {kind: kinds[kind] for kind in every[start : start + CONTEXTS]}
            with associated(list(some), peer, title, tls) as association:
                not_sent += _sent(association, some, peer)
    return not_sent


def _kind(file: Path) -> tuple[str, str] | None:
    """Storage class and transfer syntax of a file."""
    try:
        meta, _ = split_dataset(file)
    except InvalidDicomError:
        return None
    found = meta.get("MediaStorageSOPClassUID"), meta.get("TransferSyntaxUID")
    if not all(found) or not meta.get("MediaStorageSOPInstanceUID"):
        return None
    return str(found[0]), str(found[1])


def _sent(
    association: Association, kinds: dict[tuple[str, str], list[Path]], peer: Peer
) -> Iterator[NotSent]:
    for files in kinds.values():
        for file in files:
            _, reason = store(association, file, str(peer))
            if reason is not None:
                yield NotSent(file.name, reason)


def store(
    association: Association,
    file: Path,
    peer: str,
    originator: tuple[str, int] | None = None,
) -> tuple[int | None, str | None]:
    """Send one file by an association.

    Parameters
    ----------
    association, file
        By which, and what; the bytes of its data set are sent as they are.
    peer
        What to call the peer in an error.
    originator
        AE title and message of the C-MOVE by which it was asked for.

    Returns
    -------
    status
        With which the peer answered; none if it does not accept such a file.
    reason
        Why it did not take the file; none where it did.

    Raises
    ------
    PeerUnreachable
        If it does not answer any more.
    """
    title, message = originator or (None, None)
    try:
        answer = association.send_c_store(file, originator_aet=title, originator_id=message)
    except (AttributeError, InvalidDicomError):
        return None, _NO_META
    except ValueError:
        return None, _NOT_ACCEPTED
    except RuntimeError:  # the association has ended, perhaps since nothing of it was accepted
        if association.rejected_contexts and not association.accepted_contexts:
            return None, _NOT_ACCEPTED
        answer = Dataset()
    if "Status" not in answer:
        raise PeerUnreachable(
            f"{peer} has ended the association, or does not answer any more; some instances were "
            "sent, send all again",
            peer=peer,
        )
    return int(answer.Status), _refusal(answer)


def _refusal(answer: Dataset) -> str | None:
    """Why an instance was not taken; it was where there is only a warning."""
    status = int(answer.Status)
    if status == _SUCCESS or status & 0xF000 == _WARNING:
        return None
    comment = visible(str(answer.get("ErrorComment", "")))
    return f"the peer refused it with status {status:04X}" + (f": {comment}" if comment else "")


def report_outcome(
    outcome: Outcome, peer: Peer, title: str, tls: ssl.SSLContext | None = None
) -> None:
    """Answer a request for storage commitment by N-EVENT-REPORT (PS3.4 section J.3.3).

    Parameters
    ----------
    outcome
        The answer.
    peer, title, tls
        As for `send_files`.

    Raises
    ------
    PeerUnreachable, PeerRefused
        If it does not take the answer.
    """
    event = Dataset()
    event.TransactionUID = outcome.transaction
    event.ReferencedSOPSequence = [_reference(each) for each in outcome.committed]
    event.FailedSOPSequence = [_reference(*each) for each in outcome.failed.items()]
    for keyword in ("ReferencedSOPSequence", "FailedSOPSequence"):
        if not event[keyword].value:
            del event[keyword]
    kind = _SOME_FAILED if outcome.failed else _ALL_COMMITTED
    role = build_role(PUSH_MODEL, scp_role=True)
    syntax = str(ImplicitVRLittleEndian)
    with streaming(), associated([(PUSH_MODEL, syntax)], peer, title, tls, [role]) as association:
        try:
            answer, _ = association.send_n_event_report(event, kind, PUSH_MODEL, PUSH_INSTANCE)
        except (RuntimeError, ValueError):  # it has ended, or the context was not accepted
            answer = Dataset()
    if "Status" not in answer or answer.Status != _SUCCESS:
        raise PeerRefused(
            f"{peer} does not take the answer to its request for storage commitment; have its "
            f"administrator allow the AE title {title} to report",
            peer=str(peer),
            title=title,
        )


def _reference(instance: Instance, reason: int | None = None) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = instance.sop_class
    reference.ReferencedSOPInstanceUID = instance.sop_instance
    if reason is not None:
        reference.FailureReason = reason
    return reference


@contextmanager
def associated(
    kinds: Sequence[tuple[str, str]],
    peer: Peer,
    title: str,
    tls: ssl.SSLContext | None,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
) -> Iterator[Association]:
    """An association with a peer, which is released at the end.

    Parameters
    ----------
    kinds
        Abstract and transfer syntaxes, each of which the peer may accept or not.
    peer, title, tls
        As for `send_files`.
    roles
        Which of them are asked for in the other role.

    Raises
    ------
    PeerUnreachable, PeerRefused
        If it does not answer, or rejects the association.
    """
    entity = AE(title)
    entity.connection_timeout = entity.acse_timeout = _CONNECTION_SECONDS
    entity.dimse_timeout = entity.network_timeout = _ANSWER_SECONDS
    for kind in kinds:
        entity.add_requested_context(*kind)
    association = entity.associate(
        _address(peer),
        peer.port,
        ae_title=peer.title,
        ext_neg=list(roles),
        tls_args=None if tls is None else (tls, peer.host),
        evt_handlers=[(evt.EVT_CONN_OPEN, _without_delay)],
    )
    if association.is_rejected:
        raise PeerRefused(
            f"{peer} rejects the association; have its administrator allow the AE title {title}",
            peer=str(peer),
            title=title,
        )
    # one that accepts none of the kinds has answered as well
    if not association.is_established and not association.rejected_contexts:
        raise _unreachable(peer, tls)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _unreachable(peer: Peer, tls: ssl.SSLContext | None) -> PeerUnreachable:
    how = "DICOM over TLS with a certificate that is trusted" if tls else "DICOM"
    return PeerUnreachable(
        f"nothing at {peer} speaks {how}; check host, port and that the peer runs", peer=str(peer)
    )


def _address(peer: Peer) -> str:
    """The address of a host's name, which pynetdicom does not look up."""
    try:
        found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _unreachable(peer, None) from error
    return str(cast(Any, found[0][4])[0])


def _without_delay(event: Event) -> None:
    """An acknowledgement by TCP that is put off would cost 40 ms for each instance."""
    connection = cast(AssociationSocket, event.assoc.dul.socket).socket
    cast(socket.socket, connection).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

"""``radledger pacs``: studies from a PACS to image sets, and back."""

from __future__ import annotations

import signal
import sys
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radledger.cli.adding import adding, show_closed
from radledger.cli.files import file_to_read
from radledger.cli.output import plain, show, show_all
from radledger.cli.parameters import (
    BurnedIn,
    Disease,
    Fulfils,
    Host,
    Identity,
    ImageId,
    KeepIdentity,
    KeyServiceUrl,
    MixedIds,
    Port,
    Profile,
    Purposes,
    Quiet,
    Unchecked,
)
from radledger.cli.session import session
from radledger.cli.times import duration
from radledger.errors import UsageError
from radledger.imaging.commands.reading import ReadOptions

if TYPE_CHECKING:
    import ssl

    from radledger.imaging.model import FetchResult
    from radledger.pacs.inbox import HeldStudy, Inbox

__all__ = ["group"]

group = typer.Typer(help="Receive and send studies over DICOM's network protocol.")

Study = Annotated[str, typer.Argument(metavar="STUDY", help="Study Instance UID.")]


class TlsIncomplete(UsageError):
    """Some of the files that TLS needs were given, and not all."""


class CommitmentImpossible(UsageError):
    """Storage commitment was asked for, while originals are not kept."""


def _pem(what: str) -> Any:
    return typer.Option(parser=file_to_read, metavar="FILE", help=what)


Title = Annotated[str, typer.Option(metavar="TITLE", help="The own AE title.")]
Associations = Annotated[int, typer.Option(metavar="N", help="Associations at a time.", min=1)]
Certificate = Annotated[Path | None, _pem("Speak TLS with this certificate (PEM); needs --key.")]
Key = Annotated[Path | None, _pem("The certificate's key (PEM).")]
TrustedPeers = Annotated[
    Path | None, _pem("Accept only peers with a certificate signed by one of these (PEM).")
]


@group.command()
def receive(
    patients: Annotated[
        Path,
        typer.Option(
            parser=file_to_read,
            metavar="FILE",
            help="CSV with the columns patient_id, patient and, if wanted, issuer.",
        ),
    ],
    allow: Annotated[
        list[str],
        typer.Option("--allow", metavar="TITLE", help="AE title that may send; repeatable."),
    ],
    title: Title = "RADLEDGER",
    host: Host = "127.0.0.1",
    port: Port = 11_112,
    quiet: Quiet = "60s",
    associations: Associations = 10,
    profile: Profile = "basic",
    keep_identity: KeepIdentity = False,
    allow_burned_in: BurnedIn = False,
    mixed_patient_ids: MixedIds = False,
    allow_unchecked: Unchecked = False,
    commit_to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PEER",
            help="Who may ask for storage commitment, with --keep-identity, and where the answer "
            "goes: TITLE@HOST:PORT; repeatable.",
        ),
    ] = None,
    certificate: Certificate = None,
    key: Key = None,
    peers: TrustedPeers = None,
) -> None:
    """Receive studies by C-STORE and anchor each once it is complete, until stopped.

    An instance is acknowledged when it is on the disk. A study is complete when no instance of it
    has arrived for the time that --quiet gives, or on `radledger pacs close`.
    """
    from radledger.pacs.patients import PatientList
    from radledger.pacs.peer import Peer
    from radledger.pacs.receiving import receive as run
    from radledger.pacs.settings import Bounds, Settings
    from radledger.pacs.tls import of_sender

    if commit_to and not keep_identity:
        raise CommitmentImpossible(
            "a de-identified copy replaces no original; give --keep-identity, or no --commit-to"
        )
    settings = Settings(
        title,
        allow,
        _tls(certificate, key, peers),
        Bounds(associations=associations),
        commit_to=[Peer.parse(each) for each in commit_to or ()],
        tls_out=of_sender(peers, certificate, key) if peers else None,
    )
    closes, listed = duration(quiet), PatientList(patients, session.address)
    radledger, custodian = session.radledger, session.signer

    def ready(port: int) -> None:
        show({"title": title, "host": host, "port": port, "custodian": custodian.address})
        sys.stdout.flush()  # a reader of this line may read it from a pipe

    add = adding(
        radledger,
        custodian,
        profile=profile,
        keep_identity=keep_identity,
        allow_burned_in=allow_burned_in,
        mixed_patient_ids=mixed_patient_ids,
        allow_unchecked=allow_unchecked,
    )
    run(
        radledger.home,
        radledger.ledger.deployment,
        listed,
        settings,
        add,
        radledger.custody.classes,
        address=(host, port),
        quiet=closes,
        ready=ready,
        closed=show_closed,
        stop=_stopped(),
    )


@group.command()
def serve(
    workstations: Annotated[
        Path,
        typer.Option(
            parser=file_to_read,
            metavar="FILE",
            help="CSV with the columns title, host, port, account and purpose.",
        ),
    ],
    title: Title = "RADLEDGER",
    host: Host = "127.0.0.1",
    port: Port = 11_113,
    associations: Associations = 10,
    certificate: Certificate = None,
    key: Key = None,
    peers: TrustedPeers = None,
) -> None:
    """Answer C-FIND, C-MOVE and C-GET of workstations as the chain permits, until stopped.

    A workstation reads as the account that the list names for it, which signs its receipts.
    """
    from radledger.imaging.commands.reading import recorder_of
    from radledger.pacs.archive import Archive
    from radledger.pacs.serving import serve as run
    from radledger.pacs.settings import Bounds, Settings
    from radledger.pacs.tls import of_sender
    from radledger.pacs.workstations import read_workstations

    stations = read_workstations(workstations, session.open)
    settings = Settings(
        title,
        list(stations),
        _tls(certificate, key, peers),
        Bounds(associations=associations),
        tls_out=of_sender(peers, certificate, key) if peers else None,
    )
    radledger, custodian = session.radledger, session.signer.address

    def ready(port: int) -> None:
        show({"title": title, "host": host, "port": port, "custodian": custodian})
        sys.stdout.flush()  # a reader of this line may read it from a pipe

    run(
        radledger.home,
        radledger.ledger.deployment,
        Archive(radledger, custodian, recorder_of(custodian)),
        stations,
        settings,
        address=(host, port),
        ready=ready,
        stop=_stopped(),
    )


@group.command()
def send(
    image: ImageId,
    to: Annotated[str, typer.Option(metavar="PEER", help="To whom, as TITLE@HOST:PORT.")],
    title: Title = "RADLEDGER",
    purpose: Purposes = None,
    fulfils: Fulfils = None,
    disease: Disease = None,
    identity: Identity = None,
    key_service: KeyServiceUrl = None,
    peers: Annotated[
        Path | None, _pem("Speak TLS, if the peer's certificate is signed by one of these (PEM).")
    ] = None,
    certificate: Annotated[
        Path | None, _pem("The own certificate, if the peer asks for one (PEM); needs --key.")
    ] = None,
    key: Annotated[Path | None, _pem("The own certificate's key (PEM).")] = None,
) -> None:
    """Fetch an image set, verify every byte, and send it to a PACS by C-STORE."""
    from radledger.pacs.peer import Peer, require_title
    from radledger.pacs.sending import send as run
    from radledger.pacs.tls import of_sender

    peer = Peer.parse(to)
    require_title(title)
    if (certificate is None) != (key is None) or (certificate and peers is None):
        raise TlsIncomplete(
            "TLS needs --peers, and --certificate and --key together if the peer asks for them"
        )
    tls = None if peers is None else of_sender(peers, certificate, key)
    options = ReadOptions(purpose, fulfils, disease, identity, key_service).arguments(image)
    radledger = session.radledger

    def fetch(folder: Path) -> FetchResult:
        return radledger.reading.fetch(image, folder, **options)

    show(run(radledger.home, radledger.ledger.deployment, fetch, peer, title=title, tls=tls))


@group.command(name="list")
def list_() -> None:
    """List the studies that were received and are not anchored yet, and what was left out."""
    with closing(_inbox()) as inbox:
        show_all(map(_described, inbox.studies()), empty="the inbox is empty")


@group.command()
def close(study: Study) -> None:
    """Have the receiver anchor a study now, and try again what was left out of it."""
    with closing(_inbox()) as inbox:
        inbox.close_study(study)
    show({"study": study, "closed": True})


@group.command()
def discard(study: Study) -> None:
    """Delete the files that were left out of a study."""
    with closing(_inbox()) as inbox:
        show({"study": study, "discarded": inbox.discard(study)})


def _stopped() -> Event:
    """Set once the process is asked to end."""
    stop = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    return stop


def _inbox() -> Inbox:
    from radledger.pacs.inbox import Inbox, inbox_folder

    return Inbox(inbox_folder(session.folder, session.recorded_deployment()))


def _described(study: HeldStudy) -> dict[str, Any]:
    value = plain(study)
    last = value.pop("last_received")
    value["left_out"] = [
        {"files": files, "reason": reason} for reason, files in study.left_out.items()
    ]
    return {**value, "received_at": int(last) or None}


def _tls(certificate: Path | None, key: Path | None, peers: Path | None) -> ssl.SSLContext | None:
    from radledger.pacs.tls import of_receiver

    if certificate is None and key is None and peers is None:
        return None
    if certificate is None or key is None:
        raise TlsIncomplete("TLS needs a certificate and its key; give --certificate and --key")
    return of_receiver(certificate, key, peers)

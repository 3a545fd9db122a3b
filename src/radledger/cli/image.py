"""``radledger image``: image sets from files to the chain, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radledger.cli.output import plain, show, show_all
from radledger.cli.session import session
from radledger.cli.values import named_path
from radledger.errors import UsageError

if TYPE_CHECKING:
    from radledger.consent.permission import Use
    from radledger.imaging.ingest import Progress
    from radledger.imaging.keys import KeyService

__all__ = ["Attributes", "Disease", "Id", "Identity", "Purposes", "group", "secret_of"]


class PurposeNotNamed(UsageError):
    """A reader did not say what the images are for."""


group = typer.Typer(help="Image sets, from files to the chain and back.")

Id = Annotated[str, typer.Argument(metavar="IMAGE", help="Id of the image set.")]
Paths = Annotated[list[Path], typer.Argument(parser=named_path, help="Files and folders, any mix.")]
BurnedIn = Annotated[
    bool,
    typer.Option("--allow-burned-in", help="Take files whose pixels may show text; you looked."),
]
Purposes = Annotated[
    list[str] | None, typer.Option("--purpose", help="DUO purpose of the use; repeatable.")
]
Attributes = Annotated[
    list[str] | None,
    typer.Option("--attribute", help="DUO condition that the use fulfils; repeatable."),
]
Disease = Annotated[str | None, typer.Option(help="Code of the disease.")]
Identity = Annotated[
    str | None, typer.Option(help="Who reads, where that is an identity one took over.")
]


@group.command()
def add(
    paths: Paths,
    patient: Annotated[str, typer.Option(help="Whose images: address, or name of an account.")],
    visit: Annotated[
        str | None, typer.Option(help="What to call the visit; the study unless given.")
    ] = None,
    course: Annotated[
        str | None, typer.Option(help="What to call the course of treatment, if any.")
    ] = None,
    profile: Annotated[
        str, typer.Option(help="De-identification: basic, or basic+OPTION+…")
    ] = "basic",
    keep_identity: Annotated[
        bool, typer.Option("--keep-identity", help="Take the files as they are, for care.")
    ] = False,
    allow_burned_in: BurnedIn = False,
) -> None:
    """Encrypt, store and anchor DICOM files, one image set for each series.

    Run again after a crash, it finishes the work; the same files again add nothing.
    """
    with _progress() as progress:
        added = session.radledger.images.add(
            paths,
            session.address(patient),
            custodian=session.signer,
            visit=visit,
            course=course,
            profile=profile,
            keep_identity=keep_identity,
            allow_burned_in=allow_burned_in,
            progress=progress,
        )
    show_all(added, empty="nothing added")


@group.command()
def deidentify(
    image: Id,
    profile: Annotated[str, typer.Option(help="basic, or basic+OPTION+…")] = "basic",
    allow_burned_in: BurnedIn = False,
) -> None:
    """Make a de-identified version for research, which names the original."""
    with _progress() as progress:
        derived = session.radledger.images.deidentify(
            image,
            profile,
            custodian=session.signer,
            allow_burned_in=allow_burned_in,
            progress=progress,
        )
    show(derived)


@group.command(name="show")
def show_(image: Id) -> None:
    """Show what the chain tells of an image set."""
    show(_flat(session.radledger.images.show(image)))


@group.command(name="list")
def list_(
    patient: Annotated[str | None, typer.Option(help="Only those of a patient.")] = None,
    custodian: Annotated[str | None, typer.Option(help="Only those of a custodian.")] = None,
) -> None:
    """List image sets, oldest first."""
    records = session.radledger.images.list(
        custodian=None if custodian is None else session.address(custodian),
        patient=None if patient is None else session.address(patient),
    )
    show_all(map(_flat, records), empty="no image sets")


@group.command()
def versions(image: Id) -> None:
    """List an image set, those that it came from, and all that came from any of them."""
    show_all(map(_flat, session.radledger.images.versions(image)), empty="no image sets")


@group.command()
def verify(
    image: Id,
    paths: Paths,
    purpose: Purposes = None,
    attribute: Attributes = None,
    disease: Disease = None,
    identity: Identity = None,
) -> None:
    """Say of each file whether it is identical, re-encoded, changed or unknown."""
    secret = secret_of(image, purpose, attribute, disease, identity)
    results = session.radledger.images.verify(image, paths, secret=secret)
    show_all(results, empty="no files")


@group.command()
def fetch(
    image: Id,
    to: Annotated[Path, typer.Option(help="Folder that is not there yet, or empty.")],
    purpose: Purposes = None,
    attribute: Attributes = None,
    disease: Disease = None,
    identity: Identity = None,
) -> None:
    """Fetch an image set: every byte is checked, decrypted, and verified against the root."""
    name, whose = session.name, _whose(identity)
    use = _use(image, purpose, attribute, disease, whose)
    fetched = session.radledger.images.fetch(
        image,
        to,
        reader=session.signer,
        private_key=session.keystore.encryption_key(name, session.passphrase(name)),
        key_service=None if use is None else _key_service(image),
        use=use,
        identity=whose,
    )
    show(fetched)


@group.command()
def rekey(image: Id) -> None:
    """Encrypt an image set anew, as its custodian; id and root stay."""
    show(session.radledger.images.rekey(image, custodian=session.signer))


@group.command()
def erase(image: Id) -> None:
    """Erase an image set for good, as its custodian: secret, salts and ciphertext."""
    show(session.radledger.images.erase(image, custodian=session.signer))


def _flat(record: Any) -> dict[str, Any]:
    """An image set's record with its five parts beside the rest."""
    value = plain(record)
    return {"image_id": value.pop("image_id"), **value.pop("image_set"), **value}


def _whose(identity: str | None) -> str | None:
    return None if identity is None else session.address(identity)


def _use(
    image: str,
    purpose: list[str] | None,
    attribute: list[str] | None,
    disease: str | None,
    identity: str | None,
) -> Use | None:
    """What a reader wants to do; nothing for the patient and the custodian themselves."""
    if purpose:
        from radledger.consent.permission import Use

        return Use.of(purpose, attribute or (), disease)
    image_set = session.radledger.images.show(image).image_set
    if identity or session.signer.address not in (image_set.patient, image_set.custodian):
        raise PurposeNotNamed(
            f"say what {session.name} uses the images for with --purpose, such as CC; only "
            "their patient and custodian need none"
        )
    return None


def secret_of(
    image: str,
    purpose: list[str] | None,
    attribute: list[str] | None,
    disease: str | None,
    identity: str | None,
) -> str | None:
    """The image set's secret, as the account that acts may have it; the home's if none acts."""
    if session.account is None:
        return None
    whose = _whose(identity)
    use = _use(image, purpose, attribute, disease, whose)
    images, name = session.radledger.images, session.name
    private_key = session.keystore.encryption_key(name, session.passphrase(name))
    if use is None:
        return images.own_secret(image, reader=session.signer.address, private_key=private_key)
    return images.release(
        image,
        reader=session.signer,
        private_key=private_key,
        key_service=_key_service(image),
        use=use,
        identity=whose,
    )


def _key_service(image: str) -> KeyService:
    """The custodian's key service, which runs here: in the home that holds its secrets."""
    from radledger.consent.receipts import Receipts
    from radledger.consent.release import CustodianKeyService

    radledger = session.radledger
    images, record = radledger.images, radledger.images.show(image)
    accounts = session.keystore.list()
    custodian = [a.name for a in accounts if a.address == record.image_set.custodian]

    def rekey(image_id: str) -> object:
        return images.rekey(image_id, custodian=session.open(custodian[0]))

    return CustodianKeyService(
        radledger.ledger,
        Receipts(session.folder / "receipts.sqlite3"),
        show=images.show,
        secret=images.secret,
        rekey=rekey if custodian else None,
    )


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None] | None]:
    """A bar on the terminal; none where the output goes elsewhere."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def update(progress: Progress) -> None:
            bar.update(
                task, description=progress.stage, completed=progress.done, total=progress.total
            )

        yield update

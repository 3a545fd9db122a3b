"""``radledger image``: image sets from files to the chain, and back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radledger.cli.acting import act
from radledger.cli.files import file_to_read, file_to_write, folder_to_fill, named_path
from radledger.cli.output import plain, show, show_all
from radledger.cli.parameters import (
    BurnedIn,
    Disease,
    Fulfils,
    Identity,
    ImageId,
    KeepIdentity,
    KeyServiceUrl,
    MixedIds,
    Paths,
    Profile,
    Purposes,
    SignOnly,
    Unchecked,
    ValidFor,
)
from radledger.cli.progress import progress_bar
from radledger.cli.session import session
from radledger.errors import RadLedgerError, UsageError
from radledger.imaging.commands.archive import Archive, accounting
from radledger.imaging.commands.reading import ReadOptions

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.imaging.model import Addition

__all__ = ["group"]


class NothingToVerify(UsageError):
    """The folders that are to be verified have no file in them."""


class WhatToAddUnclear(UsageError):
    """Neither paths with a patient nor a list were given, or both."""


class WhatToEraseUnclear(UsageError):
    """No image set was named, or certificates were given for one that is not erased yet."""


group = typer.Typer(help="Image sets, from files to the chain and back.")


@group.command()
def add(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(parser=named_path, metavar="PATH", help="Files and folders, any mix."),
    ] = None,
    patient: Annotated[
        str | None,
        typer.Option(metavar="ACCOUNT", help="Whose images: address, or name of an account."),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list",
            parser=file_to_read,
            metavar="FILE",
            help="CSV with the columns path, patient and, if wanted, visit and course, instead.",
        ),
    ] = None,
    visit: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What to call the visit (default: the study)."),
    ] = None,
    course: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What to call the course of treatment, if any."),
    ] = None,
    profile: Profile = "basic",
    keep_identity: KeepIdentity = False,
    allow_burned_in: BurnedIn = False,
    mixed_patient_ids: MixedIds = False,
    allow_unchecked: Unchecked = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Worker processes (default: one per processor)."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler whose workers store the files."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_write,
            metavar="FILE",
            help="Write the files that were left out, and why, as JSON lines.",
        ),
    ] = None,
) -> None:
    """Encrypt, store and anchor DICOM files, one image set for each series.

    Run again after a crash, it finishes the work; the same files again add nothing.

    Options of a profile: clean-descriptors, retain-longitudinal-modified-dates,
    retain-patient-characteristics, retain-device-identity; one profile is
    basic+clean-descriptors.
    """
    additions = _additions(paths, patient, listed, visit, course)
    with accounting(report) as account, progress_bar() as progress:
        for added in session.radledger.images.add_all(
            additions,
            custodian=session.signer,
            profile=profile,
            keep_identity=keep_identity,
            allow_burned_in=allow_burned_in,
            mixed_patient_ids=mixed_patient_ids,
            allow_unchecked=allow_unchecked,
            workers=workers,
            scheduler=scheduler,
            progress=progress,
            total=_size(additions) if progress else 0,
        ):
            account.note(added)
            if listed and session.json:
                show_all(added.results or [{"image_id": None, "skipped": added.skipped}], empty="")
    if not listed:
        show_all(added.require_results(), empty="nothing added")
    elif not session.json:
        show(account.summary())


@group.command()
def deidentify(
    image: ImageId,
    profile: Annotated[
        str,
        typer.Option(
            metavar="PROFILE",
            help="basic, or with options joined by +, see `radledger image add --help`.",
        ),
    ] = "basic",
    allow_burned_in: BurnedIn = False,
    allow_unchecked: Unchecked = False,
) -> None:
    """Make a de-identified version for research, which names the original."""
    with progress_bar() as progress:
        derived = session.radledger.images.deidentify(
            image,
            profile,
            custodian=session.signer,
            allow_burned_in=allow_burned_in,
            allow_unchecked=allow_unchecked,
            progress=progress,
        )
    show(derived)


@group.command(name="show")
def show_(image: ImageId) -> None:
    """Show what the chain holds of an image set."""
    show(_flat(session.radledger.images.show(image)))


@group.command(name="list")
def list_(
    patient: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Only those of a patient.")
    ] = None,
    custodian: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Only those of a custodian.")
    ] = None,
) -> None:
    """List image sets, oldest first."""
    records = session.radledger.images.list(
        custodian=session.whose(custodian),
        patient=session.whose(patient),
    )
    show_all(map(_flat, records), empty="no image sets")


@group.command()
def versions(image: ImageId) -> None:
    """List an image set, those that it came from, and all that came from any of them."""
    show_all(map(_flat, session.radledger.images.versions(image)), empty="no image sets")


@group.command()
def verify(
    image: ImageId,
    paths: Paths,
    purpose: Purposes = None,
    fulfils: Fulfils = None,
    disease: Disease = None,
    identity: Identity = None,
    key_service: KeyServiceUrl = None,
) -> None:
    """Say of each file whether it is identical, re-encoded, changed, undecided or unknown.

    Whatever the verdicts are, the command exits with 0: a verdict is not a refusal.
    """
    from radledger.dicom.scan import printable, scan

    if next(scan(paths), None) is None:  # no receipt is signed for nothing
        raise NothingToVerify(
            "there is no file in the folders that were given; name files, or folders with files",
            paths=[printable(path) for path in paths],
        )
    secret = ReadOptions(purpose, fulfils, disease, identity, key_service).secret(image)
    show_all(session.radledger.images.verify(image, paths, secret=secret), empty="no files")


@group.command()
def fetch(
    image: ImageId,
    to: Annotated[
        Path, typer.Option(parser=folder_to_fill, metavar="DIR", help="New or empty folder.")
    ],
    purpose: Purposes = None,
    fulfils: Fulfils = None,
    disease: Disease = None,
    identity: Identity = None,
    key_service: KeyServiceUrl = None,
) -> None:
    """Fetch an image set: every byte is checked, decrypted, and verified against the root."""
    options = ReadOptions(purpose, fulfils, disease, identity, key_service)
    show(session.radledger.reading.fetch(image, to, **options.arguments(image)))


@group.command()
def rekey(image: ImageId) -> None:
    """Re-encrypt an image set, as its custodian; id and root stay."""
    show(session.radledger.images.rekey(image, custodian=session.signer))


@group.command()
def erase(
    image: Annotated[
        str | None, typer.Argument(metavar="IMAGE", help="Id of the image set.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Ask the holders of an erased image set again, or of all, and destroy what a "
            "backup has brought back.",
        ),
    ] = False,
    certificates: Annotated[
        list[Path] | None,
        typer.Option(
            "--certificate",
            parser=file_to_read,
            metavar="FILE",
            help="With --resume: take a certificate that a holder has sent; repeatable.",
        ),
    ] = None,
) -> None:
    """Erase an image set for good, as its custodian, and at those to whom it was released.

    It is erased at a holder when the holder has signed a certificate; `complete` says whether all
    have.
    """
    from radledger.gateway.holders import GatewayHolders
    from radledger.imaging.certificates import ErasureCertificate

    if image is None and not resume:
        raise WhatToEraseUnclear("name the image set to erase, or resume erasures with --resume")
    if certificates and not resume:
        raise WhatToEraseUnclear("certificates are taken with --resume, once the set is erased")
    erasures, custodian = session.radledger.erasures, session.signer
    ask = GatewayHolders(custodian, session.radledger.ledger.chain_id).ask
    if image is not None and not resume:
        done, erasure = erasures.erase(image, custodian=custodian, ask=ask)
        show({**plain(done), "complete": erasure.complete, "holders": erasure.holders})
        return
    for path in certificates or ():
        erasures.accept(ErasureCertificate.from_file(path))
    show_all(erasures.resume(image, custodian=custodian, ask=ask), empty="no erased image sets")


@group.command()
def forget(
    image: Annotated[
        str | None,
        typer.Argument(metavar="IMAGE", help="Id of the image set (default: all erased ones)."),
    ] = None,
) -> None:
    """Delete your copy of an erased image set, and certify to its custodian that none is left.

    Files that `image fetch` or `pacs send` wrote elsewhere are yours to delete.
    """
    erasures, holder = session.radledger.erasures, session.signer
    chosen = erasures.learned() if image is None else [image]
    show_all((_forgotten(each, holder) for each in chosen), empty="nothing to forget")


def _forgotten(image: str, holder: LocalAccount) -> dict[str, Any]:
    """Forget one image set; the certificate, and why it was not delivered if it was not."""
    from radledger.gateway.holders import GatewayHolders

    radledger = session.radledger
    certificate = radledger.erasures.forget(image, holder=holder)
    url = radledger.identities.gateway(radledger.images.show(image).image_set.custodian)
    reason = None if url else "the custodian has published no gateway; send it the file"
    if url:
        try:
            GatewayHolders(holder, radledger.ledger.chain_id).deliver(url, certificate)
        except RadLedgerError as error:
            reason = error.message
    return {
        "image_id": certificate.image_id,
        "contents": certificate.contents,
        "certificate": radledger.erasures.path_of(certificate),
        "digest": certificate.digest,
        "delivered": reason is None,
        "reason": reason,
    }


@group.command()
def disown(image: ImageId, sign_only: SignOnly = None, valid_for: ValidFor = "7d") -> None:
    """Disown an image set that names you by mistake: no one may use it then, you included."""
    act(session.radledger.images.disown(image), sign_only, valid_for)


@group.command()
def acknowledge(image: ImageId, sign_only: SignOnly = None, valid_for: ValidFor = "7d") -> None:
    """Take back that an image set is disowned; your grants apply to it again."""
    act(session.radledger.images.acknowledge(image), sign_only, valid_for)


def _flat(record: Any) -> dict[str, Any]:
    """An image set's record with its five parts beside the rest."""
    value = plain(record)
    return {"image_id": value.pop("image_id"), **value.pop("image_set"), **value}


def _additions(
    paths: list[Path] | None,
    patient: str | None,
    listed: Path | None,
    visit: str | None,
    course: str | None,
) -> Iterable[Addition]:
    """What to add: the paths of one patient, or what a list says, which is read once to check."""
    from radledger.imaging.model import Addition

    if listed is not None:
        if paths or patient or visit or course:
            raise WhatToAddUnclear("the list says what to add; give nothing beside --list")
        archive = Archive(listed, session.address)
        for _ in archive:
            pass
        return archive
    if not paths or patient is None:
        raise WhatToAddUnclear(
            "say what to add: paths and --patient, or --list FILE; see `radledger image add --help`"
        )
    return [Addition(tuple(paths), session.address(patient), visit, course)]


def _size(additions: Iterable[Addition]) -> int:
    """Bytes of all files, for the time left."""
    from radledger.dicom.scan import Candidate, scan

    found = (each for addition in additions for each in scan(addition.paths))
    return sum(each.size for each in found if isinstance(each, Candidate))

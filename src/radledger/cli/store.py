"""``radledger store``: copies of the ciphertext of image sets."""

from __future__ import annotations

from collections.abc import Callable

import typer

from radledger.cli.output import show
from radledger.cli.parameters import Disease, Fulfils, Identity, ImageId, KeyServiceUrl, Purposes
from radledger.cli.session import session
from radledger.imaging.commands.reading import ReadOptions
from radledger.imaging.errors import SecretUnknown

__all__ = ["group"]

group = typer.Typer(help="Who holds the ciphertext of image sets.")


@group.command()
def status(
    image: ImageId,
    purpose: Purposes = None,
    fulfils: Fulfils = None,
    disease: Disease = None,
    identity: Identity = None,
    key_service: KeyServiceUrl = None,
) -> None:
    """Show which node has which content of an image set, as its custodian or a reader."""
    options = ReadOptions(purpose, fulfils, disease, identity, key_service)
    show(_knowing_contents(session.radledger.copies.status, image, options))


@group.command()
def repair(
    image: ImageId,
    purpose: Purposes = None,
    fulfils: Fulfils = None,
    disease: Disease = None,
    identity: Identity = None,
    key_service: KeyServiceUrl = None,
) -> None:
    """Create missing copies, as the custodian or a reader."""
    options = ReadOptions(purpose, fulfils, disease, identity, key_service)
    show(_knowing_contents(session.radledger.copies.repair, image, options))


@group.command()
def pin(
    image: ImageId,
    purpose: Purposes = None,
    fulfils: Fulfils = None,
    disease: Disease = None,
    identity: Identity = None,
    key_service: KeyServiceUrl = None,
) -> None:
    """Pin a copy in your own store; needs read permission.

    Run again after the image set was re-encrypted, it pins the new ciphertext instead of the old.
    """
    _ = session.signer
    secret = ReadOptions(purpose, fulfils, disease, identity, key_service).secret(image)
    show(session.radledger.copies.pin(image, secret=secret or ""))


@group.command()
def unpin(image: ImageId) -> None:
    """Unpin an image set that `pin` keeps, and delete the copy."""
    show(session.radledger.copies.unpin(image))


def _knowing_contents(work: Callable[..., object], image: str, options: ReadOptions) -> object:
    """Do some work on an image set, with its secret where this home does not know its contents."""
    try:
        return work(image)
    except SecretUnknown:
        return work(image, secret=options.secret(image))

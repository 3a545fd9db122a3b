"""``radledger store``: who holds the ciphertext of image sets."""

from __future__ import annotations

import typer

from radledger.cli.image import Attributes, Disease, Id, Identity, Purposes, secret_of
from radledger.cli.output import show
from radledger.cli.session import session
from radledger.imaging.errors import SecretUnknown

__all__ = ["group"]

group = typer.Typer(help="Who holds the ciphertext of image sets.")


@group.command()
def status(
    image: Id,
    purpose: Purposes = None,
    attribute: Attributes = None,
    disease: Disease = None,
    identity: Identity = None,
) -> None:
    """Show which node has which content of an image set, as its custodian or a reader."""
    copies = session.radledger.copies
    try:
        found = copies.status(image)
    except SecretUnknown:
        secret = secret_of(image, purpose, attribute, disease, identity)
        found = copies.status(image, secret=secret)
    show(found)


@group.command()
def repair(
    image: Id,
    purpose: Purposes = None,
    attribute: Attributes = None,
    disease: Disease = None,
    identity: Identity = None,
) -> None:
    """Make the copies that are missing, as its custodian or a reader."""
    copies = session.radledger.copies
    try:
        done = copies.repair(image)
    except SecretUnknown:
        secret = secret_of(image, purpose, attribute, disease, identity)
        done = copies.repair(image, secret=secret)
    show(done)


@group.command()
def pin(
    image: Id,
    purpose: Purposes = None,
    attribute: Attributes = None,
    disease: Disease = None,
    identity: Identity = None,
) -> None:
    """Keep a copy in one's own store, as who may read the image set.

    Again after it was encrypted anew, it keeps the new ciphertext instead of the old.
    """
    _ = session.signer
    secret = secret_of(image, purpose, attribute, disease, identity)
    show(session.radledger.copies.pin(image, secret=secret or ""))


@group.command()
def unpin(image: Id) -> None:
    """Give up what `pin` keeps of an image set, and delete it."""
    show(session.radledger.copies.unpin(image))

"""``radledger bundle``: proof of an image set for a verifier without access to the chain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radledger.cli.files import file_to_read, file_to_write
from radledger.cli.output import show
from radledger.cli.parameters import Disease, Fulfils, Identity, ImageId, KeyServiceUrl, Purposes
from radledger.cli.session import session
from radledger.imaging.commands.reading import ReadOptions

__all__ = ["group"]

group = typer.Typer(help="Proof of an image set, to be verified offline.")


# A group of one command would be the command itself.
@group.callback()
def bundle() -> None:
    """Proof of an image set, to be verified offline."""


@group.command()
def export(
    image: ImageId,
    path: Annotated[
        Path, typer.Argument(metavar="FILE", parser=file_to_write, help="The bundle to write.")
    ],
    file: Annotated[
        list[Path] | None,
        typer.Option(
            parser=file_to_read,
            metavar="FILE",
            help="A DICOM file of the set that the bundle is about; repeatable (default: all).",
        ),
    ] = None,
    purpose: Purposes = None,
    fulfils: Fulfils = None,
    disease: Disease = None,
    identity: Identity = None,
    key_service: KeyServiceUrl = None,
) -> None:
    """Write a bundle that `python -m radledger.verify` checks with no network."""
    radledger = session.radledger
    erased = radledger.images.show(image).certificate is not None
    options = ReadOptions(purpose, fulfils, disease, identity, key_service)
    secret = None if erased else options.secret(image)
    show(radledger.bundles.export(image, path, files=file or (), secret=secret))

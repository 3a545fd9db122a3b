"""Parameters that several groups of commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radledger.cli.files import file_to_read, file_to_write, path_to_read

__all__ = [
    "Address",
    "BurnedIn",
    "Disease",
    "DocumentFile",
    "Fulfils",
    "Host",
    "Identity",
    "ImageId",
    "KeepIdentity",
    "KeyServiceUrl",
    "MixedIds",
    "Paths",
    "PolicyFile",
    "Port",
    "Profile",
    "Purposes",
    "Quiet",
    "RelayUrl",
    "SignOnly",
    "Subject",
    "Unchecked",
    "ValidFor",
]

Address = Annotated[str, typer.Argument(help="Address, or name of an account here.")]

# What is signed, and sent by another account.
SignOnly = Annotated[
    Path | None,
    typer.Option(
        parser=file_to_write,
        metavar="FILE",
        help="Write a signed document for another account to submit; send nothing.",
    ),
]
ValidFor = Annotated[
    str,
    typer.Option(metavar="SPAN", help="How long the document of --sign-only can be submitted."),
]
DocumentFile = Annotated[
    Path, typer.Argument(parser=file_to_read, metavar="FILE", help="A signed document.")
]
RelayUrl = Annotated[
    str | None, typer.Option("--relay", metavar="URL", help="Relayer that sends it and pays.")
]

# Whose images, where that is not the signer.
Subject = Annotated[
    str | None,
    typer.Option(metavar="ACCOUNT", help="Subject to act for (default: the signer)."),
]

# Files, and which of them are accepted in spite of what is wrong with them.
Paths = Annotated[
    list[Path],
    typer.Argument(parser=path_to_read, metavar="PATH", help="Files and folders, any mix."),
]
BurnedIn = Annotated[
    bool,
    typer.Option(
        "--allow-burned-in", help="Accept files whose pixels may show text, which you have checked."
    ),
]
MixedIds = Annotated[
    bool,
    typer.Option(
        "--mixed-patient-ids",
        help="Accept studies with different Patient IDs; all belong to this patient.",
    ),
]
Unchecked = Annotated[
    bool,
    typer.Option(
        "--allow-unchecked",
        help="Accept videos that may contain text, and with --keep-identity undecodable pixels.",
    ),
]

# How what is added is de-identified.
Profile = Annotated[
    str,
    typer.Option(
        metavar="PROFILE",
        help="De-identification: basic, or with options joined by +, see `radledger image add "
        "--help`.",
    ),
]
KeepIdentity = Annotated[
    bool, typer.Option("--keep-identity", help="Take the files as they are, for care.")
]
Quiet = Annotated[
    str, typer.Option(metavar="SPAN", help="Time without a further instance that closes a study.")
]

# Where a service listens.
Host = Annotated[str, typer.Option(metavar="HOST", help="Address to listen at.")]
Port = Annotated[
    int, typer.Option(metavar="N", help="Port; 0 for any free one.", min=0, max=65_535)
]

# Of which logs proofs are believed.
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        parser=file_to_read, metavar="FILE", help="Believed logs and witnesses (C2SP tlog-policy)."
    ),
]

# Which image set, and what a reader wants to do with it.
ImageId = Annotated[str, typer.Argument(metavar="IMAGE", help="Id of the image set.")]
Purposes = Annotated[
    list[str] | None,
    typer.Option(
        "--purpose", metavar="TERM", help="DUO purpose of the use, such as CC or HMB; repeatable."
    ),
]
Fulfils = Annotated[
    list[str] | None,
    typer.Option(
        "--fulfils",
        metavar="TERM",
        help="DUO condition that the use fulfils, such as NCU or IRB; repeatable.",
    ),
]
Disease = Annotated[
    str | None,
    typer.Option(
        metavar="CODE",
        help="Disease that the use is research on, such as MONDO:0004992; CODE@SALT, as it was "
        "granted, if this home does not know that salt yet.",
    ),
]
KeyServiceUrl = Annotated[
    str | None,
    typer.Option(
        "--key-service",
        metavar="URL",
        help="Gateway to ask (default: this home, or the one that the custodian published).",
    ),
]
Identity = Annotated[
    str | None,
    typer.Option(
        metavar="ACCOUNT", help="Identity to read as, if you took one over (default: your address)."
    ),
]

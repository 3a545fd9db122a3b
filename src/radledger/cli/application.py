"""The tree of commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radledger.cli import account, consent, dataset, deploy, devnet, identity, image, participant
from radledger.cli.session import session

__all__ = ["application"]

_EPILOG = "Every command takes --json, --network NAME, --as ACCOUNT and --home DIR, anywhere."

application = typer.Typer(
    name="radledger",
    help="Consent, provenance and rewards for medical imaging on Ethereum.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, group in {
    "devnet": devnet.group,
    "account": account.group,
    "participant": participant.group,
    "identity": identity.group,
    "image": image.group,
    "consent": consent.group,
    "dataset": dataset.group,
}.items():
    application.add_typer(group, name=name, epilog=_EPILOG)
application.command(name="deploy", epilog=_EPILOG)(deploy.deploy)


def _version(asked: bool) -> None:
    if asked:
        from radledger import __version__

        print(__version__)
        raise typer.Exit


@application.callback()
def shared(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
    network: Annotated[
        str | None, typer.Option(help="Name of a network, or its JSON-RPC endpoint.")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--as", metavar="ACCOUNT", help="Account that acts.")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Folder with keys and deployments.")] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that every command has."""
    session.json, session.network, session.account, session.home = as_json, network, account, home

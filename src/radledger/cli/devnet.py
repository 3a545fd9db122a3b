"""``radledger devnet``: a local chain and store, ready to use."""

from __future__ import annotations

from typing import Annotated

import typer

from radledger.cli.output import show
from radledger.cli.session import session

__all__ = ["group"]

group = typer.Typer(help="A local chain and store, with everybody accredited.")


@group.command()
def up(
    chain: Annotated[str, typer.Option(help="ganache or anvil.")] = "ganache",
) -> None:
    """Start it, or go on with it; returns when it is usable."""
    from radledger import devnet

    show(devnet.up(session.folder, chain))


@group.command()
def down() -> None:
    """End it; what it holds stays for the next time."""
    from radledger import devnet

    show(devnet.down(session.folder))


@group.command()
def status() -> None:
    """Say whether it runs, and where."""
    from radledger import devnet

    show(devnet.status(session.folder))

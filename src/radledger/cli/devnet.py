"""``radledger devnet``: a local chain and store, ready to use."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from radledger.cli.output import show
from radledger.cli.session import session

__all__ = ["group"]

group = typer.Typer(help="A local chain and store, with all accounts accredited.")


@group.command()
def up(
    chain: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="ganache, anvil, or poa for geth nodes that are validators; at first ganache, "
            "then as before.",
        ),
    ] = None,
    validators: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="How many validators of a poa chain; at first 4, then as before."
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="local, or kubo for private IPFS nodes; at first local, then as before.",
        ),
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How many IPFS nodes; at first 2, then as before."),
    ] = None,
    gateway: Annotated[
        bool,
        typer.Option(
            "--gateway",
            help="Start the hospital's gateway too, with the viewer of `make ohif` if it is there; "
            "then each time.",
        ),
    ] = False,
) -> None:
    """Start or resume the network; returns when it is usable."""
    from radledger import devnet

    before = devnet.status(session.folder)
    if before.chain is not None and not before.running and not session.json:
        print(_resumed(before.chain, chain), file=sys.stderr)
    show(
        devnet.up(
            session.folder,
            chain,
            validators=validators,
            store=store,
            nodes=nodes,
            gateway=gateway,
        )
    )


@group.command()
def down() -> None:
    """Stop the network; its data is kept."""
    from radledger import devnet

    show(devnet.down(session.folder))


@group.command()
def status() -> None:
    """Show whether the network runs, and where."""
    from radledger import devnet

    show(devnet.status(session.folder))


def _resumed(before: str, wanted: str | None) -> str:
    """Say what happens to the chain that the home had before."""
    if wanted in (None, before):
        return f"resuming this home's chain, which is {before}; --chain starts another one"
    return f"starting {wanted}; the {before} chain is kept: `radledger devnet up --chain {before}`"

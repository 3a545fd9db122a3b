"""``radledger network``: the state of a network's nodes."""

from __future__ import annotations

import typer

from radledger.cli.output import show_all
from radledger.cli.session import session

__all__ = ["group"]

group = typer.Typer(help="The nodes of a network.")


@group.command()
def status() -> None:
    """Show the state of each node: good, unreachable, stalled …"""
    import os

    from radledger.chain.nodes import networks
    from radledger.chain.nodes.connect import node_states

    named = session.network or os.environ.get("RADLEDGER_NETWORK") or None
    show_all(node_states(networks.load(named, session.folder)), empty="there are no nodes")

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
    from radledger.chain.nodes.connect import node_states

    show_all(node_states(session.chosen_network()), empty="there are no nodes")

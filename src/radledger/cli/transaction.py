"""``radledger transaction``: transactions that were sent, and those of interrupted runs."""

from __future__ import annotations

from typing import Annotated

import typer

from radledger.cli.output import show_all
from radledger.cli.session import session

__all__ = ["group"]

group = typer.Typer(help="List transactions; finish those of interrupted runs.")


@group.command(name="list")
def list_(
    ended: Annotated[
        bool, typer.Option("--all", help="The newest hundred, ended ones as well.")
    ] = False,
) -> None:
    """List the open transactions of this home, from its journal."""
    from radledger.chain.sending.journal import Intents
    from radledger.chain.transactions import listed

    deployment = session.recorded_deployment()
    intents = Intents.at(session.folder, deployment)
    empty = "nothing was sent from this home" if ended else "no transaction is open"
    show_all(listed(intents, deployment, ended=ended), empty=empty)


@group.command()
def finish() -> None:
    """Finish what earlier runs left open for an account: wait, send again, or raise the fee.

    Every command that sends does this first.
    """
    from radledger.chain.transactions import described

    ledger = session.radledger.ledger
    sender = ledger.sender
    sender.on_finished = None  # shown below
    ended = sender.finish(session.signer)
    done = [described(sender.intents, ledger.deployment, intent) for intent in ended]
    show_all(done, empty=f"nothing was left open for {session.name}")

"""``radledger relay``: submit signed documents of others, and pay for them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from radledger.cli.output import show
from radledger.cli.parameters import Host, Port
from radledger.cli.session import session

__all__ = ["group"]

group = typer.Typer(help="Run a relayer, which submits signed documents and pays their gas.")


@group.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8090,
    budget_per_address: Annotated[
        int, typer.Option(metavar="N", help="Gas a day for the calls of one signer.", min=0)
    ] = 5_000_000,
    budget_per_day: Annotated[
        int, typer.Option(metavar="N", help="Gas a day for all calls together.", min=0)
    ] = 1_000_000_000,
    queue_limit: Annotated[
        int, typer.Option(metavar="N", help="Tickets that may wait.", min=1)
    ] = 10_000,
) -> None:
    """Accept signed documents over HTTP and pay for them, until stopped."""
    from radledger.relay.server import serve as run
    from radledger.relay.service import Relayer
    from radledger.relay.tickets import Limits

    ledger, payer = session.radledger.ledger, session.signer
    limits = Limits(budget_per_address, budget_per_day, queue_limit)
    relayer = Relayer(ledger, payer, session.folder, limits)

    def ready(url: str) -> None:
        show({"relay": url, "payer": payer.address, "description": f"{url}/docs"})
        sys.stdout.flush()  # a reader of this line may read it from a pipe

    try:
        run(relayer, host, port, ready)
    finally:
        relayer.stop()

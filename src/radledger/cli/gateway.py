"""``radledger gateway``: image sets for readers elsewhere, as the chain permits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from radledger.cli.output import show
from radledger.cli.session import session

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["group"]

group = typer.Typer(help="Run a gateway, which gives readers elsewhere what the chain permits.")


@group.command()
def serve(
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", help="Port; 0 for any free one.", min=0, max=65_535)
    ] = 8091,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address at which readers reach it, by a proxy with TLS (default: where it "
            "listens).",
        ),
    ] = None,
) -> None:
    """Release image sets of this home to readers who may have them, until stopped."""
    from radledger.gateway.errors import GATEWAY
    from radledger.httpapi.server import serve as run
    from radledger.identity.identities import require_gateway_url
    from radledger.imaging.commands.reading import recorder_of

    public = None if url is None else require_gateway_url(url)
    radledger, custodian = session.radledger, session.signer
    recorder = recorder_of(custodian.address)

    def create(address: str) -> FastAPI:
        from radledger.gateway.application import create_application
        from radledger.gateway.service import Gateway

        return create_application(Gateway(radledger, custodian, public or address, recorder))

    def ready(address: str) -> None:
        at = public or address
        show(
            {
                "gateway": at,
                "custodian": custodian.address,
                "recorder": None if recorder is None else recorder.address,
                "description": f"{at}/docs",
            }
        )
        sys.stdout.flush()  # a reader of this line may read it from a pipe

    run(GATEWAY, create, host, port, ready)

"""``radledger deploy``: put the contracts on a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from radledger.cli.output import show
from radledger.cli.session import session

if TYPE_CHECKING:
    from radledger.chain.deployments import Deployment

__all__ = ["deploy"]


def deploy(
    resume: Annotated[bool, typer.Option("--resume", help="Only finish what was begun.")] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Deploy nothing; compare what is there with this release."),
    ] = False,
    succeed: Annotated[
        bool,
        typer.Option(
            "--succeed", help="Deploy all contracts again, as the successor of the deployment here."
        ),
    ] = False,
    governor: Annotated[
        list[str] | None,
        typer.Option(metavar="ACCOUNT", help="First governor (default: the deployer); repeatable."),
    ] = None,
    emergency_access_always: Annotated[
        bool,
        typer.Option(
            "--emergency-access-always", help="Do not let patients forbid emergency access."
        ),
    ] = False,
    most_overdue_reviews: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=2**32 - 1,
            help="Overdue reviews with which an institution may still request consent.",
        ),
    ] = 5,
) -> None:
    """Deploy all contracts; safe to run again after a failure at any step."""
    import os

    from radledger.chain import deploy as deployer
    from radledger.chain import deployments
    from radledger.chain.nodes import networks
    from radledger.chain.nodes.connect import connect
    from radledger.chain.rpc import request
    from radledger.chain.sending.sender import Sender
    from radledger.endpoints import shown

    named = session.network or os.environ.get("RADLEDGER_NETWORK") or None
    network = networks.load(named, session.folder)
    web3 = connect(network)
    folder = session.folder / "deployments"
    if verify:
        deployment = deployments.load(folder, int(request(web3, "eth_chainId", []), 16))
        deployer.verify(web3, deployment)
    else:
        signer = session.signer
        deployment = deployer.deploy(
            web3,
            signer,
            folder,
            governors=tuple(session.address(each) for each in governor or ()),
            may_forbid_emergencies=not emergency_access_always,
            most_overdue_reviews=most_overdue_reviews,
            token_holder=signer.address if network.local else None,
            resume=resume,
            succeed=succeed,
            sender=Sender.on(network, web3),
        )
    show(
        {
            "endpoint": shown(network.endpoint),
            "chain_id": deployment.chain_id,
            "contracts": _addresses(deployment),
            "predecessor": _addresses(deployment.predecessor),
            "verified": True,
        }
    )


def _addresses(deployment: Deployment | None) -> dict[str, str] | None:
    if deployment is None:
        return None
    return {name: each.address for name, each in deployment.contracts.items()}

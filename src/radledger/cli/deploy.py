"""``radledger deploy``: deploy the contracts, or import the record of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from radledger.cli.output import show
from radledger.cli.session import session
from radledger.errors import UsageError

if TYPE_CHECKING:
    from web3 import Web3

    from radledger.chain.deployments import Deployment
    from radledger.chain.nodes.networks import Network

__all__ = ["group"]

group = typer.Typer()


class ConflictingOptions(UsageError):
    """Options were given of which each asks for something else."""


@group.callback(invoke_without_command=True)
def deploy(
    context: typer.Context,
    resume: Annotated[bool, typer.Option("--resume", help="Only finish what was begun.")] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Deploy nothing; compare what is there with this release."),
    ] = False,
    new: Annotated[
        bool,
        typer.Option(
            "--new",
            help="No other participant has deployed what is missing; needed on networks that are "
            "not for development.",
        ),
    ] = False,
    successor: Annotated[
        bool,
        typer.Option(
            "--successor",
            help="Deploy all contracts again, as the successor of the deployment here.",
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
    """Deploy all contracts, or those that this release adds; safe to run again after a failure."""
    if context.invoked_subcommand is not None:
        return
    if sum((resume, verify, successor)) > 1:
        raise ConflictingOptions("give only one of --resume, --verify and --successor")
    from radledger.chain import deployments
    from radledger.chain.rpc import request
    from radledger.chain.sending.sender import Sender
    from radledger.deployment import deploy as deployer

    network, web3 = _connected()
    folder = session.folder / "deployments"
    if verify:
        deployment = deployments.load(folder, int(request(web3, "eth_chainId", []), 16))
        deployer.verify(web3, deployment)
    else:
        signer = session.signer
        if not (new or resume or successor):
            _require_known(network, web3)
        deployment = deployer.deploy(
            web3,
            signer,
            folder,
            governors=tuple(session.address(each) for each in governor or ()),
            may_forbid_emergencies=not emergency_access_always,
            most_overdue_reviews=most_overdue_reviews,
            token_holder=signer.address if network.local else None,
            resume=resume,
            successor=successor,
            sender=Sender.on(network, web3),
        )
    _show(network, deployment)


@group.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL", help="Record of another participant: its deployments/CHAIN.json."
        ),
    ],
) -> None:
    """Use the contracts that another participant has deployed, once the chain confirms them.

    Take the record from someone you trust: anyone can deploy the same code with other governors.
    """
    from radledger.deployment.importing import import_record

    network, web3 = _connected()
    _show(network, import_record(web3, session.folder / "deployments", source))


def _connected() -> tuple[Network, Web3]:
    from radledger.chain.nodes.connect import connect

    network = session.chosen_network()
    return network, connect(network)


def _require_known(network: Network, web3: Web3) -> None:
    """Refuse to deploy what others may have deployed, except on a node for development."""
    from radledger.chain.errors import DeploymentUnconfirmed
    from radledger.chain.nodes.connect import is_development_node
    from radledger.deployment import deploy as deployer

    if network.local or is_development_node(web3):
        return
    if not deployer.is_begun(web3, session.folder / "deployments"):
        raise DeploymentUnconfirmed(
            f"contracts are missing in this home's record of {network.name}, which another "
            "participant may have deployed: import its record with `radledger deploy import "
            "FILE|URL`; if there is none, deploy them with `radledger deploy --new`",
            network=network.name,
        )


def _show(network: Network, deployment: Deployment) -> None:
    from radledger.deployment.deploy import missing
    from radledger.endpoints import shown

    show(
        {
            "endpoint": shown(network.endpoint),
            "chain_id": deployment.chain_id,
            "contracts": _addresses(deployment),
            "missing": list(missing(deployment)),
            "predecessor": _addresses(deployment.predecessor),
            "verified": True,
        }
    )


def _addresses(deployment: Deployment | None) -> dict[str, str] | None:
    if deployment is None:
        return None
    return {name: each.address for name, each in deployment.contracts.items()}

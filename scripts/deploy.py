"""Deploy the contracts: ``brownie run deploy [--network NAME]``.

It takes no arguments.  On a development chain all people of `radledger.devnet.people` are
accredited as well.  Elsewhere Brownie's account ``deployer`` pays, and is the first governor.
"""

from __future__ import annotations

from brownie import web3

from radledger.chain.rpc import wrap
from radledger.demo.environment import RunningChain
from radledger.deployment import deploy
from scripts import brownie_network as network

__all__ = ["main"]


@network.script
def main() -> None:
    """Deploy, or resume an interrupted deployment; print the home and each contract's address."""
    if network.is_development():
        RunningChain(web3, network.funded(), network.name()).up(network.home())
    else:
        deploy.deploy(wrap(web3), network.signer("deployer"), network.home() / "deployments")
    print(f"home {network.home()}")
    for name, contract in network.opened().ledger.deployment.contracts.items():
        print(f"{name:20} {contract.address}")

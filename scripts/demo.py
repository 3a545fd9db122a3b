"""An image's whole journey on Brownie's network: ``brownie run demo [--network NAME]``.

``make demo`` tells the same story on a Ganache of its own.
"""

from __future__ import annotations

from pathlib import Path

from brownie import web3

from radledger.demo.environment import RunningChain
from radledger.demo.play import play
from scripts import brownie_network as network

__all__ = ["main"]


def main(slices: str = "60", folder: str = "out/demo") -> None:
    """Run the demo with a CT of so many slices, in a new folder."""
    environment = RunningChain(web3, network.funded(), network.name())
    if play(Path(folder), environment, slices=int(slices)):
        raise SystemExit(1)

"""The journey of an image on Brownie's network: ``brownie run demo [main SLICES FOLDER]``.

``SLICES`` is the size of the CT series (default: 60), ``FOLDER`` a new folder for the report
(default: ``out/demo``).  ``make demo`` runs the same steps on a separate Ganache.
"""

from __future__ import annotations

from pathlib import Path

from brownie import web3

from radledger.demo.environment import RunningChain
from radledger.demo.play import play
from scripts import brownie_network as network

__all__ = ["main"]


@network.script
def main(slices: str = "60", folder: str = "out/demo") -> None:
    """Run the demo with a CT of so many slices; the report goes to a new folder."""
    environment = RunningChain(web3, network.funded(), network.name())
    if play(Path(folder), environment, slices=network.number(slices, "SLICES")):
        raise SystemExit(1)

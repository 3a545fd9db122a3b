"""What a researcher does with a data set.

::

    brownie run researcher create PURPOSE[,…] [SHARES] [CONDITION[,…]] [TOKEN]
    brownie run researcher contribute DATASET IMAGE
    brownie run researcher claim DATASET
    brownie run researcher list

``SHARES`` such as ``data=70,custody=30`` (the default) are in per cent.  ``TOKEN`` is the address
of an ERC-20 token; by default the one of a development chain.
"""

from __future__ import annotations

from radledger.cli.values import percent
from radledger.research import DatasetTerms
from scripts import brownie_network as network

__all__ = ["claim", "contribute", "create", "list", "main"]


@network.script
def create(
    purposes: str, shares: str = "data=70,custody=30", fulfilled: str = "", token: str = ""
) -> None:
    """Create a data set of the researcher's institution, and print its id."""
    named = (each.partition("=") for each in shares.split(","))
    parts = {name: percent(part) for name, _, part in named}
    radledger = network.opened()
    terms = DatasetTerms(
        token=token or radledger.ledger.address("LocalToken"),
        shares=parts,
        purposes=tuple(purposes.split(",")),
        fulfilled=tuple(filter(None, fulfilled.split(","))),
    )
    print(radledger.datasets.create(terms).send(network.signer("researcher")).dataset_id)


@network.script
def contribute(dataset: str, image: str) -> None:
    """Add an image set, to which its patient must have consented."""
    radledger = network.opened()
    image_set = radledger.images.show(image).image_set
    receipt = radledger.datasets.contribute(dataset, image_set).send(network.signer("researcher"))
    print(f"{receipt.transaction}, {receipt.gas_used:,} gas")


@network.script
def claim(dataset: str) -> None:
    """Collect what is due to the signer."""
    for receipt in network.opened().datasets.claim(dataset).send(network.signer("researcher")):
        print(
            f"{receipt.transaction}, {receipt.event('DatasetRewardClaimed').args['amount']} units"
        )


@network.script
def list() -> None:  # noqa: A001 - the command's name
    """Print all data sets and their money."""
    for each in network.opened().datasets.list():
        print(f"{each.dataset_id} funded {each.funded} paid {each.paid} due {each.due}")


def main() -> None:
    """Say what the script accepts."""
    print(__doc__)

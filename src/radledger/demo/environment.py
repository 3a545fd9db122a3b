"""The chain below a story: a local node of its own, or one that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from radledger import devnet
from radledger.chain.errors import RequestFailed
from radledger.chain.keystore.accounts import Keystore
from radledger.chain.ledger import Ledger
from radledger.chain.rpc import request, wrap
from radledger.crypto.keys import public_key
from radledger.deployment import deploy
from radledger.devnet.people import FUNDED, PEOPLE, accredit, register_key
from radledger.facade import RadLedger

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

__all__ = ["Environment", "LocalNode", "RunningChain", "move_clock"]


class Environment(Protocol):
    """A chain with the contracts deployed and all participants accredited."""

    name: str
    first_block: int

    def up(self, home: Path) -> RadLedger:
        """Make it ready; the accounts of `PEOPLE` are in the home's keystore."""
        ...

    def down(self, home: Path) -> None:
        """Stop what `up` has started."""
        ...


@dataclass
class LocalNode:
    """A node and a store of the story's own, as ``radledger devnet up`` starts them."""

    chain: str = "ganache"
    store: str = "local"
    name: str = field(init=False)
    first_block: int = 0

    def __post_init__(self) -> None:
        names = {"ganache": "Ganache", "poa": "a proof-of-authority chain of geth nodes"}
        self.name = names.get(self.chain, self.chain)
        if self.store == "kubo":
            self.name += " and private IPFS nodes"

    def up(self, home: Path) -> RadLedger:
        """Start them."""
        devnet.up(home, self.chain, store=self.store)
        return RadLedger.open(home=home)

    def down(self, home: Path) -> None:
        """Stop them, by their process ids."""
        devnet.down(home)


@dataclass
class RunningChain:
    """A running chain, and accounts there that have Ether.

    Attributes
    ----------
    web3
        Connected to it.
    accounts
        An account with Ether for each name of `FUNDED`; the patient's is created.
    """

    web3: Web3
    accounts: Mapping[str, LocalAccount]
    name: str
    first_block: int = field(init=False)

    def __post_init__(self) -> None:
        self.web3 = wrap(self.web3)
        self.first_block = int(self.web3.eth.block_number) + 1

    def up(self, home: Path) -> RadLedger:
        """Deploy the contracts and accredit all participants, or finish what was interrupted."""
        keystore = Keystore(home)
        known = {each.name for each in keystore.list()}
        for name in FUNDED:
            if name not in known:
                keystore.import_(name, "0x" + bytes(self.accounts[name].key).hex(), "")
        if "patient" not in known:
            keystore.new("patient", "")
        people = {name: keystore.open(name) for name in PEOPLE}
        folder = home / "deployments"
        holder = people["researcher"].address
        deployment = deploy.deploy(self.web3, people["governor"], folder, token_holder=holder)
        ledger = Ledger(self.web3, deployment)
        accredit(ledger, people)
        for name in PEOPLE:
            if name != "stranger":
                payer = people[name if name in FUNDED else "hospital"]
                key = public_key(keystore.encryption_key(name))
                register_key(ledger, people[name], key, payer)
        return RadLedger.open(self.web3, home=home)

    def down(self, home: Path) -> None:
        """Do nothing: the chain was started elsewhere."""


def move_clock(web3: Web3, seconds: int) -> bool:
    """Move a development chain's clock; False if the chain does not allow it.

    Zero seconds ask whether it would.
    """
    try:
        request(web3, "evm_increaseTime", [seconds])
        request(web3, "evm_mine", [])
    except RequestFailed:
        return False
    return True

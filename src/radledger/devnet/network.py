"""Start and stop a home's local chain and store, and report their state."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.chain import deployments
from radledger.chain.errors import DeploymentMismatch
from radledger.chain.keystore.accounts import Keystore
from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from radledger.deployment import deploy
from radledger.devnet import chain as chains
from radledger.devnet import gateway as gateways
from radledger.devnet import people
from radledger.devnet import store as storage
from radledger.devnet.errors import NodeFailed
from radledger.errors import ChainError
from radledger.files import locked, private_folder, write_atomically

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

    from radledger.chain.deployments import Deployment

__all__ = ["Devnet", "down", "status", "up"]

NAME = "devnet"
_CLOCK_RUNS_AHEAD = 60  # seconds that blocks made one after the other may be ahead
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Devnet:
    """The local chain of a home.

    Attributes
    ----------
    running
        Whether its node is alive and answers.
    chain
        ``ganache``, ``anvil`` or ``poa``; None where there was never one.
    chain_nodes
        Endpoint of each of its nodes by name; None for one that does not run.
    endpoint, chain_id
        Where it is, and its id; None where it does not run.
    home
        The folder with its data, keys and deployment.
    accounts, contracts
        EIP-55 address of each by name.
    store_nodes
        Multiaddress of each Kubo node by name, None for one that does not run; empty where the
        store is a folder.
    gateway
        Address of the hospital's gateway; None where it does not run.
    """

    running: bool
    chain: str | None
    chain_nodes: Mapping[str, str | None]
    endpoint: str | None
    chain_id: int | None
    home: Path
    accounts: Mapping[str, str]
    contracts: Mapping[str, str]
    store_nodes: Mapping[str, str | None]
    gateway: str | None


def up(
    home: Path,
    chain: str | None = None,
    *,
    validators: int | None = None,
    store: str | None = None,
    nodes: int | None = None,
    gateway: bool = False,
) -> Devnet:
    """Start a local chain and store with the contracts deployed and all participants accredited.

    Running it again changes nothing, or finishes what was interrupted.  A chain that was taken
    down goes on where it stood.

    Parameters
    ----------
    home
        RadLedger's folder.
    chain
        ``ganache``, ``anvil``, or ``poa`` for several geth nodes that are validators; default: as
        before, at first Ganache.
    validators
        How many of them; default: as before, at first four.
    store, nodes
        ``local`` or ``kubo``, and how many nodes of it; default: as before, at first the local
        one, and two of Kubo.
    gateway
        Whether the hospital's gateway is to run; once it was, it is started each time.

    Raises
    ------
    NodeFailed
        If a node does not start.
    AnotherChainRuns, AnotherStoreThere
        If the chain that is up is of the other kind, or the home's content in another store.

    Examples
    --------
    >>> devnet = up(Path("home"), "anvil")  # doctest: +SKIP
    >>> devnet.running, devnet.chain        # doctest: +SKIP
    (True, 'anvil')
    """
    chain = chain or chains.kind(_data(home)) or "ganache"
    chains.check(_data(home), chain, validators)
    private_folder(home)
    with locked(home / f".{NAME}.lock"):
        storage.up(home, _data(home), store, nodes)
        accounts = _accounts(home)
        funded = [accounts[name].address for name in people.FUNDED]
        before = chains.recorded(_data(home))
        chains.up(_data(home), chain, validators, _mnemonic(home), funded)
        network = chains.network(NAME, _data(home))
        if network is None:
            raise NodeFailed(f"{chain} ended as soon as it was up; see {_data(home)}", chain=chain)
        web3 = connect(network)
        if chain != "poa" and chains.recorded(_data(home)) != before:
            _set_clock(web3)
        ledger = Ledger(web3, _deployed(web3, home, accounts))
        people.accredit(ledger, accounts)
        _register_keys(ledger, home, accounts)
        _write_network(home, replace(network, chain_id=ledger.chain_id))
        if gateway or gateways.was_started(_data(home)):
            _up_gateway(home, ledger, accounts[gateways.CUSTODIAN])
    return status(home)


def down(home: Path) -> Devnet:
    """Stop the local chain and store; their data is kept.  Does nothing if they are down."""
    if not home.is_dir():
        return status(home)
    with locked(home / f".{NAME}.lock"):
        gateways.stop(_data(home))
        chains.down(_data(home))
        storage.down(_data(home))
    return status(home)


def status(home: Path) -> Devnet:
    """Report the state of the local chain, from its process and its answers."""
    data = _data(home)
    network = chains.network(NAME, data)
    chain_id: int | None = None
    contracts: dict[str, str] = {}
    if network is not None:
        try:
            web3 = connect(network)
            chain_id = int(web3.eth.chain_id)
            deployment = deployments.find(home / "deployments", chain_id)
            if deployment is not None:
                deployment.require_chain(web3)
                contracts = {name: each.address for name, each in deployment.contracts.items()}
        except ChainError:
            pass  # it is starting or failing: not usable
    running = chain_id is not None
    gateway = gateways.recorded(data)
    return Devnet(
        running=running,
        chain=chains.kind(data),
        chain_nodes=chains.names(data),
        endpoint=network.endpoint if network and running else None,
        chain_id=chain_id,
        home=home,
        accounts={
            each.name: each.address
            for each in Keystore(home).list()
            if each.name in people.PEOPLE and each.address
        },
        contracts=contracts,
        store_nodes=storage.nodes(_data(home)),
        gateway=gateway.endpoint if gateway else None,
    )


# ---------------------------------------------------------------------------------- the home


def _data(home: Path) -> Path:
    return home / NAME


def _mnemonic(home: Path) -> str:
    """The mnemonic of this home's accounts, made at first."""
    from eth_account import Account

    path = _data(home) / "mnemonic"
    if not path.exists():
        Account.enable_unaudited_hdwallet_features()
        _, mnemonic = Account.create_with_mnemonic(num_words=12)
        write_atomically(path, mnemonic + "\n", private=True)
    return path.read_text("utf-8").strip()


def _accounts(home: Path) -> dict[str, LocalAccount]:
    """All accounts, in the keystore without a passphrase."""
    from eth_account import Account

    Account.enable_unaudited_hdwallet_features()
    keystore = Keystore(home)
    known = {each.name for each in keystore.list()}
    mnemonic = _mnemonic(home)
    for index, name in enumerate(people.PEOPLE):
        if name not in known:
            account = Account.from_mnemonic(mnemonic, account_path=f"m/44'/60'/0'/0/{index}")
            keystore.import_(name, "0x" + bytes(account.key).hex(), "")
    return {name: keystore.open(name) for name in people.PEOPLE}


def _deployed(web3: Web3, home: Path, accounts: Mapping[str, LocalAccount]) -> Deployment:
    folder = home / "deployments"

    def run(*, successor: bool = False) -> Deployment:
        governor, holder = accounts["governor"], accounts["researcher"].address
        return deploy.deploy(web3, governor, folder, token_holder=holder, successor=successor)

    try:
        return run()
    except DeploymentMismatch:
        if _stands(web3, folder):
            _LOG.warning(
                "another release had deployed the contracts here: those of this one are deployed "
                "beside them, without the image sets, consents and data sets that are recorded "
                "there"
            )
            return run(successor=True)  # another release's; its record stays, as the predecessor
        # A node that was killed may have lost its last blocks, contracts among them.
        (folder / f"{web3.eth.chain_id}.json").unlink()
        return run()


def _stands(web3: Web3, folder: Path) -> bool:
    """Whether all that is recorded is on the chain as it was recorded, of whichever release."""
    from eth_utils.crypto import keccak

    def code_hash(address: str) -> str:
        return "0x" + keccak(hexstr=request(web3, "eth_getCode", [address, "latest"])).hex()

    try:
        recorded = deployments.find(folder, web3.eth.chain_id)
    except DeploymentMismatch:
        return False
    if recorded is None or not recorded.has_core:
        return False
    contracts = recorded.contracts.values()
    return all(code_hash(it.address) == it.code_hash for it in contracts)


def _register_keys(ledger: Ledger, home: Path, accounts: Mapping[str, LocalAccount]) -> None:
    from radledger.crypto.keys import public_key

    keystore = Keystore(home)
    for name, account in accounts.items():
        if name == "stranger":
            continue
        payer = account if name in people.FUNDED else accounts["hospital"]
        people.register_key(ledger, account, public_key(keystore.encryption_key(name)), payer)


def _set_clock(web3: Web3) -> None:
    """Move the clock to the latest block, where it was moved before the node was stopped.

    Otherwise what has begun on the chain would not have begun yet.
    """
    latest = int(request(web3, "eth_getBlockByNumber", ["latest", False])["timestamp"], 16)
    behind = latest - int(time.time())
    if behind > _CLOCK_RUNS_AHEAD:
        request(web3, "evm_increaseTime", [behind])
        request(web3, "evm_mine", [])


def _up_gateway(home: Path, ledger: Ledger, custodian: LocalAccount) -> None:
    """Start the gateway, and publish where it is, so that readers find it."""
    from radledger.identity import Identities

    node = gateways.start(home, _data(home), NAME)
    identities = Identities(ledger)
    if identities.gateway(custodian.address) != node.endpoint:
        identities.set_gateway(node.endpoint).send(custodian)


def _write_network(home: Path, network: Network) -> None:
    """Name the local chain in the home's ``networks.yaml``, beside what the user wrote there."""
    import yaml

    path = home / "networks.yaml"
    content: dict[str, Any] = {}
    if path.exists():
        content = yaml.safe_load(path.read_text("utf-8")) or {}
    content["default"] = NAME
    entry: dict[str, Any] = {"chain_id": network.chain_id, "local": True}
    if network.others:
        entry["endpoints"] = list(network.endpoints)
        entry |= {"confirmations": network.confirmations, "timeout": network.timeout}
    else:
        entry["endpoint"] = network.endpoint
    content["networks"] = {**content.get("networks", {}), NAME: entry}
    write_atomically(path, yaml.safe_dump(content, sort_keys=False))

"""Start and stop the nodes of a home's local chain together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from radledger.chain.errors import ConnectionFailed
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.devnet import poa, process
from radledger.devnet.errors import AnotherChainRuns
from radledger.devnet.process import Node
from radledger.errors import UsageError
from radledger.files import write_atomically

__all__ = ["CHAINS", "check", "down", "kind", "names", "network", "recorded", "up"]

CHAINS = (*process.CHAINS, "poa")
"""Every kind of chain."""

_STATES = {"ganache": "ganache", "anvil": "anvil.json", "poa": "poa"}
"""Where each kind of chain keeps its state, within the folder of the data."""

_TIMEOUT = 60.0  # of a transaction, where blocks come every second


def check(data: Path, chain: str, validators: int | None) -> None:
    """Refuse what cannot be started.

    Raises
    ------
    UsageError
        If there is no such kind of chain, or it has no validators and some are asked for.
    AnotherChainRuns
        If nodes of another kind run.
    """
    if chain not in CHAINS:
        raise UsageError(f"no chain {chain!r}; there are {', '.join(CHAINS)}", chain=chain)
    if validators is not None and chain != "poa":
        raise UsageError(f"{chain} has no validators; name --chain poa", chain=chain)
    for node in recorded(data).values():
        if node.chain != chain and node.is_alive():
            raise AnotherChainRuns(
                f"{node.chain} is up in this home; take it down first, or use another --home",
                running=node.chain,
                wanted=chain,
            )


def up(
    data: Path, chain: str, validators: int | None, mnemonic: str, funded: Sequence[str]
) -> None:
    """Start the nodes that do not run.

    Parameters
    ----------
    data
        The folder for their data.
    chain, validators
        One of `CHAINS`, and of ``poa`` how many nodes; None: as before, at first four.
    mnemonic, funded
        BIP-39 mnemonic, and addresses of its first accounts, which have Ether.

    Raises
    ------
    NodeFailed
        If a node does not start.
    """
    running = {name: node for name, node in recorded(data).items() if _is_usable(node)}
    if chain == "poa":
        _up_validators(data, validators, funded, running)
    elif not running:
        _record(data, {chain: process.start(chain, data, mnemonic, len(funded))})


def down(data: Path) -> None:
    """Stop all nodes; their data is kept."""
    for node in recorded(data).values():
        node.stop()


def recorded(data: Path) -> dict[str, Node]:
    """The nodes that were started last, by name.

    Raises
    ------
    NodeFailed
        If their record cannot be understood.
    """
    path = data / "nodes.json"
    if not path.exists():
        return {}
    with process.understood(path):
        return {name: Node(**node) for name, node in json.loads(path.read_text("utf-8")).items()}


def kind(data: Path) -> str | None:
    """The kind of the chain that was started last; None if there was none.

    A home from a backup or another machine may lack the record of its nodes; then the state that
    was written last says it.
    """
    started = next((node.chain for node in recorded(data).values()), None)
    if started is not None:
        return started
    kept = {name: data / state for name, state in _STATES.items() if (data / state).exists()}
    return max(kept, key=lambda name: kept[name].stat().st_mtime, default=None)


def names(data: Path) -> dict[str, str | None]:
    """Endpoint of each node by name; None for one that does not run."""
    return {
        name: node.endpoint if node.is_alive() else None for name, node in recorded(data).items()
    }


def network(name: str, data: Path, chain_id: int | None = None) -> Network | None:
    """The chain as a network of this name; None if no node of it runs."""
    nodes = recorded(data)
    endpoints = [node.endpoint for node in nodes.values() if node.is_alive()]
    if not endpoints:
        return None
    if len(nodes) == 1:
        return Network(name, endpoints[0], chain_id, local=True)
    return Network(
        name,
        endpoints[0],
        chain_id,
        local=True,
        others=tuple(endpoints[1:]),
        confirmations=poa.confirmations(len(nodes)),
        timeout=_TIMEOUT,
    )


def _up_validators(
    data: Path, validators: int | None, funded: Sequence[str], running: Mapping[str, Node]
) -> None:
    chain = poa.Chain(data / "poa")
    wanted = validators if validators is not None else chain.size or poa.VALIDATORS
    chain.create(wanted, funded)
    nodes = dict(running)
    try:
        for index in range(chain.size):
            name = chain.folder(index).name
            if name not in nodes:
                nodes[name] = chain.start(index)
                _record(data, nodes)
        chain.join(list(nodes.values()))
    except BaseException:
        for name in nodes.keys() - running.keys():
            nodes[name].stop()
        raise


def _record(data: Path, nodes: Mapping[str, Node]) -> None:
    content = {name: asdict(nodes[name]) for name in sorted(nodes)}
    write_atomically(data / "nodes.json", json.dumps(content, indent=2) + "\n")


def _is_usable(node: Node) -> bool:
    """Whether a node answers; a process that does not answer is stopped."""
    if not node.is_alive():
        return False
    try:
        connect(Network(node.chain, node.endpoint))
    except ConnectionFailed:
        node.stop()
        return False
    return True

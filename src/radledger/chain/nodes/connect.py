"""A connection to a chain, checked when it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from radledger.chain.errors import DeploymentMismatch, RequestFailed
from radledger.chain.rpc import request, wrap
from radledger.endpoints import shown

if TYPE_CHECKING:
    from web3 import Web3
    from web3.providers import BaseProvider

    from radledger.chain.clock import Clock
    from radledger.chain.nodes.networks import Network
    from radledger.chain.nodes.survey import NodeState

__all__ = ["clock", "connect", "is_development_node", "node_states", "unhealthy_nodes"]

_TIMEOUT = (30.0, 30.0)
_PATIENCE = 10.0
_MAX_BLOCK_AGE = 60.0
# Development nodes, by the beginning of their web3_clientVersion; they make blocks on demand.
_ON_DEMAND = ("ganache", "anvil", "hardhat")


def connect(network: Network) -> Web3:
    """Connect to ``network`` and check that a node answers with the expected chain id.

    Several nodes become one provider, which does without those that fail, lag or differ; see
    :mod:`radledger.chain.nodes.failover`.

    Raises
    ------
    ConnectionFailed
        If nothing answers, or what answers is not an Ethereum node.
    NodesDisagree
        If the nodes are on different chains, and no majority of them on one.
    DeploymentMismatch
        If the chain id is not the network's.
    """
    from web3 import Web3

    web3 = wrap(Web3(_provider(network)))
    chain_id = int(request(web3, "eth_chainId", []), 16)
    if network.chain_id not in (None, chain_id):
        raise DeploymentMismatch(
            f"{network.name} has the chain id {network.chain_id}, but {shown(network.endpoint)} "
            f"serves {chain_id}; correct networks.yaml or the endpoint",
            network=network.name,
            expected=network.chain_id,
            found=chain_id,
        )
    return web3


def clock(web3: Web3, network: Network | None = None) -> Clock:
    """The clock of a chain: unless its network says, its latest block may be 60 s old.

    There is no limit on a development node, which makes a block when there is something to put
    into one.

    Raises
    ------
    ConnectionFailed
        If nothing answers.
    """
    from radledger.chain.clock import Clock

    if network is not None and network.max_block_age is not None:
        return Clock(max_block_age=network.max_block_age)
    return Clock() if is_development_node(web3) else Clock(max_block_age=_MAX_BLOCK_AGE)


def is_development_node(web3: Web3) -> bool:
    """Whether a node says that it is Ganache, anvil or Hardhat, which make blocks on demand."""
    try:
        client = str(request(web3, "web3_clientVersion", [])).lower()
    except RequestFailed:
        return False
    return client.startswith(_ON_DEMAND)


def node_states(network: Network) -> list[NodeState]:
    """The state of each node of a network; see :mod:`radledger.chain.nodes.survey`.

    A node that is good otherwise is ``stalled`` if its latest block is older than the network
    allows.
    """
    from web3 import Web3

    from radledger.chain.nodes.failover import FailoverProvider

    provider = FailoverProvider(
        network.endpoints, chain_id=network.chain_id, confirmations=network.confirmations
    )
    states = provider.states()
    if all(each.state != "good" for each in states):
        return states
    chain_clock = clock(wrap(Web3(provider)), network)
    return [
        replace(each, state="stalled")
        if each.state == "good" and chain_clock.present(each.block or 0, each.timestamp or 0).stale
        else each
        for each in states
    ]


def unhealthy_nodes(web3: Web3) -> str:
    """A suffix for messages that lists unhealthy nodes; empty if all are healthy."""
    states = getattr(web3.provider, "states", None)
    bad = [each for each in states() if each.state != "good"] if states else []
    if not bad:
        return ""
    told = ", ".join(f"{each.endpoint} is {each.state}" for each in bad)
    return f"; of its nodes {told}"


def _provider(network: Network) -> BaseProvider:
    if network.others:
        from radledger.chain.nodes.failover import FailoverProvider

        return FailoverProvider(
            network.endpoints,
            chain_id=network.chain_id,
            confirmations=network.confirmations,
        )
    from radledger.chain.nodes.http import HttpNode

    return HttpNode(network.endpoint, timeout=_TIMEOUT, tries=2, patience=_PATIENCE)

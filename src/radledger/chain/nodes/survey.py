"""Survey the nodes of a network, and tell healthy ones from the rest.

A node may be out of reach, serve another chain, lag behind the others, or are on a branch that most
of them are not on.  Heights are compared with the second highest, so that no node alone makes the
others look late; branches a few blocks below the heads, where honest nodes agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import ConnectionFailed
from radledger.chain.rpc import request, wrap
from radledger.errors import ChainError

if TYPE_CHECKING:
    from web3 import Web3
    from web3.providers import BaseProvider

__all__ = ["SETTLED", "NodeState", "outage", "survey"]

SETTLED = 3
"""How many blocks below its head honest nodes agree, and how many one of them may be behind."""


@dataclass(frozen=True)
class NodeState:
    """The state of a node.

    Attributes
    ----------
    endpoint
        What may be shown of its JSON-RPC address.
    state
        ``good``, ``unreachable``, ``failing``, ``other chain``, ``lagging``, ``forked``,
        ``contradicted`` if most others gave another answer to the same question, or ``stalled``
        if its chain makes no blocks, which only :func:`~radledger.chain.nodes.connect.node_states`
        says.
    block, timestamp
        Number and Unix time of its latest block; None where it gave none.
    reason
        Why it is ``unreachable`` or ``failing``, and what to do; None for other states.
    """

    endpoint: str
    state: str
    block: int | None = None
    timestamp: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class _Found:
    """A node's answer: its first block and its latest."""

    web3: Web3
    state: NodeState
    chain: tuple[int, str] | None = None


def survey(
    probes: Mapping[str, BaseProvider], *, chain_id: int | None, depth: int
) -> list[NodeState]:
    """The state of each node, in the order given.

    Parameters
    ----------
    probes
        A provider for each endpoint, by what may be shown of it.
    chain_id
        The chain that is meant (EIP-155); None: the one that most serve.
    depth
        How many blocks below their heads nodes are compared; at least `SETTLED`.
    """
    from web3 import Web3

    with ThreadPoolExecutor(max_workers=len(probes)) as pool:
        asked = [(endpoint, wrap(Web3(probe))) for endpoint, probe in probes.items()]
        found = list(pool.map(lambda each: _ask(*each), asked))
        found = _without_other_chains(found, chain_id)
        found = _without_lagging(found)
        found = _without_forked(found, max(depth, SETTLED), pool)
    return [each.state for each in found]


def outage(error: ConnectionFailed) -> str:
    """The state of a node that cannot be used: something else answers, or nothing does."""
    return "failing" if "status" in error.values else "unreachable"


def _ask(endpoint: str, web3: Web3) -> _Found:
    try:
        chain = int(request(web3, "eth_chainId", []), 16)
        genesis = request(web3, "eth_getBlockByNumber", ["0x0", False])["hash"]
        head = request(web3, "eth_getBlockByNumber", ["latest", False])
        number, timestamp = int(head["number"], 16), int(head["timestamp"], 16)
    except ConnectionFailed as error:
        return _Found(web3, NodeState(endpoint, outage(error), reason=error.message))
    except ChainError as error:
        return _Found(web3, NodeState(endpoint, "failing", reason=error.message))
    return _Found(web3, NodeState(endpoint, "good", number, timestamp), (chain, str(genesis)))


def _without_other_chains(found: Sequence[_Found], chain_id: int | None) -> list[_Found]:
    chains = Counter(
        each.chain for each in found if each.chain and chain_id in (None, each.chain[0])
    )
    meant = chains.most_common(1)[0][0] if chains else None
    return [each if each.chain in (None, meant) else _marked(each, "other chain") for each in found]


def _without_lagging(found: Sequence[_Found]) -> list[_Found]:
    heights = sorted(each.state.block or 0 for each in _good(found))
    if not heights:
        return list(found)
    reference = heights[-2] if len(heights) > 2 else heights[-1]
    return [
        _marked(each, "lagging")
        if each.state.state == "good" and (each.state.block or 0) < reference - SETTLED
        else each
        for each in found
    ]


def _without_forked(found: Sequence[_Found], depth: int, pool: ThreadPoolExecutor) -> list[_Found]:
    good = _good(found)
    if len(good) < 2:
        return list(found)
    number = max(0, min(each.state.block or 0 for each in good) - depth)
    hashes = dict(
        zip(
            (each.state.endpoint for each in good),
            pool.map(lambda each: _hash(each, number), good),
            strict=True,
        )
    )
    ranked = Counter(hashes.values()).most_common()
    # Of branches with as many nodes, nothing shows which is right.
    right = ranked[0][0] if len(ranked) == 1 or ranked[0][1] > ranked[1][1] else None
    return [
        _marked(each, "forked")
        if each.state.endpoint in hashes and hashes[each.state.endpoint] != right
        else each
        for each in found
    ]


def _hash(found: _Found, number: int) -> str:
    try:
        block: Any = request(found.web3, "eth_getBlockByNumber", [hex(number), False])
        return str(block["hash"])
    except (ChainError, TypeError, KeyError):
        return f"none of {found.state.endpoint}"


def _good(found: Sequence[_Found]) -> list[_Found]:
    return [each for each in found if each.state.state == "good"]


def _marked(found: _Found, state: str) -> _Found:
    return replace(found, state=replace(found.state, state=state))

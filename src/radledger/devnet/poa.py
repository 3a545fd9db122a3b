"""A proof-of-authority chain (Clique) of several geth nodes on loopback, each of them a validator.

It goes on as long as more than half of the validators sign: of four, one may be missing.  Keys and
genesis block are made once, in the chain's folder::

    genesis.json
    validator-1/keystore, password, log, geth   …   validator-n/…
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

from radledger.chain.errors import ConnectionFailed
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from radledger.devnet import geth, process
from radledger.devnet.errors import NodeFailed
from radledger.devnet.process import Node
from radledger.errors import UsageError
from radledger.files import write_atomically

__all__ = ["CHAIN_ID", "VALIDATORS", "Chain", "confirmations", "reunite"]

CHAIN_ID = 41337
VALIDATORS = 4
"""Default number of validators."""

_MOST = 16
_TIMEOUT = 120.0
_PATIENCE = 15.0  # geth looks for a heavier branch every ten seconds


@dataclass
class Chain:
    """The chain whose keys and data are in a folder.

    Parameters
    ----------
    data
        The folder; nothing is in it at first.
    free_gas
        Whether gas costs nothing, as in a consortium without a currency.
    period
        Seconds between blocks; 0: as soon as there is a transaction, and only then.
    hosts
        Where each validator listens; by default all on loopback.
    prefix
        What goes before the command line of the validator of that index, such as
        ``ip netns exec …``.
    """

    data: Path
    free_gas: bool = False
    period: int = 1
    hosts: Sequence[str] = ()
    prefix: Mapping[int, Sequence[str]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many validators there are; 0 before :meth:`create`."""
        return len(list(self.data.glob("validator-*"))) if self._genesis.exists() else 0

    def folder(self, index: int) -> Path:
        """Folder of a validator, from 0 on."""
        return self.data / f"validator-{index + 1}"

    @property
    def _genesis(self) -> Path:
        return self.data / "genesis.json"

    def create(self, validators: int, funded: Sequence[str]) -> None:
        """Make keys for so many validators and a genesis block, unless they are there.

        Parameters
        ----------
        validators
            How many, 1 to 16.
        funded
            Addresses that have Ether from the beginning.

        Raises
        ------
        UsageError
            If the chain exists with another number of validators, or the number is invalid.
        """
        from eth_account import Account

        if not 1 <= validators <= _MOST:
            raise UsageError(
                f"a chain on one machine has 1 to {_MOST} validators, not {validators}",
                wanted=validators,
            )
        if self.size == validators:
            return
        if self.size:
            raise UsageError(
                f"this chain has {self.size} validators since its beginning; use another --home "
                f"for one with {validators}",
                validators=self.size,
                wanted=validators,
            )
        shutil.rmtree(self.data, ignore_errors=True)  # what was interrupted
        # In the order of their addresses, in which they take turns.
        keys = sorted(
            (Account.create() for _ in range(validators)),
            key=lambda key: bytes.fromhex(key.address[2:]),
        )
        for index, key in enumerate(keys):
            geth.write_key(self.folder(index), key)
        block = geth.genesis(
            CHAIN_ID, self.period, [key.address for key in keys], funded, free_gas=self.free_gas
        )
        write_atomically(self._genesis, json.dumps(block, indent=2) + "\n")

    def start(self, index: int) -> Node:
        """Start a validator's node, which knows no other and signs nothing before it joins.

        One that has lost its data begins with the genesis block.

        Raises
        ------
        NodeFailed
            If geth is missing, or does not start.
        """
        folder, program = self.folder(index), geth.program()
        geth.initialise(program, folder, self._genesis)
        host = self.hosts[index] if self.hosts else "127.0.0.1"

        def attempt() -> Node:
            port = process.free_port()
            endpoint = f"http://{host}:{port}"
            command = geth.command(program, folder, CHAIN_ID, host, port)
            return process.spawn(
                "poa",
                [*self.prefix.get(index, ()), *command],
                folder / "log",
                endpoint,
                lambda: _serves(endpoint),
                {},
            )

        node = process.with_free_ports(attempt)
        if self.free_gas:
            _ask(node, "miner_setGasPrice", "0x0")  # on the command line, 0 means the default
        return node

    def join(self, nodes: Sequence[Node]) -> None:
        """Let the nodes know each other and sign; wait for a new block if one is to come.

        Raises
        ------
        NodeFailed
            If they do not find each other, or make no block.
        """
        addresses = {node.endpoint: _address(node) for node in nodes}
        for node, other in permutations(nodes, 2):
            _ask(node, "admin_addPeer", addresses[other.endpoint])
        _until(
            lambda: all(int(_ask(node, "net_peerCount"), 16) >= len(nodes) - 1 for node in nodes),
            f"the validators do not find each other; see {self.folder(0) / 'log'}",
        )
        # Until it signs itself, geth lets pass what others send: whose turn it is begins last.
        turn = geth.address_of(self.folder((max(map(_height, nodes)) + 1) % self.size))
        for node in sorted(nodes, key=lambda node: _ask(node, "eth_coinbase") == turn):
            _ask(node, "miner_start")
        if self.period and 2 * len(nodes) > self.size:
            self._await_block(nodes)

    def _await_block(self, nodes: Sequence[Node]) -> None:
        before = max(map(_height, nodes))

        def grown() -> bool:
            return min(map(_height, nodes)) > before

        if not _holds_within(_PATIENCE, grown):
            reunite(nodes)
            _until(grown, f"the validators make no blocks; see {self.folder(0) / 'log'}")


def confirmations(validators: int) -> int:
    """How many blocks on top of another need more than half of the validators.

    Each of any so many blocks in a row is signed by another validator (EIP-225).  A part of the
    validators that is cut off from the others cannot make them, unless it is the larger one.
    """
    return validators // 2 + 1


def reunite(nodes: Sequence[Node]) -> None:
    """Reunite nodes on branches of equal weight, between which Clique cannot decide.

    This can happen after a partition: each branch waits for the signature of a validator on the
    other (see EIP-3436).  The heaviest branch wins, of several the one with the lowest hash; every
    other node is set back to the common ancestor, and follows.

    Raises
    ------
    NodeFailed
        If a node refuses to be set back, or does not follow.
    """
    heads = {node.endpoint: _ask(node, "eth_getBlockByNumber", "latest", False) for node in nodes}
    best = min(nodes, key=lambda node: _weight(heads[node.endpoint]))
    target = int(heads[best.endpoint]["number"], 16)
    set_back = []
    for node in nodes:
        height = int(heads[node.endpoint]["number"], 16)
        common = min(height, target)
        while _hash(node, common) not in {_hash(best, common)} - {None}:
            common -= 1
        if common < height:
            set_back.append(node)
            _ask(node, "miner_stop")
            _ask(node, "debug_setHead", hex(common))
    _until(
        lambda: all(_height(node) >= target for node in set_back),
        "the validators that were set back do not follow the others",
    )
    for node in set_back:
        _ask(node, "miner_start")


def _weight(head: dict[str, Any]) -> tuple[int, int]:
    """Orders heads, the heaviest first."""
    return -int(head["totalDifficulty"], 16), int(head["hash"], 16)


def _address(node: Node) -> str:
    """Where a node's peers find it."""
    key, _, rest = str(_ask(node, "admin_nodeInfo")["enode"]).partition("@")
    port = rest.partition("?")[0].rpartition(":")[2]
    host = node.endpoint.removeprefix("http://").rpartition(":")[0]
    return f"{key}@{host}:{port}"


def _height(node: Node) -> int:
    return int(_ask(node, "eth_blockNumber"), 16)


def _hash(node: Node, number: int) -> str | None:
    """Hash of a block; None where a node that changes its branch is lower now."""
    block = _ask(node, "eth_getBlockByNumber", hex(number), False)
    return None if block is None else str(block["hash"])


def _ask(node: Node, method: str, *parameters: Any) -> Any:
    return request(connect(Network("poa", node.endpoint)), method, parameters)


def _serves(endpoint: str) -> bool:
    try:
        connect(Network("poa", endpoint))
    except ConnectionFailed:
        return False
    return True


def _holds_within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _until(holds: Callable[[], bool], otherwise: str) -> None:
    if not _holds_within(_TIMEOUT, holds):
        raise NodeFailed(otherwise)

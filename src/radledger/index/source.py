"""Read ranges of blocks from the chain, and check them before they are used.

A node may answer in part, twice, with an error or, while the chain is being reorganised, about two
branches at once.  Here an answer counts only if the headers are linked from the block before to
the last, each log is of the header's block, and no block whose bloom filter names one of the
contracts comes without a log of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.areas import CONTRACTS
from radledger.chain.errors import RequestFailed
from radledger.chain.events import Event, EventDecoder, checksummed
from radledger.chain.logs import logs_of
from radledger.chain.rpc import request, request_batch
from radledger.index.errors import ChainMoved

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = ["Blocks", "ChainSource"]

_FORWARDED = ("Forwarder", "ExecutedForwardRequest")


@dataclass(frozen=True)
class Blocks:
    """A linked range of blocks: number and hash of each, and the events in them."""

    hashes: Mapping[int, str]
    events: Sequence[Event]


class ChainSource:
    """Reads the events of a deployment's contracts.

    Parameters
    ----------
    ledger
        The connected chain with its deployment.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._web3 = ledger.web3
        deployed = ledger.deployment.contracts
        indexed = {name: each for name, each in deployed.items() if name in CONTRACTS}
        self.contracts = {name: each.address.lower() for name, each in indexed.items()}
        self.start = min(each.block for each in indexed.values())
        self._decoder = EventDecoder(self.contracts)
        self._bits = {address: _bloom_bits(address) for address in self.contracts.values()}

    def head(self) -> int:
        """Number of the latest block."""
        return int(request(self._web3, "eth_blockNumber", []), 16)

    def hashes(self, numbers: Sequence[int]) -> dict[int, str]:
        """Hash of each of these blocks that the chain has now."""
        calls = [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
        answers = zip(numbers, self._ask(calls), strict=True)
        return {number: header["hash"] for number, header in answers if header is not None}

    def read(self, first: int, last: int, parent: str) -> Blocks:
        """The blocks from ``first`` to ``last``, which follow the block with the hash ``parent``.

        Parameters
        ----------
        first, last
            Numbers of blocks, both included.
        parent
            Hash of the block before ``first``; empty if any will do.

        Raises
        ------
        ChainMoved
            If the answers do not fit together; ask again.
        RequestFailed, ConnectionFailed
            If the node refuses or does not answer.
        """
        logs = logs_of(self._web3, list(self.contracts.values()), first, last)
        headers = self._headers(range(first, last + 1), {log["blockNumber"] for log in logs})
        for header in headers:
            if parent and header["parentHash"] != parent:
                raise ChainMoved(
                    f"block {int(header['number'], 16)} does not follow the one before it; "
                    "the chain is being reorganised, ask again",
                    block=int(header["number"], 16),
                )
            parent = header["hash"]
        logs += self._overlooked(headers, logs)
        hashes = {int(header["number"], 16): header["hash"] for header in headers}
        return Blocks(hashes, self._events(_distinct(logs, hashes), headers))

    # ---------------------------------------------------------------------------- internals

    def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        answers = request_batch(self._web3, calls)
        for answer in answers:
            if isinstance(answer, RequestFailed):
                raise answer
        return answers

    def _headers(self, numbers: Iterable[int], eventful: set[str]) -> list[dict[str, Any]]:
        """Headers, with the transactions of blocks that have events, for their senders."""
        numbers = list(numbers)
        calls = [("eth_getBlockByNumber", [hex(n), hex(n) in eventful]) for n in numbers]
        headers = self._ask(calls)
        for number, header in zip(numbers, headers, strict=True):
            if header is None or int(header["number"], 16) != number:
                raise ChainMoved(f"the node has no block {number} now; ask again", block=number)
        return headers

    def _overlooked(
        self, headers: Sequence[Mapping[str, Any]], logs: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Logs of blocks that seem to have some of a contract that gave none.

        A bloom filter errs to one side only: it may name a contract that was silent.
        """
        spoke = {(log["blockHash"], log["address"].lower()) for log in logs}
        calls = []
        for header in headers:
            bloom = int(header["logsBloom"], 16)
            if any(
                bloom & bits == bits and (header["hash"], address) not in spoke
                for address, bits in self._bits.items()
            ):
                of_block = {"address": list(self._bits), "blockHash": header["hash"]}
                calls.append(("eth_getLogs", [of_block]))
        return [log for answer in self._ask(calls) for log in _listed(answer)]

    def _events(
        self, logs: Sequence[Mapping[str, Any]], headers: Sequence[Mapping[str, Any]]
    ) -> list[Event]:
        times = {int(header["number"], 16): int(header["timestamp"], 16) for header in headers}
        senders = {
            each["hash"]: checksummed(each["from"])
            for header in headers
            for each in header["transactions"]
            if isinstance(each, dict)
        }
        signers: dict[str, str] = {}
        events = []
        # Backwards, for the forwarder speaks after the call that it forwarded.
        for log in reversed(logs):
            contract, name, args = self._decoder.decode(log)
            transaction = log["transactionHash"]
            if (contract, name) == _FORWARDED:
                signers[transaction] = args["signer"]
            actor = CONTRACTS[contract].actors.get(name)
            who = args[actor] if actor else signers.get(transaction) or senders.get(transaction)
            if who is None:
                raise ChainMoved(
                    f"the node does not know the transaction {transaction} of an event any more; "
                    "ask again",
                    transaction=transaction,
                )
            block, index = int(log["blockNumber"], 16), int(log["logIndex"], 16)
            time = times[block]
            events.append(Event(block, index, contract, name, args, transaction, time, who))
        events.reverse()
        return events


def _listed(logs: Any) -> list[dict[str, Any]]:
    if not isinstance(logs, list):
        raise ChainMoved("the node gave no list of events; ask again")
    return logs


def _distinct(logs: Iterable[dict[str, Any]], hashes: Mapping[int, str]) -> list[dict[str, Any]]:
    """Each log once, in the order of the chain; all of them of these blocks."""
    placed: dict[tuple[int, int], dict[str, Any]] = {}
    for log in logs:
        number = int(log["blockNumber"], 16)
        if hashes.get(number) != log["blockHash"] or log.get("removed"):
            raise ChainMoved(
                f"the node gave an event of another block {number} than the chain has now; "
                "ask again",
                block=number,
            )
        if placed.setdefault((number, int(log["logIndex"], 16)), log) != log:
            raise ChainMoved(f"the node gave two events for one place of block {number}; ask again")
    return [log for _, log in sorted(placed.items())]


def _bloom_bits(address: str) -> int:
    """The three bits that a contract's address sets in a block's bloom filter.

    Ethereum's yellow paper, section 4.3.1: three pairs of bytes of the hash, each modulo 2,048.
    """
    from eth_hash.auto import keccak

    digest = keccak(bytes.fromhex(address[2:]))
    bits = 0
    for start in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") & 2047)
    return bits

"""What the chain says of a range of blocks, checked before anybody believes it.

A node may answer in part, twice, with an error or, while the chain is being reorganised, about two
branches at once.  Here an answer counts only if the headers are linked from the block before to
the last, each log is of the header's block, and no block whose bloom filter names one of the
contracts comes without a log of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import RequestFailed
from radledger.chain.rpc import request, request_batch
from radledger.index.errors import ChainMoved
from radledger.index.events import ChainEvent, EventDecoder

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = ["INDEXED", "Blocks", "ChainSource"]

INDEXED = (
    "Forwarder",
    "IdentityRegistry",
    "ParticipantRegistry",
    "ImageRegistry",
    "ConsentRegistry",
    "DatasetRegistry",
)
"""The contracts whose events are indexed; the state of an ERC-20 token is its own."""

# The argument that names who acted, of the events that have one.
_ACTORS = {
    "ConsentGranted": "actor",
    "ConsentWithdrawn": "actor",
    "ConsentWithdrawnAll": "actor",
    "ConsentRequested": "requester",
    "EmergencyDeclared": "clinician",
    "EmergencyReviewed": "reviewer",
    "EmergenciesForbidden": "actor",
    "ImageDisowned": "actor",
    "ImageAcknowledged": "actor",
    "ParticipantSuspended": "actor",
    "ParticipantReinstated": "actor",
    "ParticipantLeft": "account",
    "ParticipantGovernorVoted": "governor",
    "IdentityRecoveryApproved": "guardian",
    "DatasetCreated": "curator",
    "DatasetFunded": "funder",
    "DatasetImageContributed": "curator",
    "DatasetImageWithdrawn": "actor",
    "DatasetCustodyWithdrawn": "actor",
    "DatasetImageSuspended": "actor",
    "DatasetImageResumed": "actor",
    "DatasetWorkWithdrawn": "contributor",
    "ExecutedForwardRequest": "signer",
}
_FORWARDED = "ExecutedForwardRequest"


@dataclass(frozen=True)
class Blocks:
    """A linked range of blocks: number and hash of each, and the events in them."""

    hashes: Mapping[int, str]
    events: Sequence[ChainEvent]


class ChainSource:
    """Reads the events of a deployment's contracts.

    Parameters
    ----------
    ledger
        The connected chain with its deployment.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._web3 = ledger.web3
        self.contracts = {name: ledger.address(name).lower() for name in INDEXED}
        self.start = min(ledger.deployment.contracts[name].block for name in INDEXED)
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
        logs = self._logs(first, last)
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

    def _logs(self, first: int, last: int) -> list[dict[str, Any]]:
        """Logs of a range; a node that refuses it, as too large, is asked for its halves."""
        wanted = {
            "address": list(self.contracts.values()),
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        try:
            logs = request(self._web3, "eth_getLogs", [wanted])
        except RequestFailed:
            if first == last:
                raise
            middle = (first + last) // 2
            return self._logs(first, middle) + self._logs(middle + 1, last)
        return _listed(logs)

    def _headers(self, numbers: Iterable[int], eventful: set[str]) -> list[dict[str, Any]]:
        """Headers, with the transactions of blocks that have events: they tell who sent them."""
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
    ) -> list[ChainEvent]:
        times = {int(header["number"], 16): int(header["timestamp"], 16) for header in headers}
        senders = {
            each["hash"]: each["from"].lower()
            for header in headers
            for each in header["transactions"]
            if isinstance(each, dict)
        }
        signers: dict[str, str] = {}
        events = []
        # Backwards, for the forwarder speaks after the call that it forwarded.
        for log in reversed(logs):
            contract, name, arguments = self._decoder.decode(log)
            transaction = log["transactionHash"]
            if name == _FORWARDED:
                signers[transaction] = arguments["signer"]
            actor = _ACTORS.get(name)
            who = (
                arguments[actor] if actor else signers.get(transaction) or senders.get(transaction)
            )
            if who is None:
                raise ChainMoved(
                    f"the node does not know the transaction {transaction} of an event any more; "
                    "ask again",
                    transaction=transaction,
                )
            block = int(log["blockNumber"], 16)
            index = int(log["logIndex"], 16)
            events.append(
                ChainEvent(block, index, contract, name, who, arguments, transaction, times[block])
            )
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

"""How fast events are indexed, and how long an image set's whole history takes to look up.

    python benchmarks/index.py                         # 200,000 events, into SQLite
    python benchmarks/index.py --index postgresql://…  # into an empty database

The node is a stub in this process that answers with logs and blocks made beforehand, as JSON text
over the library's own request functions: what is measured is parsing, checking, decoding and
writing, not a node.  Half of the events anchor image sets in transactions of 100, the others are
grants, contributions, new manifests and withdrawals, one transaction each.

``indexed``   events followed from the first block to the head, into SQL, in a second and in a
              second of this process's own: the two differ where it shares the machine
``parsed``    the same answers of the node parsed from JSON, and nothing else
``history``   one image set's whole history looked up, in milliseconds
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from eth_hash.auto import keccak
from eth_utils.abi import event_abi_to_log_topic
from measuring import ratio

from radledger.areas import CONTRACTS
from radledger.chain import artifacts
from radledger.chain.deployments import DeployedContract, Deployment
from radledger.index.service import Index

PER_BLOCK = 100
ADDRESSES = {name: f"0x{number + 1:040x}" for number, name in enumerate(CONTRACTS)}
TOPICS = {
    entry["name"]: "0x" + event_abi_to_log_topic(entry).hex()
    for name in CONTRACTS
    for entry in artifacts.load(name).abi
    if entry["type"] == "event" and entry["inputs"]
}


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--index", metavar="URL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), options.events, options.rounds, options.index)))


def measure(folder: Path, events: int, rounds: int, url: str | None) -> dict[str, float]:
    """Events per second of both, their ratio, and the milliseconds of a look-up."""
    node = Node(events)
    contracts = {name: DeployedContract(address, 1, "", "") for name, address in ADDRESSES.items()}
    ledger: Any = SimpleNamespace(
        web3=SimpleNamespace(provider=node),
        deployment=Deployment(1, node.hash(0), contracts),
        address=ADDRESSES.__getitem__,
    )
    indexed, working, parsed, lookups = [], [], [], []
    for number in range(rounds):
        index = Index(ledger, folder / str(number), url)
        worked = time.process_time()
        seconds, synced = timed(index.rebuild)
        working.append(events / (time.process_time() - worked))
        assert synced.added_events == events
        indexed.append(events / seconds)
        parsed.append(events / timed(node.parse_all)[0])
        for image in node.some_images(200):
            seconds, entries = timed(partial(index.history, image))
            lookups.append(1_000 * seconds)
            assert entries[0].event == "ImageAnchored"
        index.database.engine.dispose()
    return {
        "events": events,
        "indexed_per_second": round(statistics.median(indexed)),
        "indexed_per_second_of_processor": round(statistics.median(working)),
        "parsed_per_second": round(statistics.median(parsed)),
        "ratio": ratio(indexed, parsed, digits=3),
        "history_milliseconds_median": round(statistics.median(lookups), 2),
        "history_milliseconds_99th": round(statistics.quantiles(lookups, n=100)[98], 2),
    }


def timed(call: Any) -> tuple[float, Any]:
    """Seconds that a call takes, and what it returns."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


class Node:
    """Answers like a node whose chain has so many events, 100 in a block."""

    endpoint_uri = "a stub"

    def __init__(self, events: int) -> None:
        self.random = Random(0)
        self.images: list[str] = []
        self.head = -(-events // PER_BLOCK)
        self.logs: dict[int, str] = {}
        self.blocks: dict[int, str] = {0: self._block(0, [], [])}
        left = events
        for number in range(1, self.head + 1):
            self._mine(number, min(PER_BLOCK, left))
            left -= PER_BLOCK

    def hash(self, number: int) -> str:
        """Hash of a block."""
        return "0x" + keccak(b"block %d" % number).hex()

    def some_images(self, count: int) -> list[str]:
        """Ids of image sets that have a history."""
        return self.random.sample(self.images, min(count, len(self.images)))

    def make_request(self, method: str, parameters: Any) -> Any:
        """Answer one request, from text as a transport does."""
        if method == "eth_blockNumber":
            return {"id": 1, "result": hex(self.head)}
        first, last = (int(parameters[0][name], 16) for name in ("fromBlock", "toBlock"))
        logs = ",".join(filter(None, (self.logs[number] for number in range(first, last + 1))))
        return json.loads(f'{{"id": 1, "result": [{logs}]}}')

    def make_batch_request(self, calls: Any) -> Any:
        """Answer questions for blocks."""
        numbers = [int(parameters[0], 16) for _, parameters in calls]
        answers = (f'{{"id": {n}, "result": {self.blocks[n]}}}' for n in numbers)
        return json.loads(f"[{','.join(answers)}]")

    def parse_all(self) -> None:
        """Parse everything once."""
        for first in range(1, self.head + 1, 500):
            last = min(first + 499, self.head)
            self.make_request("eth_getLogs", [{"fromBlock": hex(first), "toBlock": hex(last)}])
            numbers = range(first, last + 1)
            for start in range(0, len(numbers), 250):
                some = numbers[start : start + 250]
                self.make_batch_request([("eth_getBlockByNumber", [hex(n), True]) for n in some])

    def _mine(self, number: int, count: int) -> None:
        logs, transactions, addresses = [], [], set()
        events = self._anchored(count) if number % 2 else self._others(count)
        for index, (contract, name, topics, words) in enumerate(events):
            if not transactions or not number % 2:
                transactions.append(self._word())
            addresses.add(ADDRESSES[contract])
            logs.append(
                {
                    "address": ADDRESSES[contract],
                    "topics": [TOPICS[name], *topics],
                    "data": "0x" + "".join(word[2:].rjust(64, "0") for word in words),
                    "blockNumber": hex(number),
                    "blockHash": self.hash(number),
                    "transactionHash": transactions[-1],
                    "transactionIndex": hex(len(transactions) - 1),
                    "logIndex": hex(index),
                    "removed": False,
                }
            )
        self.logs[number] = json.dumps(logs)[1:-1]
        self.blocks[number] = self._block(number, transactions, sorted(addresses))

    def _block(self, number: int, transactions: list[str], addresses: list[str]) -> str:
        bloom = 0
        for address in addresses:
            digest = keccak(bytes.fromhex(address[2:]))
            for start in (0, 2, 4):
                bloom |= 1 << (int.from_bytes(digest[start : start + 2], "big") & 2047)
        size = 22_000 if number % 2 else 400  # call data of a batch of 100, and of one call
        block = {
            "number": hex(number),
            "hash": self.hash(number),
            "parentHash": self.hash(number - 1),
            "timestamp": hex(1_700_000_000 + number),
            "logsBloom": f"0x{bloom:0512x}",
            "transactions": [
                {"hash": each, "from": self._person(), "input": "0x" + "ab" * size}
                for each in transactions
            ],
        }
        return json.dumps(block)

    def _anchored(self, count: int) -> Iterator[tuple[str, str, list[str], list[str]]]:
        for _ in range(count):
            image = self._word()
            self.images.append(image)
            topics = [image, self._padded(self._person(50)), self._padded(self._person())]
            words = [self._word(), self._word(), self._word(), "0x0", "0x3", "0x1", "0x0"]
            yield "ImageRegistry", "ImageAnchored", topics, words

    def _others(self, count: int) -> Iterator[tuple[str, str, list[str], list[str]]]:
        for number in range(count):
            image = self.random.choice(self.images)
            people = [self._padded(self._person()) for _ in range(2)]
            match number % 4:
                case 0:
                    word = (2**32 - 1) << 32 | 4 << 96 | 1 << 248
                    topics, words = [*people, image], [hex(word), self._person()]
                    yield "ConsentRegistry", "ConsentGranted", topics, words
                case 1:
                    topics = [self._word(), image, people[0]]
                    words = [self._person(), "0x1", self._word(), self._person()]
                    yield "DatasetRegistry", "DatasetImageContributed", topics, words
                case 2:
                    yield "ImageRegistry", "ImageRekeyed", [image], [self._word()]
                case _:
                    topics = [*people, image]
                    yield "ConsentRegistry", "ConsentNotPermittedRevoked", topics, [self._person()]

    def _word(self) -> str:
        return f"0x{self.random.getrandbits(256):064x}"

    def _person(self, people: int = 100_000) -> str:
        return f"0x{self.random.randrange(people) + 2**32:040x}"

    def _padded(self, address: str) -> str:
        return "0x" + address[2:].rjust(64, "0")


if __name__ == "__main__":
    main()

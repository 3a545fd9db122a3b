"""How fast image sets are anchored in batches, against bare transfers of Ether on the same node.

    python benchmarks/anchoring.py                     # 1,000 of each, on a local anvil

``anchored``   image sets in transactions of 100, one after the other, each simulated, signed, sent
               and waited for by the library
``transfers``  transfers signed beforehand and sent in JSON-RPC batches of 100, receipts included

The two take turns; the ratio is the median of the rounds' ratios of items per second.
"""

from __future__ import annotations

import argparse
import json
import secrets
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from chain import BATCH, account, chain, send, signed
from measuring import ratio

from radledger.chain.ledger import Ledger


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chain(Path(folder)) as ledger:
        print(json.dumps(measure(ledger, options.items, options.rounds)))


def measure(ledger: Ledger, items: int, rounds: int) -> dict[str, float]:
    """Items per second of both, and their ratio."""
    anchored, transfers = [], []
    for _ in range(rounds):
        transfers.append(items / _transfers(ledger, account("stranger"), items))
        anchored.append(items / _anchors(ledger, account("hospital"), items))
    return {
        "anchored_per_second": round(statistics.median(anchored)),
        "transfers_per_second": round(statistics.median(transfers)),
        "ratio": ratio(anchored, transfers),
    }


def _anchors(ledger: Ledger, hospital: Any, items: int) -> float:
    """Seconds for anchoring so many image sets."""
    patient = "0x" + "11" * 20

    def image() -> tuple[Any, ...]:
        root, manifest = (secrets.token_bytes(32) for _ in range(2))
        visit = secrets.token_bytes(12) + bytes.fromhex(hospital.address[2:])
        return (patient, root, manifest, visit, bytes(32), 300, 0)

    batches = [[image() for _ in range(BATCH)] for _ in range(items // BATCH)]
    start = time.perf_counter()
    for batch in batches:
        # As radledger.imaging.ingest.anchoring does, which has no use for the decoded events.
        ledger.sender.send(hospital, *ledger.encode("ImageRegistry", "anchorBatch", batch))
    return time.perf_counter() - start


def _transfers(ledger: Ledger, payer: Any, items: int) -> float:
    """Seconds for sending so many transfers that are signed already."""
    transfer = {"to": "0x" + "22" * 20, "value": 1, "gas": 21_000}
    return send(ledger, signed(ledger, payer, [transfer] * items))


if __name__ == "__main__":
    main()

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

from eth_account import Account

from radledger.chain.connect import connect, request, request_batch
from radledger.chain.deploy import deploy
from radledger.chain.ledger import Ledger
from radledger.chain.networks import Network
from radledger.devnet import process
from radledger.devnet.people import FUNDED, accredit

MNEMONIC = "test test test test test test test test test test test junk"
BATCH = 100
GAS_PRICE = 10**10


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        node = process.start("anvil", Path(folder), MNEMONIC, accounts=10)
        try:
            print(json.dumps(measure(node.endpoint, Path(folder), options.items, options.rounds)))
        finally:
            node.stop()


def measure(endpoint: str, folder: Path, items: int, rounds: int) -> dict[str, float]:
    """Items per second of both, and their ratio."""
    Account.enable_unaudited_hdwallet_features()
    people: dict[str, Any] = {
        name: Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
        for index, name in enumerate((*FUNDED, "patient"))
    }
    web3 = connect(Network("anvil", endpoint))
    ledger = Ledger(web3, deploy(web3, people["governor"], folder))
    accredit(ledger, people)
    anchored, transfers = [], []
    for _ in range(rounds):
        transfers.append(items / _transfers(ledger, people["stranger"], items))
        anchored.append(items / _anchors(ledger, people["hospital"], items))
    ratios = [ours / theirs for ours, theirs in zip(anchored, transfers, strict=True)]
    return {
        "anchored_per_second": round(statistics.median(anchored)),
        "transfers_per_second": round(statistics.median(transfers)),
        "ratio": round(statistics.median(ratios), 2),
    }


def _anchors(ledger: Ledger, hospital: Any, items: int) -> float:
    """Seconds for anchoring so many image sets."""
    patient = "0x" + "11" * 20

    def image() -> tuple[Any, ...]:
        root, manifest, visit = (secrets.token_bytes(32) for _ in range(3))
        return (patient, root, manifest, visit, bytes(32), 300, 0)

    batches = [[image() for _ in range(BATCH)] for _ in range(items // BATCH)]
    start = time.perf_counter()
    for batch in batches:
        # As radledger.imaging.anchoring does, which has no use for the decoded events.
        ledger.sender.send(hospital, *ledger.encode("ImageRegistry", "anchorBatch", batch))
    return time.perf_counter() - start


def _transfers(ledger: Ledger, payer: Any, items: int) -> float:
    """Seconds for sending so many transfers that are signed already."""
    first = int(request(ledger.web3, "eth_getTransactionCount", [payer.address, "latest"]), 16)
    fields = {
        "to": "0x" + "22" * 20,
        "value": 1,
        "gas": 21_000,
        "gasPrice": GAS_PRICE,
        "chainId": ledger.chain_id,
    }
    signed = [payer.sign_transaction({**fields, "nonce": first + n}) for n in range(items)]
    start = time.perf_counter()
    for part in range(0, items, BATCH):
        batch = signed[part : part + BATCH]
        raw = [("eth_sendRawTransaction", ["0x" + s.raw_transaction.hex()]) for s in batch]
        hashes = request_batch(ledger.web3, raw)
        asked = [("eth_getTransactionReceipt", [hash_]) for hash_ in hashes]
        while not all(request_batch(ledger.web3, asked)):
            pass
    return time.perf_counter() - start


if __name__ == "__main__":
    main()

"""How fast receipts are logged and published, against writing as many bytes with as many fsyncs.

    python benchmarks/tlog.py                          # 10,000 receipts in batches of 500

``logged``  receipts of the book, a batch at a time: entries appended, tiles and checkpoint written,
            each fsynced, as a gateway does it while it runs
``bare``    the entries of a batch appended to a file, with the same number of fsyncs

The two take turns; the ratio is the median of the rounds' ratios.  ``batch_ms`` is how long a batch
takes from the book to the published checkpoint, at most; ``proof_ms`` is a proof, verified.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from eth_account import Account
from measuring import ratio, timed

from radledger.access import Receipt, ReceiptBook, ReceiptLog, Release
from radledger.imaging.model import NONE

CONTRACT = "0x" + "11" * 20
FSYNCS = 12  # files and folders that a batch of 500 writes


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--receipts", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    releases = made(options.receipts)
    logged, bare, batches, proofs = [], [], [], []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            bare.append(len(releases) / appended(Path(folder), len(releases), options.batch))
            times, proof = published(Path(folder), releases, options.batch)
            logged.append(len(releases) / sum(times))
            batches += times
            proofs.append(proof)
    print(
        json.dumps(
            {
                "receipts_per_second": round(statistics.median(logged)),
                "batch_ms": round(1000 * max(batches), 1),
                "proof_ms": round(1000 * statistics.median(proofs), 1),
                "bare_per_second": round(statistics.median(bare)),
                "ratio": ratio(logged, bare, digits=3),
            }
        )
    )


def made(number: int) -> list[Release]:
    """Releases for as many receipts, each with a nonce of its own and the signature of one."""
    signer = Account.from_key("0x" + "01" * 32)
    fields = (signer.address, "0x" + "ab" * 32, 32, 0, "0x" + "00" * 13, "0x" + "cd" * 32)
    first = Receipt(*fields, 1_800_000_000, 1337, CONTRACT).sign(signer)
    receipts = (replace(first.receipt, nonce=f"0x{n:032x}") for n in range(number))
    signed = (replace(first, receipt=receipt) for receipt in receipts)
    return [Release(each, NONE, 1_800_000_000, signer.address) for each in signed]


def published(folder: Path, releases: list[Release], batch: int) -> tuple[list[float], float]:
    """Seconds of each batch, and of a proof."""
    chain = SimpleNamespace(contracts=())  # where nothing is anchored
    ledger: Any = SimpleNamespace(chain_id=1337, address=lambda _: CONTRACT, deployment=chain)
    book = ReceiptBook(folder / "receipts.sqlite3")
    log = ReceiptLog(ledger, book, folder / "log")
    log.create("benchmark.example/log")
    times = []
    for start in range(0, len(releases), batch):
        book.keep(*releases[start : start + batch])
        times.append(timed(log.publish))
    middle = "0x" + releases[len(releases) // 2].signed.receipt.digest.hex()
    return times, timed(partial(log.prove, middle))


def appended(folder: Path, number: int, batch: int) -> float:
    """Seconds in which as many entries are written to a file, with fsyncs."""

    def write() -> None:
        with (folder / "bare").open("wb") as file:
            for start in range(0, number, batch):
                file.write(os.urandom(34 * min(batch, number - start)))
                for _ in range(FSYNCS):
                    file.flush()
                    os.fsync(file.fileno())

    return timed(write)


if __name__ == "__main__":
    main()

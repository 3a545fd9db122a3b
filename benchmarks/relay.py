"""How fast a relayer gets consents confirmed, against the bare node given the same calls.

    python benchmarks/relay.py                         # 500 of each, on a local anvil

``relayed``  signed consents handed in over HTTP by several clients at once, until each ticket is
             confirmed: checked, simulated, written down, sent in batches, followed
``bare``     the same calls for other patients, as transactions that are signed already, in JSON-RPC
             batches of 100, receipts included

The two take turns; the ratio is the median of the rounds' ratios of consents per second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from chain import account, chain, send, signed
from eth_account import Account
from measuring import ratio

from radledger.chain.keystore.accounts import Keystore
from radledger.chain.ledger import Ledger
from radledger.consent import Consents, Terms
from radledger.signed import read

CLIENTS = 8
GAS = 200_000


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chain(Path(folder)) as ledger:
        print(json.dumps(measure(ledger, Path(folder), options.items, options.rounds)))


def measure(ledger: Ledger, home: Path, items: int, rounds: int) -> dict[str, float]:
    """Consents per second of both, and their ratio."""
    Keystore(home).import_("payer", "0x" + bytes(account("hospital").key).hex(), "")
    relayed, bare = [], []
    with _relayer(ledger.web3.provider.endpoint_uri, home) as url:
        for _ in range(rounds):
            bare.append(items / _bare(ledger, account("stranger"), _documents(ledger, items)))
            relayed.append(items / _relayed(url, _documents(ledger, items)))
    return {
        "relayed_per_second": round(statistics.median(relayed)),
        "bare_per_second": round(statistics.median(bare)),
        "ratio": ratio(relayed, bare, digits=3),
    }


@contextmanager
def _relayer(endpoint: str, home: Path) -> Iterator[str]:
    """``radledger relay serve`` in a process of its own; its address."""
    where = ("--port", "0", "--as", "payer", "--network", endpoint, "--home", str(home), "--json")
    budgets = ("--budget-per-day", str(10**15), "--queue-limit", str(10**6))
    command = [sys.executable, "-m", "radledger.cli", "relay", "serve", *where, *budgets]
    served = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert served.stdout is not None
        yield json.loads(served.stdout.readline())["relay"]
    finally:
        served.terminate()
        served.communicate()


def _documents(ledger: Ledger, items: int) -> list[dict[str, Any]]:
    """A consent each of so many patients."""
    consents, reader = Consents(ledger), "0x" + "11" * 20
    return [consents.grant(reader, Terms(("CC",))).sign(Account.create()) for _ in range(items)]


def _relayed(url: str, documents: Sequence[dict[str, Any]]) -> float:
    """Seconds until all documents are confirmed."""
    start = time.perf_counter()
    with httpx.Client(base_url=url, timeout=60) as client, ThreadPoolExecutor(CLIENTS) as pool:

        def hand_in(document: dict[str, Any]) -> str:
            return str(client.post("/documents", json=document).raise_for_status().json()["ticket"])

        tickets = list(pool.map(hand_in, documents))
        for ticket in reversed(tickets):
            while (state := client.get(f"/tickets/{ticket}").json()["state"]) != "confirmed":
                assert state != "refused"
                time.sleep(0.02)
    return time.perf_counter() - start


def _bare(ledger: Ledger, payer: Any, documents: Sequence[dict[str, Any]]) -> float:
    """Seconds for sending what the documents stand for, signed beforehand."""
    calls = []
    for document in documents:
        call = read(ledger, document).call
        to, data = ledger.encode(call.contract, call.function, *call.arguments)
        calls.append({"to": to, "data": data, "gas": GAS})
    return send(ledger, signed(ledger, payer, calls))


if __name__ == "__main__":
    main()

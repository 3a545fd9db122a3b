"""A chain of a benchmark's own, and the bare way to send transactions to it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth_account import Account

from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request, request_batch
from radledger.deployment.deploy import deploy
from radledger.devnet import process
from radledger.devnet.people import FUNDED, accredit

MNEMONIC = "test test test test test test test test test test test junk"
BATCH = 100
GAS_PRICE = 10**10


@contextmanager
def chain(home: Path) -> Iterator[Ledger]:
    """A local anvil with all contracts and accredited people, as a home knows it."""
    node = process.start("anvil", home, MNEMONIC, accounts=len(FUNDED))
    try:
        web3 = connect(Network("anvil", node.endpoint))
        ledger = Ledger(web3, deploy(web3, account("governor"), home / "deployments"))
        accredit(ledger, {name: account(name) for name in FUNDED})
        yield ledger
    finally:
        node.stop()


def account(name: str) -> Any:
    """One of the people of the chain."""
    Account.enable_unaudited_hdwallet_features()
    path = f"m/44'/60'/0'/0/{FUNDED.index(name)}"
    return Account.from_mnemonic(MNEMONIC, account_path=path)


def signed(ledger: Ledger, payer: Any, calls: Sequence[dict[str, Any]]) -> list[str]:
    """Transactions with these fields besides nonce, price and chain, ready to be sent."""
    first = int(request(ledger.web3, "eth_getTransactionCount", [payer.address, "latest"]), 16)
    terms = {"gasPrice": GAS_PRICE, "chainId": ledger.chain_id}
    transactions = [
        payer.sign_transaction({"value": 0, **call, **terms, "nonce": first + number})
        for number, call in enumerate(calls)
    ]
    return ["0x" + each.raw_transaction.hex() for each in transactions]


def send(ledger: Ledger, transactions: Sequence[str]) -> float:
    """Seconds for sending signed transactions in JSON-RPC batches, receipts included."""
    start = time.perf_counter()
    for part in range(0, len(transactions), BATCH):
        raw = [("eth_sendRawTransaction", [each]) for each in transactions[part : part + BATCH]]
        hashes = request_batch(ledger.web3, raw)
        asked = [("eth_getTransactionReceipt", [hash_]) for hash_ in hashes]
        while not all(request_batch(ledger.web3, asked)):
            pass
    return time.perf_counter() - start

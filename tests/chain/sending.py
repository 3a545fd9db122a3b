"""Send in a thread while a test steers the node, and see what waits there."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

from radledger.chain.rpc import request

NOBODY = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"


def died(intents):
    """What is left of the journal of a process that was killed: its folder."""
    intents.close()
    # a mark of the living ends with its process; here the process lives on
    (intents._marks._folder / intents._marks.own).unlink()


def mined_nonces(web3, account):
    return web3.eth.get_transaction_count(account.address, "latest")


@contextmanager
def sending(sender, account):
    """Send in a thread for the time of a block; afterwards its receipt or error is there."""
    outcome = {}

    def run():
        try:
            outcome["receipt"] = sender.send(account, NOBODY, "0x01")
        except Exception as error:
            outcome["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    yield outcome
    thread.join(timeout=240)
    assert not thread.is_alive()


def until(condition):
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def pool(web3, account):
    """Transactions of an account that wait, by nonce."""
    content = request(web3, "txpool_content", [])
    found = {}
    for part in ("pending", "queued"):
        for address, transactions in content[part].items():
            if address.lower() == account.address.lower():
                found |= {int(nonce): each for nonce, each in transactions.items()}
    return found


def failure(reason):
    return {"error": {"code": -32000, "message": reason}}


def draft(**changes):
    return {
        "chainId": 31337,
        "to": NOBODY,
        "data": "0x",
        "value": 0,
        "gas": 30_000,
        "gasPrice": 10**10,
        **changes,
    }

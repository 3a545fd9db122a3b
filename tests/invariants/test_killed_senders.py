"""Processes that share an account are killed, and so is what waits in the node's pool.

Whatever the order, each call is executed exactly once, and no nonce is left unused.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from multiprocessing import get_context

import pytest
from eth_account import Account

from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from radledger.chain.sending.journal import Intents
from radledger.chain.sending.sender import Sender
from radledger.devnet import process
from radledger.devnet.errors import NodeFailed

NOBODY = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"
MNEMONIC = "test test test test test test test test test test test junk"
SENDERS, PART = 3, 5


@pytest.fixture
def node(tmp_path):
    """An anvil that makes a block a second."""
    try:
        started = process.start("anvil", tmp_path / "anvil", MNEMONIC, accounts=1)
    except NodeFailed as error:
        pytest.skip(f"needs anvil: {error}")
    web3 = connect(Network("anvil", started.endpoint))
    request(web3, "evm_setIntervalMining", [1])
    yield web3
    started.stop()


def send_all(endpoint, key, folder, sender_number, calls):
    """Make each call that is not made yet, some at a time."""
    account = Account.from_key(key)
    sender = Sender(connect(Network("anvil", endpoint)), intents=Intents(folder))
    for start in range(0, calls, PART):
        wanted = [
            (NOBODY, f"0x{sender_number:04x}{number:08x}") for number in range(start, start + PART)
        ]
        found = [sender.intents.find(account.address, *call) for call in wanted]
        left = [
            call
            for call, made in zip(wanted, found, strict=True)
            if not made or made.state != "mined"
        ]
        sender.send_batch(account, left)


def run_killed(node, folder, calls, seed, count):
    """Let senders run until all is sent, and kill them and the pool meanwhile."""
    chance, pause = random.Random(seed), threading.Event()
    account = Account.create()
    request(node, "anvil_setBalance", [account.address, hex(10**19)])
    endpoint = node.provider.endpoint_uri
    running = {}

    def begin(number):
        arguments = (endpoint, account.key, folder, number, calls)
        running[number] = get_context("fork").Process(target=send_all, args=arguments)
        running[number].start()

    for number in range(SENDERS):
        begin(number)
    while running:
        pause.wait(chance.uniform(0.1, 0.6))
        if chance.random() < 0.5:
            chance.choice(list(running.values())).kill()
        if chance.random() < 0.2:
            request(node, "anvil_dropAllTransactions", [])
            count["pools lost"] += 1
        for number, sender in list(running.items()):
            if sender.is_alive():
                continue
            sender.join()
            del running[number]
            count["kills"] += sender.exitcode < 0
            assert sender.exitcode in (0, -9)
            if sender.exitcode:
                begin(number)
    return account.address


def executed(node, address):
    """How often each call was executed, and what else the account has sent."""
    calls, other = Counter(), 0
    for number in range(node.eth.block_number + 1):
        for transaction in node.eth.get_block(number, full_transactions=True)["transactions"]:
            if transaction["from"] == address:
                if transaction["to"] == NOBODY:
                    calls[bytes(transaction["input"])] += 1
                else:
                    other += 1
    return calls, other


def campaign(node, folder, calls, seed, capsys):
    count = {"kills": 0, "pools lost": 0}
    address = run_killed(node, folder, calls, seed, count)
    found, other = executed(node, address)
    count["calls"] = SENDERS * calls
    count["lost"] = SENDERS * calls - len(found)
    count["twice"] = found.total() - len(found)
    count["open"] = len(Intents(folder).open())
    with capsys.disabled():
        print(f"\nsenders: {', '.join(f'{number} {name}' for name, number in count.items())}")
    assert node.eth.get_transaction_count(address) == found.total() + other
    return count


def test_a_few_are_killed(node, tmp_path, capsys):
    count = campaign(node, tmp_path / "transactions", 10, 1, capsys)
    assert (count["lost"], count["twice"], count["open"]) == (0, 0, 0)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_many_are_killed(node, tmp_path, capsys):
    count = campaign(node, tmp_path / "transactions", 100, 2, capsys)
    assert count["kills"] > 5
    assert (count["lost"], count["twice"], count["open"]) == (0, 0, 0)

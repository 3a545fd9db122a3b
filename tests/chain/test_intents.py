"""The journal of transactions: what a process that was killed, or is slow, leaves to others."""

from __future__ import annotations

import os
import signal
import stat
import time
from multiprocessing import get_context

from eth_account import Account

from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from radledger.chain.sending import sender as transact
from radledger.chain.sending.broadcast import sign
from radledger.chain.sending.journal import Intents
from radledger.chain.sending.sender import Sender
from radledger.consent import Consents, Terms
from radledger.signed import submit
from tests.chain.sending import NOBODY, died, draft, mined_nonces, pool, sending, until

# -------------------------------------------------------------------------- interrupted runs


def test_written_before_it_is_sent_and_sent_by_the_next_run(anvil, account, folder, killed_at):
    first = Intents(folder)
    sender = Sender(anvil, intents=first)
    killed_at(transact.Submission, "_problems", lambda: sender.send(account, NOBODY, "0x01"))
    (left,) = first.open(account.address)
    assert (left.nonce, left.to, left.data, left.state) == (0, NOBODY, "0x01", "open")
    assert [anvil.eth.account.recover_transaction(each.raw) for each in left.versions] == [
        account.address
    ]
    assert mined_nonces(anvil, account) == 0
    died(first)

    finished = []
    sender = Sender(anvil, intents=Intents(folder))
    sender.on_finished = finished.append
    receipt = sender.send(account, NOBODY, "0x02")
    assert [(each.nonce, each.state) for each in finished] == [(0, "mined")]
    sent = request(anvil, "eth_getTransactionByHash", [receipt["transactionHash"]])
    assert (int(sent["nonce"], 16), sent["input"]) == (1, "0x02")


def test_the_same_call_again_is_the_one_that_was_left(anvil, account, folder, killed_at):
    first = Intents(folder)
    sender = Sender(anvil, intents=first)
    killed_at(transact.Watch, "outcomes", lambda: sender.send(account, NOBODY, "0x01"))
    (left,) = first.open(account.address)
    died(first)
    sender = Sender(anvil, intents=Intents(folder))
    receipt = sender.send(account, NOBODY, "0x01")
    assert receipt["transactionHash"] == left.versions[0].transaction
    assert mined_nonces(anvil, account) == 1
    # once its result was returned, the same call is a new one
    assert sender.send(account, NOBODY, "0x01")["transactionHash"] != receipt["transactionHash"]


def test_the_call_is_known_though_another_run_has_finished_it(anvil, account, folder, killed_at):
    first = Intents(folder)
    sender = Sender(anvil, intents=first)
    killed_at(transact.Watch, "outcomes", lambda: sender.send(account, NOBODY, "0x01"))
    (left,) = first.open(account.address)
    died(first)
    Sender(anvil, intents=Intents(folder)).send(account, NOBODY, "0x02")
    sender = Sender(anvil, intents=Intents(folder))
    receipt = sender.send(account, NOBODY, "0x01")
    assert receipt["transactionHash"] == left.versions[0].transaction
    assert mined_nonces(anvil, account) == 2
    sender.send(account, NOBODY, "0x01")
    assert mined_nonces(anvil, account) == 3


def test_nor_is_it_made_again_while_another_run_finishes_it(paused, account, folder, killed_at):
    first = Intents(folder)
    sender = Sender(paused, intents=first)
    killed_at(transact.Watch, "outcomes", lambda: sender.send(account, NOBODY, "0x01"))
    died(first)
    other = Intents(folder)
    assert len(other.claim(account.address)) == 1
    with sending(Sender(paused, intents=Intents(folder)), account) as outcome:
        until(lambda: pool(paused, account))
        request(paused, "evm_mine", [])
    assert outcome["receipt"]["status"] == "0x1"
    assert mined_nonces(paused, account) == 1


def test_after_a_day_the_same_call_is_another_one(anvil, account, folder, killed_at, monkeypatch):
    first = Intents(folder)
    sender = Sender(anvil, intents=first)
    killed_at(transact.Watch, "outcomes", lambda: sender.send(account, NOBODY, "0x01"))
    died(first)
    tomorrow = time.time() + 24 * 3600 + 1
    monkeypatch.setattr(time, "time", lambda: tomorrow)
    Sender(anvil, intents=Intents(folder)).send(account, NOBODY, "0x01")
    assert mined_nonces(anvil, account) == 2


def test_a_batch_is_taken_up_where_it_was_left(anvil, account, folder, killed_at):
    calls = [(NOBODY, f"0x{number:02x}") for number in range(5)]
    first = Intents(folder)
    sender = Sender(anvil, intents=first)
    killed_at(transact.Watch, "outcomes", lambda: sender.send_batch(account, calls[:3]))
    died(first)
    receipts = Sender(anvil, intents=Intents(folder)).send_batch(account, calls)
    data = [
        request(anvil, "eth_getTransactionByHash", [each["transactionHash"]])["input"]
        for each in receipts
    ]
    assert data == [data for _, data in calls]
    assert mined_nonces(anvil, account) == 5


def test_what_would_be_refused_now_is_not_sent(ledger, people, folder, killed_at):
    hospital = people["hospital"]
    consents = Consents(ledger)
    signed = consents.grant(people["radiologist"].address, Terms(("CC",))).sign(
        people["patient"], valid_for=3600
    )
    first = Intents(folder)
    killed = Ledger(ledger.web3, ledger.deployment, sender=Sender(ledger.web3, intents=first))
    killed_at(transact.Submission, "_problems", lambda: submit(killed, signed, hospital))
    died(first)
    before = mined_nonces(ledger.web3, hospital)
    submit(ledger, signed, people["stranger"])  # another account was faster
    (dropped,) = Sender(ledger.web3, intents=Intents(folder)).finish(hospital)
    assert dropped.state == "refused"
    assert dropped.reason.startswith("ConsentSuperseded: ")
    assert mined_nonces(ledger.web3, hospital) == before


def test_a_transaction_that_another_process_follows_is_left_to_it(paused, account, folder):
    intents, others = Intents(folder), Intents(folder)
    sender = Sender(paused, intents=intents)
    with sending(sender, account) as outcome:
        until(lambda: others.open(account.address))
        (followed,) = others.open(account.address)
        assert others.is_followed(followed)
        assert others.claim(account.address) == []
        # it is written down a moment before it is sent
        transaction = followed.versions[0].transaction
        until(lambda: request(paused, "eth_getTransactionByHash", [transaction]))
        request(paused, "evm_mine", [])
    assert outcome["receipt"]["transactionHash"] == followed.versions[0].transaction
    assert others.open(account.address) == []


# ------------------------------------------------------------------------------ several processes


def _send_many(endpoint, key, folder, number):
    sender = Sender(connect(Network("anvil", endpoint)), intents=Intents(folder))
    account = Account.from_key(key)
    for each in range(number):
        sender.send(account, NOBODY, f"0x{os.getpid() + each:08x}")


def test_processes_share_an_account(anvil, anvil_endpoint, account, folder):
    arguments = (anvil_endpoint, account.key, folder, 5)
    children = [get_context("fork").Process(target=_send_many, args=arguments) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(timeout=240)
        assert child.exitcode == 0
    assert mined_nonces(anvil, account) == 15
    intents = Intents(folder)
    assert intents.open(account.address) == []
    assert [each.nonce for each in intents.newest(99)] == list(range(14, -1, -1))


def _die_in_flight(endpoint, key, folder):
    sender = Sender(connect(Network("anvil", endpoint)), intents=Intents(folder))
    sender._followed = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    sender.send(Account.from_key(key), NOBODY, "0x01")


def test_a_killed_process_follows_nothing_any_more(anvil, anvil_endpoint, account, folder):
    child = get_context("fork").Process(
        target=_die_in_flight, args=(anvil_endpoint, account.key, folder)
    )
    child.start()
    child.join(timeout=240)
    assert child.exitcode == -signal.SIGKILL
    sender = Sender(anvil, intents=Intents(folder))
    (left,) = sender.intents.open(account.address)
    assert not sender.intents.is_followed(left)
    assert [each.state for each in sender.finish(account)] == ["mined"]
    assert sender.finish(account) == []


def test_the_journal_is_its_owners_alone(folder, account):
    intents = Intents(folder)
    intents.begin(account.address, 0, [draft()], lambda fields: sign(account, fields))
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


# ------------------------------------------------------------------------------- reorganisations


def test_it_counts_when_there_are_blocks_on_top(paused, account, folder):
    sender = Sender(paused, intents=Intents(folder), confirmations=2)
    with sending(sender, account) as outcome:
        until(lambda: pool(paused, account))
        for _ in range(2):
            request(paused, "evm_mine", [])
        assert sender.intents.open(account.address)
        request(paused, "evm_mine", [])
    head = int(request(paused, "eth_blockNumber", []), 16)
    assert int(outcome["receipt"]["blockNumber"], 16) == head - 2


def test_what_is_taken_back_while_it_is_confirmed_is_sent_again(paused, account, folder):
    sender = Sender(paused, intents=Intents(folder), confirmations=1)
    snapshot = request(paused, "evm_snapshot", [])
    with sending(sender, account) as outcome:
        until(lambda: pool(paused, account))
        request(paused, "evm_mine", [])
        assert mined_nonces(paused, account) == 1
        request(paused, "evm_revert", [snapshot])
        assert mined_nonces(paused, account) == 0
        until(lambda: pool(paused, account))
        for _ in range(2):
            request(paused, "evm_mine", [])
    assert outcome["receipt"]["status"] == "0x1"
    assert mined_nonces(paused, account) == 1


def test_what_was_taken_back_later_is_found_by_the_next_run(anvil, account, folder):
    snapshot = request(anvil, "evm_snapshot", [])
    Sender(anvil, intents=Intents(folder)).send(account, NOBODY, "0x01")
    request(anvil, "evm_revert", [snapshot])
    assert mined_nonces(anvil, account) == 0
    (found,) = Sender(anvil, intents=Intents(folder)).finish(account)
    assert (found.nonce, found.state) == (0, "mined")
    assert mined_nonces(anvil, account) == 1


def test_what_is_deep_enough_keeps_its_outcome_alone(anvil, account, folder):
    data = "0x0123456789"
    receipt = Sender(anvil, intents=Intents(folder)).send(account, NOBODY, data)
    request(anvil, "anvil_mine", [hex(70)])
    intents = Intents(folder)
    Sender(anvil, intents=intents).finish(account)
    kept = intents.find(account.address, NOBODY, data)
    assert (kept.state, kept.transaction) == ("mined", receipt["transactionHash"])
    assert (kept.data, kept.versions) == ("0x01234567", ())
    assert intents.find(account.address, NOBODY, kept.data) is None

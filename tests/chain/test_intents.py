"""The journal of transactions: what a process that was killed, or is slow, leaves to others."""

from __future__ import annotations

import os
import signal
import stat
import threading
from contextlib import contextmanager
from multiprocessing import get_context

import pytest
from eth_account import Account

from radledger.chain import transact, watch
from radledger.chain.broadcast import sign
from radledger.chain.connect import connect, request
from radledger.chain.errors import (
    ConnectionFailed,
    NonceContended,
    OutOfFunds,
    RequestFailed,
    TransactionPending,
    TransactionUnderpriced,
)
from radledger.chain.intents import Intents
from radledger.chain.ledger import Ledger
from radledger.chain.networks import Network
from radledger.chain.transact import Sender
from radledger.consent import Consents, Terms

NOBODY = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"


class Killed(BaseException):
    """What no code may catch, as a kill is."""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "transactions"


@pytest.fixture
def account(anvil, new_account):
    return new_account(anvil)


@pytest.fixture
def paused(anvil):
    """Anvil with mining by request alone, for the time of a test."""
    request(anvil, "evm_setAutomine", [False])
    yield anvil
    request(anvil, "anvil_dropAllTransactions", [])
    request(anvil, "evm_setAutomine", [True])
    request(anvil, "evm_mine", [])


@pytest.fixture
def killed_at(monkeypatch):
    """Run something in which a function of a module is a kill."""

    def run(module, name, what):
        def kill(*_):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(module, name, kill)
            with pytest.raises(Killed):
                what()

    return run


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
    thread.join(timeout=60)
    assert not thread.is_alive()


def until(condition):
    waiting = threading.Event()
    while not condition():
        waiting.wait(0.005)


def pool(web3, account):
    """Transactions of an account that wait, by nonce."""
    content = request(web3, "txpool_content", [])
    found = {}
    for part in ("pending", "queued"):
        for address, transactions in content[part].items():
            if address.lower() == account.address.lower():
                found |= {int(nonce): each for nonce, each in transactions.items()}
    return found


@pytest.fixture
def answering(monkeypatch):
    """Let a node answer a method otherwise, for the first so many times."""

    def answer(web3, method, answers):
        forward = web3.provider.make_request
        left = iter(answers)

        def changed(asked, parameters):
            if asked != method:
                return forward(asked, parameters)
            found = next(left, None)
            if isinstance(found, Exception):
                raise found
            return forward(asked, parameters) if found is None else found

        monkeypatch.setattr(web3.provider, "make_request", changed)

    return answer


def failure(reason):
    return {"error": {"code": -32000, "message": reason}}


# --------------------------------------------------------------------------- what killed runs left


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
    # once it has been told, the same call is another one
    assert sender.send(account, NOBODY, "0x01")["transactionHash"] != receipt["transactionHash"]


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
    signed = consents.sign_grant(
        people["patient"], people["radiologist"].address, Terms(("CC",)), valid_for=3600
    )
    first = Intents(folder)
    killed = Consents(
        Ledger(ledger.web3, ledger.deployment, sender=Sender(ledger.web3, intents=first))
    )
    killed_at(transact.Submission, "_problems", lambda: killed.submit(signed, hospital))
    died(first)
    before = mined_nonces(ledger.web3, hospital)
    consents.submit(signed, people["stranger"])  # somebody else was faster
    (dropped,) = Sender(ledger.web3, intents=Intents(folder)).finish(hospital)
    assert dropped.state == "refused"
    assert dropped.reason.startswith("ConsentBadNonce: ")
    assert mined_nonces(ledger.web3, hospital) == before


def test_one_that_somebody_follows_is_left_to_them(paused, account, folder):
    intents, others = Intents(folder), Intents(folder)
    sender = Sender(paused, intents=intents)
    with sending(sender, account) as outcome:
        until(lambda: others.open(account.address))
        (followed,) = others.open(account.address)
        assert others.is_followed(followed)
        assert others.claim(account.address) == []
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
        child.join(timeout=60)
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
    child.join(timeout=60)
    assert child.exitcode == -signal.SIGKILL
    sender = Sender(anvil, intents=Intents(folder))
    (left,) = sender.intents.open(account.address)
    assert not sender.intents.is_followed(left)
    assert [each.state for each in sender.finish(account)] == ["mined"]
    assert sender.finish(account) == []


def test_the_journal_is_its_owners_alone(folder, account):
    intents = Intents(folder)
    intents.begin(account.address, 0, [_draft()], lambda fields: sign(account, fields))
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def _draft(**changes):
    return {
        "chainId": 31337,
        "to": NOBODY,
        "data": "0x",
        "value": 0,
        "gas": 30_000,
        "gasPrice": 10**10,
        **changes,
    }


# ------------------------------------------------------------------------------- what is held up


def test_a_node_that_lost_its_pool_gets_all_again(paused, account, folder):
    sender = Sender(paused, intents=Intents(folder))
    with sending(sender, account) as outcome:
        until(lambda: pool(paused, account))
        request(paused, "anvil_dropAllTransactions", [])
        until(lambda: pool(paused, account))
        request(paused, "evm_mine", [])
    assert outcome["receipt"]["status"] == "0x1"
    assert mined_nonces(paused, account) == 1


def test_what_comes_before_is_sent_again_too(paused, account, folder, killed_at):
    first = Intents(folder)
    sender = Sender(paused, intents=first)
    killed_at(transact.Submission, "_problems", lambda: sender.send(account, NOBODY, "0x02"))
    # the process lives on, so that nobody else finishes what it has begun
    first._held.update(each.intent_id for each in first.open())
    with sending(Sender(paused, intents=Intents(folder)), account) as outcome:
        until(lambda: set(pool(paused, account)) == {0, 1})
        request(paused, "evm_mine", [])
    assert outcome["receipt"]["status"] == "0x1"
    assert mined_nonces(paused, account) == 2


def test_a_gap_that_nobody_closes_is_closed(paused, account, folder, monkeypatch):
    monkeypatch.setattr(watch, "_GAP_AFTER", 0.1)
    intents = Intents(folder)
    sender = Sender(paused, intents=intents, replace_after=0.2)
    (abandoned,) = intents.begin(
        account.address, 0, [_draft()], lambda fields: sign(account, fields)
    )
    with sending(sender, account) as outcome:
        until(lambda: 1 in pool(paused, account))
        intents.drop(abandoned, "refused", "given up")
        until(lambda: 0 in pool(paused, account))
        filler = pool(paused, account)[0]
        request(paused, "evm_mine", [])
    assert (filler["to"].lower(), filler["value"]) == (account.address.lower(), "0x0")
    assert outcome["receipt"]["status"] == "0x1"
    assert mined_nonces(paused, account) == 2
    assert intents.open() == []


def test_a_gap_is_closed_by_what_is_sent_next(anvil, account, folder):
    intents = Intents(folder)
    begun = intents.begin(
        account.address, 0, [_draft(), _draft()], lambda fields: sign(account, fields)
    )
    intents.drop(begun[0], "refused", "given up")
    receipt = Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    sent = request(anvil, "eth_getTransactionByHash", [receipt["transactionHash"]])
    assert int(sent["nonce"], 16) == 0


def test_a_node_that_is_away_for_a_while(anvil, account, folder, answering):
    away = ConnectionFailed("no Ethereum node answers")
    answering(anvil, "eth_getTransactionReceipt", [away] * 5)
    receipt = Sender(anvil, intents=Intents(folder)).send(account, NOBODY, "0x01")
    assert receipt["status"] == "0x1"


def test_a_node_that_goes_while_it_is_sent_to(anvil, account, folder, answering):
    intents = Intents(folder)
    answering(anvil, "eth_sendRawTransaction", [ConnectionFailed("no Ethereum node answers")])
    with pytest.raises(ConnectionFailed):
        Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    (left,) = intents.open(account.address)
    assert mined_nonces(anvil, account) == 0
    # it may have arrived, so it is finished, not forgotten
    receipt = Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    assert receipt["transactionHash"] == left.versions[0].transaction
    assert mined_nonces(anvil, account) == 1


def test_a_chain_that_stands_still_is_told(paused, account, folder):
    intents = Intents(folder)
    with pytest.raises(TransactionPending) as error:
        Sender(paused, intents=intents, replace_after=0.05, give_up_after=0.5).send(
            account, NOBODY, "0x01"
        )
    assert "no block meanwhile" in error.value.message
    assert (error.value.values["account"], error.value.values["nonce"]) == (account.address, 0)
    # nor is a higher fee offered to a chain that takes none
    (left,) = intents.open(account.address)
    assert len(left.versions) == 1


# -------------------------------------------------------------------------------- what is refused


def test_too_low_a_fee_is_raised(anvil, account, folder, answering):
    intents = Intents(folder)
    low = failure("transaction underpriced: gas tip cap 1, minimum needed 1000000")
    answering(anvil, "eth_sendRawTransaction", [low, low])
    receipt = Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    (mined,) = intents.newest(9)
    assert [each.transaction for each in mined.versions][-1] == receipt["transactionHash"]
    assert len(mined.versions) == 3


def test_a_fee_that_is_always_too_low_is_told(anvil, account, folder, answering):
    intents = Intents(folder)
    answering(anvil, "eth_sendRawTransaction", [failure("gas price below minimum")] * 99)
    with pytest.raises(TransactionUnderpriced) as error:
        Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    assert error.value.values["account"] == account.address
    assert error.value.values["price"] > 0
    assert intents.open() == []


@pytest.mark.parametrize(
    "reason", ["nonce too low: next nonce 1, tx nonce 0", "replacement transaction underpriced"]
)
def test_an_account_that_others_use_at_the_same_time(anvil, account, folder, answering, reason):
    intents = Intents(folder)
    answering(anvil, "eth_sendRawTransaction", [failure(reason), None, *[failure(reason)] * 99])
    sender = Sender(anvil, intents=intents)
    assert sender.send(account, NOBODY, "0x01")["status"] == "0x1"
    with pytest.raises(NonceContended) as error:
        sender.send(account, NOBODY, "0x02")
    assert error.value.values == {"account": account.address, "nonce": 1}
    assert intents.open() == []


def test_nobody_sends_later_what_could_not_be_paid(anvil, folder):
    poor, intents = Account.create(), Intents(folder)
    with pytest.raises(OutOfFunds):
        Sender(anvil, intents=intents).send(poor, NOBODY, "0x01")
    assert intents.open() == []
    request(anvil, "anvil_setBalance", [poor.address, hex(10**18)])
    assert Sender(anvil, intents=intents).send(poor, NOBODY, "0x02")["status"] == "0x1"
    assert mined_nonces(anvil, poor) == 1


def test_nor_what_a_node_would_not_take(anvil, account, folder, answering):
    intents = Intents(folder)
    answering(anvil, "eth_sendRawTransaction", [failure("exceeds block gas limit")])
    with pytest.raises(RequestFailed):
        Sender(anvil, intents=intents).send(account, NOBODY, "0x01")
    (dropped,) = intents.newest(9)
    assert (dropped.state, dropped.reason) == ("refused", "exceeds block gas limit")


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
    receipt = Sender(anvil, intents=Intents(folder)).send(account, NOBODY, "0x0123")
    request(anvil, "anvil_mine", [hex(70)])
    intents = Intents(folder)
    Sender(anvil, intents=intents).finish(account)
    kept = intents.find(account.address, NOBODY, "0x0123")
    assert (kept.state, kept.transaction) == ("mined", receipt["transactionHash"])
    assert (kept.data, kept.versions) == ("", ())
    assert intents.find(account.address, NOBODY, "0x0124") is None

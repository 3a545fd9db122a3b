"""What it costs to say whether an address is a patient's, and that no patient is missed."""

from __future__ import annotations

import pytest
from eth_account import Account

from radledger.chain import ledger as ledgers
from radledger.chain.errors import RequestFailed
from radledger.chain.rpc import request
from radledger.relay.patients import Patients
from radledger.relay.tickets import Limits
from tests.consent.conftest import anchor

__all__ = ["anchor"]


@pytest.fixture
def who(people):
    """The cast of `anchor`: an image set of a new patient."""
    return type("Cast", (), {**people, "patient": Account.create()})


@pytest.fixture
def opened(ledger, tmp_path):
    """Open the table of patients, which stays from one opening to the next."""
    tables = []

    def opened():
        tables.append(Patients(ledger, tmp_path / "queue.sqlite3"))
        return tables[-1]

    yield opened
    for table in tables:
        table.close()


class Asked(list):
    """The ranges of blocks whose events a node was asked for; from ``busy`` on it gives none."""

    busy = float("inf")


@pytest.fixture
def asked(ledger, monkeypatch):
    provider, ranges = ledger.web3.provider, Asked()
    forward = provider.make_request

    def make_request(method, parameters):
        if method == "eth_getLogs":
            first, last = (int(parameters[0][name], 16) for name in ("fromBlock", "toBlock"))
            if first >= ranges.busy:
                return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "busy"}}
            ranges.append((first, last))
        return forward(method, parameters)

    monkeypatch.setattr(provider, "make_request", make_request)
    # web3 keeps the function that it called before.
    monkeypatch.setattr(provider, "_request_func_cache", (None, None))
    return ranges


def made_up():
    return Account.create().address


def test_each_block_is_read_once(ledger, opened, anchor, who, asked):
    anchor()
    patients, patient = opened(), who.patient.address
    end = ledger.block_number()
    for _ in range(5):
        assert not patients.include(made_up(), block=end, settled=end - 3)
    assert patients.include(patient, block=end, settled=end - 3)
    assert asked == [(ledger.deployment.contracts["ImageRegistry"].block, end)]

    # What is known is not asked for, whatever the chain has become.
    assert patients.include(patient, block=end + 9, settled=end + 6)
    # From the next block on, and after a restart, only what may have changed is.
    request(ledger.web3, "anvil_mine", ["0x1"])
    assert not patients.include(made_up(), block=end + 1, settled=end - 2)
    assert not opened().include(made_up(), block=end + 1, settled=end - 2)
    assert asked[1:] == [(end - 2, end + 1), (end - 1, end + 1)]


def test_a_patient_of_a_later_block_is_found(ledger, opened, anchor, who):
    patients, patient = opened(), who.patient.address
    end = ledger.block_number()
    assert not patients.include(patient, block=end, settled=end)
    anchor()
    assert patients.include(patient, block=ledger.block_number(), settled=end)


@pytest.mark.parametrize("settled", [-1, 3], ids=["reorganised", "set back"])
def test_a_patient_of_another_branch_is_found(ledger, opened, anchor, who, settled):
    patients, patient = opened(), who.patient.address
    snapshot = request(ledger.web3, "evm_snapshot", [])
    start = ledger.block_number()
    request(ledger.web3, "anvil_mine", ["0x3"])
    assert not patients.include(patient, block=start + 3, settled=start + settled)
    request(ledger.web3, "evm_revert", [snapshot])
    anchor()
    assert patients.include(patient, block=start + 1, settled=start - 1)


def test_reading_goes_on_where_it_failed(ledger, opened, anchor, who, asked, monkeypatch):
    anchor()
    patients, patient = opened(), who.patient.address
    end = ledger.block_number()
    deployed = ledger.deployment.contracts["ImageRegistry"].block
    monkeypatch.setattr(ledgers, "_BLOCKS", (end - deployed) // 2 + 1)
    middle = deployed + ledgers._BLOCKS
    asked.busy = middle
    with pytest.raises(RequestFailed, match="busy"):
        patients.include(patient, block=end, settled=end)
    asked.busy = end + 1
    assert patients.include(patient, block=end, settled=end)
    assert asked == [(deployed, middle - 1), (middle, end)]


def test_made_up_revocations_cost_no_question_each(relaying, consents, anchor, who, asked):
    anchor()
    limits = Limits(per_address=10**9, per_day=0, queue=100)
    with relaying(limits, working=False) as relay:
        for _ in range(5):
            revoked = consents.revoke_all().sign(Account.create())
            relay.refused(relay.post(revoked), 429, "BudgetExhausted")
        first = len(asked)
        patients = consents.revoke_all().sign(who.patient)
        relay.refused(relay.post(patients), 429, "BudgetExhausted")
    assert (first, len(asked)) == (1, 1)

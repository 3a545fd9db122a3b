"""A transaction that ran out of gas is reported as such, on every node."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address

from radledger.chain.errors import OutOfGas, RevertedUnexplained
from radledger.chain.refusals import ParticipantNotGovernor
from radledger.chain.sending.sender import Sender

RADIOLOGIST = 1 << 1
# Nothing where gas has no price, as in a simulation; where it has one, without end.
ENDLESS = "3a60055700" + "5b600556"
# Calls a contract with all its gas, and reverts without a reason if that fails.
ASKING = "60006000600060006000" + "73{callee}5af1" + "602957" + "60006000fd" + "5b00"
REVERTING = "3a600557005b60006000fd"


def _deployed(sender, account, code):
    """The address of code on the chain."""
    size = f"{len(code) // 2:02x}"
    creation = f"0x60{size}600c60003960{size}6000f3{code}"
    return to_checksum_address(sender.send(account, None, creation)["contractAddress"])


def _assert_spent(error, least):
    assert (
        error.values["gas_limit"] >= error.values["gas_used"] >= least * error.values["gas_limit"]
    )
    assert error.values["transaction"] in error.message
    assert "ran out of gas" in error.message
    assert "try again" in error.message


def test_an_estimate_that_was_too_low(fresh_ledger, answering):
    ledger, governor = fresh_ledger
    hospital = Account.create().address
    call = ("ParticipantRegistry", "admitInstitution", hospital, RADIOLOGIST)
    answering(ledger.web3, "eth_estimateGas", [{"result": hex(25_000)}])
    with pytest.raises(OutOfGas) as failure:
        ledger.send(governor, *call)
    _assert_spent(failure.value, least=1)
    assert failure.value.values["gas_limit"] == 25_000 * 5 // 4 + 5_000
    # What it says to do next does it.
    assert ledger.send(governor, *call).event("ParticipantAdmitted")


def test_a_refusal_with_little_gas_is_not_out_of_gas(fresh_ledger, new_account, answering):
    ledger, governor = fresh_ledger
    stranger = new_account(ledger.web3)
    answering(ledger.web3, "eth_estimateGas", [{"result": hex(60_000)}])
    with pytest.raises(ParticipantNotGovernor) as refusal:
        ledger.send(stranger, "ParticipantRegistry", "admitInstitution", governor.address, 2)
    assert refusal.value.values == {"account": stranger.address}
    assert ledger.web3.eth.get_transaction_count(stranger.address) == 1


def test_what_ran_out_of_gas_further_down(web3, new_account):
    sender, account = Sender(web3), new_account(web3)
    endless = _deployed(sender, account, ENDLESS)
    asking = _deployed(sender, account, ASKING.format(callee=endless[2:]))
    for contract, least in ((endless, 1), (asking, 15 / 16)):
        with pytest.raises(OutOfGas) as failure:
            sender.send(account, contract, "0x")
        _assert_spent(failure.value, least)


def test_what_a_contract_refuses_in_its_block_alone_stays_unexplained(web3, new_account):
    sender, account = Sender(web3), new_account(web3)
    contract = _deployed(sender, account, REVERTING)
    with pytest.raises(RevertedUnexplained):
        sender.send(account, contract, "0x")


def test_a_creation_of_a_contract(web3, new_account, answering):
    sender, account = Sender(web3), new_account(web3)
    answering(web3, "eth_estimateGas", [{"result": hex(60_000)}])
    with pytest.raises(OutOfGas) as failure:
        sender.send(account, None, "0x6104006000f3")  # 1,024 bytes at 200 gas each
    _assert_spent(failure.value, least=1)

"""Who acts in the tests of the services, and what every such test starts from."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from eth_account import Account

from radledger.identity import Identities, Participants

MNEMONIC = "test test test test test test test test test test test junk"
UNNAMED = range(6, 10)
"""Accounts of the node that the project's people leave: they have Ether and no key."""


@pytest.fixture(scope="session")
def who(people, deployed_ledger):
    """The project's people by name; beside them a clinician of the hospital, and relatives."""
    Account.enable_unaudited_hdwallet_features()
    clinician, *relatives = (
        Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}") for index in UNNAMED
    )
    who = SimpleNamespace(**people, clinician=clinician, relatives=relatives)
    Participants(deployed_ledger).admit(who.clinician.address, ["clinician"]).send(who.hospital)
    return who


@pytest.fixture
def travel(ledger):
    """Let some seconds pass on the chain."""

    def pass_seconds(seconds):
        request = ledger.web3.provider.make_request
        request("evm_setNextBlockTimestamp", [ledger.now() + seconds])
        request("evm_mine", [])

    return pass_seconds


@pytest.fixture
def participants(ledger):
    return Participants(ledger)


@pytest.fixture
def identities(ledger):
    return Identities(ledger)

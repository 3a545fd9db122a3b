"""Subjects that are contracts and sign by ERC-1271, honest ones and others."""

from __future__ import annotations

import pytest

from radledger.consent import Terms
from radledger.relay.tickets import Limits

MAGIC = "1626ba7e"
ANSWER = "60e01b60005260206000f3"  # the four bytes on the stack, as bytes4
YES = f"63{MAGIC}{ANSWER}"
NO = f"63ffffffff{ANSWER}"
# Yes where gas has no price, as in a simulation, and no where it has one.
LIAR = f"3a1563{MAGIC}02{ANSWER}"
# Yes where gas has no price, and no end where it has one.
ENDLESS = f"3a60145763{MAGIC}{ANSWER}5b601456"


@pytest.fixture
def signed_by(consents, people, deploy):
    """A wallet's address, and a grant that it is said to have signed."""

    def signed_by(code):
        wallet = deploy(code)
        reader = people["radiologist"].address
        signed = consents.grant(reader, Terms(("CC",)), subject=wallet).sign(people["patient"])
        return wallet, {**signed, "signer": wallet, "signature": "0x1234"}

    return signed_by


@pytest.fixture
def deploy(ledger, people):
    """Put code on the chain; its address."""

    def deploy(code):
        size = f"{len(code) // 2:02x}"
        creation = f"0x60{size}600c60003960{size}6000f3{code}"
        receipt = ledger.sender.send(people["stranger"], None, creation)
        return ledger.web3.to_checksum_address(receipt["contractAddress"])

    return deploy


def test_a_wallet_that_says_yes(relay, consents, signed_by):
    wallet, document = signed_by(YES)
    assert relay.end(relay.take(document))["state"] == "confirmed"
    assert [grant.granted_by for grant in consents.list(subject=wallet)] == [wallet]


def test_a_wallet_that_says_no(relay, consents, signed_by):
    wallet, document = signed_by(NO)
    assert relay.refused(relay.post(document), 422, "ConsentBadSignature") == {"signer": wallet}
    assert consents.list(subject=wallet) == ()


def test_a_wallet_that_says_yes_until_it_costs_something(relaying, ledger, people, signed_by, sign):
    _, document = signed_by(LIAR)
    before = ledger.web3.eth.get_transaction_count(people["hospital"].address)
    with relaying(Limits(per_address=130_000, per_day=10**9, queue=10)) as relay:
        ticket, honest = relay.take(document), relay.take(sign())
        answer = relay.end(ticket)
        assert (answer["state"], answer["error"]) == ("refused", "RevertedUnexplained")
        assert relay.end(honest)["state"] == "confirmed"
        # What it cost is charged, so that it cannot be done for long.
        relay.end(relay.take(document))
        values = relay.refused(relay.post(document), 429, "BudgetExhausted")
        assert values["spent"] > 0
    sent = ledger.web3.eth.get_transaction_count(people["hospital"].address) - before
    assert sent == 3


def test_a_wallet_that_takes_all_gas(relay, ledger, signed_by, sign):
    _, document = signed_by(ENDLESS)
    ticket, honest = relay.take(document), relay.take(sign())
    answer = relay.end(ticket)
    assert (answer["state"], answer["error"]) == ("refused", "OutOfGas")
    receipt = ledger.web3.eth.get_transaction_receipt(answer["values"]["transaction"])
    assert (receipt["status"], receipt["gasUsed"]) == (0, answer["values"]["gas_used"])
    assert answer["gas"] > 0
    assert relay.end(honest)["state"] == "confirmed"

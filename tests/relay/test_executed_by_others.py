"""What others execute meanwhile, through any contract, is reported as what it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from eth_account import Account

from radledger.chain.rpc import request
from radledger.consent import Terms
from radledger.relay.checks import simulate, take
from radledger.relay.tickets import Limits

ROOT = Path(__file__).resolve().parents[2]
AGGREGATE = {
    "name": "aggregate3",
    "type": "function",
    "stateMutability": "payable",
    "inputs": [
        {
            "name": "calls",
            "type": "tuple[]",
            "components": [
                {"name": "target", "type": "address"},
                {"name": "allowFailure", "type": "bool"},
                {"name": "callData", "type": "bytes"},
            ],
        }
    ],
    "outputs": [],
}


@pytest.fixture
def aggregate(ledger, people):
    """Make calls by way of Multicall3, as it is on public chains; the transaction's hash."""
    constants = ROOT / "node_modules" / "viem" / "_cjs" / "constants" / "contracts.js"
    if not constants.is_file():
        pytest.skip("needs viem, which has the code of Multicall3: run `make setup`")
    code = re.search(r"multicall3Bytecode = '(0x[0-9a-f]+)'", constants.read_text())[1]
    stranger = people["stranger"]
    address = ledger.sender.send(stranger, None, code)["contractAddress"]
    contract = ledger.web3.eth.contract(ledger.web3.to_checksum_address(address), abi=[AGGREGATE])

    def aggregate(*calls):
        data = contract.encode_abi("aggregate3", [[(to, False, call) for to, call in calls]])
        return ledger.sender.send(stranger, contract.address, data)["transactionHash"]

    return aggregate


@pytest.fixture
def waiting(relaying):
    """Tickets that a relayer took on, and their calls as it would send them."""

    def waiting(documents):
        with relaying(working=False) as relay:
            return [relay.take(document) for document in documents]

    return waiting


@pytest.fixture
def ends(relaying, ledger, people):
    """What tickets come to; nothing is sent for them."""

    def ends(tickets):
        payer = people["hospital"].address
        before = ledger.web3.eth.get_transaction_count(payer)
        with relaying() as relay:
            answers = [relay.end(ticket) for ticket in tickets]
        assert ledger.web3.eth.get_transaction_count(payer) == before
        return answers

    return ends


def call_of(ledger, document):
    """A signed document as a call to its contract."""
    signed = take(ledger, document)
    return signed.to, signed.data


def forwarded(document):
    """A forward request as the forwarder's argument."""
    message = document["typedData"]["message"]
    names = ("from", "to", "value", "gas", "deadline", "data")
    return (*(message[name] for name in names), document["signature"])


def test_consents_by_way_of_a_multicall(
    waiting, ends, sign, consents, people, ledger, aggregate, submit
):
    patients = [Account.create() for _ in range(4)]
    reader = people["radiologist"].address
    for patient in patients[1:3]:
        submit(sign(patient), people["stranger"])
    documents = [
        sign(patients[0], Terms(("GRU",), conditions=("NPU",))),
        consents.revoke(reader).sign(patients[1]),
        consents.revoke_all().sign(patients[2]),
        sign(patients[3]),
    ]
    tickets = waiting(documents)
    transaction = aggregate(*(call_of(ledger, document) for document in documents))
    for answer in ends(tickets):
        assert (answer["state"], answer["transaction"]) == ("confirmed", transaction)


def test_another_consent_for_the_same_grantee_by_way_of_a_multicall(
    waiting, ends, sign, ledger, aggregate
):
    patients = [Account.create() for _ in range(2)]
    tickets = waiting([sign(patient, Terms(("CC",))) for patient in patients])
    others = [sign(patient, Terms(("CC", "HMB"))) for patient in patients]
    aggregate(*(call_of(ledger, document) for document in others))
    for answer, patient, other in zip(ends(tickets), patients, others, strict=True):
        assert (answer["state"], answer["error"]) == ("refused", "ConsentSuperseded")
        assert answer["values"]["subject"] == patient.address
        assert answer["values"]["signed"] == other["typedData"]["message"]["signed"]


def test_forward_requests_in_a_batch(waiting, ends, identities, people, ledger):
    clinic = people["clinic"].address
    members = [Account.create() for _ in range(3)]
    documents = [identities.add_delegate(clinic, validity=600).sign(each) for each in members]
    other = identities.add_delegate(clinic, validity=700).sign(members[2])
    tickets = waiting(documents)
    batch = [forwarded(documents[0]), forwarded(documents[1]), forwarded(other)]
    # The third document itself is skipped, since its nonce is used by then.
    batch.append(forwarded(documents[2]))
    stranger = people["stranger"]
    receipt = ledger.send(stranger, "Forwarder", "executeBatch", batch, stranger.address)
    first, second, third = ends(tickets)
    for answer in (first, second):
        assert (answer["state"], answer["transaction"]) == ("confirmed", receipt.transaction)
    assert (third["state"], third["error"]) == ("refused", "NonceUsed")
    assert third["values"]["transaction"] == receipt.transaction


def test_a_forward_request_that_failed_in_a_batch_is_not_executed(
    waiting, ends, identities, people, ledger
):
    member, clinic, stranger = Account.create(), people["clinic"].address, people["stranger"]
    document = identities.add_delegate(clinic, validity=600).sign(member)
    tickets = waiting([document])
    request(ledger.web3, "anvil_setBalance", [member.address, hex(10**18)])
    ledger.send(member, "IdentityRegistry", "changeOwner", member.address, clinic)
    receipt = ledger.send(
        stranger, "Forwarder", "executeBatch", [forwarded(document)], stranger.address
    )
    assert receipt.event("ExecutedForwardRequest").args["success"] is False
    (answer,) = ends(tickets)
    assert (answer["state"], answer["error"]) == ("refused", "NonceUsed")


def test_a_forward_request_that_is_not_recognised(
    waiting, ends, identities, people, ledger, aggregate
):
    clinic = people["clinic"].address
    members = [Account.create() for _ in range(2)]
    documents = [identities.add_delegate(clinic, validity=600).sign(each) for each in members]
    tickets = waiting(documents)
    by_contract = aggregate(call_of(ledger, documents[0]))
    # The forwarder does not mind what bytes are padded with, as who decodes them does.
    to, data = call_of(ledger, documents[1])
    padded = ledger.sender.send(people["stranger"], to, data[:-2] + "01")["transactionHash"]
    for answer, transaction in zip(ends(tickets), (by_contract, padded), strict=True):
        assert (answer["state"], answer["error"]) == ("refused", "NonceUsed")
        assert answer["values"]["transaction"] == transaction


def test_what_is_overtaken_in_its_block_is_charged(relaying, sign, consents, people, ledger):
    patient, web3 = Account.create(), ledger.web3
    document = sign(patient)
    to, data = call_of(ledger, document)
    needed = simulate(ledger, people["hospital"].address, to, data)
    limits = Limits(per_address=needed, per_day=10**9, queue=10)
    request(web3, "evm_setAutomine", [False])
    try:
        with relaying(limits) as relay:
            ticket = relay.take(document)
            while (ours := relay.show(ticket)["transaction"]) is None or not known(web3, ours):
                pass
            overtaking = sent_for_more(web3, people["stranger"], to, data)
            request(web3, "evm_mine", [])
            answer = relay.end(ticket)
            assert (answer["state"], answer["transaction"]) == ("confirmed", overtaking)
            lost = web3.eth.get_transaction_receipt(ours)
            assert lost["status"] == 0
            more = consents.grant(people["clinic"].address, Terms(("CC",))).sign(patient)
            values = relay.refused(relay.post(more), 429, "BudgetExhausted")
            assert values["spent"] == lost["gasUsed"]
    finally:
        request(web3, "evm_setAutomine", [True])


def known(web3, transaction):
    return request(web3, "eth_getTransactionByHash", [transaction]) is not None


def sent_for_more(web3, account, to, data):
    """Send a call that comes first in its block."""
    fields = {
        "chainId": web3.eth.chain_id,
        "nonce": web3.eth.get_transaction_count(account.address),
        "to": to,
        "data": data,
        "value": 0,
        "gas": 300_000,
        "maxFeePerGas": 10**12,
        "maxPriorityFeePerGas": 10**11,
    }
    raw = account.sign_transaction(fields).raw_transaction
    return "0x" + web3.eth.send_raw_transaction(raw).hex().removeprefix("0x")

"""Calling, sending and reading events by name, on each kind of node."""

from __future__ import annotations

import pytest
from eth_account import Account

from radledger.chain import deployments, refusals
from radledger.chain.errors import DeploymentMissing, OutOfFunds, UnknownContract
from radledger.chain.ledger import Call, ContractAt, Ledger
from radledger.chain.nodes.http import HttpNode
from radledger.errors import UsageError

HOSPITAL = "0x5a5A5a5a5A5a5a5a5a5A5a5A5A5a5a5A5A5A5A5A"


def test_a_transaction_tells_what_happened(fresh_ledger):
    ledger, governor = fresh_ledger
    receipt = ledger.send(governor, "ParticipantRegistry", "admitInstitution", HOSPITAL, 6)
    assert receipt.block == ledger.block_number()
    assert receipt.timestamp == ledger.now()
    assert 21_000 < receipt.gas_used < 100_000
    (event,) = receipt.events
    assert event is receipt.event("ParticipantAdmitted")
    assert (event.contract, event.name) == ("ParticipantRegistry", "ParticipantAdmitted")
    assert event.args == {"account": HOSPITAL, "institution": HOSPITAL, "roles": 6}
    assert (event.transaction, event.block) == (receipt.transaction, receipt.block)
    with pytest.raises(KeyError):
        receipt.event("ParticipantLeft")


def test_views_answer_with_named_values(fresh_ledger):
    ledger, governor = fresh_ledger
    ledger.send(governor, "ParticipantRegistry", "admitInstitution", HOSPITAL, 6)
    standing = ledger.call("ParticipantRegistry", "standing", HOSPITAL)
    assert (standing.institution, standing.suspended) == (HOSPITAL, False)
    image = ledger.call("ImageRegistry", "imageOf", b"\1" * 32)
    assert image.patient == "0x" + "00" * 20


def test_events_are_found_by_name_and_indexed_argument(fresh_ledger):
    ledger, governor = fresh_ledger
    others = [Account.create().address for _ in range(3)]
    sent = [
        ledger.send(governor, "ParticipantRegistry", "admitInstitution", address, 6)
        for address in others
    ]
    found = ledger.events("ParticipantRegistry", "ParticipantAdmitted")
    assert [event.args["account"] for event in found] == others
    assert found == [receipt.events[0] for receipt in sent]
    (second,) = ledger.events("ParticipantRegistry", "ParticipantAdmitted", account=others[1])
    assert second == found[1]
    both = ledger.events("ParticipantRegistry", "ParticipantAdmitted", account=others[1:])
    assert both == found[1:]
    later = ledger.events("ParticipantRegistry", "ParticipantAdmitted", from_block=found[1].block)
    assert later == found[1:]
    assert ledger.events("ParticipantRegistry", "ParticipantLeft") == []


def test_events_of_several_kinds_are_asked_for_at_once(fresh_ledger, monkeypatch):
    ledger, governor = fresh_ledger
    registry, kinds = "ParticipantRegistry", ["ParticipantAdmitted", "ParticipantSuspended"]
    others = [Account.create().address for _ in range(2)]
    for address in others:
        ledger.send(governor, registry, "admitInstitution", address, 6)
        ledger.send(governor, registry, "suspend", address)
    asked = []
    answer = HttpNode._answer

    def counted(node, body):
        asked.append(body)
        return answer(node, body)

    monkeypatch.setattr(HttpNode, "_answer", counted)
    found = ledger.events(registry, *kinds)
    assert sum(b"eth_getLogs" in body for body in asked) == 1
    assert [(event.name, event.args["account"]) for event in found] == [
        (kind, address) for address in others for kind in kinds
    ]
    assert ledger.events(registry, *kinds, account=others[1]) == found[2:]
    for kind in kinds:
        alone = ledger.events(registry, kind)
        assert alone == [event for event in found if event.name == kind]
    with pytest.raises(AssertionError, match="actor"):
        ledger.events(registry, *kinds, actor=governor.address)


def test_events_are_read_over_ranges_that_a_node_refuses(ledger, anvil, monkeypatch):
    before = ledger.events("ParticipantRegistry", "ParticipantAdmitted")
    forward = anvil.provider.make_request
    ranges = []

    def limited(method, parameters):
        if method == "eth_getLogs":
            first, last = (int(parameters[0][name], 16) for name in ("fromBlock", "toBlock"))
            ranges.append(last - first)
            if last - first > 3:
                return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "too wide"}}
        return forward(method, parameters)

    monkeypatch.setattr(anvil.provider, "make_request", limited)
    assert (
        Ledger(anvil, ledger.deployment).events("ParticipantRegistry", "ParticipantAdmitted")
        == before
    )
    assert max(ranges) > 3 >= min(ranges)


def test_a_contract_outside_the_deployment(fresh_ledger):
    ledger, governor = fresh_ledger
    token = ContractAt("LocalToken", ledger.address("LocalToken"))
    ledger.send(governor, token, "transfer", HOSPITAL, 5)
    assert ledger.call(token, "balanceOf", HOSPITAL) == 5
    assert [event.args["value"] for event in ledger.events(token, "Transfer", to=HOSPITAL)] == [5]


def test_a_batch_is_sent_in_order(fresh_ledger):
    ledger, governor = fresh_ledger
    others = [Account.create().address for _ in range(12)]
    calls = [Call("ParticipantRegistry", "admitInstitution", (address, 6)) for address in others]
    receipts = ledger.send_batch(governor, calls)
    assert [receipt.events[0].args["account"] for receipt in receipts] == others
    assert ledger.send_batch(governor, []) == []


def test_nothing_of_a_batch_is_sent_if_one_is_refused(fresh_ledger):
    ledger, governor = fresh_ledger
    calls = [
        Call("ParticipantRegistry", "admitInstitution", (HOSPITAL, 6)),
        Call("ParticipantRegistry", "admitInstitution", (HOSPITAL, 1)),
    ]
    with pytest.raises(refusals.ParticipantRolesNotPermitted) as refusal:
        ledger.send_batch(governor, calls)
    assert refusal.value.values["roles"] == 1
    assert not ledger.call("ParticipantRegistry", "isActive", HOSPITAL)


def test_a_batch_out_of_funds_is_reported(fresh_ledger):
    ledger, _ = fresh_ledger
    poor = Account.create()
    change = (poor.address, b"key".ljust(32, b"\0"), b"value", 60)
    with pytest.raises(OutOfFunds):
        ledger.send_batch(poor, [Call("IdentityRegistry", "setAttribute", change)])


def test_names_that_are_not_there(fresh_ledger, web3):
    ledger, _ = fresh_ledger
    with pytest.raises(UnknownContract):
        ledger.call(ContractAt("Nonsense", HOSPITAL), "f")
    with pytest.raises(DeploymentMissing) as missing:
        ledger.address("Nonsense")
    assert missing.value.values == {"contract": "Nonsense", "chain_id": ledger.chain_id}


def test_arguments_that_a_function_does_not_take(ledger, people):
    for args in ((HOSPITAL.lower()[:-1],), (), (HOSPITAL, 1)):
        with pytest.raises(UsageError) as error:
            ledger.call("ParticipantRegistry", "isActive", *args)
        assert error.value.values == {"contract": "ParticipantRegistry", "function": "isActive"}
        with pytest.raises(UsageError):
            ledger.send(people["governor"], "ParticipantRegistry", "suspend", *args)
    with pytest.raises(UsageError):
        ledger.call("ParticipantRegistry", "nonsense")
    assert ledger.call("ParticipantRegistry", "isActive", HOSPITAL) is False


def test_another_chain_of_the_same_id_is_noticed(fresh_ledger, web3, tmp_path):
    from dataclasses import replace

    from radledger.chain.errors import DeploymentMismatch

    ledger, _ = fresh_ledger
    assert Ledger(web3, deployments.load(tmp_path, ledger.chain_id)).now() == ledger.now()
    for other in (
        replace(ledger.deployment, genesis="0x" + "12" * 32),
        replace(ledger.deployment, chain_id=1),
    ):
        with pytest.raises(DeploymentMismatch) as mismatch:
            Ledger(web3, other)
        assert mismatch.value.values["expected_genesis"] == other.genesis
        assert mismatch.value.values["chain_id"] == ledger.chain_id

"""Several nodes of one chain: who fails, lags, forks or lies is done without."""

from __future__ import annotations

import pytest

from radledger.chain.errors import ConnectionFailed, NodesDisagree
from radledger.chain.ledger import Ledger
from radledger.chain.nodes import failover
from radledger.chain.nodes.connect import connect, node_states
from radledger.chain.nodes.http import HttpNode
from radledger.chain.nodes.networks import Network
from radledger.chain.refusals import ParticipantNotAccredited
from radledger.chain.rpc import request, request_batch
from radledger.chain.sending.sender import Sender
from tests.chain.relayed import RelayedNode

NOBODY = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A node that answers is not left out because the machine is busy."""
    monkeypatch.setattr(failover, "_PROBE_TIMEOUT", (240.0, 240.0))
    monkeypatch.setattr(failover, "_TIMEOUT", (240.0, 240.0))


@pytest.fixture
def nodes(anvil_endpoint, anvil):
    """Four nodes of a chain of some length."""
    request(anvil, "anvil_mine", ["0x14"])
    nodes = [RelayedNode(anvil_endpoint) for _ in range(4)]
    yield nodes
    for node in nodes:
        node.shutdown()
        node.server_close()


def network_of(nodes, **terms):
    first, *others = (node.endpoint for node in nodes)
    return Network("several", first, 31337, others=tuple(others), **terms)


def states(nodes):
    found = node_states(network_of(nodes))
    assert [each.endpoint for each in found] == [node.endpoint for node in nodes]
    return [each.state for each in found]


def test_nodes_that_agree_are_good(nodes, anvil):
    assert states(nodes) == ["good"] * 4
    (state, *_) = node_states(network_of(nodes))
    block = anvil.eth.get_block("latest")
    assert (state.block, state.timestamp) == (block["number"], block["timestamp"])


def test_who_fails_lags_forks_or_serves_another_chain_is_reported(nodes, ganache_endpoint):
    nodes[0].down = True
    nodes[1].lags(10)
    nodes[2].lags(2)
    assert states(nodes) == ["unreachable", "lagging", "good", "good"]
    nodes[0].down = False
    nodes[0].behind = ganache_endpoint
    nodes[1].forks()
    assert states(nodes) == ["other chain", "forked", "good", "good"]
    nodes[2].lies("eth_getBlockByNumber", None)
    assert states(nodes)[2] == "failing"


def test_a_node_that_is_left_out_has_a_reason(nodes):
    nodes[0].down = True
    nodes[2].lies("eth_getBlockByNumber", None)
    refusal = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no such method"}}
    nodes[3].change = lambda method, params, answer: refusal
    silent, good, empty, odd = node_states(network_of(nodes))
    assert silent.reason == (
        f"no Ethereum node answers at {nodes[0].endpoint}; start a local chain with "
        "`radledger devnet up`, or name another network"
    )
    assert empty.reason is not None
    assert "answers eth_getBlockByNumber with the result null" in empty.reason
    assert (odd.state, odd.reason) == ("failing", "the node refused eth_chainId: no such method")
    assert good.reason is None


def test_a_node_that_claims_to_be_far_ahead_does_not_make_others_lag(nodes):
    def boasting(method, params, answer):
        if method == "eth_getBlockByNumber" and params[0] == "latest":
            return {**answer, "result": {**answer["result"], "number": "0xffffff"}}
        return answer

    nodes[0].change = boasting
    assert states(nodes)[1:] == ["good"] * 3


def test_of_two_branches_with_as_many_nodes_none_is_right(nodes):
    nodes[0].forks()
    nodes[1].forks()
    assert states(nodes) == ["forked"] * 4
    with pytest.raises(NodesDisagree) as error:
        connect(network_of(nodes))
    assert set(error.value.values["nodes"].values()) == {"forked"}
    assert all(node.endpoint in error.value.message for node in nodes)


def test_another_node_stands_in_at_once(nodes):
    web3 = connect(network_of(nodes))
    assert web3.eth.chain_id == 31337
    for gone in (0, 1, 2):
        nodes[gone].down = True
        assert request(web3, "eth_blockNumber", []) == hex(web3.eth.block_number)
        assert request_batch(web3, [("eth_chainId", [])] * 2) == [hex(31337)] * 2
    nodes[3].down = True
    with pytest.raises(ConnectionFailed) as error:
        request(web3, "eth_blockNumber", [])
    assert set(error.value.values["nodes"].values()) == {"unreachable"}
    assert "`radledger network status` says why" in error.value.message
    assert "\n" not in error.value.message
    nodes[2].down = False
    assert web3.eth.chain_id == 31337


def test_a_node_that_keeps_silent_blocks_no_caller(nodes, monkeypatch):
    web3 = connect(network_of(nodes))
    assert web3.eth.chain_id == 31337
    nodes[0].silent = True

    def short(endpoint, timeout):
        return HttpNode(endpoint, timeout=(1.0, 1.0) if endpoint == nodes[0].endpoint else timeout)

    # The wait for the silent node alone is short, as that for the others may be long.
    monkeypatch.setattr(failover, "HttpNode", short)
    monkeypatch.setitem(
        web3.provider._nodes, nodes[0].endpoint, short(nodes[0].endpoint, timeout=None)
    )
    assert web3.eth.chain_id == 31337
    assert states(nodes) == ["unreachable", "good", "good", "good"]


def test_requests_stay_with_a_node_that_answers(nodes):
    web3 = connect(network_of(nodes))
    for _ in range(5):
        request(web3, "eth_gasPrice", [])
    assert nodes[0].asked == ["eth_gasPrice"] * 5
    nodes[0].down = True
    request(web3, "eth_gasPrice", [])
    nodes[0].down = False
    request(web3, "eth_gasPrice", [])
    assert nodes[0].asked == ["eth_gasPrice"] * 5


def test_a_transaction_that_two_nodes_get_is_mined_once(nodes, new_account, anvil):
    account = new_account(anvil)
    web3 = connect(network_of(nodes))

    def taken_and_lost(method, params, answer):
        if method == "eth_sendRawTransaction":
            nodes[0].down = True
            raise ConnectionResetError  # the node has it, and says nothing
        return answer

    nodes[0].change = taken_and_lost
    receipt = Sender(web3).send(account, NOBODY, "0x")
    assert receipt["status"] == "0x1"
    assert nodes[0].asked.count("eth_sendRawTransaction") == 1
    assert nodes[1].asked.count("eth_sendRawTransaction") == 1
    assert anvil.eth.get_transaction_count(account.address) == 1


def test_a_node_that_lies_about_a_contract_is_outvoted_and_left_out(nodes, ledger, people):
    web3 = connect(network_of(nodes))
    several = Ledger(web3, ledger.deployment)
    question = ("ParticipantRegistry", "isActive", people["stranger"].address)
    assert several.call(*question) is False
    nodes[0].lies("eth_call", "0x" + "00" * 31 + "01")
    assert several.call(*question) is False
    assert [each.state for each in web3.provider.states()] == ["contradicted"] + ["good"] * 3
    # It is not asked again, nor when it tells the truth for once.
    nodes[0].asked.clear()
    nodes[0].change = lambda method, params, answer: answer
    assert several.call(*question) is False
    assert nodes[0].asked == []


def test_a_lie_where_the_truth_is_a_refusal(nodes, ledger, people):
    several = Ledger(connect(network_of(nodes)), ledger.deployment)
    nodes[1].lies("eth_call", "0x")
    nodes[1].change = _without_error(nodes[1].change)
    with pytest.raises(ParticipantNotAccredited):
        several.call("ParticipantRegistry", "requireRole", people["stranger"].address, 2)
    assert several.web3.provider.states()[1].state == "contradicted"


def _without_error(change):
    def changed(method, params, answer):
        if method == "eth_call":
            answer = {name: value for name, value in answer.items() if name != "error"}
        return change(method, params, answer)

    return changed


def test_a_lie_in_a_batch(nodes, ledger, people):
    several = Ledger(connect(network_of(nodes)), ledger.deployment)
    to, data = ledger.encode("ParticipantRegistry", "isActive", people["stranger"].address)
    calls = [("eth_chainId", []), ("eth_call", [{"to": to, "data": data}, "latest"])]
    nodes[0].lies("eth_call", "0x" + "00" * 31 + "01")
    assert request_batch(several.web3, calls) == [hex(31337), "0x" + "00" * 32]
    assert several.web3.provider.states()[0].state == "contradicted"


def test_events_that_a_node_keeps_back_are_found(nodes, ledger):
    several = Ledger(connect(network_of(nodes)), ledger.deployment)
    admitted = ledger.events("ParticipantRegistry", "ParticipantAdmitted")
    assert admitted
    nodes[0].lies("eth_getLogs", [])
    assert several.events("ParticipantRegistry", "ParticipantAdmitted") == admitted
    assert several.web3.provider.states()[0].state == "contradicted"


def test_of_two_nodes_that_differ_neither_is_trusted(nodes, ledger, people):
    several = Ledger(connect(network_of(nodes[:2])), ledger.deployment)
    nodes[0].lies("eth_call", "0x" + "00" * 31 + "01")
    with pytest.raises(NodesDisagree) as error:
        several.call("ParticipantRegistry", "isActive", people["stranger"].address)
    assert error.value.values["nodes"] == sorted(node.endpoint for node in nodes[:2])


def test_a_node_that_is_one_block_behind_is_not_contradicted(nodes, ledger, people):
    """Its latest block is another, and so is what it says of it."""
    several = Ledger(connect(network_of(nodes)), ledger.deployment)
    nodes[1].change = lambda method, params, answer: (
        {**answer, "result": hex(7)}
        if method == "eth_getBalance" and params[1] == "latest"
        else answer
    )
    balance = several.web3.eth.get_balance(people["stranger"].address)
    assert balance == ledger.web3.eth.get_balance(people["stranger"].address)
    assert [each.state for each in several.web3.provider.states()] == ["good"] * 4

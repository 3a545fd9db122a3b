"""Deploying: once, whatever happens in between, and only what the release ships."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from eth_account import Account

from radledger.chain import deployments
from radledger.chain.deployments import CORE, DeployedContract, Deployment
from radledger.chain.errors import (
    ContractNotDeployed,
    DeploymentMismatch,
    DeploymentMissing,
    DeploymentOutdated,
    OutOfFunds,
)
from radledger.chain.ledger import Ledger
from radledger.chain.rpc import request
from radledger.deployment.deploy import CONTRACTS, deploy, is_begun, missing, verify

WITHOUT_TOKEN = [name for name in CONTRACTS if name != "LocalToken"]


class Killed(BaseException):
    """The process ends here."""


def test_each_contract_is_deployed_once_and_knows_the_others(web3, new_account, tmp_path):
    governor = new_account(web3)
    deployment = deploy(web3, governor, tmp_path, token_holder=governor.address)
    assert list(deployment.contracts) == list(CONTRACTS)
    assert web3.eth.get_transaction_count(governor.address) == len(CONTRACTS)
    ledger = Ledger(web3, deployment)
    forwarder = ledger.address("Forwarder")
    for name in (name for name, takes in CONTRACTS.items() if "Forwarder" in takes):
        assert ledger.call(name, "isTrustedForwarder", forwarder)
    assert ledger.call("ParticipantRegistry", "rolesOf", governor.address) == 1
    assert ledger.call("IdentityRegistry", "recoveryDelay") == 3 * 24 * 3600
    assert ledger.call("LocalToken", "balanceOf", governor.address) == 10**24


def test_running_it_again_changes_nothing(web3, new_account, tmp_path):
    governor = new_account(web3)
    first = deploy(web3, governor, tmp_path)
    assert list(first.contracts) == WITHOUT_TOKEN
    before = (tmp_path / f"{first.chain_id}.json").read_bytes()
    for resume in (False, True):
        assert deploy(web3, governor, tmp_path, resume=resume) == first
    assert (tmp_path / f"{first.chain_id}.json").read_bytes() == before
    assert deployments.load(tmp_path, first.chain_id) == first


def test_a_token_can_be_added_later(anvil, new_account, tmp_path):
    governor = new_account(anvil)
    first = deploy(anvil, governor, tmp_path)
    second = deploy(anvil, governor, tmp_path, token_holder=governor.address)
    assert set(second.contracts) - set(first.contracts) == {"LocalToken"}


def test_what_a_newer_release_brings_is_added_once(anvil, new_account, tmp_path):
    governor = new_account(anvil)
    whole = deploy(anvil, governor, tmp_path)
    core = {name: each for name, each in whole.contracts.items() if name in CORE}
    deployments.save(tmp_path, replace(whole, contracts=core))
    assert not is_begun(anvil, tmp_path)

    earlier = deployments.load(tmp_path, whole.chain_id)
    assert missing(earlier) == tuple(name for name in WITHOUT_TOKEN if name not in CORE)
    ledger = Ledger(anvil, earlier)
    assert ledger.call("ParticipantRegistry", "rolesOf", governor.address) == 1
    with pytest.raises(ContractNotDeployed, match="not deployed on this network") as error:
        ledger.call("DatasetRegistry", "isTrustedForwarder", governor.address)
    assert error.value.values == {"contract": "DatasetRegistry", "chain_id": whole.chain_id}

    before = anvil.eth.get_transaction_count(governor.address)
    for _ in range(2):
        now = deploy(anvil, governor, tmp_path)
        assert {name: now.contracts[name] for name in CORE} == core
        assert now.contracts.keys() == whole.contracts.keys()
        assert anvil.eth.get_transaction_count(governor.address) == before + len(missing(earlier))
    assert is_begun(anvil, tmp_path)
    assert Ledger(anvil, now).call(
        "DatasetRegistry", "isTrustedForwarder", ledger.address("Forwarder")
    )


def test_what_was_deployed_before_0_1_0_is_refused_and_can_be_succeeded(
    anvil, new_account, tmp_path
):
    governor = new_account(anvil)
    first = deploy(anvil, governor, tmp_path)
    file = tmp_path / f"{first.chain_id}.json"
    content = json.loads(file.read_text())
    assert content.pop("format") == 1
    file.write_text(json.dumps(content))
    for use in (
        lambda: deployments.load(tmp_path, first.chain_id),
        lambda: deploy(anvil, governor, tmp_path),
    ):
        with pytest.raises(DeploymentOutdated, match=r"older than 0\.1\.0.*deploy --successor"):
            use()
    assert json.loads(file.read_text()) == content
    second = deploy(anvil, governor, tmp_path, successor=True)
    assert second.predecessor == replace(first, format=0)
    assert deployments.load(tmp_path, first.chain_id) == second


def test_names_of_folders():
    """They are those of 0.1.0, so that its homes are found."""
    deployment = Deployment(
        chain_id=31337,
        genesis="0x" + "0123456789abcdef" * 4,
        contracts={"ImageRegistry": DeployedContract("0x" + "Ab" * 20, 1, "0x01", "0x02")},
    )
    assert deployment.slug == "31337-01f6535e12d4"
    assert deployment.chain_slug == "31337-0123456789ab"


def test_a_successor_names_its_predecessor_and_leaves_it_in_place(anvil, new_account, tmp_path):
    governor = new_account(anvil)
    first = deploy(anvil, governor, tmp_path)
    second = deploy(anvil, governor, tmp_path, successor=True)
    assert second.predecessor == first
    assert not set(addresses(first)) & set(addresses(second))
    third = deploy(anvil, governor, tmp_path, successor=True)
    assert deployments.load(tmp_path, first.chain_id) == third
    assert third.predecessor.predecessor == first
    for each in (first, second, third):
        verify(anvil, each)


def test_a_successor_that_was_begun_is_finished(anvil, new_account, tmp_path, monkeypatch):
    governor = new_account(anvil)
    first = deploy(anvil, governor, tmp_path)
    with monkeypatch.context() as patch:
        kill_at(patch, anvil, "eth_sendRawTransaction", 3, after=True)
        with pytest.raises(Killed):
            deploy(anvil, governor, tmp_path, successor=True)
    assert deployments.load(tmp_path, first.chain_id) == first
    second = deploy(anvil, governor, tmp_path, successor=True)
    assert deployments.load(tmp_path, first.chain_id) == second
    assert second.predecessor == first
    assert anvil.eth.get_transaction_count(governor.address) == 2 * len(WITHOUT_TOKEN)


def test_a_successor_that_cannot_be_paid_leaves_the_deployment_in_use(anvil, new_account, tmp_path):
    governor, poor = new_account(anvil), Account.create()
    first = deploy(anvil, governor, tmp_path)
    with pytest.raises(OutOfFunds):
        deploy(anvil, poor, tmp_path, successor=True)
    assert deployments.load(tmp_path, first.chain_id) == first
    second = deploy(anvil, governor, tmp_path, successor=True)
    assert second.predecessor == first
    assert second.parameters["governors"] == [governor.address]


def test_nothing_succeeds_what_is_not_finished(anvil, new_account, tmp_path, monkeypatch):
    governor = new_account(anvil)
    with pytest.raises(DeploymentMissing):
        deploy(anvil, governor, tmp_path, successor=True)
    with monkeypatch.context() as patch:
        kill_at(patch, anvil, "eth_sendRawTransaction", 3, after=True)
        with pytest.raises(Killed):
            deploy(anvil, governor, tmp_path)
    with pytest.raises(DeploymentMissing):
        deploy(anvil, governor, tmp_path, successor=True)


def addresses(deployment):
    return [contract.address for contract in deployment.contracts.values()]


STEPS = ("eth_sendRawTransaction", "eth_getTransactionReceipt")


@pytest.mark.parametrize("method", STEPS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_step_the_next_run_finishes(
    anvil, new_account, tmp_path, monkeypatch, method, after
):
    for step in (0, 3, len(WITHOUT_TOKEN) - 1):
        governor = new_account(anvil)
        folder = tmp_path / str(step)
        with monkeypatch.context() as patch:
            kill_at(patch, anvil, method, step, after=after)
            with pytest.raises(Killed):
                deploy(anvil, governor, folder)
        assert is_begun(anvil, folder)
        if deployments.find(folder, anvil.eth.chain_id).has_core:
            assert missing(deployments.load(folder, anvil.eth.chain_id))
        else:
            with pytest.raises(DeploymentMissing, match="is not finished"):
                deployments.load(folder, anvil.eth.chain_id)
        deployment = deploy(anvil, governor, folder)
        assert list(deployment.contracts) == WITHOUT_TOKEN
        # Each transaction of the governor created one of the contracts.
        assert anvil.eth.get_transaction_count(governor.address) == len(WITHOUT_TOKEN)
        verify(anvil, deployment)


def kill_at(patch, web3, method, step, *, after):
    """End the process at the request number ``step`` of a kind, before it leaves or after it."""
    forward = web3.provider.make_request
    seen = []

    def deadly(called, parameters):
        fatal = called == method and len(seen) == step
        if called == method:
            seen.append(called)
        if fatal and not after:
            raise Killed
        answer = forward(called, parameters)
        if fatal:
            raise Killed
        return answer

    patch.setattr(web3.provider, "make_request", deadly)


def test_killed_while_the_record_is_written(web3, new_account, tmp_path, monkeypatch):
    governor = new_account(web3)
    save = deployments.save
    deaths = 0
    for _ in range(2 * len(WITHOUT_TOKEN)):
        seen = []

        def dying(folder, deployment, seen=seen):
            if seen:
                raise Killed
            seen.append(deployment)
            return save(folder, deployment)

        with monkeypatch.context() as patch:
            patch.setattr(deployments, "save", dying)
            try:
                deploy(web3, governor, tmp_path)
            except Killed:
                deaths += 1
                continue
            break
    deployment = deploy(web3, governor, tmp_path)
    assert deaths >= len(WITHOUT_TOKEN)
    assert list(deployment.contracts) == WITHOUT_TOKEN
    assert web3.eth.get_transaction_count(governor.address) == len(WITHOUT_TOKEN)


def test_a_creation_still_in_the_pool_is_waited_for(anvil, new_account, tmp_path, monkeypatch):
    governor = new_account(anvil)
    request(anvil, "evm_setAutomine", [False])
    try:
        with monkeypatch.context() as patch:
            kill_at(patch, anvil, "eth_sendRawTransaction", 0, after=True)
            with pytest.raises(Killed):
                deploy(anvil, governor, tmp_path)
    finally:
        request(anvil, "evm_setAutomine", [True])
    path = tmp_path / f"{anvil.eth.chain_id}.json"
    (pending,) = json.loads(path.read_text())["pending"]["transactions"]
    with pytest.raises(DeploymentMissing):
        deployments.load(tmp_path, anvil.eth.chain_id)
    request(anvil, "evm_mine", [])
    deployment = deploy(anvil, governor, tmp_path, resume=True)
    assert deployment.contracts["Forwarder"].transaction == pending


def test_resume_never_begins(anvil, new_account, tmp_path):
    governor = new_account(anvil)
    with pytest.raises(DeploymentMissing):
        deploy(anvil, governor, tmp_path, resume=True)
    first = deploy(anvil, governor, tmp_path)
    deployments.save(tmp_path, replace(first, genesis="0x" + "00" * 32))
    with pytest.raises(DeploymentMismatch):
        deploy(anvil, governor, tmp_path, resume=True)
    # Without it, a restarted chain gets new contracts.
    anew = deploy(anvil, governor, tmp_path)
    assert not set(anew.contracts.values()) & set(first.contracts.values())


def test_out_of_funds_can_be_resumed(anvil, new_account, tmp_path):
    poor = Account.create()
    with pytest.raises(OutOfFunds) as error:
        deploy(anvil, poor, tmp_path)
    assert error.value.values["account"] == poor.address
    request(anvil, "anvil_setBalance", [poor.address, hex(10**18)])
    assert list(deploy(anvil, poor, tmp_path).contracts) == WITHOUT_TOKEN


def test_verify_notices_other_code_and_none(web3, new_account, tmp_path):
    deployment = deploy(web3, new_account(web3), tmp_path)
    verify(web3, deployment)
    other = deployment.contracts["ImageRegistry"]
    for address in (other.address, "0x" + "12" * 20):
        wrong = {**deployment.contracts, "Forwarder": replace(other, address=address)}
        with pytest.raises(DeploymentMismatch) as mismatch:
            verify(web3, replace(deployment, contracts=wrong))
        assert mismatch.value.values["contract"] == "Forwarder"
        assert mismatch.value.values["address"] == address


def test_verify_notices_other_immutables(anvil, new_account, tmp_path):
    first = deploy(anvil, new_account(anvil), tmp_path / "1")
    second = deploy(anvil, new_account(anvil), tmp_path / "2")
    swapped = replace(
        first.contracts["ConsentRegistry"], address=second.contracts["ConsentRegistry"].address
    )
    assert isinstance(swapped, DeployedContract)
    wrong = replace(first, contracts={**first.contracts, "ConsentRegistry": swapped})
    with pytest.raises(DeploymentMismatch) as mismatch:
        verify(anvil, wrong)
    assert mismatch.value.values["expected"] == first.contracts["ConsentRegistry"].code_hash

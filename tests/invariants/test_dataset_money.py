"""No order of contributing, funding, withdrawing and claiming gives anyone more than its share.

Three data sets run beside a model that shares every payment exactly, in fractions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.anvil import Contract
from tests.invariants.dataset_machine import DatasetMachine
from tests.invariants.dataset_steps import CUSTODIANS, PATIENTS, WORKERS
from tests.research_stage import (
    ANNOTATOR,
    COUNTED,
    CUSTODIAN,
    DEVELOPER,
    FUNDER,
    SUPPLY,
    Stage,
    research_stage,
)
from tools.compile_contracts import artifact, compile_sources

TOKEN = "contracts/test/HostileToken.sol"


class DatasetMoney(DatasetMachine):
    """What always holds, whatever people did."""

    @invariant()
    def money_adds_up(self) -> None:
        for dataset in self.datasets:
            dues = self.dues(dataset)
            claimed = sum(each.claimed for each in dataset.accounts.values())
            balance = self.stage.balance(dataset.vault, dataset.token)
            assert claimed + sum(dues.values()) <= dataset.received
            assert balance == dataset.received - claimed
            assert balance >= sum(dues.values())
            for key, due in dues.items():
                each = dataset.accounts[key]
                assert each.earned - each.slack <= each.claimed + due <= each.earned

    @invariant()
    def weights_add_up(self) -> None:
        for dataset in self.datasets:
            registry, keys = self.stage.datasets, sorted(dataset.accounts)
            assert self.stage.weights(dataset.id) == dataset.weights()
            answers = self.stage.chain.call_all(
                [(registry, "contributorOf", (dataset.id, *key)) for key in keys]
            ) if keys else []  # fmt: skip
            for key, (weight, _, free) in zip(keys, answers, strict=True):
                counted = sum(
                    each.weight
                    for each in dataset.contributions.values()
                    if each.state == COUNTED and key in each.earners.items()
                )
                assert weight == counted == dataset.accounts[key].weight
                assert free == dataset.accounts[key].free

    @invariant()
    def states_are_as_the_model_has_them(self) -> None:
        for dataset in self.datasets:
            keys = [key for key, each in dataset.contributions.items() if each.image_set]
            views = [(self.stage.datasets, "imageSetOf", (dataset.id, image)) for image in keys]
            answers = self.stage.chain.call_all(views) if keys else []
            for image, answer in zip(keys, answers, strict=True):
                each = dataset.contributions[image]
                assert (answer[0], answer[3]) == (each.weight, each.state)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with research_stage() as stage:
        for custodian in CUSTODIANS:
            stage.admit(custodian, CUSTODIAN)
        for worker in WORKERS:
            stage.admit(worker, ANNOTATOR | DEVELOPER)
        for patient in PATIENTS:
            stage.grant(patient)
        yield stage


@pytest.fixture(scope="module")
def hostile(stage: Stage) -> Contract:
    """A token that can be made to refuse transfers."""
    name = "HostileToken"
    compiled = artifact(TOKEN, name, compile_sources([TOKEN])["contracts"][TOKEN][name])
    token = stage.chain.deploy(name, FUNDER, SUPPLY, artifact=compiled)
    stage.chain.send(FUNDER, token, "approve", stage.datasets.address, 2**256 - 1)
    return token


FUNCTIONS = {
    "contribute", "contributeWork", "withdraw", "withdrawWork", "suspend", "resume", "setFree",
    "fund", "claim", "claimFor",
}  # fmt: skip
LIMITS = {
    "SafeCastOverflowedUintDowncast", "DatasetWeightsChanged", "TransferRefused",
    "DatasetBadSignature", "DatasetNotSuspended",
}  # fmt: skip


@pytest.mark.parametrize(
    ("examples", "the_same_each_time"),
    [
        (60, True),
        pytest.param(1_000, False, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)]),
    ],
)
def test_no_contributor_gets_more_than_its_share(
    stage: Stage, hostile: Contract, examples: int, the_same_each_time: bool
) -> None:
    done: Counter[str] = Counter()
    run_state_machine_as_test(
        type(
            "DatasetMoneyOnChain",
            (DatasetMoney,),
            {"stage": stage, "hostile": hostile, "done": done},
        ),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            derandomize=the_same_each_time,
            deadline=None,
            print_blob=True,
            suppress_health_check=HealthCheck.all(),
        ),
    )
    # Each must have happened often in states that differ, or nothing was shown.
    often = {name for name, times in done.items() if times >= 10}
    assert often >= FUNCTIONS | LIMITS

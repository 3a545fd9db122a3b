"""What each operation costs is what was committed, and within its budget."""

from __future__ import annotations

import pytest

from radledger.chain import artifacts
from radledger.devnet.errors import NodeFailed
from tools import gas
from tools.gas_budgets import BUDGETS

# Tokens for trials; and vaults, which pay when the registry claims.
NOT_MEASURED = {"LocalToken", "DatasetVault"}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    try:
        stop, ledger, people = gas.prepared(tmp_path_factory.mktemp("gas"))
    except NodeFailed as error:
        pytest.skip(f"needs anvil: {error}")
    try:
        return gas.measure(ledger, people)
    finally:
        stop()


def test_costs_are_those_of_the_snapshot(measured):
    changed = gas.differences(measured, gas.committed(gas.SNAPSHOT))
    assert not changed, "\n".join(["review and run `make gas UPDATE=1`:", *changed])


def test_sizes_are_those_of_the_snapshot():
    changed = gas.differences(gas.sizes(), gas.committed(gas.SIZES))
    assert not changed, "\n".join(["review and run `make gas UPDATE=1`:", *changed])


@pytest.mark.parametrize(
    "budget", filter(lambda budget: budget.most, BUDGETS), ids=lambda it: it.key
)
def test_costs_are_within_the_budget(measured, budget):
    assert measured[budget.key] <= budget.most


def test_every_function_that_writes_is_measured(measured):
    found = {tuple(key.split(".")[:2]) for key in measured}
    writing = {
        (name, entry["name"])
        for name in artifacts.names()
        if name not in NOT_MEASURED
        for entry in artifacts.load(name).abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    assert len(writing) > 40
    assert writing <= found


def test_every_measured_operation_has_a_budget(measured):
    assert measured.keys() == {budget.key for budget in BUDGETS}


def test_the_report_has_the_figures(measured):
    text = gas.REPORT.read_text()
    assert gas.report(text, measured) == text

"""What each operation costs is what was committed, and within its budget."""

from __future__ import annotations

import json

import pytest

from radledger.devnet.errors import NodeFailed
from tools import gas
from tools.gas_budgets import ARGUED, BUDGETS


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
    changed = gas.differences(measured, json.loads(gas.SNAPSHOT.read_text()))
    assert not changed, "\n".join(["review and run `make gas UPDATE=1`:", *changed])


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.key)
def test_costs_are_within_the_budget(measured, budget):
    assert measured[budget.key] <= ARGUED.get(budget.key, budget.most or 10**6)


def test_every_argued_budget_was_too_small(measured):
    planned = {budget.key: budget.most for budget in BUDGETS}
    assert all(measured[key] > planned[key] for key in ARGUED)


def test_the_report_has_the_figures(measured):
    text = gas.REPORT.read_text()
    assert gas.report(text, measured) == text

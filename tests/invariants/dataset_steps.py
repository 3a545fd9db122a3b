"""The cast of the data sets' machine, and the steps that its rules share."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from tests.anvil import Contract, account, refused
from tests.invariants.dataset_model import MOST, MOST_WEIGHT, Contribution, Dataset
from tests.research_stage import (
    ANNOTATION,
    CLASSES,
    CUSTODY,
    DATA,
    DEVELOPMENT,
    ImageSet,
    Stage,
)

SYBIL, CROOK = account("sybil"), account("crook")
PATIENTS = [*(account(f"patient {number}") for number in range(3)), SYBIL]
CUSTODIANS = [account("hospital"), account("clinic"), CROOK]
WORKERS = [account("institute"), account("company")]
CONTRIBUTORS = {
    DATA: PATIENTS,
    CUSTODY: CUSTODIANS,
    ANNOTATION: WORKERS,
    DEVELOPMENT: WORKERS,
}


class DatasetSteps(RuleBasedStateMachine):
    """Data sets on a chain, their models, and what most rules do with both."""

    stage: Stage
    hostile: Contract
    done: Counter[str]
    """How often each function was carried out, over all examples."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = ExitStack()
        self.undo.enter_context(self.stage.chain.undone())
        self.datasets: list[Dataset] = []
        self.image_sets: list[tuple[ImageSet, int]] = []
        self.consented = dict.fromkeys(PATIENTS, True)
        self.owners: dict[str, str] = {}
        self.refuses_to_pay = False
        self.month = 1

    def teardown(self) -> None:
        self.undo.close()

    def enters(self, dataset: Dataset, contribution: Contribution, *call: Any) -> bool:
        """Carry out what adds weight, unless an account has no room for it."""
        dues = self.dues(dataset)
        if any(
            dataset.accounts[key].weight + contribution.weight > MOST_WEIGHT or dues[key] > MOST
            for key in contribution.earners.items()
        ):
            self.refused("SafeCastOverflowedUintDowncast", *call)
            return False
        self.send(*call)
        dataset.count(contribution)
        return True

    def stuck(self, dataset: Dataset) -> bool:
        return self.refuses_to_pay and dataset.token == self.hostile

    def collect(self, dataset: Dataset, class_: int, who: str, due: int) -> None:
        """The owner of the beneficiary's identity collects; a new one closes the account."""
        owner, each = self.owners.get(who, who), dataset.accounts[class_, who]
        call = ("claimFor", dataset.id, class_, who, owner)
        closes = owner != who and not each.closed
        if due == 0 and not closes:
            self.refused("DatasetNothingDue", owner, *call)
        elif due and self.stuck(dataset):
            self.refused("TransferRefused", owner, *call)
        else:
            self.paid(dataset, class_, who, owner, due, *call)
            each.closed = each.closed or closes

    def paid(
        self, dataset: Dataset, class_: int, beneficiary: str, to: str, due: int, *call: Any
    ) -> None:
        before = self.stage.balance(to, dataset.token)
        self.send(to, *call)
        assert self.stage.balance(to, dataset.token) - before == due
        dataset.settle(class_, beneficiary).claimed += due

    def dues(self, dataset: Dataset) -> dict[tuple[int, str], int]:
        """What the chain says is due to each account."""
        keys = [(class_, who) for class_ in CLASSES for who in CONTRIBUTORS[class_]]
        answers = self.stage.chain.call_all(
            [(self.stage.datasets, "contributorOf", (dataset.id, *key)) for key in keys]
        )
        return {key: due for key, (_, due, _) in zip(keys, answers, strict=True)}

    def send(self, sender: str, function: str, *arguments: Any) -> None:
        self.stage.chain.send(sender, self.stage.datasets, function, *arguments)
        self.done[function] += 1

    def refused(self, error: str, sender: str, function: str, *arguments: Any) -> None:
        with refused(error):
            self.stage.chain.send(sender, self.stage.datasets, function, *arguments)
        self.done[error] += 1

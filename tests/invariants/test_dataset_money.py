"""No order of contributing, funding, withdrawing and claiming gives anybody more than its share.

Two data sets run beside a model that shares every payment exactly, in fractions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.anvil import account, digest, refused
from tests.research_stage import (
    ANNOTATION,
    ANNOTATOR,
    CLASSES,
    CUSTODIAN,
    CUSTODY,
    DATA,
    DEVELOPER,
    DEVELOPMENT,
    EVERYTHING,
    FUNDER,
    PER_INSTANCE,
    RESEARCHER_ALICE,
    SCORED,
    UNIVERSITY,
    ImageSet,
    Stage,
    research_stage,
)

PATIENTS = [account(f"patient {number}") for number in range(3)]
CUSTODIANS = [account("hospital"), account("clinic")]
WORKERS = [account("institute"), account("company")]
CONTRIBUTORS = {
    DATA: PATIENTS,
    CUSTODY: CUSTODIANS,
    ANNOTATION: WORKERS,
    DEVELOPMENT: WORKERS,
}
BINARY_PLACES = 24
"""Of what the contract keeps per unit of weight."""

sets = st.integers(0, 1)
weights = st.one_of(st.integers(1, 9), st.integers(1, 2**26))
payments = st.one_of(st.integers(1, 100), st.integers(1, 2**80))


@dataclass
class Account:
    """What is exactly due to one contributor of one class."""

    weight: int = 0
    free: bool = False
    closed: bool = False
    earned: Fraction = Fraction(0)
    claimed: int = 0
    slack: Fraction = Fraction(1)
    """How much rounding can have kept from it: at each division less than one unit."""


@dataclass
class Dataset:
    """A data set as the model keeps it."""

    id: bytes
    vault: str
    shares: tuple[int, ...]
    rule: int
    received: int = 0
    accounts: dict[tuple[int, str], Account] = field(default_factory=lambda: defaultdict(Account))
    counted: dict[tuple[int, bytes, str], int] = field(default_factory=dict)
    withdrawn: set[tuple[int, bytes, str]] = field(default_factory=set)

    def weight(self, class_: int) -> int:
        return sum(
            each.weight for (of, _), each in self.accounts.items() if of == class_ and not each.free
        )

    def share(self, amount: int) -> None:
        """Divide a payment among the classes with weight, and there by weight."""
        present = {class_: self.shares[class_] for class_ in CLASSES if self.weight(class_)}
        self.received += amount
        for class_, share in present.items():
            part, total = Fraction(amount * share, sum(present.values())), self.weight(class_)
            for (of, _), each in self.accounts.items():
                if of == class_ and each.weight and not each.free:
                    each.earned += part * each.weight / total
                    each.slack += Fraction(each.weight, total) + Fraction(
                        each.weight, 2**BINARY_PLACES
                    )

    def settle(self, class_: int, beneficiary: str) -> Account:
        """The account, after the contract rounded what is due to it."""
        each = self.accounts[class_, beneficiary]
        each.slack += 1
        return each


class DatasetMoney(RuleBasedStateMachine):
    """Two data sets of one token, whose contributors come, earn and go."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.undo = ExitStack()
        self.undo.enter_context(self.stage.chain.undone())
        self.datasets: list[Dataset] = []
        self.image_sets: list[ImageSet] = []
        self.consented = dict.fromkeys(PATIENTS, True)
        self.owners: dict[str, str] = {}

    @initialize()
    def create(self) -> None:
        for shares, weight_rule in (
            ((5_000, 2_000, 2_000, 1_000), PER_INSTANCE),
            ((3_333, 6_667, 0, 0), SCORED),
        ):
            dataset = self.stage.create(shares=shares, rule=weight_rule)
            self.datasets.append(Dataset(dataset, self.stage.vault(dataset), shares, weight_rule))

    def teardown(self) -> None:
        self.undo.close()

    # ------------------------------------------------------------------------ who contributes

    @rule(
        index=sets, patient=st.sampled_from(PATIENTS), custodian=st.sampled_from(CUSTODIANS),
        class_=st.sampled_from([DATA, CUSTODY]), weight=weights,
    )  # fmt: skip
    def contribute(
        self, index: int, patient: str, custodian: str, class_: int, weight: int
    ) -> None:
        image_set = self.stage.image_set(patient, custodian)
        self.stage.anchor(image_set, weight)
        self.image_sets.append(image_set)
        self.add(self.datasets[index], class_, image_set, weight)

    @precondition(lambda self: self.image_sets)
    @rule(index=sets, data=st.data(), class_=st.sampled_from([DATA, CUSTODY]), weight=weights)
    def contribute_again(self, index: int, data: Any, class_: int, weight: int) -> None:
        """The same image set to the other data set or class, or once more."""
        image_set = data.draw(st.sampled_from(self.image_sets))
        image = self.stage.chain.call(self.stage.images, "imageOf", self.stage.image_id(image_set))
        dataset = self.datasets[index]
        self.add(dataset, class_, image_set, weight if dataset.rule == SCORED else image[2])

    def add(self, dataset: Dataset, class_: int, image_set: ImageSet, weight: int) -> None:
        beneficiary = image_set.patient if class_ == DATA else image_set.custodian
        key = (class_, self.stage.image_id(image_set), beneficiary)
        score = weight if dataset.rule == SCORED else 0
        if not self.consented[image_set.patient]:
            refusal = "ConsentRevoked"
        elif key in dataset.counted or key in dataset.withdrawn:
            refusal = "DatasetAlreadyContributed"
        else:
            refusal = ""
        if refusal:
            with refused(refusal):
                self.stage.contribute(dataset.id, class_, image_set, score)
            return
        self.stage.contribute(dataset.id, class_, image_set, score)
        dataset.counted[key] = weight
        dataset.settle(class_, beneficiary).weight += weight

    @rule(
        index=sets, class_=st.sampled_from([ANNOTATION, DEVELOPMENT]),
        worker=st.sampled_from(WORKERS), score=weights, name=st.integers(0, 5),
    )  # fmt: skip
    def contribute_work(self, index: int, class_: int, worker: str, score: int, name: int) -> None:
        dataset, work = self.datasets[index], digest(f"work {name}")
        key = (class_, work, worker)
        call = ("contributeWork", dataset.id, class_, worker, work, score)
        if key in dataset.counted or key in dataset.withdrawn:
            self.refused("DatasetAlreadyContributed", RESEARCHER_ALICE, *call)
            return
        self.send(RESEARCHER_ALICE, *call)
        dataset.counted[key] = score
        dataset.settle(class_, worker).weight += score

    @rule(index=sets, data=st.data())
    def withdraw(self, index: int, data: Any) -> None:
        dataset = self.datasets[index]
        keys = sorted([*dataset.counted, *dataset.withdrawn])
        if not keys:
            return
        class_, item, beneficiary = key = data.draw(st.sampled_from(keys))
        call = ("withdraw", dataset.id, class_, item)
        if dataset.accounts[class_, beneficiary].closed:
            self.refused("DatasetIdentityChangedHands", beneficiary, *call)
        elif key in dataset.withdrawn:
            self.refused("DatasetNotContributed", beneficiary, *call)
        else:
            self.send(beneficiary, *call)
            self.removed(dataset, key)

    @precondition(lambda self: self.image_sets)
    @rule(index=sets, data=st.data(), class_=st.sampled_from([DATA, CUSTODY]))
    def withdraw_unconsented(self, index: int, data: Any, class_: int) -> None:
        """A passer-by finds out whether the consent is gone."""
        dataset = self.datasets[index]
        image_set = data.draw(st.sampled_from(self.image_sets))
        beneficiary = image_set.patient if class_ == DATA else image_set.custodian
        key = (class_, self.stage.image_id(image_set), beneficiary)
        call = ("withdrawUnconsented", dataset.id, class_, image_set)
        if self.consented[image_set.patient]:
            self.refused("DatasetStillConsented", account("passer-by"), *call)
        elif key not in dataset.counted:
            self.refused("DatasetNotContributed", account("passer-by"), *call)
        else:
            self.send(account("passer-by"), *call)
            self.removed(dataset, key)

    def removed(self, dataset: Dataset, key: tuple[int, bytes, str]) -> None:
        class_, _, beneficiary = key
        dataset.settle(class_, beneficiary).weight -= dataset.counted.pop(key)
        dataset.withdrawn.add(key)

    @rule(patient=st.sampled_from(PATIENTS))
    def change_consent(self, patient: str) -> None:
        """Revoke, or grant again. Who acts owns the patient's identity."""
        owner, stage = self.owners.get(patient, patient), self.stage
        if self.consented[patient]:
            stage.chain.send(owner, stage.consents, "revoke", patient, UNIVERSITY, EVERYTHING)
        else:
            terms = (0, 2**40 - 1, 1 << 2, 0, bytes(13))
            stage.chain.send(owner, stage.consents, "grant", patient, UNIVERSITY, EVERYTHING, terms)
        self.consented[patient] = not self.consented[patient]

    @rule(index=sets, class_=st.sampled_from(CLASSES), data=st.data())
    def change_free(self, index: int, class_: int, data: Any) -> None:
        dataset = self.datasets[index]
        who = data.draw(st.sampled_from(CONTRIBUTORS[class_]))
        each = dataset.accounts[class_, who]
        call = ("setFree", dataset.id, class_, not each.free)
        if each.closed:
            self.refused("DatasetIdentityChangedHands", who, *call)
            return
        self.send(who, *call)
        dataset.settle(class_, who).free = not each.free

    # ------------------------------------------------------------------------ money

    @rule(index=sets, amount=payments)
    def fund(self, index: int, amount: int) -> None:
        dataset = self.datasets[index]
        if not any(dataset.weight(class_) and dataset.shares[class_] for class_ in CLASSES):
            self.refused("DatasetHasNoContributors", FUNDER, "fund", dataset.id, amount)
            return
        self.send(FUNDER, "fund", dataset.id, amount)
        dataset.share(amount)

    @rule(index=sets, class_=st.sampled_from(CLASSES), data=st.data())
    def claim(self, index: int, class_: int, data: Any) -> None:
        dataset = self.datasets[index]
        who = data.draw(st.sampled_from(CONTRIBUTORS[class_]))
        call = ("claim", dataset.id, class_)
        due = self.stage.due(dataset.id, class_, who)
        if dataset.accounts[class_, who].closed:
            self.refused("DatasetIdentityChangedHands", who, *call)
        elif due == 0:
            self.refused("DatasetNothingDue", who, *call)
        else:
            self.paid(dataset, class_, who, who, due, *call)

    @rule(index=sets, class_=st.sampled_from(CLASSES), data=st.data())
    def claim_for(self, index: int, class_: int, data: Any) -> None:
        """The owner of the beneficiary's identity collects; a new one closes the account."""
        dataset = self.datasets[index]
        who = data.draw(st.sampled_from(CONTRIBUTORS[class_]))
        owner, each = self.owners.get(who, who), dataset.accounts[class_, who]
        call = ("claimFor", dataset.id, class_, who, owner)
        due = self.stage.due(dataset.id, class_, who)
        closes = owner != who and not each.closed
        if due == 0 and not closes:
            self.refused("DatasetNothingDue", owner, *call)
            return
        self.paid(dataset, class_, who, owner, due, *call)
        each.closed = each.closed or closes

    def paid(
        self, dataset: Dataset, class_: int, beneficiary: str, to: str, due: int, *call: Any
    ) -> None:
        before = self.stage.balance(to)
        self.send(to, *call)
        assert self.stage.balance(to) - before == due
        dataset.settle(class_, beneficiary).claimed += due

    @rule(who=st.sampled_from([*PATIENTS, *CUSTODIANS]))
    def change_hands(self, who: str) -> None:
        """An identity gets a new owner, as after a recovery."""
        if who in self.owners:
            return
        self.owners[who] = account(f"new owner of {who}")
        self.stage.chain.send(who, self.stage.identities, "changeOwner", who, self.owners[who])

    # ------------------------------------------------------------------------ what always holds

    @invariant()
    def money_adds_up(self) -> None:
        for dataset in self.datasets:
            dues = self.dues(dataset)
            claimed = sum(each.claimed for each in dataset.accounts.values())
            balance = self.stage.balance(dataset.vault)
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
            totals = self.stage.chain.call_all(
                [(registry, "weightOf", (dataset.id, class_)) for class_ in CLASSES]
            )
            assert totals == [dataset.weight(class_) for class_ in CLASSES]
            answers = self.stage.chain.call_all(
                [(registry, "contributorOf", (dataset.id, *key)) for key in keys]
            ) if keys else []  # fmt: skip
            for key, (weight, _, free) in zip(keys, answers, strict=True):
                counted = sum(
                    amount
                    for (class_, _, beneficiary), amount in dataset.counted.items()
                    if (class_, beneficiary) == key
                )
                assert weight == counted == dataset.accounts[key].weight
                assert free == dataset.accounts[key].free

    def dues(self, dataset: Dataset) -> dict[tuple[int, str], int]:
        keys = [(class_, who) for class_ in CLASSES for who in CONTRIBUTORS[class_]]
        answers = self.stage.chain.call_all(
            [(self.stage.datasets, "contributorOf", (dataset.id, *key)) for key in keys]
        )
        return {key: due for key, (_, due, _) in zip(keys, answers, strict=True)}

    def send(self, sender: str, function: str, *arguments: Any) -> None:
        self.stage.chain.send(sender, self.stage.datasets, function, *arguments)

    def refused(self, error: str, sender: str, function: str, *arguments: Any) -> None:
        with refused(error):
            self.send(sender, function, *arguments)


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


@pytest.mark.parametrize(
    "examples", [25, pytest.param(500, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)])]
)
def test_nobody_gets_more_than_its_share(stage: Stage, examples: int) -> None:
    machine = type("DatasetMoneyOnChain", (DatasetMoney,), {"stage": stage})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            print_blob=True,
            suppress_health_check=HealthCheck.all(),
        ),
    )

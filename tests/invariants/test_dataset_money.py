"""No order of contributing, funding, withdrawing and claiming gives anybody more than its share.

Two data sets run beside a model that shares every payment exactly, in fractions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
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
from tests.invariants.dataset_model import Dataset
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
sets = st.integers(0, 1)
weights = st.one_of(st.integers(1, 9), st.integers(1, 2**26))
payments = st.one_of(st.integers(1, 100), st.integers(1, 2**80))


class DatasetMoney(RuleBasedStateMachine):
    """Two data sets of one token, whose contributors come, earn and go."""

    stage: Stage
    done: Counter[str]
    """How often each function was carried out, over all examples."""

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
        """Two data sets with a contributor or two in each class, and some money."""
        for shares, weight_rule in (
            ((5_000, 2_000, 2_000, 1_000), PER_INSTANCE),
            ((3_333, 6_667, 0, 0), SCORED),
        ):
            dataset = self.stage.create(shares=shares, rule=weight_rule)
            self.datasets.append(Dataset(dataset, self.stage.vault(dataset), shares, weight_rule))
        for index in range(len(self.datasets)):
            for patient, custodian in zip(PATIENTS, CUSTODIANS, strict=False):
                for class_ in (DATA, CUSTODY):
                    self.contribute(index, patient, custodian, class_, 3)
            for worker in WORKERS:
                self.contribute_work(index, ANNOTATION, worker, 7, 0)
            self.fund(index, 1_000_003)

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
        sender = RESEARCHER_ALICE if score else image_set.patient
        call = ("contribute", dataset.id, class_, image_set, score)
        if not self.consented[image_set.patient]:
            refusal = "ConsentRevoked"
        elif key in dataset.counted or key in dataset.withdrawn:
            refusal = "DatasetAlreadyContributed"
        else:
            refusal = ""
        if refusal:
            self.refused(refusal, sender, *call)
            return
        self.send(sender, *call)
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
    @rule(
        index=sets,
        data=st.data(),
        class_=st.sampled_from([DATA, CUSTODY]),
        revoked=st.booleans(),
        who=st.sampled_from(["patient", "owner", "passer-by"]),
    )
    def withdraw_unconsented(
        self, index: int, data: Any, class_: int, revoked: bool, who: str
    ) -> None:
        """A passer-by finds out whether the consent is gone; the patient need not wait for it."""
        dataset = self.datasets[index]
        image_set = data.draw(st.sampled_from(self.image_sets))
        patient = image_set.patient
        if revoked and self.consented[patient]:
            self.change_consent(patient)
        owner = self.owners.get(patient, patient)
        actor = {"patient": patient, "owner": owner, "passer-by": account("passer-by")}[who]
        beneficiary = patient if class_ == DATA else image_set.custodian
        key = (class_, self.stage.image_id(image_set), beneficiary)
        call = ("withdrawUnconsented", dataset.id, class_, image_set)
        if actor != owner and self.consented[patient]:
            self.refused("DatasetStillConsented", actor, *call)
        elif actor == beneficiary and dataset.accounts[class_, beneficiary].closed:
            self.refused("DatasetIdentityChangedHands", actor, *call)
        elif key not in dataset.counted:
            self.refused("DatasetNotContributed", actor, *call)
        else:
            self.send(actor, *call)
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
            terms = (0, 2**32 - 1, 1 << 2, 0, bytes(13))
            stage.chain.send(owner, stage.consents, "grant", patient, UNIVERSITY, EVERYTHING, terms)
        self.consented[patient] = not self.consented[patient]

    @rule(index=sets, class_=st.sampled_from(CLASSES), data=st.data())
    def change_free(self, index: int, class_: int, data: Any) -> None:
        dataset = self.datasets[index]
        who = data.draw(st.sampled_from(CONTRIBUTORS[class_]))
        each = dataset.accounts[class_, who]
        owner = self.owners.get(who, who)
        call = ("setFree", dataset.id, class_, who, not each.free)
        if owner != who:
            self.refused("DatasetNotAuthorized", who, *call)
        self.send(owner, *call)
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

    @rule(index=sets, data=st.data())
    def claim(self, index: int, data: Any) -> None:
        dataset = self.datasets[index]
        class_, who, due = self.claimant(dataset, data)
        call = ("claim", dataset.id, class_)
        if dataset.accounts[class_, who].closed:
            self.refused("DatasetIdentityChangedHands", who, *call)
        elif due == 0:
            self.refused("DatasetNothingDue", who, *call)
        else:
            self.paid(dataset, class_, who, who, due, *call)

    @rule(index=sets, data=st.data())
    def claim_for(self, index: int, data: Any) -> None:
        """The owner of the beneficiary's identity collects; a new one closes the account."""
        dataset = self.datasets[index]
        self.collect(dataset, *self.claimant(dataset, data))

    def collect(self, dataset: Dataset, class_: int, who: str, due: int) -> None:
        owner, each = self.owners.get(who, who), dataset.accounts[class_, who]
        call = ("claimFor", dataset.id, class_, who, owner)
        closes = owner != who and not each.closed
        if due == 0 and not closes:
            self.refused("DatasetNothingDue", owner, *call)
            return
        self.paid(dataset, class_, who, owner, due, *call)
        each.closed = each.closed or closes

    def claimant(self, dataset: Dataset, data: Any) -> tuple[int, str, int]:
        """Somebody to whom something is due, or anybody."""
        dues = self.dues(dataset)
        earners = [key for key, due in dues.items() if due]
        keys = st.sampled_from(list(dues))
        key = data.draw(st.sampled_from(earners) | keys if earners else keys)
        return (*key, dues[key])

    def paid(
        self, dataset: Dataset, class_: int, beneficiary: str, to: str, due: int, *call: Any
    ) -> None:
        before = self.stage.balance(to)
        self.send(to, *call)
        assert self.stage.balance(to) - before == due
        dataset.settle(class_, beneficiary).claimed += due

    @rule(patient=st.sampled_from(PATIENTS), collects=st.booleans())
    def change_hands(self, patient: str, collects: bool) -> None:
        """An identity gets a new owner, as after a recovery, who may collect at once."""
        if patient in self.owners:
            return
        self.owners[patient] = owner = account(f"new owner of {patient}")
        self.stage.chain.send(patient, self.stage.identities, "changeOwner", patient, owner)
        if collects:
            for dataset in self.datasets:
                self.collect(dataset, DATA, patient, self.stage.due(dataset.id, DATA, patient))

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
        self.done[function] += 1

    def refused(self, error: str, sender: str, function: str, *arguments: Any) -> None:
        with refused(error):
            self.stage.chain.send(sender, self.stage.datasets, function, *arguments)


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


FUNCTIONS = {
    "contribute", "contributeWork", "withdraw", "withdrawUnconsented", "setFree", "fund", "claim",
    "claimFor",
}  # fmt: skip


@pytest.mark.parametrize(
    ("examples", "the_same_each_time"),
    [
        (60, True),
        pytest.param(1_000, False, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)]),
    ],
)
def test_nobody_gets_more_than_its_share(
    stage: Stage, examples: int, the_same_each_time: bool
) -> None:
    done: Counter[str] = Counter()
    run_state_machine_as_test(
        type("DatasetMoneyOnChain", (DatasetMoney,), {"stage": stage, "done": done}),
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
    assert {function for function, times in done.items() if times >= 10} == FUNCTIONS

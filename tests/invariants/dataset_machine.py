"""What people do with data sets on a chain, beside a model of it.

One data set has a token that refuses to pay when it likes; one custodian invents image sets of a
patient of its own, as large as they can be; weights and payments come near all their limits.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.anvil import account, digest
from tests.invariants.dataset_model import MOST, MOST_WEIGHT, Contribution, Dataset
from tests.invariants.dataset_steps import (
    CONTRIBUTORS,
    CROOK,
    CUSTODIANS,
    PATIENTS,
    SYBIL,
    WORKERS,
    DatasetSteps,
)
from tests.research_stage import (
    ANNOTATION,
    CLASSES,
    COUNTED,
    CUSTODY,
    DATA,
    DEVELOPMENT,
    EVERYTHING,
    FUNDER,
    MOST_INSTANCES,
    PER_INSTANCE,
    RESEARCHER_ALICE,
    SCORED,
    SUSPENDED,
    UNIVERSITY,
    WITHDRAWN,
    ImageSet,
)

PAYS, REVERTS = 0, 4
"""What the hostile token answers to a transfer."""
MONTH = 30 * 24 * 3600
NEVER = 2**40 - 1
sets = st.integers(0, 2)
weights = st.one_of(st.integers(1, 9), st.integers(1, 2**26), st.integers(2**32 - 9, MOST_WEIGHT))
mostly = st.sampled_from([True, True, True, False])
payments = st.one_of(st.integers(1, 100), st.integers(1, 2**80), st.integers(MOST - 9, MOST))


class DatasetMachine(DatasetSteps):
    """Three data sets, whose contributors come, earn and go."""

    @initialize()
    def create(self) -> None:
        """Data sets with a contributor or two in each class, and some money."""
        for token, shares, weight_rule in (
            (self.stage.token, (5_000, 2_000, 2_000, 1_000), PER_INSTANCE),
            (self.stage.token, (3_333, 6_667, 0, 0), SCORED),
            (self.hostile, (5_000, 2_000, 3_000, 0), SCORED),
        ):
            id_ = self.stage.create(token, shares=shares, rule=weight_rule)
            vault = self.stage.vault(id_)
            self.datasets.append(Dataset(id_, token, vault, shares, weight_rule))
        for index in range(len(self.datasets)):
            for patient, custodian in zip(PATIENTS[:2], CUSTODIANS[:2], strict=True):
                self.contribute(index, patient, custodian, 3)
            for worker in WORKERS:
                self.contribute_work(index, ANNOTATION, worker, 7, 0)
            self.fund(index, 1_000_003)

    @rule(
        index=sets, patient=st.sampled_from(PATIENTS), custodian=st.sampled_from(CUSTODIANS),
        weight=weights,
    )  # fmt: skip
    def contribute(self, index: int, patient: str, custodian: str, weight: int) -> None:
        image_set = self.stage.image_set(patient, custodian)
        self.stage.anchor(image_set, weight)
        self.image_sets.append((image_set, weight))
        self.add(self.datasets[index], image_set, weight, weight)

    @rule(index=sets, data=st.data(), weight=weights)
    def contribute_again(self, index: int, data: Any, weight: int) -> None:
        """The same image set to another data set, or once more."""
        image_set, instances = data.draw(st.sampled_from(self.image_sets))
        self.add(self.datasets[index], image_set, instances, weight)

    def add(self, dataset: Dataset, image_set: ImageSet, instances: int, score: int) -> None:
        """A curator accepts an image set, with the weight that the terms give it."""
        weight = score if dataset.rule == SCORED else min(instances, MOST_INSTANCES)
        image = self.stage.image_id(image_set)
        earners = {DATA: image_set.patient, CUSTODY: image_set.custodian}
        contribution = Contribution(weight, earners, image_set)
        call = ("contribute", dataset.id, image_set, weight)
        if not self.consented[image_set.patient]:
            self.refused("ConsentNotPermittedRevoked", RESEARCHER_ALICE, *call)
        elif image in dataset.contributions:
            self.refused("DatasetAlreadyContributed", RESEARCHER_ALICE, *call)
        elif self.enters(dataset, contribution, RESEARCHER_ALICE, *call):
            dataset.contributions[image] = contribution

    @rule(index=sets, who=st.sampled_from([SYBIL, CROOK]), lie=st.integers(2**32 - 3, MOST_WEIGHT))
    def contribute_alone(self, index: int, who: str, lie: int) -> None:
        """A custodian invents images of its own patient; no curator has accepted them."""
        image_set, dataset = self.stage.image_set(SYBIL, CROOK), self.datasets[index]
        self.stage.anchor(image_set, lie)
        self.image_sets.append((image_set, lie))
        call = (dataset.id, image_set, lie)
        refusal = "ParticipantNotAccredited" if who == SYBIL else "ParticipantLacksRole"
        self.refused(refusal, who, "contribute", *call)
        for signer in (RESEARCHER_ALICE, who):
            forged = (signer, NEVER, digest("r") + digest("s")[:31] + b"\x1b\x1c")
            self.refused("DatasetBadSignature", who, "contributeAccepted", *call, forged)

    @rule(
        index=sets, class_=st.sampled_from([ANNOTATION, DEVELOPMENT]),
        worker=st.sampled_from(WORKERS), score=weights, name=st.integers(0, 5),
    )  # fmt: skip
    def contribute_work(self, index: int, class_: int, worker: str, score: int, name: int) -> None:
        dataset, work = self.datasets[index], digest(f"work {name}")
        key = (class_, work, worker)
        call = (RESEARCHER_ALICE, "contributeWork", dataset.id, class_, worker, work, score)
        contribution = Contribution(score, {class_: worker})
        if key in dataset.contributions:
            self.refused("DatasetAlreadyContributed", *call)
        elif self.enters(dataset, contribution, *call):
            dataset.contributions[key] = contribution

    @rule(index=sets, data=st.data())
    def withdraw_work(self, index: int, data: Any) -> None:
        dataset = self.datasets[index]
        works = [key for key, each in dataset.contributions.items() if each.image_set is None]
        class_, work, worker = key = data.draw(st.sampled_from(works))
        contribution = dataset.contributions[key]
        call = (worker, "withdrawWork", dataset.id, class_, work)
        if contribution.state != COUNTED:
            self.refused("DatasetNotContributed", *call)
            return
        dues = self.dues(dataset)
        self.send(*call)
        dataset.lapse(contribution, dues)
        contribution.state = WITHDRAWN

    @rule(
        index=sets, data=st.data(), who=st.sampled_from(["patient", "owner", "custodian", "other"])
    )
    def withdraw(self, index: int, data: Any, who: str) -> None:
        """Whatever the token did, no contributor who may leave is refused."""
        dataset = self.datasets[index]
        image_set, contribution = self.some_image_set(dataset, data)
        patient, custodian = image_set.patient, image_set.custodian
        owner = self.owners.get(patient, patient)
        actor = {"patient": patient, "owner": owner, "custodian": custodian}.get(who, FUNDER)
        call = (actor, "withdraw", dataset.id, image_set)
        if contribution is None or contribution.state == WITHDRAWN:
            self.refused("DatasetNotContributed", *call)
        elif actor not in (owner, custodian):
            self.refused("DatasetNotAuthorized", *call)
        elif actor == custodian and CUSTODY not in contribution.earners:
            self.refused("DatasetNotContributed", *call)
        else:
            dues = self.dues(dataset)
            self.send(*call)
            if actor == custodian:
                dataset.lapse_custody(contribution, dues)
                return
            if contribution.state == COUNTED:
                dataset.lapse(contribution, dues)
            contribution.state, contribution.suspended_in = WITHDRAWN, 0

    @rule(index=sets, data=st.data(), revoked=mostly, renewed=st.booleans())
    def suspend(self, index: int, data: Any, revoked: bool, renewed: bool) -> None:
        """Consent lapses, perhaps for a moment only."""
        dataset = self.datasets[index]
        image_set, contribution = self.some_image_set(dataset, data)
        if revoked and self.consented[image_set.patient]:
            self.change_consent(image_set.patient)
        call = (account("passer-by"), "suspend", dataset.id, image_set)
        if self.consented[image_set.patient]:
            self.refused("DatasetStillConsented", *call)
        elif contribution is None or contribution.state != COUNTED:
            self.refused("DatasetNotContributed", *call)
        else:
            dues = self.dues(dataset)
            self.send(*call)
            dataset.lapse(contribution, dues)
            contribution.state, contribution.suspended_in = SUSPENDED, self.month
        if renewed:
            self.resume_image_set(dataset, image_set, contribution)

    @rule(index=sets, data=st.data())
    def resume(self, index: int, data: Any) -> None:
        dataset = self.datasets[index]
        self.resume_image_set(dataset, *self.some_image_set(dataset, data, state=SUSPENDED))

    def resume_image_set(
        self, dataset: Dataset, image_set: ImageSet, contribution: Contribution | None
    ) -> None:
        call = (account("passer-by"), "resume", dataset.id, image_set)
        if not self.consented[image_set.patient]:
            self.refused("ConsentNotPermittedRevoked", *call)
            self.change_consent(image_set.patient)
        if contribution is None or contribution.state != SUSPENDED:
            self.refused("DatasetNotSuspended", *call)
        elif self.enters(dataset, contribution, *call):
            contribution.suspended_in = 0

    def some_image_set(
        self, dataset: Dataset, data: Any, state: int = COUNTED
    ) -> tuple[ImageSet, Contribution | None]:
        """One that has this state there, or any."""
        all_ = dataset.contributions.values()
        there = [each.image_set for each in all_ if each.image_set and each.state == state]
        known = [image_set for image_set, _ in self.image_sets]
        image_set = data.draw(st.sampled_from(there if there and data.draw(mostly) else known))
        return image_set, dataset.contributions.get(self.stage.image_id(image_set))

    @rule()
    def month_passes(self) -> None:
        """A contribution that was suspended for so long is withdrawn without a call."""
        self.stage.chain.travel(MONTH)
        self.month += 1
        for dataset in self.datasets:
            dataset.expire(self.month)

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
        each, owner = dataset.accounts[class_, who], self.owners.get(who, who)
        call = ("setFree", dataset.id, class_, who, not each.free)
        if owner != who:
            self.refused("DatasetNotAuthorized", who, *call)
        dues = self.dues(dataset)
        self.send(owner, *call)
        dataset.cap(class_, who, dues[class_, who]).free = not each.free

    # ------------------------------------------------------------------------ money

    @rule(refuses=st.booleans())
    def change_token(self, refuses: bool) -> None:
        """The hostile token refuses every transfer, or none."""
        answer = REVERTS if refuses else PAYS
        self.stage.chain.send(FUNDER, self.hostile, "setAnswer", answer)
        self.refuses_to_pay = refuses
        if refuses:
            self.fund(len(self.datasets) - 1, 1)

    @rule(index=sets, amount=payments)
    def fund(self, index: int, amount: int) -> None:
        dataset = self.datasets[index]
        call = (FUNDER, "fund", dataset.id, amount, dataset.weights())
        if self.stuck(dataset):
            self.refused("TransferRefused", *call)
        elif not dataset.present():
            self.refused("DatasetHasNoContributors", *call)
        elif not dataset.fits(amount):
            self.refused("SafeCastOverflowedUintDowncast", *call)
        else:
            self.send(*call)
            dataset.share(amount)

    @rule(index=sets, class_=st.sampled_from([DATA, CUSTODY]), other=weights)
    def fund_what_is_not_there(self, index: int, class_: int, other: int) -> None:
        """The funder saw another weight than there is now."""
        dataset = self.datasets[index]
        seen = dataset.weights()
        if seen[class_] == other or self.stuck(dataset):
            return
        seen[class_] = other
        self.refused("DatasetWeightsChanged", FUNDER, "fund", dataset.id, 1_000, seen)

    @rule(index=sets, data=st.data())
    def claim(self, index: int, data: Any) -> None:
        dataset = self.datasets[index]
        class_, who, due = self.claimant(dataset, data)
        call = ("claim", dataset.id, class_)
        if dataset.accounts[class_, who].closed:
            self.refused("DatasetIdentityChangedHands", who, *call)
        elif due == 0:
            self.refused("DatasetNothingDue", who, *call)
        elif self.stuck(dataset):
            self.refused("TransferRefused", who, *call)
        else:
            self.paid(dataset, class_, who, who, due, *call)

    @rule(index=sets, data=st.data())
    def claim_for(self, index: int, data: Any) -> None:
        dataset = self.datasets[index]
        self.collect(dataset, *self.claimant(dataset, data))

    def claimant(self, dataset: Dataset, data: Any) -> tuple[int, str, int]:
        """An account to which something is due, or any other."""
        dues = self.dues(dataset)
        earners = [key for key, due in dues.items() if due]
        keys = st.sampled_from(list(dues))
        key = data.draw(st.sampled_from(earners) | keys if earners else keys)
        return (*key, dues[key])

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

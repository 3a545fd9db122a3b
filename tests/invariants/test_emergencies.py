"""Emergencies and their reviews under any order of calls; a list of all of them is the model.

1. An emergency that was found unjustified permits nothing.
2. While a review of a clinician's is overdue, none of its emergencies permits more than an hour.
3. A clinician is never refused emergency access, unless the patient forbids it, and what a patient
   forbade or revoked permits nothing.
4. Conduct counts what a list of all emergencies counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.anvil import Chain, Contract, Reverted, digest, running_chain
from tests.invariants.consent_model import (  # fmt: skip
    ANA,
    BEN,
    CARE,
    CLINIC,
    DAY,
    DOCTOR,
    EMERGENCY,
    HOSPITAL,
    HOUR,
    IMAGES,
    MOST_OVERDUE,
    NO_DISEASE,
    NURSE,
    PATIENTS,
    PERMITTED,
    RESEARCHER,
    Terms,
    stage,
)

# The clinic is an institution that acts as a clinician itself.
CLINICIANS = {DOCTOR: HOSPITAL, NURSE: HOSPITAL, RESEARCHER: CLINIC, CLINIC: CLINIC}
REVIEWERS = (DOCTOR, NURSE, HOSPITAL, RESEARCHER, CLINIC)
IMAGE_OF = {ANA: IMAGES[0], BEN: IMAGES[3]}
USE = (CARE, 0, NO_DISEASE)


@dataclass
class Emergency:
    """An emergency as the model keeps it."""

    subject: str
    clinician: str
    since: int
    until: int
    outcome: int = 1
    ended: bool = False

    @property
    def due(self) -> int:
        """The end of the third UTC day after its own."""
        return (self.since // DAY + 4) * DAY


class EmergencyMachine(RuleBasedStateMachine):
    """Clinicians declare, colleagues review or do not, patients revoke and forbid, time passes."""

    def __init__(self, chain: Chain, contracts: dict[str, Contract]) -> None:
        super().__init__()
        self.chain, self.consents = chain, contracts["consents"]
        self.snapshot = chain.request("evm_snapshot")
        latest = chain.request("eth_getBlockByNumber", "latest", False)
        self.now = int(latest["timestamp"], 16)
        self.all: list[Emergency] = []
        self.forbid: set[str] = set()

    def teardown(self) -> None:
        assert self.chain.request("evm_revert", self.snapshot)

    def act(self, sender: str, function: str, *arguments: object) -> str | None:
        """Send a transaction a second later; return the name of the error that refused it."""
        self.now += 1
        self.chain.request("evm_setNextBlockTimestamp", self.now)
        try:
            self.chain.send(sender, self.consents, function, *arguments)
        except Reverted as refusal:
            return refusal.name
        return None

    def overdue(self, clinician: str) -> bool:
        return any(
            each.outcome == 1 and self.now >= each.due
            for each in self.all
            if each.clinician == clinician
        )

    # ------------------------------------------------------------------ rules

    @rule(
        subject=st.sampled_from(PATIENTS),
        clinician=st.sampled_from(sorted(CLINICIANS)),
        lasts=st.sampled_from([1, HOUR, HOUR + 1, 6 * HOUR, DAY]),
    )
    def declare(self, subject: str, clinician: str, lasts: int) -> None:
        found = self.act(clinician, "breakGlass", subject, lasts, digest("why"))
        assert found == ("EmergencyForbidden" if subject in self.forbid else None)
        if found is None:
            longest = HOUR if self.overdue(clinician) else DAY
            until = self.now + min(lasts, longest)
            self.all.append(Emergency(subject, clinician, self.now, until))

    @precondition(lambda self: self.all)
    @rule(data=st.data(), reviewer=st.sampled_from(REVIEWERS), justified=st.booleans())
    def review(self, data: st.DataObject, reviewer: str, justified: bool) -> None:
        emergency = data.draw(st.sampled_from(self.all))
        which = (emergency.subject, emergency.clinician, emergency.since)
        found = self.act(reviewer, "review", *which, justified, digest("found"))
        clinician = emergency.clinician
        if emergency.outcome != 1:
            assert found == "EmergencyAlreadyReviewed"
        elif reviewer == clinician or CLINICIANS.get(reviewer, reviewer) != CLINICIANS[clinician]:
            assert found == "EmergencyReviewerInvalid"
        else:
            assert found is None
            emergency.outcome = 2 if justified else 3
            emergency.ended |= not justified

    @precondition(lambda self: self.all)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        emergency = data.draw(st.sampled_from(self.all))
        which = (emergency.subject, emergency.clinician)
        latest = self.latest(*which)
        found = self.act(emergency.subject, "revoke", *which, EMERGENCY)
        assert found == ("ConsentNothingToRevoke" if latest.ended else None)
        latest.ended = True

    @rule(subject=st.sampled_from(PATIENTS), forbidden=st.booleans())
    def forbid_or_allow(self, subject: str, forbidden: bool) -> None:
        assert self.act(subject, "forbidEmergencies", subject, forbidden) is None
        if not forbidden:
            self.forbid.discard(subject)
            return
        self.forbid.add(subject)
        self.withdraw_all(subject)

    @rule(subject=st.sampled_from(PATIENTS))
    def revoke_all(self, subject: str) -> None:
        assert self.act(subject, "revokeAll", subject) is None
        self.withdraw_all(subject)

    @rule(requester=st.sampled_from(sorted(CLINICIANS)), scope=st.integers(1, 2**64))
    def request(self, requester: str, scope: int) -> None:
        institution = CLINICIANS[requester]
        late = sum(
            each.outcome == 1 and self.now + 1 >= each.due
            for each in self.all
            if CLINICIANS[each.clinician] == institution
        )
        terms = Terms(self.now, self.now + DAY, CARE, 0, NO_DISEASE)
        asked = (ANA, requester, digest(f"{scope} {self.now}"), terms)
        found = self.act(requester, "request", *asked)
        assert found == ("EmergencyReviewsOverdue" if late > MOST_OVERDUE else None)

    @rule(seconds=st.sampled_from([HOUR - 1, 6 * HOUR, DAY, 3 * DAY]))
    def time_passes(self, seconds: int) -> None:
        self.travel(self.now + seconds)

    @precondition(lambda self: any(each.outcome == 1 for each in self.all))
    @rule()
    def day_ends_a_while_after_a_declaration(self) -> None:
        """What a review that becomes overdue meets: emergency access in force, and old enough."""
        midnight = (self.now // DAY + 1) * DAY
        self.travel(max(self.now + 1, midnight - 2 * HOUR))
        self.declare(ANA, DOCTOR, DAY)
        self.travel(midnight)

    def travel(self, moment: int) -> None:
        self.now = moment
        self.chain.batch([("evm_setNextBlockTimestamp", [self.now]), ("evm_mine", [])])

    # ------------------------------------------------------------------ what always holds

    def latest(self, subject: str, clinician: str) -> Emergency:
        """The last emergency of a clinician with a subject, which there is."""
        found = [e for e in self.all if (e.subject, e.clinician) == (subject, clinician)]
        return found[-1]

    def withdraw_all(self, subject: str) -> None:
        """Nothing that was declared to a subject so far permits any more."""
        for each in self.all:
            if each.subject == subject:
                each.until = min(each.until, self.now)

    def permits(self, emergency: Emergency) -> bool:
        longest = HOUR if self.overdue(emergency.clinician) else DAY
        until = min(emergency.until, emergency.since + longest)
        return not emergency.ended and self.now < until

    @invariant()
    def permits_what_the_list_permits(self) -> None:
        pairs = list(product(PATIENTS, sorted(CLINICIANS)))
        calls = [(self.consents, "permitted", (who, IMAGE_OF[of], USE)) for of, who in pairs]
        for (subject, clinician), (reason, _) in zip(
            pairs, self.chain.call_all(calls), strict=True
        ):
            declared = [
                each for each in self.all if (each.subject, each.clinician) == (subject, clinician)
            ]
            expected = bool(declared) and self.permits(declared[-1])
            assert (reason == PERMITTED) == expected, (subject, clinician)
            if reason == PERMITTED:
                assert declared[-1].outcome != 3
                if self.overdue(clinician):
                    assert self.now - declared[-1].since < HOUR

    @invariant()
    def counts_what_the_list_counts(self) -> None:
        accounts = sorted({*CLINICIANS, *CLINICIANS.values()})
        calls = [(self.consents, "conductOf", (account,)) for account in accounts]
        for account, found in zip(accounts, self.chain.call_all(calls), strict=True):
            own = [each for each in self.all if each.clinician == account]
            members = [each for each in self.all if CLINICIANS[each.clinician] == account]
            assert found == (self.counts(own), self.counts(members)), account

    def counts(self, emergencies: list[Emergency]) -> tuple[int, ...]:
        waiting = [each for each in emergencies if each.outcome == 1]
        late = sum(self.now >= each.due for each in waiting)
        justified, unjustified = (
            sum(each.outcome == outcome for each in emergencies) for outcome in (2, 3)
        )
        return len(emergencies), justified, unjustified, len(waiting) - late, late


def test_emergencies() -> None:
    with running_chain() as chain:
        contracts = stage(chain)
        run_state_machine_as_test(
            lambda: EmergencyMachine(chain, contracts),
            settings=settings(
                max_examples=30,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

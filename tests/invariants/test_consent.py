"""Consent under any order of calls: the chain agrees with a model, and four things always hold.

1. Any query whether an account may use an image set for a use gets the model's answer.
2. After a patient revoked everything, no other account is permitted any of it until a new grant.
3. What was signed is accepted once at most, and the time that a grant bears only grows.
4. Who may not act for a patient changes nothing of what it granted.
"""

from __future__ import annotations

from typing import Any

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

from tests.anvil import Chain, Contract, Reverted, digest, running_chain
from tests.invariants.consent_model import (  # fmt: skip
    ALL,
    CARE,
    CLINIC,
    CLINICIAN_ROLE,
    COURSE,
    DAY,
    DOCTOR,
    DS,
    EMERGENCY,
    GOVERNOR,
    GRANTEES,
    GRU,
    HMB,
    HOSPITAL,
    HOUR,
    IDS,
    IMAGES,
    KEYS,
    METHODS,
    NCU,
    NMDS,
    NO_DISEASE,
    NPOA,
    NPU,
    NRES,
    NURSE,
    PARENT,
    PATIENTS,
    PERMITTED,
    POA,
    QUESTIONS,
    RESEARCHER,
    TEACHING,
    THIEF,
    VISIT,
    Model,
    Terms,
    X,
    Y,
    expanded,
    questions,
    stage,
)
from tests.invariants.consent_signing import Signed, sign

patients = st.sampled_from(PATIENTS)
grantees = st.sampled_from(GRANTEES)
scopes = st.sampled_from([ALL, ALL, VISIT, COURSE, digest("first")])
"""`digest("first")` stands for the id of Ana's first image set."""
terms = st.builds(
    Terms,
    st.sampled_from([0, 0, 0, HOUR, DAY]),
    st.sampled_from([2 * HOUR, 2 * DAY, 300 * DAY, 300 * DAY]),
    st.sampled_from([CARE, DS, HMB, GRU, NRES, POA | CARE, TEACHING | METHODS, CARE | DS]),
    st.sampled_from([0, 0, NPU, NPU | NCU, NMDS, NPOA, NMDS | NPOA | NCU]),
    st.sampled_from([X, Y]),
)
functions = st.sampled_from(["grant", "grant", "grant", "revoke", "revokeAll"])


class ConsentMachine(RuleBasedStateMachine):
    """Calls by anyone, for anyone; the model says beforehand which are refused, and why."""

    def __init__(
        self, chain: Chain, contracts: dict[str, Contract], requests: list[tuple[str, list[Any]]]
    ) -> None:
        super().__init__()
        self.chain, self.contracts, self.requests = chain, contracts, requests
        self.steps = 0
        self.consents = contracts["consents"]
        self.chain_id = int(chain.request("eth_chainId"), 16)
        self.snapshot = chain.request("evm_snapshot")
        latest = chain.request("eth_getBlockByNumber", "latest", False)
        self.now = int(latest["timestamp"], 16)
        self.model = Model()
        self.kept: list[Signed] = []
        self.accepted: set[bytes] = set()
        self.times: dict[tuple[str, str, bytes], int] = {}

    def teardown(self) -> None:
        assert self.chain.request("evm_revert", self.snapshot)

    # ------------------------------------------------------------------ acting and predicting

    def act(self, sender: str, contract: str, function: str, *arguments: Any) -> str | None:
        """Send a transaction a second later; return the name of the error that refused it."""
        self.chain.request("evm_setNextBlockTimestamp", self.now + 1)
        try:
            self.chain.send(sender, self.contracts[contract], function, *arguments)
        except Reverted as refusal:
            return refusal.name
        finally:
            latest = self.chain.request("eth_getBlockByNumber", "latest", False)
            self.now = int(latest["timestamp"], 16)
        return None

    def change(
        self, patient: str, function: str, arguments: tuple[Any, ...], signed: int | None = None
    ) -> str | None:
        """Have the model make a change by an entitled account; return the error that refuses it."""
        signed = self.now + 1 if signed is None else signed
        if function == "revokeAll":
            self.model.revoke_all(patient, signed)
            if signed > self.now:  # what is older leaves what was granted long after it
                self.model.empty.add(patient)
            return None
        key = (patient, *arguments[1:3])
        if function == "revoke":
            self.model.revoke(key, signed)
            return None
        given = Terms(*arguments[3])
        if given.until <= self.now + 1:
            return "ConsentPeriodInvalid"
        if expanded(given.purposes, given.conditions) == 0:
            return "ConsentPurposesInvalid"
        self.model.write(key, given, signed)
        self.model.empty.discard(patient)
        return None

    def stated(self, given: Terms) -> Terms:
        """Drawn terms, which say when and how long, as they are granted now."""
        purposes = expanded(given.purposes, given.conditions)
        limited = purposes & DS and not purposes & HMB
        return given._replace(
            from_=self.now + given.from_,
            until=self.now + given.from_ + given.until,
            disease=given.disease if limited else NO_DISEASE,
        )

    def sign(self, patient: str, key: str, function: str, arguments: tuple[Any, ...]) -> Signed:
        """Sign a change by a clock that is right, over what stands on chain."""
        basis = self.model.signed((patient, *arguments[1:3])), self.model.epochs[patient]
        return sign(self.consents, self.chain_id, key, function, arguments, basis, self.now)

    def submit(self, signed: Signed) -> None:
        function, patient, arguments, basis, authorization = signed
        key, time, deadline, signature = authorization
        if self.now + 1 > deadline:
            expected: str | None = "ConsentSignatureExpired"
        elif key not in self.model.agents[patient]:
            expected = "ConsentNotAuthorized"
        elif (expected := self.refusal(signed)) is None:
            expected = self.change(patient, function, arguments, time)
        parts = {"grant": (basis,), "revoke": (), "revokeAll": basis[1:]}[function]
        found = self.act(THIEF, "consents", f"{function}BySig", *arguments, *parts, authorization)
        assert found == expected, signed
        if found is None:
            assert signature not in self.accepted
            self.accepted.add(signature)

    def refusal(self, signed: Signed) -> str | None:
        """The error that refuses what was signed for what prevails over it."""
        function, patient, arguments, basis, (_, time, *_) = signed
        if function == "revokeAll":
            return self.model.refusal_of_all(patient, time, basis[1])
        key = (patient, *arguments[1:3])
        if function == "revoke":
            return self.model.refusal_of_revocation(key, time)
        return self.model.refusal_of_grant(key, time, basis)

    def arguments(
        self, function: str, patient: str, grantee: str, scope: bytes, given: Terms
    ) -> tuple[Any, ...]:
        """The arguments of a change, out of what was drawn."""
        scope = IDS[IMAGES[0]] if scope == digest("first") else scope
        return {
            "grant": (patient, grantee, scope, self.stated(given)),
            "revoke": (patient, grantee, scope),
            "revokeAll": (patient,),
        }[function]

    # ------------------------------------------------------------------ rules

    @initialize(drawn=st.lists(st.tuples(patients, grantees, scopes, terms), min_size=3))
    def some_grants(self, drawn: list[tuple[str, str, bytes, Terms]]) -> None:
        for each in drawn:
            self.grant(*each)

    @rule(patient=patients, grantee=grantees, scope=scopes, given=terms)
    def grants(self, patient: str, grantee: str, scope: bytes, given: Terms) -> None:
        self.grant(patient, grantee, scope, given)

    def grant(self, patient: str, grantee: str, scope: bytes, given: Terms) -> None:
        arguments = self.arguments("grant", patient, grantee, scope, given)
        expected = self.change(patient, "grant", arguments)
        assert self.act(patient, "consents", "grant", *arguments) == expected

    @precondition(lambda self: self.model.grants)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.grants)))
        if key[2] == EMERGENCY:
            # It ends, once; its time stays that of its declaration.
            emergency = self.model.grants[key]
            expected = "ConsentNothingToRevoke" if emergency.revoked else None
            emergency.revoked = True
        else:
            expected = self.change(key[0], "revoke", key)
        assert self.act(key[0], "consents", "revoke", *key) == expected

    @rule(patient=patients)
    def revoke_all(self, patient: str) -> None:
        self.change(patient, "revokeAll", (patient,))
        assert self.act(patient, "consents", "revokeAll", patient) is None

    @rule(
        patient=patients,
        who=st.sampled_from(["the patient"] * 5 + [PARENT, THIEF]),
        function=functions,
        grantee=grantees,
        scope=scopes,
        given=terms,
        at_once=st.booleans(),
    )
    def signs(
        self,
        patient: str,
        who: str,
        function: str,
        grantee: str,
        scope: bytes,
        given: Terms,
        at_once: bool,
    ) -> None:
        """Anyone signs anything; it is submitted now, later, or both."""
        arguments = self.arguments(function, patient, grantee, scope, given)
        signed = self.sign(patient, who if who in KEYS else patient, function, arguments)
        self.kept.append(signed)
        if at_once:
            self.submit(signed)

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def submit_what_was_kept(self, data: st.DataObject) -> None:
        self.submit(data.draw(st.sampled_from(self.kept)))

    @rule(patient=patients, clinician=st.sampled_from([DOCTOR, NURSE, RESEARCHER, HOSPITAL, THIEF]))
    def break_glass(self, patient: str, clinician: str) -> None:
        institution = self.model.institution(clinician)
        # An hour is what each may last, reviewed or not; test_emergencies.py has the rest.
        found = self.act(clinician, "consents", "breakGlass", patient, HOUR, digest("why"))
        if institution is None:
            assert found == "ParticipantNotAccredited"
        elif self.model.suspended & {clinician, institution}:
            assert found == "ParticipantIsSuspended"
        else:
            assert found is None
            given = Terms(self.now, self.now + HOUR, CARE, 0, NO_DISEASE)
            key = (patient, clinician, EMERGENCY)
            self.model.write(key, given, self.now)
            self.model.emergencies[patient, clinician] = institution
            self.model.empty.discard(patient)

    @rule(function=functions, patient=patients, grantee=grantees, scope=scopes, given=terms)
    def thief_acts(
        self, function: str, patient: str, grantee: str, scope: bytes, given: Terms
    ) -> None:
        arguments = self.arguments(function, patient, grantee, scope, given)
        before = self.stored()
        assert self.act(THIEF, "consents", function, *arguments) == "ConsentNotAuthorized"
        assert self.stored() == before

    @rule(what=st.sampled_from(["parent", "parent", "suspension", "move"]), data=st.data())
    def others_change(self, what: str, data: st.DataObject) -> None:
        """What happens beside the consent registry, and counts there."""
        if what == "parent":
            self.appoint_or_dismiss_the_parent(data.draw(patients))
        elif what == "suspension":
            self.suspend_or_reinstate(data.draw(st.sampled_from([DOCTOR, RESEARCHER, HOSPITAL])))
        elif not (DOCTOR in self.model.members and DOCTOR in self.model.suspended):
            self.doctor_leaves_or_moves()

    def appoint_or_dismiss_the_parent(self, patient: str) -> None:
        kind = b"radledger.consent".ljust(32, b"\0")
        change: tuple[Any, ...] = ("revokeDelegate", patient, kind, PARENT)
        if PARENT not in self.model.agents[patient]:
            change = ("addDelegate", *change[1:], 10**6 * DAY)
        assert self.act(patient, "identities", *change) is None
        self.model.agents[patient] ^= {PARENT}

    def suspend_or_reinstate(self, who: str) -> None:
        if self.model.institution(who):
            function = "reinstate" if who in self.model.suspended else "suspend"
            assert self.act(GOVERNOR, "participants", function, who) is None
            self.model.suspended ^= {who}

    def doctor_leaves_or_moves(self) -> None:
        if institution := self.model.members.pop(DOCTOR, None):
            assert self.act(DOCTOR, "participants", "leaveInstitution") is None
            self.model.suspended |= {DOCTOR} if institution in self.model.suspended else set()
        else:
            self.model.suspended.discard(DOCTOR)
            assert self.act(CLINIC, "participants", "admit", DOCTOR, CLINICIAN_ROLE) is None
            self.model.members[DOCTOR] = CLINIC

    @rule(seconds=st.sampled_from([HOUR, 6 * HOUR, DAY, 200 * DAY]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.chain.batch([("evm_setNextBlockTimestamp", [self.now]), ("evm_mine", [])])

    # ------------------------------------------------------------------ what always holds

    def stored(self) -> list[Any]:
        """All that the registry keeps of the patients."""
        keys = sorted(self.model.grants)
        views = ("epochOf", "revokedAllAt")
        numbers = [(view, (patient,)) for view in views for patient in PATIENTS]
        return self.chain.call_all(
            [(self.consents, "grantOf", key) for key in keys]
            + [(self.consents, *number) for number in numbers]
        )

    @invariant()
    def every_answer_is_the_models(self) -> None:
        """A third of the questions after each step, in turn."""
        self.steps += 1
        asked = range(self.steps % 3, len(QUESTIONS), 3)
        answers = self.chain.batch([self.requests[number] for number in asked])
        for number, answer in zip(asked, answers, strict=True):
            reader, image, use = QUESTIONS[number]
            reason = int(answer[2:66], 16)
            assert reason == self.model.answer(reader, image, use, self.now), (reader, image, use)
            if image.patient in self.model.empty and reader != image.patient:
                assert reason != PERMITTED

    @invariant()
    def times_only_grow(self) -> None:
        keys = sorted(self.model.grants)
        views = [(self.consents, "grantOf", key) for key in keys]
        for key, grant in zip(keys, self.chain.call_all(views), strict=True):
            assert grant[2] == self.model.signed(key) >= self.times.get(key, 0)
            self.times[key] = grant[2]


def test_consent() -> None:
    with running_chain() as chain:
        contracts = stage(chain)
        requests = questions(contracts["consents"])
        run_state_machine_as_test(
            lambda: ConsentMachine(chain, contracts, requests),
            settings=settings(
                max_examples=30,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

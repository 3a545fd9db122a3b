"""Receipts, roots and demands in any order and at any time; lists of what happened are the model.

1. A root is the last one that was anchored while its day was open, whatever came later, until its
   slot is used again, 64 days later.
2. A receipt under that root is shown whenever it is demanded; one that is not, never, whatever
   proof is tried.
3. Who did not answer in time is seen not to have answered, for good.
4. What was acknowledged up to the day after a dismissal can be demanded; nothing else.
5. A log's checkpoint is the largest that was anchored, with the root that it had first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from radledger.access.bindings import TYPED_DATA
from radledger.chain.typed_data import Domain, typed_data
from radledger.crypto.merkle import MerkleTree
from tests.anvil import Chain, Contract, Reverted, account, digest, running_chain

DAY = 24 * 3600
RING, OPEN, DEMANDABLE, ANSWER = 64, 2, 56, 7 * DAY
PENDING, ANCHORED, MISSING, OVERWRITTEN = range(4)
FOREVER = 2**32 - 1
CUSTODIAN_ROLE = 1 << 1
GOVERNOR, HOSPITAL, CLINIC, HOLDER = map(account, ("governor", "hospital", "clinic", "holder"))
INSTITUTIONS = (HOSPITAL, CLINIC)
LOGS = [digest(f"log {number}") for number in range(2)]
KEYS = [Account.from_key(keccak(text=f"recorder {number}")) for number in range(3)]


@dataclass(frozen=True)
class Acknowledged:
    """A receipt that a key acknowledged for an institution and a day, its right to do so aside."""

    receipt: bytes
    institution: str
    day: int
    key: str
    words: tuple[bytes, bytes]

    @property
    def struct(self) -> tuple[bytes, str, int]:
        return self.receipt, self.institution, self.day


@dataclass
class Demand:
    """A demand as the model keeps it."""

    made: Acknowledged
    id: bytes
    due: int
    answered: bool = False


@dataclass
class Model:
    """What the ledger should hold."""

    last_days: dict[tuple[str, str], int] = field(default_factory=dict)
    roots: dict[tuple[str, int], tuple[list[bytes], MerkleTree]] = field(default_factory=dict)
    trees: list[tuple[list[bytes], MerkleTree]] = field(default_factory=list)
    demands: dict[tuple[bytes, str, int], Demand] = field(default_factory=dict)
    logs: dict[tuple[str, bytes], tuple[int, bytes]] = field(default_factory=dict)


class AccessMachine(RuleBasedStateMachine):
    """Institutions record honestly or not, holders demand, days and weeks pass."""

    def __init__(self, chain: Chain, ledger: Contract) -> None:
        super().__init__()
        self.chain, self.ledger = chain, ledger
        self.snapshot = chain.request("evm_snapshot")
        latest = chain.request("eth_getBlockByNumber", "latest", False)
        # Of one time of the day, so that an example is the same in each run.
        self.now = (int(latest["timestamp"], 16) // DAY + 1) * DAY
        self.domain = Domain(
            "RadLedger Access", "1", int(chain.request("eth_chainId"), 16), ledger.address
        )
        self.model = Model()
        self.acknowledged: list[Acknowledged] = []

    def teardown(self) -> None:
        assert self.chain.request("evm_revert", self.snapshot)

    @property
    def today(self) -> int:
        return self.now // DAY

    def act(self, sender: str, function: str, *arguments: object) -> str | None:
        """Send a transaction a second later; return the name of the error that refused it."""
        self.now += 1
        self.chain.request("evm_setNextBlockTimestamp", self.now)
        try:
            self.chain.send(sender, self.ledger, function, *arguments)
        except Reverted as refusal:
            return refusal.name
        return None

    # ------------------------------------------------------------------ rules

    @rule(institution=st.sampled_from(INSTITUTIONS), key=st.sampled_from(KEYS))
    def appoint(self, institution, key) -> None:
        pair = (institution, key.address)
        found = self.act(institution, "appoint", key.address)
        known = pair in self.model.last_days
        assert found == ("AccessRecorderAlreadyAppointed" if known else None)
        self.model.last_days.setdefault(pair, FOREVER)

    @rule(institution=st.sampled_from(INSTITUTIONS), key=st.sampled_from(KEYS))
    def dismiss(self, institution, key) -> None:
        pair = (institution, key.address)
        found = self.act(institution, "dismiss", key.address)
        if self.model.last_days.get(pair) == FOREVER:
            assert found is None
            self.model.last_days[pair] = self.today + 1
        else:
            assert found == "AccessRecorderNotAppointed"

    @rule(
        institution=st.sampled_from(INSTITUTIONS),
        key=st.sampled_from(KEYS),
        day=st.integers(-3, 2),
        again=st.booleans(),
    )
    def acknowledge(self, institution, key, day, again) -> None:
        number = len(self.acknowledged) - (1 if again and self.acknowledged else 0)
        receipt = digest(f"receipt {number}")
        message = {
            "receipt": "0x" + receipt.hex(),
            "institution": institution,
            "day": self.today + day,
        }
        data = typed_data(self.domain, "Acknowledgement", TYPED_DATA["Acknowledgement"], message)
        signed = key.sign_message(encode_typed_data(full_message=data))
        s = signed.s | (signed.v - 27) << 255
        words = (signed.r.to_bytes(32), s.to_bytes(32))
        made = Acknowledged(receipt, institution, self.today + day, key.address, words)
        self.acknowledged.append(made)

    @rule(
        institution=st.sampled_from(INSTITUTIONS),
        key=st.sampled_from(KEYS),
        day=st.integers(-4, 1),
        omits=st.booleans(),
    )
    def anchor(self, institution, key, day, omits) -> None:
        day = self.today + day
        receipts = sorted(
            {each.receipt for each in self.acknowledged if each.struct[1:] == (institution, day)}
        )
        receipts = [*receipts[: len(receipts) - omits], digest("another")]
        tree = MerkleTree(receipts)
        found = self.act(key.address, "anchorDay", institution, day, tree.root)
        if not day <= self.today <= day + OPEN:
            assert found == "AccessDayNotOpen"
        elif self.model.last_days.get((institution, key.address)) != FOREVER:
            assert found == "AccessRecorderNotAppointed"
        else:
            assert found is None
            self.model.roots[institution, day] = (receipts, tree)
            self.model.trees.append((receipts, tree))

    @rule(
        institution=st.sampled_from(INSTITUTIONS),
        key=st.sampled_from(KEYS),
        log=st.sampled_from(LOGS),
        more=st.sampled_from([-1, 0, 1, 300]),
        fork=st.booleans(),
    )
    def anchor_log(self, institution, key, log, more, fork) -> None:
        known, _ = self.model.logs.get((institution, log), (0, b""))
        size = max(0, known + more)
        root = digest(f"{institution} {size} {fork}")
        found = self.act(key.address, "anchorLog", institution, log, size, root)
        if self.model.last_days.get((institution, key.address)) != FOREVER:
            assert found == "AccessRecorderNotAppointed"
        elif size <= known:
            assert found == "AccessLogNotGrown"
        else:
            assert found is None
            self.model.logs[institution, log] = (size, root)
            found = self.act(key.address, "anchorLog", institution, log, size - 1, root)
            assert found == "AccessLogNotGrown"

    @rule(
        institution=st.sampled_from(INSTITUTIONS),
        key=st.sampled_from(KEYS),
        omits=st.booleans(),
        dismissed=st.booleans(),
        answered=st.booleans(),
    )
    def demand_a_reading_of_today(self, institution, key, omits, dismissed, answered) -> None:
        """What chance alone leads to too seldom."""
        self.appoint(institution, key)
        self.acknowledge(institution, key, 0, False)
        self.anchor(institution, key, 0, omits)
        if dismissed:
            self.dismiss(institution, key)
        self.wait(OPEN + 1, False)
        made = self.acknowledged[-1]
        self.demand_one(made)
        if answered and made.struct in self.model.demands:
            self.answer_one(self.model.demands[made.struct])

    @precondition(lambda self: self.acknowledged)
    @rule(data=st.data())
    def demand(self, data) -> None:
        self.demand_one(data.draw(st.sampled_from(self.acknowledged)))

    def demand_one(self, made: Acknowledged) -> None:
        found = self.act(HOLDER, "demand", made.struct, *made.words)
        lasts = self.model.last_days.get((made.institution, made.key), 0)
        if not made.day + OPEN < self.today <= made.day + DEMANDABLE:
            assert found == "AccessNotDemandable"
        elif lasts < made.day:
            assert found == "AccessNotAcknowledged"
        elif made.struct in self.model.demands:
            assert found == "AccessAlreadyDemanded"
        else:
            assert found is None
            id_ = self.chain.call(self.ledger, "demandIdOf", made.struct)
            self.model.demands[made.struct] = Demand(made, id_, self.now + ANSWER)

    @precondition(lambda self: self.model.demands)
    @rule(data=st.data())
    def answer(self, data) -> None:
        self.answer_one(data.draw(st.sampled_from(list(self.model.demands.values()))))

    def answer_one(self, demand: Demand) -> None:
        """Try every proof of every tree that was ever anchored."""
        made = demand.made
        shown, anchored = self.model.roots.get((made.institution, made.day), ([], None))
        # Trees that differ in one receipt have proofs in common.
        right = anchored.proof(shown.index(made.receipt)) if made.receipt in shown else None
        for receipts, tree in reversed(self.model.trees):
            for index in range(len(receipts)):
                found = self.act(HOLDER, "answer", made.struct, tree.proof(index))
                if demand.answered:
                    assert found == "AccessAlreadyAnswered"
                elif self.now > demand.due:
                    assert found == "AccessAnswerLate"
                elif tree.proof(index) == right:
                    assert found is None
                    demand.answered = True
                else:
                    assert found == "AccessProofInvalid"

    @rule(days=st.sampled_from([1, 1, 2, 3, 7, 30, 56, 64]), earlier=st.booleans())
    def wait(self, days, earlier) -> None:
        """Until midnight so many days later, or until a second before it."""
        self.now = (self.today + days) * DAY - bool(earlier)
        self.chain.batch([("evm_setNextBlockTimestamp", [self.now]), ("evm_mine", [])])

    # ------------------------------------------------------------------ invariants

    @invariant()
    def roots_are_the_last_ones(self) -> None:
        days = {(institution, day) for institution, day in self.model.roots}
        days |= {(each, self.today - since) for each in INSTITUTIONS for since in (0, 2, 3)}
        views = [(self.ledger, "rootOf", pair) for pair in sorted(days)]
        for (_, _, (institution, day)), answer in zip(
            views, self.chain.call_all(views), strict=True
        ):
            latest = max(
                (
                    other
                    for whose, other in self.model.roots
                    if whose == institution and other % RING == day % RING
                ),
                default=0,
            )
            if latest > day:
                assert answer == (OVERWRITTEN, bytes(28))
            elif latest == day:
                assert answer == (ANCHORED, self.model.roots[institution, day][1].root[:28])
            else:
                late = day + OPEN < self.chain_day()
                assert answer == (MISSING if late else PENDING, bytes(28))

    @invariant()
    def logs_only_grow(self) -> None:
        logs = [(institution, log) for institution in INSTITUTIONS for log in LOGS]
        found = self.chain.call_all([(self.ledger, "logOf", each) for each in logs])
        known = [self.model.logs.get(each, (0, bytes(32))) for each in logs]
        assert found == [(size, root[:27]) for size, root in known]

    @invariant()
    def omissions_are_those_without_an_answer(self) -> None:
        time = self.chain_time()
        demands = list(self.model.demands.values())
        views = [(self.ledger, "isOmitted", (each.id,)) for each in demands]
        found = self.chain.call_all(views) if views else []
        assert found == [not each.answered and time > each.due for each in demands]

    def chain_time(self) -> int:
        latest = self.chain.request("eth_getBlockByNumber", "latest", False)
        return int(latest["timestamp"], 16)

    def chain_day(self) -> int:
        return self.chain_time() // DAY


def test_whatever_is_done_in_whatever_order() -> None:
    with running_chain() as chain:
        forwarder = chain.deploy("Forwarder").address
        participants = chain.deploy("ParticipantRegistry", forwarder, [GOVERNOR])
        peers = (participants.address, account("consents"), forwarder)
        ledger = chain.deploy("AccessLedger", *peers)
        for institution in INSTITUTIONS:
            chain.send(GOVERNOR, participants, "admitInstitution", institution, CUSTODIAN_ROLE)
        run_state_machine_as_test(
            lambda: AccessMachine(chain, ledger),
            settings=settings(
                max_examples=40,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
